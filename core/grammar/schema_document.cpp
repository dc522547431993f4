// The table of keywords, JSON pointers, and the closure of `$ref`, `allOf` and `not`.
#include "core/grammar/schema_document.h"

#include <algorithm>

namespace ingle::grammar {

using base::ErrorCode;
using base::Json;

namespace {

/// Kept by the compiler.
constexpr std::string_view kKept[] = {
    "$defs",
    "$ref",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "definitions",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "if",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "required",
    "then",
    "type",
    "uniqueItems",
};

/// Say nothing about which values are valid: the vocabularies' annotations, OpenAPI's, and what editors read.
/// OpenAPI's `nullable` would allow more; leaving null out is right for readers of either.
constexpr std::string_view kAnnotations[] = {
    "$comment",
    "$schema",
    "allowComments",
    "allowTrailingCommas",
    "contentEncoding",
    "contentMediaType",
    "default",
    "defaultSnippets",
    "deprecated",
    "deprecationMessage",
    "description",
    "discriminator",
    "doNotSuggest",
    "enumDescriptions",
    "enumItemLabels",
    "errorMessage",
    "example",
    "examples",
    "externalDocs",
    "fileMatch",
    "javaType",
    "markdownDescription",
    "markdownEnumDescriptions",
    "nullable",
    "readOnly",
    "scope",
    "suggestSortText",
    "title",
    "tsEnumNames",
    "tsType",
    "version",
    "writeOnly",
    "xml",
};

bool listed(std::span<const std::string_view> list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

std::string pointer_part(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/// One part of a pointer in a reference: %XX, then ~1 and ~0.
std::string decode_part(std::string_view part) {
  std::string bytes;
  for (size_t i = 0; i < part.size(); i++) {
    if (part[i] == '%' && i + 2 < part.size() && hex_value(part[i + 1]) >= 0 && hex_value(part[i + 2]) >= 0) {
      bytes += static_cast<char>(hex_value(part[i + 1]) * 16 + hex_value(part[i + 2]));
      i += 2;
    } else {
      bytes += part[i];
    }
  }
  std::string out;
  for (size_t i = 0; i < bytes.size(); i++) {
    if (bytes[i] == '~' && i + 1 < bytes.size() && (bytes[i + 1] == '0' || bytes[i + 1] == '1'))
      out += bytes[++i] == '0' ? '~' : '/';
    else
      out += bytes[i];
  }
  return out;
}

}  // namespace

bool is_assertion(std::string_view keyword) {
  constexpr std::string_view kNone[] = {"$defs", "definitions", "else", "then"};
  return listed(kKept, keyword) && !listed(kNone, keyword);
}

SchemaDocument::SchemaDocument(const Json& root, Budget& budget) : budget_(budget) {
  for (const char* keyword : {"$id", "id"}) {
    if (root.is_object() && root.contains(keyword) && root[keyword].is_string()) id_ = root[keyword].get<std::string>();
  }
  while (id_.ends_with('#')) id_.pop_back();
  if (root.is_object() && root.contains("$schema") && root["$schema"].is_string())
    old_references_ = root["$schema"].get_ref<const std::string&>().find("/draft-0") != std::string::npos;
  intern(root, "");
}

void SchemaDocument::fail_at(NodeId node, const std::string& keyword, const std::string& what, ErrorCode code) const {
  const std::string& pointer = nodes_[node].pointer;
  fail(code, "'" + keyword + "' at #" + pointer + ": " + what);
}

NodeId SchemaDocument::intern(const Json& json, std::string pointer) {
  const auto [it, added] = ids_.try_emplace(&json, static_cast<NodeId>(nodes_.size()));
  if (!added) return it->second;
  const uint32_t limit = budget_.limits().max_rules;
  if (nodes_.size() >= limit) fail_limit("the schema's places", limit);
  const NodeId node = it->second;
  nodes_.push_back({&json, std::move(pointer)});
  if (!is_own(node)) check_keywords(node);
  return node;
}

void SchemaDocument::check_keywords(NodeId node) {
  const Json& schema = json(node);
  if (schema.is_boolean()) return;
  if (!schema.is_object()) fail(ErrorCode::invalid_argument, "a schema is missing at #" + nodes_[node].pointer);
  for (const auto& item : schema.items()) {
    const std::string& name = item.key();
    budget_.spend(1);
    if (listed(kKept, name) || listed(kAnnotations, name) || name.starts_with("x-")) continue;
    // A document may name itself. A part that does changes what references in it mean; where there are none, it doesn't
    // matter.
    if ((name == "$id" || name == "id") && item.value().is_string() &&
        (node == root() || item.value().get_ref<const std::string&>().starts_with('#') || !has_reference(schema)))
      continue;
    fail_at(node, name, "not supported");
  }
}

bool SchemaDocument::has_reference(const Json& json) {
  std::vector<const Json*> pending = {&json};
  while (!pending.empty()) {
    const Json& at = *pending.back();
    pending.pop_back();
    budget_.spend(1 + at.size());
    if (at.is_object() && at.contains("$ref")) return true;
    if (!at.is_structured()) continue;
    for (const Json& part : at) pending.push_back(&part);
  }
  return false;
}

NodeId SchemaDocument::own(const std::string& name, const Json& schema) {
  return intern(own_.try_emplace(name, schema).first->second, "(" + name + ")");
}
NodeId SchemaDocument::without(const std::string& property) {
  return own("without " + property, {{"properties", {{property, false}}}});
}
NodeId SchemaDocument::with(const std::string& property) {
  return own("with " + property, {{"required", {property}}});
}
NodeId SchemaDocument::only(const std::vector<std::string>& types) {
  const Json list = types;
  return own("only " + list.dump(), {{"type", list}});
}

const Json* SchemaDocument::find(NodeId node, const char* keyword) const {
  const Json& schema = json(node);
  if (!schema.is_object()) return nullptr;
  const auto it = schema.find(keyword);
  return it == schema.end() ? nullptr : &*it;
}

NodeId SchemaDocument::child(NodeId node, const std::string& keyword) {
  return intern(json(node).at(keyword), nodes_[node].pointer + "/" + keyword);
}
NodeId SchemaDocument::child(NodeId node, const std::string& keyword, const std::string& name, const Json& schema) {
  return intern(schema, nodes_[node].pointer + "/" + keyword + "/" + pointer_part(name));
}

std::vector<NodeId> SchemaDocument::branches(NodeId node, const char* keyword) {
  std::vector<NodeId> out;
  const Json* list = array(node, keyword);
  if (list != nullptr && list->empty()) fail_at(node, keyword, "an empty list", ErrorCode::invalid_argument);
  for (size_t i = 0; list != nullptr && i < list->size(); i++) {
    out.push_back(child(node, keyword, std::to_string(i), (*list)[i]));
  }
  return out;
}

NodeId SchemaDocument::resolve(NodeId node, std::string_view reference) {
  std::string_view rest = reference;
  if (!id_.empty() && rest.starts_with(id_) && (rest.size() == id_.size() || rest[id_.size()] == '#'))
    rest.remove_prefix(id_.size());
  if (!rest.empty() && rest[0] == '#')
    rest.remove_prefix(1);
  else if (!rest.empty())
    fail_at(node, "$ref", "only references into the same document are followed");
  if (!rest.empty() && rest[0] != '/') fail_at(node, "$ref", "references by anchor are not supported");
  const Json* at = nodes_[root()].json;
  std::string pointer;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const size_t end = std::min(rest.find('/'), rest.size());
    const std::string part = decode_part(rest.substr(0, end));
    rest.remove_prefix(end);
    pointer += "/" + pointer_part(part);
    const bool is_index = !part.empty() && part.size() < 9 && part.find_first_not_of("0123456789") == part.npos;
    if (at->is_object() && at->contains(part))
      at = &at->at(part);
    else if (at->is_array() && is_index && std::stoul(part) < at->size())
      at = &at->at(std::stoul(part));
    else
      fail_at(node, "$ref", "there is nothing at #" + pointer, ErrorCode::invalid_argument);
  }
  return intern(*at, pointer);
}

NodeSet SchemaDocument::expand(const NodeSet& seeds, bool& never, Side side) {
  NodeSet out;
  std::vector<NodeId> active;
  for (const NodeId seed : seeds) visit(seed, out, active, never, side);
  return out;
}

void SchemaDocument::visit(NodeId node, NodeSet& out, std::vector<NodeId>& active, bool& never, Side side) {
  budget_.spend(1 + out.size() / 8 + active.size() / 8);
  if (std::find(active.begin(), active.end(), node) != active.end())
    fail_at(node, find(node, "$ref") != nullptr ? "$ref" : "allOf", "a schema that is made of itself",
            ErrorCode::invalid_argument);
  if (std::find(out.begin(), out.end(), node) != out.end()) return;
  const uint32_t limit = budget_.limits().max_depth * 2;
  if (active.size() >= limit) fail_limit("references in a row", limit);
  if (side == Side::ours || !is_only_reference(node)) out.push_back(node);
  if (json(node) == Json(false)) never = true;
  active.push_back(node);
  for (const NodeId next : direct(node, side)) visit(next, out, active, never, side);
  active.pop_back();
}

NodeSet SchemaDocument::direct(NodeId node, Side side) {
  if (const Json* other = find_own(node, kNode)) return {other->get<NodeId>()};
  if (const Json* other = find_own(node, kNegated)) return {negation(other->get<NodeId>())};
  NodeSet out;
  if (const auto reference = text(node, "$ref")) out.push_back(resolve(node, *reference));
  if (side == Side::theirs && is_only_reference(node)) return out;
  const NodeSet all = branches(node, "allOf");
  out.insert(out.end(), all.begin(), all.end());
  if (side == Side::ours && find(node, "not") != nullptr) out.push_back(negation(child(node, "not")));
  return out;
}

std::vector<Choice> SchemaDocument::choices(NodeId node, Side side) {
  std::vector<Choice> out;
  for (const char* keyword : {"anyOf", "oneOf"}) {
    std::vector<NodeId> list = branches(node, keyword);
    if (!list.empty()) out.push_back({keyword, keyword[0] == 'o', std::move(list)});
  }
  if (side == Side::theirs) return out;
  if (find(node, "if") != nullptr && (find(node, "then") != nullptr || find(node, "else") != nullptr)) {
    const auto branch = [&](const char* condition, const char* keyword) {
      Json all = Json::array({{{condition, child(node, "if")}}});
      if (find(node, keyword) != nullptr) all.push_back({{kNode, child(node, keyword)}});
      return own(std::string(keyword) + " of #" + nodes_[node].pointer, {{"allOf", std::move(all)}});
    };
    const NodeId then = branch(kNode, "then");
    out.push_back({"if", false, {then, branch(kNegated, "else")}});
  }
  for (Choice& choice : dependencies(node)) out.push_back(std::move(choice));
  return out;
}

std::vector<Choice> SchemaDocument::dependencies(NodeId node) {
  std::vector<Choice> out;
  for (const char* keyword : {"dependentRequired", "dependentSchemas", "dependencies"}) {
    const Json* list = object(node, keyword);
    for (auto it = list == nullptr ? Json::const_iterator() : list->begin(); list && it != list->end(); ++it) {
      if (it->is_string()) fail_at(node, keyword, "a name alone, as in draft 3, is not supported");
      const NodeId then =
          it->is_array() ? own("all of " + it->dump(), {{"required", *it}}) : child(node, keyword, it.key(), *it);
      out.push_back({keyword, false, {without(it.key()), then}});
    }
  }
  return out;
}

std::optional<uint32_t> SchemaDocument::count(NodeId node, const char* keyword) const {
  const Json* value = find(node, keyword);
  if (value == nullptr) return std::nullopt;
  const double number = value->is_number() ? value->get<double>() : -1;
  if (!(number >= 0) || number != static_cast<double>(static_cast<uint64_t>(std::min(number, 1e18))))
    fail_at(node, keyword, "a whole number is wanted", ErrorCode::invalid_argument);
  // Larger bounds than this make no difference to anyone.
  return static_cast<uint32_t>(std::min(number, 4e9));
}

const Json* SchemaDocument::array(NodeId node, const char* keyword) const {
  const Json* value = find(node, keyword);
  if (value != nullptr && !value->is_array()) fail_at(node, keyword, "a list is wanted", ErrorCode::invalid_argument);
  return value;
}
const Json* SchemaDocument::object(NodeId node, const char* keyword) const {
  const Json* value = find(node, keyword);
  if (value != nullptr && !value->is_object())
    fail_at(node, keyword, "an object is wanted", ErrorCode::invalid_argument);
  return value;
}
std::optional<std::string> SchemaDocument::text(NodeId node, const char* keyword) const {
  const Json* value = find(node, keyword);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) fail_at(node, keyword, "a string is wanted", ErrorCode::invalid_argument);
  return value->get<std::string>();
}

}  // namespace ingle::grammar
