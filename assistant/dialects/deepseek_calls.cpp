#include "assistant/dialects/deepseek_calls.h"

#include <algorithm>
#include <string_view>

namespace ingle::assistant {
namespace {

constexpr std::string_view calls_begin = "<｜tool▁calls▁begin｜>";
constexpr std::string_view calls_end = "<｜tool▁calls▁end｜>";
constexpr std::string_view call_begin = "<｜tool▁call▁begin｜>";
constexpr std::string_view call_end = "<｜tool▁call▁end｜>";
constexpr std::string_view separator = "<｜tool▁sep｜>";
constexpr std::string_view fence = "```json";

std::unique_ptr<CallReader> list(const Tools& tools) {
  return std::make_unique<DeepseekCallReader>(tools, false);
}
std::unique_ptr<CallReader> single(const Tools& tools) {
  return std::make_unique<DeepseekCallReader>(tools, true);
}

constexpr Reasoning reasoning[] = {{"<think>", "</think>"}};
constexpr Opener openers[] = {{.marker = calls_begin, .reader = list}, {.marker = call_begin, .reader = single}};
constexpr std::string_view visible[] = {calls_begin, calls_end, call_begin, call_end, separator, "<think>", "</think>"};

}  // namespace

std::span<const Opener> deepseek_openers() {
  return openers;
}
std::span<const Reasoning> deepseek_reasoning() {
  return reasoning;
}
std::span<const std::string_view> deepseek_visible() {
  return visible;
}

Take DeepseekCallReader::take(char c, CallSink& sink) {
  switch (state_) {
    case State::head:
      return take_head(c);
    case State::name:
      return take_name(c);
    case State::fence:
      return take_fence(c, sink);
    case State::arguments:
      return take_arguments(c, sink);
    default:
      break;
  }
  if (seen_.empty() && is_space(c)) return Take::more;
  return take_mark(c, sink);
}

/// Between calls: the next one's mark, or the end of all; within a call: its end, after the fence's if there is one.
Take DeepseekCallReader::take_mark(char c, CallSink& sink) {
  // After a call, other text is no part of the calls, and their end may be missing.
  if (state_ == State::next && begun_ && seen_.empty() && c != '<') return Take::unread;
  seen_ += c;
  if (state_ == State::next) {
    if (seen_ == calls_end) return Take::done;
    if (seen_ == call_begin) {
      seen_.clear();
      name_.clear();
      begun_ = false;
      state_ = State::head;
      return Take::more;
    }
    return calls_end.starts_with(seen_) || call_begin.starts_with(seen_) ? Take::more : Take::fail;
  }
  if (seen_ == "```") {
    seen_.clear();
    return Take::more;
  }
  if (seen_ == call_end) {
    sink.settle();
    seen_.clear();
    state_ = State::next;
    return Take::more;
  }
  return std::string_view("```").starts_with(seen_) || call_end.starts_with(seen_) ? Take::more : Take::fail;
}

/// What stands before the separator: the name, or the type "function", which the name follows.
Take DeepseekCallReader::take_head(char c) {
  seen_ += c;
  if (seen_.ends_with(separator)) {
    name_ = seen_.substr(0, seen_.size() - separator.size());
    seen_.clear();
    state_ = name_ == "function" && !tools().find(name_) ? State::name : State::fence;
    if (state_ == State::name) name_.clear();
    return Take::more;
  }
  const bool in_separator = seen_.find(separator.front()) != seen_.npos;
  if (in_separator && !separator.starts_with(std::string_view(seen_).substr(seen_.find(separator.front())))) {
    return Take::fail;
  }
  return c == '\n' || seen_.size() > 128 + separator.size() ? Take::fail : Take::more;
}

Take DeepseekCallReader::take_name(char c) {
  if (c == '\n') {
    state_ = State::fence;
    return name_.empty() ? Take::fail : Take::more;
  }
  if (c == '<' || name_.size() == 128) return Take::fail;
  name_ += c;
  return Take::more;
}

Take DeepseekCallReader::take_fence(char c, CallSink& sink) {
  if (seen_.empty() && is_space(c)) return Take::more;
  if (seen_.empty() && (c == '{' || c == '"')) {
    arguments_ = {};
    state_ = State::arguments;
    return take_arguments(c, sink);
  }
  seen_ += c;
  if (!fence.starts_with(seen_)) return Take::fail;
  if (seen_ == fence) seen_.clear();
  return Take::more;
}

Take DeepseekCallReader::take_arguments(char c, CallSink& sink) {
  std::string json;
  const Take result = arguments_.take(c, json);
  if (result == Take::fail) return result;
  if (!begun_ && !json.empty()) {
    begun_ = true;
    sink.begin(name_);
  }
  if (!json.empty()) sink.arguments(json);
  if (result == Take::done) {
    sink.end({});
    state_ = State::end;
  }
  return Take::more;
}

}  // namespace ingle::assistant
