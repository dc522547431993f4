#include "assistant/dialects/json_calls.h"

#include <algorithm>
#include <string_view>

namespace ingle::assistant {

Take ArgumentsReader::take(char c, std::string& json) {
  static constexpr std::string_view null = "null";
  switch (state_) {
    case State::start:
      if (is_space(c)) return Take::more;
      if (c == '{') {
        state_ = State::object;
        return scanner_.take(c, json);
      }
      if (c != '"' && c != 'n') return Take::fail;
      state_ = c == '"' ? State::text : State::null;
      null_seen_ = 1;
      return Take::more;
    case State::object:
      return scanner_.take(c, json);
    case State::null:
      if (c != null[null_seen_++]) return Take::fail;
      if (null_seen_ < null.size()) return Take::more;
      json += "{}";
      return Take::done;
    case State::text:
      break;
  }
  std::string decoded;
  const Take result = string_.take(c, decoded);
  if (result == Take::fail) return result;
  for (const char inner : decoded) {
    if (is_space(inner) && (!inside_ || whole_)) continue;
    if (whole_ || (!inside_ && inner != '{')) return Take::fail;
    inside_ = true;
    const Take part = scanner_.take(inner, json);
    if (part == Take::fail) return part;
    whole_ = part == Take::done;
  }
  if (result == Take::more || whole_) return result;
  if (inside_) return Take::fail;
  json += "{}";  // an empty string
  return Take::done;
}

Take JsonCallReader::take(char c, CallSink& sink) {
  switch (state_) {
    case State::name:
    case State::id:
      return take_string_value(c);
    case State::arguments:
      return take_arguments(c, sink);
    case State::skip:
      return take_skipped(c, sink);
    case State::key:
      return take_key(c);
    default:
      break;
  }
  if (is_space(c)) return Take::more;
  switch (state_) {
    case State::start:
    case State::item:
      return start_item(c);
    case State::key_start:
      if (c == '"') {
        key_.clear();
        string_ = {};
        state_ = State::key;
        return Take::more;
      }
      return Take::fail;
    case State::colon:
      if (c != ':') return Take::fail;
      state_ = State::value;
      return Take::more;
    case State::value:
      return start_value(c, sink);
    case State::after_member:
      return take_after_member(c, sink);
    default:
      return take_after_item(c);
  }
}

Take JsonCallReader::start_item(char c) {
  if (c == '[' && state_ == State::start && levels_.empty()) {
    levels_.push_back(Level::list);
    state_ = State::item;
    empty_list_ = true;
    return Take::more;
  }
  if (c == ']' && empty_list_) return bare_ ? Take::fail : close_level();
  if (c != '{') return Take::fail;
  empty_list_ = false;
  levels_.push_back(Level::call);
  name_.clear();
  id_.clear();
  held_.clear();
  named_ = begun_ = has_arguments_ = false;
  state_ = State::key_start;
  return Take::more;
}

Take JsonCallReader::take_key(char c) {
  const Take result = string_.take(c, key_);
  if (result != Take::done) return result;
  state_ = State::colon;
  static constexpr std::string_view known[] = {"name", "arguments", "parameters", "function", "tool_calls", "type"};
  const bool is_known = std::ranges::find(known, key_) != std::ranges::end(known);
  return bare_ && !is_known && !begun_ ? Take::fail : Take::more;
}

Take JsonCallReader::start_value(char c, CallSink& sink) {
  const bool text = c == '"';
  if (levels_.back() == Level::wrapper) key_.clear();  // what stands beside the list means nothing
  if (key_ == "tool_calls" && c == '[' && levels_.size() == 1 && !named_) {
    levels_ = {Level::wrapper, Level::list};
    state_ = State::item;
    empty_list_ = true;
    return Take::more;
  }
  if (key_ == "function" && c == '{' && !named_ && levels_.back() == Level::call) {
    levels_.push_back(Level::function);
    state_ = State::key_start;
    return Take::more;
  }
  if ((key_ == "name" || key_ == "function") && text) {
    if (named_) return Take::fail;
    string_ = {};
    state_ = State::name;
    return Take::more;
  }
  if (key_ == "name") return Take::fail;
  if (key_ == "id" && text && id_.empty()) {
    string_ = {};
    state_ = State::id;
    return Take::more;
  }
  if (key_ == "arguments" || key_ == "parameters") {
    if (has_arguments_) return Take::fail;
    has_arguments_ = true;
    arguments_ = {};
    state_ = State::arguments;
    return take_arguments(c, sink);
  }
  scanner_ = {};
  state_ = State::skip;
  return take_skipped(c, sink);
}

Take JsonCallReader::take_string_value(char c) {
  const Take result = string_.take(c, state_ == State::name ? name_ : id_);
  if (result != Take::done) return result;
  if (state_ == State::name) {
    named_ = true;
    // Without a marker a name alone makes no call: any JSON object may have one.
    if (bare_ && !tools().find(name_)) return Take::fail;
  }
  state_ = State::after_member;
  return Take::more;
}

void JsonCallReader::begin(CallSink& sink) {
  if (begun_) return;
  begun_ = true;
  sink.begin(name_);
}

Take JsonCallReader::take_arguments(char c, CallSink& sink) {
  std::string json;
  const Take result = arguments_.take(c, json);
  if (result == Take::fail) return result;
  if (!json.empty()) {
    if (named_) {
      begin(sink);
      sink.arguments(json);
    } else {
      held_ += json;
    }
  }
  if (result == Take::done) state_ = State::after_member;
  return Take::more;
}

Take JsonCallReader::take_skipped(char c, CallSink& sink) {
  std::string ignored;
  const Take result = scanner_.take(c, ignored);
  if (result == Take::fail) return result;
  if (result != Take::more) state_ = State::after_member;
  return result == Take::unread ? take_after_member(c, sink) : Take::more;
}

Take JsonCallReader::take_after_member(char c, CallSink& sink) {
  if (is_space(c)) return Take::more;
  if (c == ',') {
    state_ = State::key_start;
    return Take::more;
  }
  if (c != '}') return Take::fail;
  const Level level = levels_.back();
  if (level == Level::call && !finish_call(sink)) return Take::fail;
  return close_level();
}

bool JsonCallReader::finish_call(CallSink& sink) {
  if (!named_) return false;
  if (!begun_) {
    begin(sink);
    sink.arguments(held_.empty() ? "{}" : held_);
  }
  sink.end(id_);
  return true;
}

Take JsonCallReader::close_level() {
  const Level level = levels_.back();
  levels_.pop_back();
  if (levels_.empty()) return Take::done;
  state_ = level == Level::call ? State::after_item : State::after_member;
  return Take::more;
}

Take JsonCallReader::take_after_item(char c) {
  if (c == ']') return close_level();
  if (c != ',') return Take::fail;
  state_ = State::item;
  return Take::more;
}

}  // namespace ingle::assistant
