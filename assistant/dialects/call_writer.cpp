#include "assistant/dialects/call_writer.h"

namespace ingle::assistant {
namespace {

using base::Json;

/// How true, false and null are spelled.
struct Words {
  std::string_view yes, no, none;
};
constexpr Words json_words{"true", "false", "null"};
constexpr Words python_words{"True", "False", "None"};

std::string scalar(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void write(const Json& value, const Words& words, std::string& out) {
  if (value.is_boolean()) {
    out += value.get<bool>() ? words.yes : words.no;
  } else if (value.is_null()) {
    out += words.none;
  } else if (!value.is_structured()) {
    out += scalar(value);  // JSON's strings and numbers are Python's, too
  } else {
    out += value.is_array() ? '[' : '{';
    bool first = true;
    for (const auto& [key, item] : value.items()) {
      if (!first) out += ", ";
      first = false;
      if (value.is_object()) out += scalar(key) + ": ";
      write(item, words, out);
    }
    out += value.is_array() ? ']' : '}';
  }
}

}  // namespace

std::string json_text(const Json& value) {
  std::string out;
  write(value, json_words, out);
  return out;
}

std::string json_call_text(std::string_view name, std::string_view key, const Json& arguments) {
  return "{\"name\": " + scalar(name) + ", \"" + std::string(key) + "\": " + json_text(arguments) + "}";
}

std::string arguments_call_text(std::string_view name, const Json& arguments) {
  return json_call_text(name, "arguments", arguments);
}

std::string parameters_call_text(std::string_view name, const Json& arguments) {
  return json_call_text(name, "parameters", arguments);
}

std::string python_call_text(std::string_view name, const Json& arguments) {
  std::string out = std::string(name) + "(";
  bool first = true;
  if (arguments.is_object()) {
    for (const auto& [key, value] : arguments.items()) {
      out += (first ? "" : ", ") + key + "=";
      first = false;
      write(value, python_words, out);
    }
  }
  return out + ")";
}

}  // namespace ingle::assistant
