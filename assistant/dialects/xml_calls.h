// Calls as Qwen3-Coder writes them: <function=NAME><parameter=KEY>value</parameter>…</function>.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "assistant/dialects/call_reader.h"
#include "assistant/dialects/json_scanner.h"

namespace ingle::assistant {

/// Reads one call, after `<tool_call>` or, where `inside`, after `<function=`.
///
/// A value is plain text, in which nothing is escaped; the line breaks next to its tags are no part of it. The
/// parameter's schema tells what it means: text where a string is allowed and nothing else fits, or else JSON, with
/// Python's True, False and None taken too. `</parameter>` ends a value only if another parameter or the call's end
/// follows, since the value may hold that text itself.
class XmlCallReader : public CallReader {
 public:
  XmlCallReader(const Tools& tools, bool inside)
      : CallReader(tools), state_(inside ? State::function_name : State::open) {}

  Take take(char c, CallSink& sink) override;

 private:
  enum class State { open, function_name, next, parameter_name, value, after_value };

  Take take_open(char c);
  Take take_next(char c, CallSink& sink);
  Take take_name(char c, CallSink& sink);
  Take take_value(char c, CallSink& sink);
  Take take_after_value(char c, CallSink& sink);
  bool start_parameter(CallSink& sink);
  void release(CallSink& sink, bool all);
  void end_value(CallSink& sink);
  void scan(char c);

  State state_;
  const Tool* tool_ = nullptr;
  std::string name_;
  std::string seen_;   ///< of a tag, or the space and the tag after a value's end
  size_t space_ = 0;   ///< how much of that is space
  std::string value_;  ///< what of the value is not given yet
  std::set<std::string> keys_;
  bool text_ = false;           ///< the value can only be text, so it can be given while it comes
  bool value_started_ = false;  ///< its first byte came
  bool scanning_ = false;       ///< the value is JSON that has not ended
  JsonScanner scanner_;
};

}  // namespace ingle::assistant
