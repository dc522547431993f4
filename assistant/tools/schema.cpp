#include "assistant/tools/schema.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/utf8.h"

namespace ingle::assistant {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Status;

Error invalid(std::string message) {
  return {ErrorCode::invalid_argument, std::move(message)};
}

/// A name or value that a model wrote, cut to what a message holds.
std::string quoted(const Json& value) {
  constexpr size_t kShown = 60;
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kShown) text = text.substr(0, kShown) + "...";
  return text;
}

bool has_type(const Json& value, std::string_view type) {
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "null") return value.is_null();
  if (type == "number") return value.is_number();
  if (type != "integer") return false;
  if (!value.is_number_float()) return value.is_number_integer();
  constexpr double kWhole = 9007199254740992;  // 2^53: above, not every whole number is a double
  const double number = value.get<double>();
  return std::trunc(number) == number && std::abs(number) <= kWhole;
}

std::string article(std::string_view type) {
  return (type == "integer" || type == "object" || type == "array" ? "an " : "a ") + std::string(type);
}

std::string property_names(const Json& properties) {
  std::string names;
  for (const auto& [name, schema] : properties.items()) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "none" : names;
}

Status check_members(const Json& schema, const Json& value, const std::string& where) {
  static const Json none = Json::object();
  const auto found = schema.find("properties");
  const Json& properties = found == schema.end() ? none : *found;
  if (const auto required = schema.find("required"); required != schema.end()) {
    for (const Json& name : *required) {
      if (!value.contains(name.get<std::string>()))
        return invalid(quoted(name) + " is missing in " + where + "; it is required");
    }
  }
  for (const auto& [name, member] : value.items()) {
    const auto known = properties.find(name);
    if (known != properties.end()) {
      INGLE_CHECK(check_value(*known, member, quoted(Json(name))));
    } else if (!schema.value("additionalProperties", true)) {
      return invalid(quoted(Json(name)) + " is not known in " + where + "; known are: " + property_names(properties));
    }
  }
  return {};
}

Status check_bounds(const Json& schema, const Json& value, const std::string& where) {
  for (const bool least : {true, false}) {
    const auto bound = schema.find(least ? "minimum" : "maximum");
    if (bound == schema.end()) continue;
    if (least ? value >= *bound : value <= *bound) continue;
    return invalid(where + " must be at " + (least ? "least " : "most ") + bound->dump() + ", not " + quoted(value));
  }
  return {};
}

Status unsupported(const std::string& message) {
  return Error{ErrorCode::unsupported, message};
}

Status check_keyword(const Json& schema, const std::string& keyword, const Json& value) {
  constexpr std::string_view types[] = {"string", "boolean", "object", "array", "null", "number", "integer"};
  const auto demand = [&](bool fine) { return fine ? Status() : unsupported("\"" + keyword + "\" of another form"); };
  if (keyword == "type")
    return demand(value.is_string() && std::ranges::find(types, value.get<std::string>()) != std::end(types));
  if (keyword == "description") return demand(value.is_string());
  if (keyword == "enum") return demand(value.is_array() && !value.empty());
  if (keyword == "additionalProperties") return demand(value.is_boolean());
  if (keyword == "maxLength") return demand(value.is_number_unsigned());
  if (keyword == "minimum" || keyword == "maximum") return demand(value.is_number());
  if (keyword == "properties") {
    INGLE_CHECK(demand(value.is_object()));
    for (const auto& [name, property] : value.items()) {
      INGLE_CHECK(check_schema(property));
    }
    return {};
  }
  if (keyword != "required") return unsupported("\"" + keyword + "\" is not checked here");
  const auto properties = schema.find("properties");
  return demand(value.is_array() && std::ranges::all_of(value, [&](const Json& name) {
                  return name.is_string() && properties != schema.end() &&
                         properties->contains(name.get<std::string>());
                }));
}

}  // namespace

Status check_value(const Json& schema, const Json& value, std::string_view where) {
  const std::string place(where);
  if (const auto type = schema.find("type"); type != schema.end() && !has_type(value, type->get<std::string>()))
    return invalid(place + " must be " + article(type->get<std::string>()) + ", not " + quoted(value));
  if (const auto allowed = schema.find("enum");
      allowed != schema.end() && std::ranges::find(*allowed, value) == allowed->end())
    return invalid(place + " must be one of " + allowed->dump() + ", not " + quoted(value));
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (!base::is_valid_utf8(text)) return invalid(place + " is not UTF-8");
    const auto bound = schema.find("maxLength");
    if (bound != schema.end() && base::count_code_points(text) > bound->get<size_t>())
      return Error{ErrorCode::limit_exceeded, place + " is longer than " + bound->dump() + " characters; shorten it"};
  }
  if (value.is_number()) return check_bounds(schema, value, place);
  if (value.is_object()) return check_members(schema, value, place);
  return {};
}

Status check_schema(const Json& schema) {
  if (!schema.is_object()) return unsupported("a schema must be an object");
  for (const auto& [keyword, value] : schema.items()) {
    INGLE_CHECK(check_keyword(schema, keyword, value));
  }
  if (!schema.contains("type")) return unsupported("a schema without a type");
  if (schema["type"] == "string" && !schema.contains("enum") && !schema.contains("maxLength"))
    return unsupported("a text without maxLength");
  return {};
}

}  // namespace ingle::assistant
