// Objects. Listed properties come in the schema's order, then those that only `required` names, then others. So none
// can come twice, and the automaton takes a state for each letter of a key.
#include <algorithm>
#include <set>
#include <tuple>

#include "core/grammar/schema_compiler.h"

namespace ingle::grammar {

using base::ErrorCode;
using base::Json;

namespace {
constexpr size_t kMostRegions = 32;
}

/// Keys that are not listed and match the same patterns: they have the same schemas.
struct SchemaCompiler::KeyRegion {
  Automaton keys;
  std::vector<std::string> matched;  ///< patterns
  NodeSet schemas;
};

struct SchemaCompiler::ObjectShape {
  struct Property {
    std::string name;
    RuleId value = 0;
    bool required = false;
  };
  std::vector<Property> properties;
  struct Other {
    RuleId key, value;
  };
  std::vector<Other> others;
  uint32_t min = 0, max = kUnbounded;
};

std::vector<std::string> SchemaCompiler::required_names(const NodeSet& nodes) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  for (const NodeId node : nodes) {
    const Json* list = document_.find(node, "required");
    if (list == nullptr || list->is_boolean()) continue;  // draft 3 had a flag here, which says nothing of this object
    if (!list->is_array()) document_.fail_at(node, "required", "a list is wanted", ErrorCode::invalid_argument);
    for (const Json& name : *list) {
      if (!name.is_string()) document_.fail_at(node, "required", "names are wanted", ErrorCode::invalid_argument);
      if (seen.insert(name.get<std::string>()).second) out.push_back(name.get<std::string>());
    }
  }
  return out;
}

/// What each schema of the set says of this property.
NodeSet SchemaCompiler::property_schemas(const NodeSet& nodes, const std::string& name) {
  NodeSet out;
  for (const NodeId node : nodes) {
    const size_t before = out.size();
    const Json* listed = document_.object(node, "properties");
    if (listed != nullptr) {
      const auto it = listed->find(name);
      if (it != listed->end()) out.push_back(document_.child(node, "properties", name, *it));
    }
    if (const Json* patterns = document_.object(node, "patternProperties")) {
      for (const auto& item : patterns->items()) {
        if (matches(pattern(node, "patternProperties", item.key()), name))
          out.push_back(document_.child(node, "patternProperties", item.key(), item.value()));
      }
    }
    if (out.size() == before && document_.find(node, "additionalProperties") != nullptr)
      out.push_back(document_.child(node, "additionalProperties"));
    if (document_.find(node, "propertyNames") != nullptr && !admits(document_.child(node, "propertyNames"), name))
      out.push_back(document_.nothing());
  }
  return out;
}

/// Whether keys may come of which no `properties` and no pattern tells.
bool SchemaCompiler::others_allowed(const NodeSet& nodes) {
  bool asked = options_.open_objects, listed = false;
  for (const NodeId node : nodes) {
    const Json* others = document_.find(node, "additionalProperties");
    if (others != nullptr && *others == Json(false)) return false;
    asked |= others != nullptr;
    // What a `not` or a dependency forbids is no list of what is wanted.
    if (document_.is_own(node)) continue;
    for (const char* keyword : {"properties", "patternProperties", "required"})
      listed |= document_.find(node, keyword) != nullptr;
  }
  return asked || !listed;
}

/// Keys without escapes that are not in `names` and that propertyNames allows.
Automaton SchemaCompiler::unlisted_keys(const NodeSet& nodes, const std::vector<std::string>& names) {
  const size_t bound = budget_.limits().max_pattern_states;
  const auto automaton_of = [&](const std::vector<std::string>& texts) {
    Nfa nfa(budget_);
    for (const std::string& text : texts) nfa.add_text_to(nfa.start, text, nfa.end);
    return *determinize(nfa, nfa.states.size() + 1);
  };
  const Automaton listed = automaton_of(names);
  Automaton keys = subtract(plain_strings(budget_), listed, budget_, std::max(bound, listed.states.size() + 16));
  for (const NodeId node : nodes) {
    if (document_.find(node, "propertyNames") == nullptr) continue;
    bool never = false;
    const NodeSet wanted = document_.expand({document_.child(node, "propertyNames")}, never);
    if (never || (kinds_of(wanted) & kString) == 0) return Automaton();
    if (const auto values = constants(wanted)) {
      std::vector<std::string> texts;
      for (const Json& value : *values) {
        if (value.is_string()) texts.push_back(value.get<std::string>());
      }
      keys = intersect(keys, automaton_of(texts), budget_, bound);
      continue;
    }
    if (const auto choice = pending_choice(wanted))
      document_.fail_at(node, "propertyNames", std::string(choice->keyword) + " is not supported here");
    const StringBounds bounds = string_bounds(wanted);
    if (bounds.min > bounds.max) return Automaton();
    keys = intersect(keys, string_automaton(wanted, bounds), budget_, bound);
  }
  return keys;
}

std::vector<SchemaCompiler::KeyRegion> SchemaCompiler::other_keys(const NodeSet& nodes,
                                                                  const std::vector<std::string>& names) {
  std::vector<std::pair<NodeId, std::string>> patterns;
  for (const NodeId node : nodes) {
    const Json* object = document_.object(node, "patternProperties");
    for (auto it = object == nullptr ? Json::const_iterator() : object->begin(); object && it != object->end(); ++it)
      patterns.emplace_back(node, it.key());
  }
  const bool others = others_allowed(nodes);
  if (patterns.empty() && !others) return {};
  const size_t bound = budget_.limits().max_pattern_states;
  std::vector<KeyRegion> regions(1);
  regions[0].keys = unlisted_keys(nodes, names);
  for (const auto& [node, text] : patterns) {
    const Automaton& match = pattern(node, "patternProperties", text);
    std::vector<KeyRegion> next;
    for (KeyRegion& region : regions) {
      KeyRegion inside{intersect(region.keys, match, budget_, bound), region.matched, {}};
      inside.matched.push_back(text);
      region.keys = subtract(region.keys, match, budget_, bound);
      if (!region.keys.states.empty()) next.push_back(std::move(region));
      if (!inside.keys.states.empty()) next.push_back(std::move(inside));
    }
    regions = std::move(next);
    if (regions.size() > kMostRegions) document_.fail_at(node, "patternProperties", "patterns that overlap so much");
  }
  std::erase_if(regions, [&](const KeyRegion& region) { return region.matched.empty() && !others; });
  for (KeyRegion& region : regions) {
    for (const NodeId node : nodes) {
      const size_t before = region.schemas.size();
      const Json* object = document_.object(node, "patternProperties");
      for (const std::string& text : region.matched) {
        const auto it = object == nullptr ? Json::const_iterator() : object->find(text);
        if (object != nullptr && it != object->end())
          region.schemas.push_back(document_.child(node, "patternProperties", text, *it));
      }
      if (region.schemas.size() == before && document_.find(node, "additionalProperties") != nullptr)
        region.schemas.push_back(document_.child(node, "additionalProperties"));
    }
  }
  return regions;
}

SchemaCompiler::ObjectShape SchemaCompiler::object_shape(const NodeSet& nodes) {
  ObjectShape shape;
  std::vector<std::string> names;
  std::set<std::string> seen;
  const std::vector<std::string> required = required_names(nodes);
  const std::set<std::string> needed(required.begin(), required.end());
  for (const NodeId node : nodes) {
    shape.min = std::max(shape.min, document_.count(node, "minProperties").value_or(0));
    shape.max = std::min(shape.max, document_.count(node, "maxProperties").value_or(kUnbounded));
    const Json* listed = document_.object(node, "properties");
    if (listed == nullptr) continue;
    for (const auto& item : listed->items()) {
      if (seen.insert(item.key()).second) names.push_back(item.key());
    }
  }
  for (const std::string& name : required) {
    if (seen.insert(name).second) names.push_back(name);
  }
  for (const std::string& name : names) {
    const RuleId rule = value(property_schemas(nodes, name));
    shape.properties.push_back({name, rule, needed.count(name) != 0});
  }
  for (const KeyRegion& region : other_keys(nodes, names))
    shape.others.push_back({text_.string_of(region.keys), value(region.schemas)});
  return shape;
}

RuleId SchemaCompiler::object_rule(const NodeSet& nodes) {
  const ObjectShape shape = object_shape(nodes);
  const RuleId rule = draft_.add_rule("object");
  if (shape.min > shape.max) return rule;
  Nfa nfa(budget_);
  build_object(nfa, shape);
  draft_.define(rule, nfa);
  return rule;
}

namespace {

/// How far an object is: before which property, how many listed ones and others there were. Where there are no bounds,
/// none are counted.
struct ObjectPlace {
  enum What : uint8_t { begin, after, key } what;
  size_t next;
  uint32_t listed, others;
  auto operator<=>(const ObjectPlace&) const = default;
};

}  // namespace

void SchemaCompiler::build_object(Nfa& nfa, const ObjectShape& shape) {
  const size_t n = shape.properties.size();
  size_t last_required = 0;  // one past the last required property
  for (size_t i = 0; i < n; i++) {
    if (shape.properties[i].required) last_required = i + 1;
  }
  const bool bounded = shape.max != kUnbounded;
  const uint32_t most_listed = bounded ? shape.max : shape.min, most_others = bounded ? shape.max : 1;
  std::map<ObjectPlace, uint32_t> states;
  std::vector<ObjectPlace> pending;
  const auto state_of = [&](ObjectPlace place) {
    const auto [it, added] = states.try_emplace(place, 0);
    if (added) it->second = nfa.add_state(), pending.push_back(place);
    return it->second;
  };
  nfa.add_empty(nfa.add_text(nfa.start, "{"), state_of({ObjectPlace::begin, 0, 0, 0}));
  while (!pending.empty()) {
    const ObjectPlace place = pending.back();
    pending.pop_back();
    budget_.spend(16);
    const uint32_t from = states.at(place);
    const auto move_to = [&](uint32_t at, ObjectPlace::What what, size_t next, uint32_t listed, uint32_t others) {
      nfa.add_empty(at, state_of({what, next, std::min(listed, most_listed), std::min(others, most_others)}));
    };
    if (place.what != ObjectPlace::key) {
      // An unlisted key may come twice, so of those only one counts towards the least number.
      const bool enough = place.listed + std::min(place.others, 1u) >= shape.min;
      if (place.next >= last_required && enough) nfa.add_text_to(text_.space_inside_bracket(nfa, from), "}", nfa.end);
      if (bounded && place.listed + place.others >= shape.max) continue;
      const uint32_t at = place.what == ObjectPlace::begin ? text_.space_inside_bracket(nfa, from)
                                                           : text_.space_after_mark(nfa, nfa.add_text(from, ","));
      move_to(at, ObjectPlace::key, place.next, place.listed, place.others);
    } else if (place.next < n) {
      const ObjectShape::Property& property = shape.properties[place.next];
      const uint32_t colon = nfa.add_text(from, Json(property.name).dump() + ":");
      const uint32_t end = nfa.add_state();
      nfa.add_call(text_.space_after_mark(nfa, colon), property.value, end);
      move_to(end, ObjectPlace::after, place.next + 1, place.listed + 1, place.others);
      if (!property.required) move_to(from, ObjectPlace::key, place.next + 1, place.listed, place.others);
    } else {
      for (const ObjectShape::Other& other : shape.others) {
        const uint32_t named = nfa.add_state(), end = nfa.add_state();
        nfa.add_call(from, other.key, named);
        nfa.add_call(text_.space_after_mark(nfa, nfa.add_text(named, ":")), other.value, end);
        move_to(end, ObjectPlace::after, n, place.listed, place.others + 1);
      }
    }
  }
}

}  // namespace ingle::grammar
