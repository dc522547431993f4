#include "assistant/dialects/xml_calls.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "assistant/dialects/json_scanner.h"
#include "base/json.h"

namespace ingle::assistant {
namespace {

using base::Json;

constexpr std::string_view function_tag = "<function=";
constexpr std::string_view function_end = "</function>";
constexpr std::string_view parameter_tag = "<parameter=";
constexpr std::string_view parameter_end = "</parameter>";

constexpr std::string_view type_names[] = {"string", "integer", "number", "boolean", "null", "array", "object"};

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

bool only_text(const Json& schema) {
  return !schema.empty() && std::ranges::all_of(type_names, [&](std::string_view type) {
    return schema_allows(schema, type) == (type == "string");
  });
}

/// The value as JSON text, if it is of a type that the schema allows; else empty.
std::string as_json(std::string_view text, const Json& schema) {
  text = trimmed(text);
  if (text == "True") text = "true";
  if (text == "False") text = "false";
  if (text == "None") text = "null";
  const auto parsed = base::parse_json(text, {.max_depth = JsonScanner::max_depth});
  if (!parsed) return {};
  const Json& value = *parsed;
  const auto allowed = [&](std::string_view type) { return schema_allows(schema, type); };
  const bool fits = (value.is_object() && allowed("object")) || (value.is_array() && allowed("array")) ||
                    (value.is_boolean() && allowed("boolean")) || (value.is_null() && allowed("null")) ||
                    (value.is_number() && allowed("number")) || (value.is_number_integer() && allowed("integer"));
  return fits ? std::string(text) : std::string();
}

}  // namespace

Take XmlCallReader::take(char c, CallSink& sink) {
  switch (state_) {
    case State::open:
      return take_open(c);
    case State::function_name:
    case State::parameter_name:
      return take_name(c, sink);
    case State::next:
      return take_next(c, sink);
    case State::value:
      return take_value(c, sink);
    case State::after_value:
      break;
  }
  return take_after_value(c, sink);
}

Take XmlCallReader::take_open(char c) {
  if (seen_.empty() && is_space(c)) return Take::more;
  seen_ += c;
  if (!function_tag.starts_with(seen_)) return Take::fail;
  if (seen_ == function_tag) {
    seen_.clear();
    state_ = State::function_name;
  }
  return Take::more;
}

Take XmlCallReader::take_name(char c, CallSink& sink) {
  if (c != '>') {
    if (c == '<' || c == '\n' || name_.size() == 128) return Take::fail;
    name_ += c;
    return Take::more;
  }
  if (name_.empty()) return Take::fail;
  if (state_ == State::parameter_name) return start_parameter(sink) ? Take::more : Take::fail;
  tool_ = tools().find(name_);
  sink.begin(name_);
  sink.arguments("{");
  state_ = State::next;
  return Take::more;
}

bool XmlCallReader::start_parameter(CallSink& sink) {
  if (!keys_.insert(name_).second) return false;
  sink.arguments((keys_.size() > 1 ? ", \"" : "\"") + escape_json(name_) + "\": ");
  text_ = tool_ && only_text(parameter_schema(*tool_, name_));
  if (text_) sink.arguments("\"");
  value_.clear();
  value_started_ = scanning_ = false;
  state_ = State::value;
  return true;
}

Take XmlCallReader::take_next(char c, CallSink& sink) {
  if (seen_.empty() && is_space(c)) return Take::more;
  seen_ += c;
  if (seen_ == function_end) {
    sink.arguments("}");
    sink.end({});
    return Take::done;
  }
  if (seen_ == parameter_tag) {
    seen_.clear();
    name_.clear();
    state_ = State::parameter_name;
    return Take::more;
  }
  return function_end.starts_with(seen_) || parameter_tag.starts_with(seen_) ? Take::more : Take::fail;
}

/// Gives what of a text's value is certain: all but a line break or a tag that may end it.
void XmlCallReader::release(CallSink& sink, bool all) {
  if (!text_) return;
  size_t size = value_.size();
  for (size_t kept = 0; !all && kept <= std::min(value_.size(), parameter_end.size() + 1); ++kept) {
    const std::string_view end = std::string_view(value_).substr(value_.size() - kept);
    const bool may_end =
        parameter_end.starts_with(end) || (end.starts_with('\n') && parameter_end.starts_with(end.substr(1)));
    if (may_end) size = value_.size() - kept;
  }
  sink.arguments(escape_json(std::string_view(value_).substr(0, size)));
  value_.erase(0, size);
}

/// Follows a JSON object or array: inside its strings no tag ends the value.
void XmlCallReader::scan(char c) {
  if (!scanning_) {
    if ((c != '{' && c != '[') || !trimmed(value_).empty()) return;
    scanning_ = true;
    scanner_ = {};
  }
  std::string ignored;
  scanning_ = scanner_.take(c, ignored) == Take::more;
}

Take XmlCallReader::take_value(char c, CallSink& sink) {
  if (!value_started_ && c == '\n') {
    value_started_ = true;
    return Take::more;
  }
  value_started_ = true;
  if (!text_) scan(c);
  value_ += c;
  if (c == '>' && !scanning_ && value_.ends_with(parameter_end)) {
    value_.resize(value_.size() - parameter_end.size());
    seen_.clear();
    space_ = 0;
    state_ = State::after_value;
    return Take::more;
  }
  release(sink, false);
  return Take::more;
}

Take XmlCallReader::take_after_value(char c, CallSink& sink) {
  if (seen_.size() == space_ && is_space(c)) ++space_;
  seen_ += c;
  const std::string_view tag = std::string_view(seen_).substr(space_);
  if (tag == function_end || tag == parameter_tag) {
    end_value(sink);
    seen_ = std::string(tag.substr(0, tag.size() - 1));
    state_ = State::next;
    return take_next(c, sink);
  }
  if (function_end.starts_with(tag) || parameter_tag.starts_with(tag)) return Take::more;
  // Not the end after all. The tag's text may start another end.
  std::string back = std::exchange(seen_, {});
  value_ += parameter_end;
  release(sink, true);
  state_ = State::value;
  Take result = Take::more;
  for (const char again : back) {
    if (result == Take::more) result = state_ == State::value ? take_value(again, sink) : take_after_value(again, sink);
  }
  return result;
}

void XmlCallReader::end_value(CallSink& sink) {
  if (value_.ends_with('\n')) value_.pop_back();
  if (text_) {
    release(sink, true);
    sink.arguments("\"");
    return;
  }
  const Json schema = tool_ ? parameter_schema(*tool_, name_) : Json::object();
  const std::string json = as_json(value_, schema);
  sink.arguments(json.empty() ? '"' + escape_json(value_) + '"' : json);
}

}  // namespace ingle::assistant
