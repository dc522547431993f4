#include "assistant/dialects/named_calls.h"

namespace ingle::assistant {
namespace {

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

}  // namespace

Take NamedCallReader::take(char c, CallSink& sink) {
  switch (state_) {
    case State::start:
      if (is_space(c)) return Take::more;
      state_ = State::name;
      [[fallthrough]];
    case State::name:
      if (is_name(c) && name_.size() < 128) {
        name_ += c;
        return Take::more;
      }
      if (name_.empty()) return Take::fail;
      state_ = State::separator;
      [[fallthrough]];
    case State::separator:
      if (form_.optional_separator && c == '{' && seen_.empty() && !in_id_) {
        state_ = State::arguments;
        return take_arguments(c, sink);
      }
      return take_separator(c);
    case State::arguments:
      break;
  }
  return take_arguments(c, sink);
}

Take NamedCallReader::take_separator(char c) {
  if (seen_.empty() && is_space(c) && !form_.separator.starts_with(c)) return Take::more;
  if (in_id_ && seen_.empty() && is_name(c) && id_.size() < 128) {
    id_ += c;
    return Take::more;
  }
  seen_ += c;
  if (seen_ == form_.separator) {
    state_ = State::arguments;
    return Take::more;
  }
  if (!in_id_ && !form_.id_mark.empty() && seen_ == form_.id_mark) {
    in_id_ = true;
    seen_.clear();
    return Take::more;
  }
  if (form_.separator.starts_with(seen_) || (!in_id_ && form_.id_mark.starts_with(seen_))) return Take::more;
  return Take::fail;
}

Take NamedCallReader::take_arguments(char c, CallSink& sink) {
  std::string json;
  const Take result = arguments_.take(c, json);
  if (result == Take::fail) return result;
  if (!begun_ && !json.empty()) {
    begun_ = true;
    sink.begin(name_);
  }
  if (!json.empty()) sink.arguments(json);
  if (result == Take::done) sink.end(id_);
  return result;
}

}  // namespace ingle::assistant
