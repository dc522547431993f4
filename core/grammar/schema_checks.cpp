// Two questions about schemas: whether one admits a given value (which of an enum's constants remain), and whether two
// have no value in common (what `oneOf` needs).
#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "core/grammar/schema_compiler.h"

namespace ingle::grammar {

using base::Json;

namespace {
constexpr uint32_t kMostSteps = 256;   // of references into one another
constexpr uint32_t kMostCompared = 6;  // properties of properties that may tell branches apart
}  // namespace

template <typename Ask>
auto SchemaCompiler::on_their_side(Ask ask) {
  const Side side = std::exchange(side_, Side::theirs);
  const bool open = std::exchange(one_of_open_, false);
  auto answer = ask();
  side_ = side, one_of_open_ = open;
  return answer;
}

/// Whether a validator asserts `format` or not.
template <typename Holds>
bool SchemaCompiler::exactly_one(const std::vector<NodeId>& branches, Holds holds) {
  if (std::count_if(branches.begin(), branches.end(), holds) != 1) return false;
  return on_their_side([&] { return std::count_if(branches.begin(), branches.end(), holds) == 1; });
}

bool SchemaCompiler::admits(NodeId node, const Json& value, uint32_t depth) {
  if (depth > kMostSteps) fail_limit("nested schemas of a constant", kMostSteps);
  budget_.spend(48);  // it asks for a dozen keywords by their names
  const Json& schema = document_.json(node);
  if (schema.is_boolean()) return schema.get<bool>();
  if (const Json* other = document_.find_own(node, kNegated)) return rejects(other->get<NodeId>(), value, depth + 1);
  if (left_out({node}, value)) return false;
  const auto holds = [&](NodeId other) { return admits(other, value, depth + 1); };
  const NodeSet all = document_.direct(node, Side::theirs);
  if (!std::all_of(all.begin(), all.end(), holds)) return false;
  if (side_ == Side::theirs && document_.is_only_reference(node)) return true;
  if ((kinds_of(node) & kind_of(value)) == 0) return false;
  if (const Json* only = document_.find(node, "const"); only != nullptr && !same_value(*only, value)) return false;
  if (const Json* list = document_.array(node, "enum")) {
    budget_.spend(list->size());
    if (std::none_of(list->begin(), list->end(), [&](const Json& other) { return same_value(other, value); }))
      return false;
  }
  if (!admits_choices(node, value, depth)) return false;
  if (value.is_number()) return admits_number(node, value);
  if (value.is_string()) return admits_string(node, value.get_ref<const std::string&>());
  if (value.is_array()) return admits_array(node, value, depth);
  return !value.is_object() || admits_object(node, value, depth);
}

bool SchemaCompiler::admits_choices(NodeId node, const Json& value, uint32_t depth) {
  const auto holds = [&](NodeId other) { return admits(other, value, depth + 1); };
  const auto holds_for = [&](const char* keyword) {
    return document_.find(node, keyword) == nullptr || holds(document_.child(node, keyword));
  };
  const std::vector<NodeId> any = document_.branches(node, "anyOf"), one = document_.branches(node, "oneOf");
  if (!any.empty() && std::none_of(any.begin(), any.end(), holds)) return false;
  if (!one.empty() && std::none_of(one.begin(), one.end(), holds)) return false;
  const bool open = one_of_open_ || side_ == Side::theirs;
  if (!one.empty() && !open && !exactly_one(one, holds)) return false;
  if (document_.find(node, "not") != nullptr && !rejects(document_.child(node, "not"), value, depth + 1)) return false;
  if (document_.find(node, "if") == nullptr) return true;
  const NodeId condition = document_.child(node, "if");
  const bool met = holds(condition), unmet = rejects(condition, value, depth + 1);
  if (met != unmet) return holds_for(met ? "then" : "else");
  // The condition can't be told (or, of what a validator may take, may go either way).
  return met ? holds_for("then") || holds_for("else") : holds_for("then") && holds_for("else");
}

/// Whether the schema does not take the value: where we are sure if the question is what we write, where it may be so
/// if the question is what a validator takes. So the schema itself is asked about the other way round.
bool SchemaCompiler::rejects(NodeId node, const Json& value, uint32_t depth) {
  const Side side = std::exchange(side_, side_ == Side::ours ? Side::theirs : Side::ours);
  const bool rejected = !admits(node, value, depth);
  side_ = side;
  return rejected;
}

bool SchemaCompiler::admits_number(NodeId node, const Json& value) {
  const NumberRange range = number_range({node}, false);
  const Decimal number = decimal_of(value);
  if (range.low) {
    const int order = compare(number, *range.low);
    if (order < 0 || (order == 0 && range.low_open)) return false;
  }
  if (range.high) {
    const int order = compare(number, *range.high);
    if (order > 0 || (order == 0 && range.high_open)) return false;
  }
  return !range.multiple_of || is_multiple(number, *range.multiple_of).value_or(false);
}

bool SchemaCompiler::admits_string(NodeId node, const std::string& value) {
  const StringBounds bounds = string_bounds({node});
  const size_t length = base::count_code_points(value);
  if (length < bounds.min || length > bounds.max) return false;
  return std::all_of(bounds.contents.begin(), bounds.contents.end(),
                     [&](const Automaton* contents) { return matches(*contents, value); });
}

bool SchemaCompiler::admits_array(NodeId node, const Json& value, uint32_t depth) {
  const auto least = document_.count(node, "minItems"), most = document_.count(node, "maxItems");
  if (value.size() < least.value_or(0) || value.size() > most.value_or(kUnbounded)) return false;
  const Json* distinct = document_.find(node, "uniqueItems");
  for (size_t i = 0; distinct != nullptr && *distinct == Json(true) && i < value.size(); i++) {
    budget_.spend(i);
    for (size_t j = 0; j < i; j++) {
      if (same_value(value[i], value[j])) return false;
    }
  }
  for (size_t i = 0; i < value.size(); i++) {
    for (const NodeId item : item_schemas({node}, i)) {
      if (!admits(item, value[i], depth + 1)) return false;
    }
  }
  return true;
}

bool SchemaCompiler::admits_object(NodeId node, const Json& value, uint32_t depth) {
  const auto least = document_.count(node, "minProperties"), most = document_.count(node, "maxProperties");
  if (value.size() < least.value_or(0) || value.size() > most.value_or(kUnbounded)) return false;
  for (const std::string& name : required_names({node})) {
    if (!value.contains(name)) return false;
  }
  for (const auto& item : value.items()) {
    for (const NodeId schema : property_schemas({node}, item.key())) {
      if (!admits(schema, item.value(), depth + 1)) return false;
    }
  }
  for (const Choice& choice : document_.dependencies(node)) {
    const auto holds = [&](NodeId branch) { return admits(branch, value, depth + 1); };
    if (std::none_of(choice.branches.begin(), choice.branches.end(), holds)) return false;
  }
  return true;
}

std::vector<NodeSet> SchemaCompiler::keep_apart(const NodeSet& nodes, const std::vector<NodeId>& branches) {
  std::vector<NodeSet> out;
  // Meanwhile, of what we write, one branch of a oneOf or more will do: this one is what is in question.
  const bool before = std::exchange(one_of_open_, true);
  for (size_t i = 0; i < branches.size(); i++) {
    out.push_back({branches[i]});
    for (size_t j = 0; j < branches.size(); j++) {
      budget_.spend(64);
      if (i == j || keep_out(nodes, out.back(), branches[j])) continue;
      const auto owner = std::find_if(nodes.begin(), nodes.end(), [&](NodeId node) {
        const std::vector<NodeId> own = document_.branches(node, "oneOf");
        return std::find(own.begin(), own.end(), branches[i]) != own.end();
      });
      document_.fail_at(*owner, "oneOf",
                        "the branches " + std::to_string(i) + " and " + std::to_string(j) +
                            " may have values in common, so exactly one can't be told");
    }
  }
  one_of_open_ = before;
  return out;
}

/// Whether every value of this kind is valid, at a glance.
bool SchemaCompiler::admits_all(const NodeSet& nodes, uint32_t kind) {
  std::vector<const char*> limits = {"enum", "const", "anyOf", "oneOf", "not", "if"};
  if (kind == kString) limits.insert(limits.end(), {"minLength", "maxLength", "pattern", "format"});
  if (kind == kNumber)
    limits.insert(limits.end(), {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"});
  if (kind == kArray)
    limits.insert(limits.end(), {"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "additionalItems"});
  if (kind == kObject || (kinds_of(nodes) & kind) != kind) return false;
  return std::none_of(nodes.begin(), nodes.end(), [&](NodeId node) {
    return std::any_of(limits.begin(), limits.end(), [&](const char* name) { return document_.find(node, name); });
  });
}

/// Whether no value of the branch is one of the other's, after leaving out what can't be told otherwise: a kind of
/// value of which the other takes all (those are in both, so never valid), and a property that only the other requires.
bool SchemaCompiler::keep_out(const NodeSet& nodes, NodeSet& branch, NodeId other) {
  NodeSet all = nodes;
  all.insert(all.end(), branch.begin(), branch.end());
  if (disjoint(all, {other}, 0)) return true;
  bool never = false;
  const NodeSet here = document_.expand(all, never), there = document_.expand({other}, never, Side::theirs);
  const uint32_t common = kinds_of(here) & kinds_of(there);
  uint32_t kept = kAnyKind;
  for (const uint32_t kind : {kNull, kBoolean, kNumber, kString, kArray}) {
    if ((common & kind) != 0 && admits_all(there, kind)) kept &= ~kind;
  }
  if (kept != kAnyKind) {
    branch.push_back(document_.only(type_names(kept)));
    all.push_back(branch.back());
    if (disjoint(all, {other}, 0)) return true;
  }
  if ((common & kept) != kObject) return false;
  const std::vector<std::string> own = required_names(here);
  for (const std::string& name : required_names(there)) {
    if (std::find(own.begin(), own.end(), name) != own.end()) continue;
    branch.push_back(document_.without(name));
    all.push_back(branch.back());
    if (disjoint(all, {other}, 0)) return true;
    branch.pop_back(), all.pop_back();
  }
  return tell_by_property(here, there, branch);
}

/// Has a listed property written that has no value in common with the other's.
bool SchemaCompiler::tell_by_property(const NodeSet& here, const NodeSet& there, NodeSet& branch) {
  for (const NodeId node : here) {
    const Json* listed = document_.object(node, "properties");
    for (auto it = listed == nullptr ? Json::const_iterator() : listed->begin(); listed && it != listed->end(); ++it) {
      const NodeSet own = property_schemas(here, it.key());
      if (impossible(own) || !disjoint(own, property_schemas(there, it.key()), 1)) continue;
      branch.push_back(document_.with(it.key()));
      return true;
    }
  }
  return false;
}

bool SchemaCompiler::disjoint(const NodeSet& a, const NodeSet& b, uint32_t depth) {
  if (depth > kMostCompared) return false;
  budget_.spend(16);
  bool never = false;
  const NodeSet x = document_.expand(a, never), y = document_.expand(b, never, Side::theirs);
  if (never) return true;
  const uint32_t common = kinds_of(x) & kinds_of(y);
  if (common == 0) return true;
  // A validator may take `format` as a remark, so it tells nothing of the other side.
  const auto none_of = [&](const std::vector<Json>& values, const NodeSet& nodes) {
    return std::none_of(values.begin(), values.end(), [&](const Json& value) {
      return std::all_of(nodes.begin(), nodes.end(), [&](NodeId node) { return admits(node, value); });
    });
  };
  if (const auto values = constants(x)) return on_their_side([&] { return none_of(*values, y); });
  if (const auto values = on_their_side([&] { return constants(y); })) return none_of(*values, x);
  for (const NodeSet* side : {&x, &y}) {
    const auto choice = pending_choice(*side, side == &x ? Side::ours : Side::theirs);
    if (!choice) continue;
    return std::all_of(choice->branches.begin(), choice->branches.end(), [&](NodeId branch) {
      NodeSet chosen = *side;
      chosen.push_back(branch);
      return side == &x ? disjoint(chosen, y, depth + 1) : disjoint(x, chosen, depth + 1);
    });
  }
  for (const uint32_t kind : {kNull, kBoolean, kNumber, kString, kArray, kObject}) {
    if ((common & kind) != 0 && !disjoint_kind(x, y, kind, depth)) return false;
  }
  return true;
}

bool SchemaCompiler::disjoint_kind(const NodeSet& a, const NodeSet& b, uint32_t kind, uint32_t depth) {
  switch (kind) {
    case kNumber:
      return disjoint_numbers(a, b);
    case kString:
      return disjoint_strings(a, b);
    case kArray:
      return disjoint_arrays(a, b, depth);
    case kObject:
      return disjoint_objects(a, b, depth);
    default:
      return false;
  }
}

bool SchemaCompiler::disjoint_strings(const NodeSet& a, const NodeSet& b) {
  StringBounds x = string_bounds(a);
  const StringBounds y = string_bounds(b);
  if (x.min > y.max || y.min > x.max) return true;
  // Our formats are subsets of what others take for the format, so they tell nothing of the other side.
  for (const NodeId node : b) {
    if (format(node) != nullptr) return false;
  }
  if (x.contents.empty() || y.contents.empty()) return false;
  x.contents.insert(x.contents.end(), y.contents.begin(), y.contents.end());
  return is_empty(join_contents(x.contents));
}

bool SchemaCompiler::disjoint_numbers(const NodeSet& a, const NodeSet& b) {
  const NumberRange x = number_range(a, false), y = on_their_side([&] { return number_range(b, false); });
  const auto below = [](const NumberRange& left, const NumberRange& right) {
    if (!left.high || !right.low) return false;
    const int order = compare(*left.high, *right.low);
    return order < 0 || (order == 0 && (left.high_open || right.low_open));
  };
  return below(x, y) || below(y, x);
}

bool SchemaCompiler::disjoint_arrays(const NodeSet& a, const NodeSet& b, uint32_t depth) {
  const ArrayBounds x = array_bounds(a);
  uint64_t min = 0, max = UINT64_MAX;
  for (const NodeId node : b) {
    min = std::max<uint64_t>(min, document_.count(node, "minItems").value_or(0));
    if (const auto most = document_.count(node, "maxItems")) max = std::min<uint64_t>(max, *most);
  }
  if (x.min > max || min > x.max) return true;
  const uint64_t sure = std::min<uint64_t>(std::max(x.min, min), std::max<size_t>(x.prefix, 1));
  for (size_t i = 0; i < sure; i++) {
    if (disjoint(item_schemas(a, i), item_schemas(b, i), depth + 1)) return true;
  }
  return false;
}

bool SchemaCompiler::disjoint_objects(const NodeSet& a, const NodeSet& b, uint32_t depth) {
  std::vector<std::string> names = required_names(a);
  const std::vector<std::string> needed = required_names(b);
  // What b needs and we never write for a. A schema of false is not written either, but is told below.
  for (const std::string& name : needed) {
    const bool written =
        std::find(names.begin(), names.end(), name) != names.end() || others_allowed(a) ||
        std::any_of(a.begin(), a.end(), [&](NodeId node) {
          const Json* listed = document_.object(node, "properties");
          return (listed != nullptr && listed->contains(name)) || document_.find(node, "patternProperties") != nullptr;
        });
    if (!written) return true;
  }
  names.insert(names.end(), needed.begin(), needed.end());
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const NodeSet x = property_schemas(a, name), y = property_schemas(b, name);
    return disjoint(x, y, depth + 1);
  });
}

}  // namespace ingle::grammar
