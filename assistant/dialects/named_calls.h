// Calls whose name stands before their arguments: NAME, a separator, a JSON object.
#pragma once

#include <string>
#include <string_view>

#include "assistant/dialects/call_reader.h"
#include "assistant/dialects/json_calls.h"

namespace ingle::assistant {

struct NamedForm {
  std::string_view separator;  ///< between name and arguments
  /// Text between name and separator that brings the call's id, or empty.
  std::string_view id_mark = {};
  bool optional_separator = false;  ///< the arguments' "{" may follow the name at once
};

/// Reads one call of that form.
class NamedCallReader : public CallReader {
 public:
  NamedCallReader(const Tools& tools, const NamedForm& form) : CallReader(tools), form_(form) {}

  Take take(char c, CallSink& sink) override;

 private:
  enum class State { start, name, separator, arguments };

  Take take_separator(char c);
  Take take_arguments(char c, CallSink& sink);

  NamedForm form_;
  State state_ = State::start;
  std::string name_, id_, seen_;
  bool begun_ = false, in_id_ = false;
  ArgumentsReader arguments_;
};

}  // namespace ingle::assistant
