// Arrays.
#include <algorithm>

#include "core/grammar/regex.h"
#include "core/grammar/schema_compiler.h"

namespace ingle::grammar {

using base::Json;

namespace {

/// The list of the first items' schemas: prefixItems, or items as older drafts have it.
const char* prefix_keyword(const SchemaDocument& document, NodeId node) {
  const Json* items = document.find(node, "items");
  if (items != nullptr && items->is_array()) return "items";
  return document.array(node, "prefixItems") != nullptr ? "prefixItems" : nullptr;
}

/// The schema of the items behind those.
const char* rest_keyword(const SchemaDocument& document, NodeId node) {
  const Json* items = document.find(node, "items");
  if (items == nullptr) return nullptr;
  if (!items->is_array()) return "items";
  return document.find(node, "additionalItems") != nullptr ? "additionalItems" : nullptr;
}

}  // namespace

ArrayBounds SchemaCompiler::array_bounds(const NodeSet& nodes) {
  ArrayBounds bounds;
  bool listed = false, rest = false;
  for (const NodeId node : nodes) {
    bounds.min = std::max<uint64_t>(bounds.min, document_.count(node, "minItems").value_or(0));
    if (const auto most = document_.count(node, "maxItems")) bounds.max = std::min<uint64_t>(bounds.max, *most);
    if (const char* keyword = prefix_keyword(document_, node)) {
      listed = true;
      bounds.prefix = std::max(bounds.prefix, document_.array(node, keyword)->size());
    }
    rest |= rest_keyword(document_, node) != nullptr;
    const Json* distinct = document_.find(node, "uniqueItems");
    bounds.distinct |= distinct != nullptr && *distinct == Json(true);
  }
  // As with objects: what is listed is what is written, unless more is asked for.
  bounds.open = !listed || rest || options_.open_objects || bounds.min > bounds.prefix;
  if (!bounds.open) bounds.max = std::min<uint64_t>(bounds.max, bounds.prefix);
  return bounds;
}

NodeSet SchemaCompiler::item_schemas(const NodeSet& nodes, size_t index) {
  NodeSet out;
  for (const NodeId node : nodes) {
    const char* prefix = prefix_keyword(document_, node);
    const char* rest = rest_keyword(document_, node);
    if (prefix != nullptr && index < document_.array(node, prefix)->size())
      out.push_back(document_.child(node, prefix, std::to_string(index), (*document_.find(node, prefix))[index]));
    else if (rest != nullptr)
      out.push_back(document_.child(node, rest));
  }
  return out;
}

/// What items that must differ are made of. Scalars have one text for each value, so equal values have equal texts.
struct SchemaCompiler::DistinctItems {
  std::vector<Json> constants;
  Nfa scalars;
  std::vector<NodeSet> structured;  ///< of arrays and objects
  uint64_t alternatives = 1;
};

void SchemaCompiler::add_constant(DistinctItems& items, const Json& constant) {
  budget_.spend(items.constants.size() + 4);
  const auto same = [&](const Json& other) { return same_value(other, constant); };
  if (std::none_of(items.constants.begin(), items.constants.end(), same)) items.constants.push_back(constant);
}

void SchemaCompiler::collect_distinct(const NodeSet& seeds, DistinctItems& items) {
  bool never = false;
  const NodeSet nodes = document_.expand(seeds, never);
  if (never) return;
  if (const auto values = constants(nodes)) {
    for (const Json& constant : *values) add_constant(items, constant);
    return;
  }
  if (const auto choice = pending_choice(nodes)) {
    std::vector<NodeSet> branches;
    for (const NodeId branch : choice->branches) branches.push_back({branch});
    if (choice->exclusive) branches = keep_apart(nodes, choice->branches);
    const uint32_t limit = budget_.limits().max_alternatives;
    items.alternatives += branches.size();
    if (items.alternatives > limit) fail_limit("the alternatives of one value", limit);
    for (NodeSet& branch : branches) {
      branch.insert(branch.begin(), nodes.begin(), nodes.end());
      if (!impossible(branch)) collect_distinct(branch, items);
    }
    return;
  }
  require_progress(nodes);
  const uint32_t kinds = kinds_of(nodes);
  if ((kinds & kNull) != 0) add_constant(items, nullptr);
  for (const bool constant : {true, false}) {
    if ((kinds & kBoolean) != 0 && !left_out(nodes, constant)) add_constant(items, constant);
  }
  if ((kinds & kNumber) != 0) add_distinct_numbers(nodes, (kinds & kFraction) == 0, items.scalars);
  if ((kinds & kString) != 0) {
    const StringBounds bounds = string_bounds(nodes);
    if (bounds.min <= bounds.max) text_.add_string_of(items.scalars, string_automaton(nodes, bounds));
  }
  if ((kinds & (kArray | kObject)) != 0) items.structured.push_back(nodes);
}

/// Numbers without exponents and without zeros at the end of a fraction. Those that may have one have at most 15
/// digits, so that they differ as binary64, too.
void SchemaCompiler::add_distinct_numbers(const NodeSet& nodes, bool integer, Nfa& nfa) {
  static constexpr std::string_view kOneText = "-?(?:(?:0|[1-9][0-9]{0,7})(?:\\.[0-9]{0,6}[1-9])?|[1-9][0-9]{8,14})";
  Automaton numbers = number_values(nodes, number_range(nodes, integer));
  if (!integer) {
    const Automaton one_text = pattern_automaton(parse_regex(kOneText, RegexUse::whole, budget_.limits()), budget_);
    numbers = intersect(numbers, one_text, budget_, budget_.limits().max_pattern_states);
  }
  nfa.add_automaton(nfa.start, numbers, nfa.end);
}

/// The rule of the scalars among items that must differ, or nothing if there are none. `structured` becomes the rule of
/// the others, and `most` how many items there may be.
std::optional<RuleId> SchemaCompiler::distinct_rule(const NodeSet& nodes, std::optional<RuleId>& structured,
                                                    uint64_t& most) {
  DistinctItems items{{}, Nfa(budget_), {}};
  collect_distinct(item_schemas(nodes, 0), items);
  const bool any_structured = !items.structured.empty();
  for (const Json& constant : items.constants) {
    // An object that is a constant might also be written as one of the others.
    if (constant.is_structured() && any_structured) continue;
    const std::string text = constant.is_number() ? to_text(decimal_of(constant)) : text_.constant(constant);
    items.scalars.add_text_to(items.scalars.start, text, items.scalars.end);
  }
  if (any_structured) {
    structured = draft_.add_rule("structured item");
    Nfa nfa(budget_);
    for (NodeSet& set : items.structured) {
      set.push_back(document_.only(type_names(kArray | kObject)));
      nfa.add_call(nfa.start, value(set, items.alternatives), nfa.end);
    }
    draft_.define(*structured, nfa);
  }
  const auto scalars = determinize(items.scalars, budget_.limits().max_pattern_states);
  if (!scalars) fail_limit("the states of items that must differ", budget_.limits().max_pattern_states);
  Automaton automaton = minimize(*scalars, budget_);
  most = any_structured ? 1 : 0;
  if (is_empty(automaton)) return std::nullopt;
  // No more than there are scalars, even if one of the items is none: so a comma never comes where nothing is left.
  const uint32_t texts = count_texts(automaton)[0];
  most = texts == kUnbounded ? UINT64_MAX : texts;
  const RuleId rule = draft_.add_rule("distinct item");
  draft_.define(rule, std::move(automaton));
  draft_.set_distinct(rule);
  return rule;
}

/// Items that must differ: the matcher tells scalars apart by their texts. Arrays and objects have many texts for one
/// value, so at most one of those is written.
void SchemaCompiler::build_distinct(Nfa& nfa, const NodeSet& nodes, const ArrayBounds& bounds) {
  const NodeId owner = *std::find_if(nodes.begin(), nodes.end(),
                                     [&](NodeId node) { return document_.find(node, "uniqueItems") != nullptr; });
  if (bounds.prefix > 0)
    document_.fail_at(owner, "uniqueItems", "with a schema for each place, items can't be kept apart");
  std::optional<RuleId> structured;
  uint64_t most = 0;
  const std::optional<RuleId> scalar = distinct_rule(nodes, structured, most);
  if (bounds.min > most && structured)
    document_.fail_at(owner, "uniqueItems", "of arrays and objects only one is written, so minItems can't be kept");
  most = std::min(most, bounds.max);
  const bool counted = bounds.min > 1 || most != UINT64_MAX;
  const Guard enter = counted ? Guard::enter : Guard::none, leave = counted ? Guard::leave : Guard::none;
  if (counted) {
    nfa.count_min = static_cast<uint32_t>(std::min<uint64_t>(bounds.min, kUnbounded));
    nfa.count_max = static_cast<uint32_t>(std::min<uint64_t>(most, kUnbounded));
  }
  const uint32_t open = text_.space_inside_bracket(nfa, nfa.add_text(nfa.start, "["));
  if (bounds.min == 0) nfa.add_text_to(open, "]", nfa.end);
  if (bounds.min > most || most == 0) return;
  // Behind an item, before a structured one came and after.
  const uint32_t after[] = {nfa.add_state(), nfa.add_state()};
  const auto add_items = [&](uint32_t from, size_t had_structured, Guard guard) {
    if (scalar) nfa.add_call(from, *scalar, after[had_structured], guard);
    if (structured && had_structured == 0) nfa.add_call(from, *structured, after[1], guard);
  };
  add_items(open, 0, enter);
  for (const size_t had_structured : {0, 1}) {
    const uint32_t at = after[had_structured];
    add_items(text_.space_after_mark(nfa, nfa.add_text(at, ",", enter)), had_structured, Guard::none);
    nfa.add_range(text_.space_inside_bracket(nfa, at, leave), ']', ']', nfa.end, leave);
  }
}

RuleId SchemaCompiler::array_rule(const NodeSet& nodes) {
  const ArrayBounds bounds = array_bounds(nodes);
  const RuleId rule = draft_.add_rule("array");
  if (bounds.min > bounds.max) return rule;
  Nfa nfa(budget_);
  if (bounds.distinct && bounds.max > 1) {
    build_distinct(nfa, nodes, bounds);
    draft_.define(rule, nfa);
    return rule;
  }
  const uint32_t close = nfa.add_state();
  nfa.add_range(close, ']', ']', nfa.end);
  uint32_t at = text_.space_inside_bracket(nfa, nfa.add_text(nfa.start, "["));
  if (bounds.min == 0) nfa.add_text_to(at, "]", nfa.end);
  const uint64_t listed = std::min<uint64_t>(bounds.prefix, bounds.max);
  for (size_t i = 0; i < listed; i++) {
    const uint32_t item = i == 0 ? at : text_.space_after_mark(nfa, nfa.add_text(at, ","));
    at = nfa.add_state();
    nfa.add_call(item, value(item_schemas(nodes, i)), at);
    if (i + 1 >= bounds.min && (i + 1 < listed || listed == bounds.max))
      nfa.add_empty(text_.space_inside_bracket(nfa, at), close);
  }
  if (listed == bounds.max) {
    draft_.define(rule, nfa);
    return rule;
  }
  // The loop over the rest counts its rounds where a bound makes that necessary.
  const uint64_t min = bounds.min > listed ? bounds.min - listed : 0;
  const uint64_t max = bounds.max == UINT64_MAX ? kUnbounded : bounds.max - listed;
  const bool counted = max != kUnbounded || min > 1 || (min == 1 && listed > 0);
  const Guard enter = counted ? Guard::enter : Guard::none, leave = counted ? Guard::leave : Guard::none;
  if (counted) nfa.count_min = static_cast<uint32_t>(min), nfa.count_max = static_cast<uint32_t>(max);
  const RuleId rest = value(item_schemas(nodes, bounds.prefix));
  uint32_t after = at;
  if (listed == 0) {
    after = nfa.add_state();
    nfa.add_call(at, rest, after, enter);
  }
  const uint32_t next = nfa.add_text(after, ",", enter);
  nfa.add_call(text_.space_after_mark(nfa, next), rest, after);
  nfa.add_range(text_.space_inside_bracket(nfa, after, leave), ']', ']', nfa.end, leave);
  draft_.define(rule, nfa);
  return rule;
}

}  // namespace ingle::grammar
