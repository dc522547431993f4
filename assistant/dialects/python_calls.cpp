#include "assistant/dialects/python_calls.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "assistant/dialects/json_scanner.h"

namespace ingle::assistant {
namespace {

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool continues_name(char c) {
  return starts_name(c) || (c >= '0' && c <= '9');
}

/// The tool's name in a callee: "tool", "tool.call", "module.tool".
std::string tool_name(const Tools& tools, std::string_view callee) {
  if (tools.find(callee)) return std::string(callee);
  std::string_view name = callee;
  if (name.ends_with(".call")) name.remove_suffix(5);
  if (!tools.find(name)) {
    const std::string_view last = name.substr(name.rfind('.') + 1);
    if (tools.find(last)) name = last;
  }
  return std::string(name);
}

}  // namespace

Take PythonCallReader::take(char c, CallSink& sink) {
  switch (state_) {
    case State::name:
      // Names of tools may hold what names in Python can't.
      if (continues_name(c) || c == '.' || c == '-') {
        if (name_.size() == 128) return Take::fail;
        name_ += c;
        return Take::more;
      }
      state_ = State::before_paren;
      break;
    case State::word:
    case State::after_word:
      return take_word(c, sink);
    case State::value:
      return take_value(c, sink);
    default:
      break;
  }
  if (is_space(c)) return Take::more;
  switch (state_) {
    case State::start:
      if (c == '[' && !list_ && wrappers_ == 0) {
        list_ = true;
        return Take::more;
      }
      if (!starts_name(c)) return Take::fail;
      name_ = c;
      state_ = State::name;
      return Take::more;
    case State::before_paren:
      return c == '(' ? open_call(sink) : Take::fail;
    case State::argument:
      if (c == ')') return end_call(sink);
      if (starts_name(c)) {
        word_ = c;
        state_ = State::word;
        return Take::more;
      }
      return start_positional(sink) ? take_value(c, sink) : Take::fail;
    case State::after_argument:
      return take_after_argument(c, sink);
    default:
      return take_after_call(c);
  }
}

Take PythonCallReader::open_call(CallSink& sink) {
  if (name_ == "print" && !tools().find(name_)) {
    if (++wrappers_ > 8) return Take::fail;
    state_ = State::start;
    return Take::more;
  }
  const std::string name = tool_name(tools(), name_);
  tool_ = tools().find(name);
  keys_.clear();
  positional_ = 0;
  sink.begin(name);
  sink.arguments("{");
  state_ = State::argument;
  return Take::more;
}

bool PythonCallReader::start_argument(std::string key, CallSink& sink) {
  std::string json = keys_.empty() ? "" : ", ";
  json += '"' + escape_json(key) + "\": ";
  if (!keys_.insert(std::move(key)).second) return false;
  sink.arguments(json);
  literal_ = LiteralReader(python_notation);
  state_ = State::value;
  return true;
}

bool PythonCallReader::start_positional(CallSink& sink) {
  if (!tool_) return start_argument(std::to_string(positional_++), sink);
  const base::Json& properties = tool_->parameters.at("properties");
  if (positional_ >= properties.size()) return false;
  return start_argument(std::next(properties.begin(), static_cast<std::ptrdiff_t>(positional_++)).key(), sink);
}

/// A word is a key if "=" follows, or else a value: True, None.
Take PythonCallReader::take_word(char c, CallSink& sink) {
  if (state_ == State::word && continues_name(c)) {
    if (word_.size() == 128) return Take::fail;
    word_ += c;
    return Take::more;
  }
  if (is_space(c)) {
    state_ = State::after_word;
    return Take::more;
  }
  if (c == '=') return start_argument(word_, sink) ? Take::more : Take::fail;
  if (!start_positional(sink)) return Take::fail;
  std::string json;
  for (const char letter : word_) {
    if (literal_.take(letter, json) != Take::more) return Take::fail;
  }
  return take_value(c, sink);
}

Take PythonCallReader::take_value(char c, CallSink& sink) {
  std::string json;
  const Take result = literal_.take(c, json);
  if (result == Take::fail) return result;
  if (!json.empty()) sink.arguments(json);
  if (result == Take::more) return result;
  state_ = State::after_argument;
  return result == Take::unread ? take_after_argument(c, sink) : Take::more;
}

Take PythonCallReader::take_after_argument(char c, CallSink& sink) {
  if (is_space(c)) return Take::more;
  if (c == ')') return end_call(sink);
  if (c != ',') return Take::fail;
  state_ = State::argument;
  return Take::more;
}

Take PythonCallReader::end_call(CallSink& sink) {
  sink.arguments("}");
  sink.end({});
  state_ = State::after_call;
  return !list_ && wrappers_ == 0 ? Take::done : Take::more;
}

Take PythonCallReader::take_after_call(char c) {
  if (wrappers_ > 0) {
    if (c != ')') return Take::fail;
    return --wrappers_ == 0 && !list_ ? Take::done : Take::more;
  }
  if (c == ']') return Take::done;
  if (c != ',') return Take::fail;
  state_ = State::start;
  return Take::more;
}

base::Result<std::string> python_call(GrammarWriter& writer, const Tool& tool) {
  std::vector<ListItem> arguments;
  for (const auto& [key, property] : tool.parameters.at("properties").items()) {
    const bool needed = is_required(tool.parameters, key);
    if (key.empty() || !starts_name(key.front()) || !std::ranges::all_of(key, continues_name)) {
      if (!needed) continue;
      return base::Error{base::ErrorCode::unsupported,
                         "a parameter of tool " + tool.name + " has a name that this model's calls can't hold"};
    }
    const base::Json schema = parameter_schema(tool, key);
    const auto type = schema.find("type");
    const bool word = type != schema.end() && *type == "boolean" && !schema.contains("enum");
    const std::string value = word ? "( \"True\" | \"False\" )" : writer.json(schema);
    arguments.push_back({GrammarWriter::literal(key + "=") + " " + value, needed});
  }
  return GrammarWriter::literal(tool.name + "(") + " " + writer.list(arguments, ", ") + " \")\"";
}

}  // namespace ingle::assistant
