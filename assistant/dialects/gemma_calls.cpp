#include "assistant/dialects/gemma_calls.h"

#include <algorithm>
#include <map>
#include <vector>

namespace ingle::assistant {
namespace {

using base::Json;

constexpr std::string_view prefix = "call:";

/// Writes expressions for values of one notation.
class Values {
 public:
  Values(GrammarWriter& writer, std::string_view fence) : writer_(writer), fence_(fence) {}

  /// `depth`: schemas deeper than a few levels, and those that refer to others, take any value.
  std::string value(const Json& schema, int depth) {
    if (!schema.is_object() || schema.contains("$ref") || depth > 4) return any();
    if (const auto choices = schema.find("enum"); choices != schema.end() && choices->is_array() && !choices->empty()) {
      std::vector<std::string> alternatives;
      for (const Json& choice : *choices) alternatives.push_back(constant(choice));
      return any_of(alternatives);
    }
    for (const char* keyword : {"anyOf", "oneOf"}) {
      if (const auto found = schema.find(keyword); found != schema.end()) return one_of(*found, depth);
    }
    const Json type = schema.value("type", Json());
    if (type.is_array()) return of_types(schema, type, depth);
    if (type == "string") return text();
    if (type == "integer" || type == "number" || type == "boolean" || type == "null") return writer_.json(schema);
    if (type == "array") return list(value(schema.value("items", Json::object()), depth + 1));
    const auto properties = schema.find("properties");
    if (type == "object" && properties != schema.end() && properties->is_object()) return object(schema, depth);
    return any();
  }

  /// "{", the properties in alphabetical order, "}".
  std::string object(const Json& schema, int depth) {
    std::map<std::string, const Json*> sorted;
    for (const auto& [key, property] : schema.at("properties").items()) sorted[key] = &property;
    std::vector<ListItem> pairs;
    for (const auto& [key, property] : sorted) {
      pairs.push_back(
          {GrammarWriter::literal(key + ":") + " " + value(*property, depth + 1), is_required(schema, key)});
    }
    return "\"{\" " + writer_.list(pairs, ",") + " \"}\"";
  }

 private:
  std::string one_of(const Json& schemas, int depth) {
    if (!schemas.is_array() || schemas.empty()) return any();
    std::vector<std::string> alternatives;
    for (const Json& schema : schemas) alternatives.push_back(value(schema, depth + 1));
    return any_of(alternatives);
  }

  std::string of_types(Json schema, const Json& types, int depth) {
    Json schemas = Json::array();
    for (const Json& type : types) {
      schema["type"] = type;
      schemas.push_back(schema);
    }
    return one_of(schemas, depth);
  }

  std::string text() const { return GrammarWriter::literal(fence_) + " " + GrammarWriter::until(fence_); }

  std::string constant(const Json& value) const {
    if (!value.is_string()) return GrammarWriter::literal(value.dump(-1, ' ', false, Json::error_handler_t::replace));
    return GrammarWriter::literal(std::string(fence_) + value.get<std::string>() + std::string(fence_));
  }

  static std::string list(const std::string& item) { return "\"[\" ( " + item + " ( \",\" " + item + " )* )? \"]\""; }

  std::string any() {
    if (!any_.empty()) return any_;
    any_ = writer_.reserve("value");
    const std::string pair = "[a-zA-Z0-9_]+ \":\" " + any_;
    writer_.define(any_, text() + " | " + writer_.json({{"type", "number"}}) + " | \"true\" | \"false\" | \"null\" | " +
                             list(any_) + " | \"{\" ( " + pair + " ( \",\" " + pair + " )* )? \"}\"");
    return any_;
  }

  GrammarWriter& writer_;
  std::string_view fence_;
  std::string any_;
};

}  // namespace

Take GemmaCallReader::take(char c, CallSink& sink) {
  if (state_ == State::prefix) {
    if (seen_.empty() && is_space(c)) return Take::more;
    seen_ += c;
    if (!prefix.starts_with(seen_)) return Take::fail;
    if (seen_ == prefix) state_ = State::name;
    return Take::more;
  }
  if (state_ == State::name && c != '{') {
    if (is_space(c) || c == '<' || name_.size() == 128) return Take::fail;
    name_ += c;
    return Take::more;
  }
  if (state_ == State::name) {
    if (name_.empty()) return Take::fail;
    sink.begin(name_);
    state_ = State::arguments;
  }
  std::string json;
  const Take result = arguments_.take(c, json);
  if (result == Take::fail) return result;
  if (!json.empty()) sink.arguments(json);
  if (result == Take::done) sink.end({});
  return result;
}

base::Result<std::string> gemma_call(GrammarWriter& writer, const Tool& tool, std::string_view fence) {
  static constexpr std::string_view never = "{}[](),\"'<>:\n";
  for (const auto& [key, schema] : tool.parameters.at("properties").items()) {
    if (key.empty() || key.find_first_of(never) != key.npos) {
      return base::Error{base::ErrorCode::unsupported,
                         "a parameter of tool " + tool.name + " has a name that this model's calls can't hold"};
    }
  }
  Values values(writer, fence);
  return GrammarWriter::literal("call:" + tool.name) + " " + values.object(tool.parameters, 0);
}

}  // namespace ingle::assistant
