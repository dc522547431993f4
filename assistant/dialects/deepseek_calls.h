// Calls as DeepSeek writes them, for its two dialects.
#pragma once

#include <span>
#include <string>

#include "assistant/dialects/dialect.h"
#include "assistant/dialects/json_calls.h"

namespace ingle::assistant {

/// Reads the calls between <｜tool▁calls▁begin｜> and <｜tool▁calls▁end｜>: each between <｜tool▁call▁begin｜> and
/// <｜tool▁call▁end｜>, as NAME<｜tool▁sep｜>{…} or as function<｜tool▁sep｜>NAME, a line's end, and {…} in a ```json
/// fence.
class DeepseekCallReader : public CallReader {
 public:
  /// `inside`: the first call's mark was seen.
  DeepseekCallReader(const Tools& tools, bool inside) : CallReader(tools), state_(inside ? State::head : State::next) {}

  Take take(char c, CallSink& sink) override;

 private:
  enum class State { next, head, name, fence, arguments, end };

  Take take_mark(char c, CallSink& sink);
  Take take_head(char c);
  Take take_name(char c);
  Take take_fence(char c, CallSink& sink);
  Take take_arguments(char c, CallSink& sink);

  State state_;
  std::string seen_, name_;
  bool begun_ = false;
  ArgumentsReader arguments_;
};

std::span<const Opener> deepseek_openers();
std::span<const Reasoning> deepseek_reasoning();
std::span<const std::string_view> deepseek_visible();

}  // namespace ingle::assistant
