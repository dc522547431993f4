#include "server/api/openapi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace ingle::server {
namespace {

using base::Json;

constexpr std::string_view kColours[] = {"red", "green"};
constexpr Field kInner[] = {{"colour", one_of(kColours), "", Use::required}, {"hint", "", Use::hint}};
constexpr Field kFields[] = {
    {"n", integer(1, 4), "how many", Use::required},
    {"stream", kBoolean, ""},
    {"stop", texts(2), ""},
    {"share", number(0, 1), ""},
    {"list", array_of(kInner, 1, 3), "of colours"},
    {"free", described(R"({"anyOf": [{"type": "string"}, {"type": "integer"}]})"), ""},
    {"no", "because", Use::refused},
};

Json described_route(const Route& route) {
  const Route* const routes[] = {&route};
  const Json document = openapi_document(routes, "1.2.3");
  return document["paths"].front().front();
}

TEST(OpenApi, ABodyIsDescribedByItsTable) {
  const Json operation = described_route({.method = "POST",
                                          .path = "/api/things/{id}",
                                          .family = Family::ollama,
                                          .summary = "make a thing",
                                          .parameter = "which",
                                          .fields = kFields});
  EXPECT_EQ(operation["operationId"], "post_api_things_id");
  EXPECT_EQ(operation["parameters"][0]["name"], "id");
  const Json body = operation["requestBody"]["content"]["application/json"]["schema"];
  // clang-format off
  EXPECT_EQ(body, Json::parse(R"({
    "type": "object",
    "properties": {
      "n": {"type": "integer", "minimum": 1, "maximum": 4, "description": "how many"},
      "stream": {"type": ["boolean", "null"]},
      "stop": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": 2},
                         {"type": "null"}]},
      "share": {"type": ["number", "null"], "minimum": 0.0, "maximum": 1.0},
      "list": {"type": ["array", "null"], "items": {
          "type": "object",
          "properties": {"colour": {"type": "string", "enum": ["red", "green"]},
                         "hint": {"x-ingle-hint": true, "description": "has no effect here"}},
          "additionalProperties": false,
          "required": ["colour"]},
        "minItems": 1, "maxItems": 3, "description": "of colours"},
      "free": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}
    },
    "additionalProperties": false,
    "required": ["n"],
    "x-ingle-refused": {"no": "because"}
  })")) << body.dump(1);
  // clang-format on
  const Json& answer = operation["responses"]["200"];
  EXPECT_TRUE(answer["content"].contains("application/json"));
  EXPECT_TRUE(answer["content"].contains("application/x-ndjson")) << "it can stream, as its family does";
  EXPECT_TRUE(answer["headers"].contains("x-ingle-unused")) << "a hint may come, inside";
}

TEST(OpenApi, KeysAreAskedForByScope) {
  const auto security = [](Scope scope) {
    return described_route({.method = "GET", .path = "/x", .scope = scope, .summary = "x"})["security"].dump();
  };
  EXPECT_EQ(security(Scope::none), "[]");
  EXPECT_EQ(security(Scope::chat), R"([{"bearer":[]},{"key":[]},{}])");
  EXPECT_EQ(security(Scope::keyed), R"([{"bearer":[]},{"key":[]}])");
}

void each_object(const Json& json, const std::function<void(const Json&)>& look) {
  if (json.is_object()) look(json);
  if (json.is_structured())
    for (const Json& inside : json) each_object(inside, look);
}

TEST(OpenApi, TheDocumentOfAllRoutesIsWhole) {
  const Json document = openapi_document(all_routes(), "1.2.3");
  EXPECT_EQ(document["openapi"], "3.1.0");
  EXPECT_EQ(document["info"]["version"], "1.2.3");
  std::set<std::string> ids;
  for (const Route* route : all_routes()) {
    std::string method(route->method);
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    const Json& operation = document["paths"][std::string(route->path)][method];
    ASSERT_TRUE(operation.is_object()) << route->path;
    EXPECT_TRUE(ids.insert(operation["operationId"].get<std::string>()).second) << route->path;
    EXPECT_EQ(operation.contains("requestBody"), !route->fields.empty()) << route->path;
    EXPECT_EQ(operation.contains("parameters"), route->path.find('{') != std::string_view::npos) << route->path;
    for (const ErrorStatus& error : kErrorStatuses)
      EXPECT_TRUE(operation["responses"].contains(std::to_string(error.status))) << route->path << error.status;
    for (const Field& field : route->fields) {
      const Json& body = operation["requestBody"]["content"]["application/json"]["schema"];
      EXPECT_EQ(body["properties"].contains(field.name), field.use != Use::refused) << route->path << field.name;
    }
  }
  size_t references = 0;
  each_object(document, [&](const Json& object) {
    if (const auto reference = object.find("$ref"); reference != object.end()) {
      ++references;
      const std::string pointer = reference->get<std::string>();
      ASSERT_TRUE(pointer.starts_with("#/")) << pointer;
      EXPECT_TRUE(document.contains(Json::json_pointer(pointer.substr(1)))) << pointer;
    }
    // An object that takes nothing else says what it takes.
    if (object.contains("additionalProperties") && object["additionalProperties"] == false) {
      ASSERT_TRUE(object.contains("properties")) << object;
      for (const Json& name : object.value("required", Json::array())) {
        EXPECT_TRUE(object["properties"].contains(name.get<std::string>())) << name;
      }
    }
  });
  EXPECT_GT(references, all_routes().size() * std::size(kErrorStatuses));
}

// Every status that the code can make of an error is one that the document has.
TEST(OpenApi, ErrorsHaveStatusesThatAreDescribed) {
  const auto known = [](int status) {
    return std::ranges::any_of(kErrorStatuses, [&](const ErrorStatus& error) { return error.status == status; });
  };
  for (int code = 0; code <= static_cast<int>(base::ErrorCode::cancelled) + 16; ++code)
    EXPECT_TRUE(known(api_error({static_cast<base::ErrorCode>(code), "x"}).status)) << code;
}

// What each family's errors look like is what the schema says: required members, nothing but those.
TEST(OpenApi, ErrorsHaveTheMembersOfTheirSchema) {
  const std::function<void(const Json&, const Json&)> compare = [&](const Json& schema, const Json& json) {
    if (!schema.contains("properties")) return;
    ASSERT_TRUE(json.is_object()) << json;
    EXPECT_EQ(schema["properties"].size(), json.size());
    for (const auto& [name, inner] : schema["properties"].items()) {
      ASSERT_TRUE(json.contains(name)) << name;
      compare(inner, json[name]);
    }
  };
  for (const Family family : {Family::openai, Family::ollama, Family::anthropic})
    compare(error_schema(family), error_json(family, {400, "wrong", "n", "code", {}}));
}

}  // namespace
}  // namespace ingle::server
