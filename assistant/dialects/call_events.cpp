#include "assistant/dialects/call_events.h"

#include <algorithm>
#include <utility>

namespace ingle::assistant {

using Kind = Delta::Kind;

std::vector<Delta> CallEvents::take() {
  return std::exchange(out_, {});
}

void CallEvents::add(std::vector<Delta>& to, Kind kind, std::string_view text) const {
  const bool joins = kind == Kind::reasoning || kind == Kind::content || kind == Kind::call_arguments;
  if (joins && text.empty()) return;
  if (joins && !to.empty() && to.back().kind == kind) {
    to.back().text += text;
    return;
  }
  const bool of_call = kind >= Kind::call_begin && kind <= Kind::call_invalid;
  to.push_back({kind, of_call ? next_call_ : 0, std::string(text)});
}

void CallEvents::emit(Kind kind, std::string_view text) {
  add(out_, kind, text);
}

void CallEvents::put(Kind kind, std::string_view text, std::string& space, bool& started) {
  if (text.empty()) return;
  if (!started) space.erase(0, std::min(space.find_first_not_of(trimmed_), space.size()));
  emit(kind, space);
  emit(kind, text);
  space.clear();
  started = true;
}

void CallEvents::content(std::string_view text) {
  if (text.empty()) return;
  if (!has_content_ && has_calls()) space_.clear();
  put(Kind::content, text, space_, has_content_);
  touched_call_ = false;
}

void CallEvents::start_reasoning() {
  if (!has_content_) space_.clear();
  // Between two stretches of reasoning a line's end stands for what was there.
  reasoning_space_ = has_reasoning_ ? "\n" : "";
}

void CallEvents::reasoning(std::string_view text) {
  const size_t end = text.find_last_not_of(trimmed_);
  if (end == text.npos) {
    reasoning_space_ += text;
    return;
  }
  const size_t first = text.find_first_not_of(trimmed_);
  reasoning_space_ += text.substr(0, first);
  put(Kind::reasoning, text.substr(first, end + 1 - first), reasoning_space_, has_reasoning_);
  reasoning_space_ = text.substr(end + 1);
}

void CallEvents::start_calls(std::string_view marker, bool doubtful) {
  doubtful_ = doubtful;
  raw_ = marker;
  dead_ = in_call_ = whole_ = false;
}

void CallEvents::seen(bool taken) {
  if (!taken && !raw_.empty()) raw_.pop_back();
  if (dead_) raw_to_content();
  if (settled_) raw_.clear();
  settled_ = false;
}

void CallEvents::raw_to_content() {
  content(raw_);
  raw_.clear();
}

void CallEvents::begin(std::string_view name) {
  if (!tools_->find(name)) {
    if (!dead_) emit(Kind::note, "no tool is named " + std::string(name));
    dead_ = true;
    raw_to_content();
    return;
  }
  dead_ = false;
  in_call_ = true;
  doubtful_ = false;
  held_.clear();
  add(stream_ ? out_ : held_, Kind::call_begin, name);
}

void CallEvents::arguments(std::string_view json) {
  if (in_call_) add(stream_ ? out_ : held_, Kind::call_arguments, json);
}

void CallEvents::end(std::string_view id) {
  if (!in_call_) return;
  add(stream_ ? out_ : held_, Kind::call_end, id);
  std::ranges::move(held_, std::back_inserter(out_));
  held_.clear();
  ++next_call_;
  in_call_ = false;
  touched_call_ = whole_ = true;
  raw_.clear();
}

void CallEvents::fail() {
  static constexpr std::string_view why = "a call broke its format";
  if (in_call_ && stream_) {
    emit(Kind::call_invalid, why);
    ++next_call_;
  } else if (!dead_ && !doubtful_ && !raw_.empty()) {
    emit(Kind::note, why);
  }
  in_call_ = false;
  held_.clear();
  raw_to_content();
}

void CallEvents::end_calls(std::string_view text) {
  raw_ += text;
  if (dead_) raw_to_content();
  dead_ = false;
  raw_.clear();
}

void CallEvents::cut() {
  if (in_call_ && stream_) {
    emit(Kind::call_cut, {});
  } else if (raw_.find_first_not_of(" \t\r\n") != raw_.npos) {
    if (!dead_ && !doubtful_) emit(Kind::note, "the reply ended inside a call");
    // After a whole call that is a part of a mark, or of another call of which nothing is known yet.
    if (!whole_) raw_to_content();
  }
  in_call_ = false;
}

void CallEvents::finish(bool trim_end) {
  if (has_content_ && !trim_end && !touched_call_) emit(Kind::content, space_);
  space_.clear();
}

}  // namespace ingle::assistant
