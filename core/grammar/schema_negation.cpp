// `not`: from a schema to one of what it does not take. Each of its keywords gives an alternative, in which that
// keyword is violated; of keywords for which that can't be said by others, none. So the result takes nothing that the
// schema takes, but not always all that it does not take. Schemas inside are negated when they are met, so recursion
// ends.
#include <algorithm>

#include "core/grammar/schema_document.h"

namespace ingle::grammar {

using base::Json;

namespace {

constexpr std::string_view kTypes[] = {"null", "boolean", "integer", "number", "string", "array", "object"};

bool is_name(const Json& value, std::string_view name) {
  return value.is_string() && value.get_ref<const std::string&>() == name;
}

bool is_type(const Json& value) {
  return std::any_of(std::begin(kTypes), std::end(kTypes), [&](std::string_view name) { return is_name(value, name); });
}

/// The names of the types of which no value is of a listed one. (Of "integer" not the fractions: they have no name.)
Json other_types(const Json& types) {
  const auto listed = [&](std::string_view name) {
    return std::any_of(types.begin(), types.end(), [&](const Json& type) { return is_name(type, name); });
  };
  Json out = Json::array();
  for (const std::string_view name : kTypes) {
    const bool number = name == "integer" || name == "number";
    if (!listed(name) && !(number && (listed("integer") || listed("number")))) out.push_back(name);
  }
  return out;
}

/// Anything but these constants. A number is written in many ways, so numbers are kept out by bounds.
Json other_values(const Json& constants) {
  Json listed = Json::array(), all = Json::array();
  for (const Json& value : constants) {
    if (!value.is_number()) {
      listed.push_back(value);
      continue;
    }
    const Json sides = Json::array({{{"type", other_types(Json::array({"number"}))}},
                                    {{"type", "number"}, {"exclusiveMinimum", value}},
                                    {{"type", "number"}, {"exclusiveMaximum", value}}});
    all.push_back({{"anyOf", sides}});
  }
  if (!listed.empty()) all.push_back({{kNotEnum, std::move(listed)}});
  if (all.empty()) return true;
  return {{"allOf", std::move(all)}};
}

}  // namespace

NodeId SchemaDocument::negation(NodeId node) {
  const std::string name = "not #" + nodes_[node].pointer;
  const auto known = own_.find(name);
  return own(name, known != own_.end() ? Json() : negate(node));
}

Json SchemaDocument::negate(NodeId node) {
  const Json& schema = json(node);
  if (schema.is_boolean()) return !schema.get<bool>();
  std::vector<Json> alternatives;
  std::string dropped;
  for (const auto& item : schema.items()) {
    budget_.spend(8);
    if (is_only_reference(node) && item.key() != "$ref") continue;
    negate_keyword(node, item.key(), alternatives, dropped);
  }
  if (alternatives.empty() && !dropped.empty()) fail_at(node, dropped, "what it does not take can't be told");
  if (alternatives.empty()) return false;
  if (alternatives.size() == 1) return alternatives.front();
  return {{"anyOf", alternatives}};
}

/// Appends the ways of violating a keyword. `dropped` is set where there are ways that can't be said.
void SchemaDocument::negate_keyword(NodeId node, const std::string& keyword, std::vector<Json>& out,
                                    std::string& dropped) {
  const Json& value = json(node).at(keyword);
  const auto negated = [](NodeId other) { return Json{{kNegated, other}}; };
  if (keyword == "$ref") {
    out.push_back(negated(resolve(node, *text(node, "$ref"))));
  } else if (keyword == "type") {
    const Json types = value.is_array() ? value : Json::array({value});
    if (!std::all_of(types.begin(), types.end(), is_type))
      fail_at(node, "type", "an unknown type", base::ErrorCode::invalid_argument);
    out.push_back({{"type", other_types(types)}});
  } else if (keyword == "const" || keyword == "enum") {
    budget_.spend(value.size());
    out.push_back(other_values(keyword == "const" ? Json::array({value}) : *array(node, "enum")));
  } else if (keyword == "required" && value.is_array()) {
    for (const Json& name : value) {
      if (name.is_string()) out.push_back({{"type", "object"}, {"properties", {{name.get<std::string>(), false}}}});
    }
  } else if (keyword == "properties") {
    for (const auto& item : object(node, "properties")->items()) {
      const NodeId inner = child(node, keyword, item.key(), item.value());
      if (item.value() == Json(true) || item.value() == Json::object()) continue;
      out.push_back({{"type", "object"}, {"required", {item.key()}}, {"properties", {{item.key(), negated(inner)}}}});
    }
  } else if (keyword == "pattern") {
    out.push_back({{"type", "string"}, {kNotPattern, *text(node, "pattern")}});
  } else if (keyword == "allOf") {
    for (const NodeId branch : branches(node, "allOf")) out.push_back(negated(branch));
  } else if (keyword == "anyOf" || keyword == "oneOf") {
    Json all = Json::array();
    for (const NodeId branch : branches(node, keyword.c_str())) all.push_back(negated(branch));
    out.push_back({{"allOf", std::move(all)}});
  } else if (keyword == "not") {
    out.push_back({{kNode, child(node, "not")}});
  } else if (keyword == "if") {
    const auto add = [&](const char* condition, const char* then) {
      if (find(node, then) == nullptr) return;
      out.push_back({{"allOf", {{{condition, child(node, "if")}}, negated(child(node, then))}}});
    };
    add(kNode, "then");
    add(kNegated, "else");
  } else if (!negate_bound(node, keyword, out) && is_assertion(keyword)) {
    dropped = keyword;
  }
}

/// Bounds are violated beyond them. Whether the keyword is one.
bool SchemaDocument::negate_bound(NodeId node, const std::string& keyword, std::vector<Json>& out) {
  struct Counted {
    const char *least, *most, *type;
  };
  for (const Counted& counted : {Counted{"minLength", "maxLength", "string"}, Counted{"minItems", "maxItems", "array"},
                                 Counted{"minProperties", "maxProperties", "object"}}) {
    if (keyword != counted.least && keyword != counted.most) continue;
    const uint32_t bound = *count(node, keyword.c_str());
    if (keyword == counted.most)
      out.push_back({{"type", counted.type}, {counted.least, uint64_t{bound} + 1}});
    else if (bound > 0)
      out.push_back({{"type", counted.type}, {counted.most, bound - 1}});
    return true;
  }
  // In draft 4 a flag beside the bound says whether the bound itself is out.
  const auto flag = [&](const char* exclusive) {
    const Json* value = find(node, exclusive);
    return value != nullptr && *value == Json(true);
  };
  const char* beyond = keyword == "minimum"            ? (flag("exclusiveMinimum") ? "maximum" : "exclusiveMaximum")
                       : keyword == "maximum"          ? (flag("exclusiveMaximum") ? "minimum" : "exclusiveMinimum")
                       : keyword == "exclusiveMinimum" ? "maximum"
                       : keyword == "exclusiveMaximum" ? "minimum"
                                                       : nullptr;
  if (beyond == nullptr) return false;
  const Json& value = json(node).at(keyword);
  if (value.is_number()) out.push_back({{"type", "number"}, {beyond, value}});
  return true;
}

}  // namespace ingle::grammar
