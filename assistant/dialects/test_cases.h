// Replies as models write them, for the tests of this folder: each with what it must come apart into.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "assistant/dialects/reply.h"

namespace ingle::assistant {

struct ReplyCase {
  std::string_view what;
  std::string_view dialect;
  std::string_view text;
  Reply want;  ///< calls' arguments are compared as JSON; notes by their number
  bool starts_in_reasoning = false;
};

/// get_weather(location, unit, days), create_event(event, priority, dry_run), ping(), run(code, count, flag).
Tools test_tools();

/// Cases of the dialects with a form of their own, and of those with JSON.
std::vector<ReplyCase> json_cases();
std::vector<ReplyCase> other_cases();

Call whole_call(std::string name, std::string arguments, std::string id = {});

}  // namespace ingle::assistant
