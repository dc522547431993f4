#include "assistant/dialects/tools.h"

#include <algorithm>
#include <utility>

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;

Error invalid(std::string message) {
  return {ErrorCode::invalid_argument, std::move(message)};
}

bool is_tool_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  });
}

base::Result<Json> checked_parameters(const Json& function, const std::string& name) {
  const auto found = function.find("parameters");
  Json schema = found == function.end() || found->is_null() ? Json::object() : *found;
  if (!schema.is_object()) return invalid("the parameters of tool " + name + " are no JSON schema");
  if (!schema.contains("type")) schema["type"] = "object";
  if (schema["type"] != "object") return invalid("the parameters of tool " + name + " are no schema of an object");
  if (!schema.contains("properties")) schema["properties"] = Json::object();
  if (!schema["properties"].is_object()) return invalid("the properties of tool " + name + " are no object");
  return schema;
}

base::Result<Tool> parse_tool(const Json& entry) {
  if (!entry.is_object()) return invalid("a tool must be an object");
  const auto inner = entry.find("function");
  const Json& function = inner == entry.end() ? entry : *inner;
  if (!function.is_object()) return invalid("a tool's \"function\" must be an object");
  const auto name = function.find("name");
  if (name == function.end() || !name->is_string()) return invalid("a tool has no name");
  Tool tool;
  tool.name = name->get<std::string>();
  if (!is_tool_name(tool.name)) {
    return invalid("a tool's name must be 1 to 64 letters, digits, '_', '.' or '-'");
  }
  INGLE_TRY(tool.parameters, checked_parameters(function, tool.name));
  return tool;
}

bool alternative_allows(const Json& schema, const char* keyword, std::string_view type) {
  const auto found = schema.find(keyword);
  return found != schema.end() && found->is_array() &&
         std::ranges::any_of(*found, [&](const Json& one) { return schema_allows(one, type); });
}

std::string_view type_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::string:
      return "string";
    case Json::value_t::boolean:
      return "boolean";
    case Json::value_t::null:
      return "null";
    case Json::value_t::array:
      return "array";
    case Json::value_t::object:
      return "object";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return "integer";
    default:
      return "number";
  }
}

}  // namespace

base::Result<Tools> Tools::parse(const Json& tools) {
  Tools result;
  if (tools.is_null()) return result;
  if (!tools.is_array()) return invalid("tools must be an array");
  if (tools.size() > max_tools) {
    return Error{ErrorCode::limit_exceeded, "more than " + std::to_string(max_tools) + " tools"};
  }
  for (const Json& entry : tools) {
    INGLE_TRY(Tool tool, parse_tool(entry));
    if (result.find(tool.name)) return invalid("two tools are named " + tool.name);
    result.tools_.push_back(std::move(tool));
  }
  return result;
}

const Tool* Tools::find(std::string_view name) const {
  const auto found = std::ranges::find(tools_, name, &Tool::name);
  return found == tools_.end() ? nullptr : &*found;
}

base::Json parameter_schema(const Tool& tool, std::string_view parameter) {
  const Json& properties = tool.parameters.at("properties");
  const auto found = properties.find(parameter);
  if (found == properties.end() || !found->is_object()) return Json::object();
  Json schema = *found;
  for (const char* keyword : {"$defs", "definitions"}) {
    const auto definitions = tool.parameters.find(keyword);
    if (definitions != tool.parameters.end() && !schema.contains(keyword)) schema[keyword] = *definitions;
  }
  return schema;
}

bool schema_allows(const Json& schema, std::string_view type) {
  if (!schema.is_object()) return true;
  if (const auto values = schema.find("enum"); values != schema.end() && values->is_array()) {
    return std::ranges::any_of(*values, [&](const Json& value) { return type_of(value) == type; });
  }
  if (const auto value = schema.find("const"); value != schema.end()) return type_of(*value) == type;
  if (schema.contains("anyOf")) return alternative_allows(schema, "anyOf", type);
  if (schema.contains("oneOf")) return alternative_allows(schema, "oneOf", type);
  const auto types = schema.find("type");
  if (types == schema.end()) return true;
  if (types->is_string()) return *types == type;
  return !types->is_array() || std::ranges::find(*types, Json(type)) != types->end();
}

}  // namespace ingle::assistant
