#include "server/api/openapi.h"

#include <algorithm>
#include <cctype>

namespace ingle::server {
namespace {

using base::Json;

Json object_schema(std::span<const Field> fields);

/// The free-form schemas of tables are ours: they parse.
Json parsed(std::string_view schema) {
  return schema.empty() ? Json::object() : *base::parse_json(schema);
}

Json schema_of(const Type& type) {
  switch (type.kind) {
    case Type::Kind::text:
      return {{"type", "string"}};
    case Type::Kind::choice:
      return {{"type", "string"}, {"enum", std::vector<std::string>(type.names.begin(), type.names.end())}};
    case Type::Kind::texts: {
      const Json text = {{"type", "string"}};
      return {{"anyOf", {text, {{"type", "array"}, {"items", text}, {"maxItems", type.most}}}}};
    }
    case Type::Kind::integer:
      return {{"type", "integer"}, {"minimum", type.least}, {"maximum", type.most}};
    case Type::Kind::number:
      return {{"type", "number"}, {"minimum", type.lowest}, {"maximum", type.highest}};
    case Type::Kind::boolean:
      return {{"type", "boolean"}};
    case Type::Kind::array: {
      Json schema = {{"type", "array"},
                     {"items", type.fields != nullptr ? object_schema(fields_of(type)) : parsed(type.schema)}};
      if (type.least > 0) schema["minItems"] = type.least;
      if (type.most < kMany) schema["maxItems"] = type.most;
      return schema;
    }
    case Type::Kind::object:
      return type.fields != nullptr ? object_schema(fields_of(type)) : Json{{"type", "object"}};
    case Type::Kind::schema:
      return {{"type", {"object", "boolean"}}};
    case Type::Kind::described:
      return parsed(type.schema);
    case Type::Kind::anything:
      break;
  }
  return Json::object();
}

/// Null counts as absent.
Json or_null(Json schema) {
  if (schema.empty()) return schema;
  const bool plain = schema.contains("type") && schema["type"].is_string() && !schema.contains("enum");
  if (plain) {
    schema["type"] = {schema["type"], "null"};
    return schema;
  }
  if (!schema.contains("anyOf")) schema = {{"anyOf", Json::array({std::move(schema)})}};
  schema["anyOf"].push_back({{"type", "null"}});
  return schema;
}

Json property_of(const Field& field) {
  const Json schema = schema_of(field.type);
  Json property = field.use == Use::required ? schema : or_null(schema);
  std::string help(field.help);
  if (field.use == Use::hint) {
    property["x-ingle-hint"] = true;
    help = "has no effect here" + (help.empty() ? help : ": " + help);
  }
  if (!help.empty()) property["description"] = help;
  return property;
}

Json object_schema(std::span<const Field> fields) {
  Json schema = {{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
  for (const Field& field : fields) {
    if (field.use == Use::refused) {
      schema["x-ingle-refused"][std::string(field.name)] = field.help;
      continue;
    }
    schema["properties"][std::string(field.name)] = property_of(field);
    if (field.use == Use::required) schema["required"].push_back(field.name);
  }
  return schema;
}

std::string_view name_of(Family family) {
  switch (family) {
    case Family::ollama:
      return "ollama";
    case Family::anthropic:
      return "anthropic";
    case Family::openai:
      break;
  }
  return "openai";
}

/// "post_v1_models_model", for programs that make clients.
std::string operation_id(const Route& route) {
  std::string id;
  for (const char c : std::string(route.method) + std::string(route.path)) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      id += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!id.empty() && id.back() != '_') {
      id += '_';
    }
  }
  return id.substr(0, id.find_last_not_of('_') + 1);
}

std::string error_name(Family family, int status) {
  return std::string(name_of(family)) + "_" + std::to_string(status);
}

Json reference(const std::string& kind, const std::string& name) {
  return {{"$ref", "#/components/" + kind + "/" + name}};
}

bool has_hint(std::span<const Field> fields) {
  return std::ranges::any_of(
      fields, [](const Field& field) { return field.use == Use::hint || has_hint(fields_of(field.type)); });
}

Json answers_of(const Route& route) {
  const auto schema_for = [](std::string_view type) {
    return Json{{"schema", {{"type", type == "application/json" ? "object" : "string"}}}};
  };
  Json content = {{std::string(route.answers), schema_for(route.answers)}};
  if (std::ranges::find(route.fields, std::string_view("stream"), &Field::name) != route.fields.end())
    content[std::string(stream_type(route.family))] = schema_for(stream_type(route.family));
  Json answers = {{"200", {{"description", "the answer"}, {"content", std::move(content)}}}};
  if (has_hint(route.fields)) answers["200"]["headers"]["x-ingle-unused"] = reference("headers", "unused");
  for (const ErrorStatus& error : kErrorStatuses)
    answers[std::to_string(error.status)] = reference("responses", error_name(route.family, error.status));
  return answers;
}

Json operation_of(const Route& route) {
  Json operation = {
      {"operationId", operation_id(route)}, {"summary", route.summary}, {"tags", Json::array({name_of(route.family)})}};
  const Json nobody = Json::object(), bearer = {{"bearer", Json::array()}}, key = {{"key", Json::array()}};
  // Any of these; no key, where the server's own user asks.
  operation["security"] = Json::array();
  if (route.scope != Scope::none) operation["security"] = {bearer, key};
  if (route.scope == Scope::chat) operation["security"].push_back(nobody);
  if (const size_t brace = route.path.find('{'); brace != std::string_view::npos)
    operation["parameters"].push_back({{"name", route.path.substr(brace + 1, route.path.find('}') - brace - 1)},
                                       {"in", "path"},
                                       {"required", true},
                                       {"description", route.parameter},
                                       {"schema", {{"type", "string"}}}});
  if (!route.fields.empty())
    operation["requestBody"] = {{"required", true},
                                {"content", {{"application/json", {{"schema", object_schema(route.fields)}}}}}};
  operation["responses"] = answers_of(route);
  return operation;
}

Json components() {
  Json parts = {
      {"securitySchemes",
       {{"bearer", {{"type", "http"}, {"scheme", "bearer"}, {"description", "a key of 'ingle key create'"}}},
        {"key", {{"type", "apiKey"}, {"in", "header"}, {"name", "x-api-key"}, {"description", "the same"}}}}},
      {"headers",
       {{"unused", {{"description", "hints that came and have no effect"}, {"schema", {{"type", "string"}}}}},
        {"retry_after",
         {{"description", "seconds after which to ask again"}, {"schema", {{"type", "integer"}, {"minimum", 0}}}}}}},
      {"schemas", Json::object()},
      {"responses", Json::object()}};
  for (const Family family : {Family::openai, Family::ollama, Family::anthropic}) {
    const std::string schema = std::string(name_of(family)) + "_error";
    parts["schemas"][schema] = error_schema(family);
    for (const ErrorStatus& error : kErrorStatuses) {
      Json answer = {{"description", error.meaning},
                     {"content", {{"application/json", {{"schema", reference("schemas", schema)}}}}}};
      if (error.status == 429 || error.status == 503)
        answer["headers"]["Retry-After"] = reference("headers", "retry_after");
      parts["responses"][error_name(family, error.status)] = std::move(answer);
    }
  }
  return parts;
}

}  // namespace

Json openapi_document(std::span<const Route* const> routes, const std::string& version) {
  Json paths = Json::object();
  for (const Route* route : routes) {
    std::string method(route->method);
    std::ranges::transform(method, method.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    paths[std::string(route->path)][method] = operation_of(*route);
  }
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "Ingle"},
            {"version", version},
            {"summary", "Models on this device, behind the APIs that programs know"},
            {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
          {"servers", Json::array({Json{{"url", "/"}}})},
          {"paths", std::move(paths)},
          {"components", components()}};
}

}  // namespace ingle::server
