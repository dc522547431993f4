// Calls written as JSON: an object with a name and arguments, or a list of such objects.
#pragma once

#include <string>
#include <vector>

#include "assistant/dialects/call_reader.h"
#include "assistant/dialects/json_scanner.h"

namespace ingle::assistant {

/// Takes the arguments of one call: a JSON object, an object's text inside a JSON string, or null for none.
class ArgumentsReader {
 public:
  /// Appends the object's text to `json`.
  Take take(char c, std::string& json);

 private:
  enum class State { start, object, text, null };

  State state_ = State::start;
  JsonScanner scanner_;
  JsonString string_;
  bool inside_ = false, whole_ = false;  ///< the object inside the string has begun, has ended
  size_t null_seen_ = 0;
};

/// Reads one JSON value of calls, `{"name": …, "arguments": …}` or a list of them. Also taken, because models and
/// templates write them: "parameters" for "arguments"; either key first; the pair inside "function"; a list inside
/// "tool_calls"; an "id" and other keys beside them; arguments as a string; none at all.
class JsonCallReader : public CallReader {
 public:
  /// `bare`: no marker stood before the value, so what has another key before the call's own is no call.
  JsonCallReader(const Tools& tools, bool bare) : CallReader(tools), bare_(bare) {}

  Take take(char c, CallSink& sink) override;

 private:
  enum class State { start, item, key_start, key, colon, value, name, id, arguments, skip, after_member, after_item };
  enum class Level { list, call, function, wrapper };

  Take take_key(char c);
  Take start_value(char c, CallSink& sink);
  Take take_string_value(char c);
  Take take_arguments(char c, CallSink& sink);
  Take take_skipped(char c, CallSink& sink);
  Take take_after_member(char c, CallSink& sink);
  Take take_after_item(char c);
  Take start_item(char c);
  Take close_level();
  bool finish_call(CallSink& sink);
  void begin(CallSink& sink);

  bool bare_;
  State state_ = State::start;
  std::vector<Level> levels_;
  std::string key_, name_, id_, held_;  ///< held_: arguments that came before the name
  bool named_ = false, begun_ = false, has_arguments_ = false, empty_list_ = false;
  JsonString string_;
  JsonScanner scanner_;
  ArgumentsReader arguments_;
};

}  // namespace ingle::assistant
