// Arrays.
#include <algorithm>

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

/// Items that must differ: of constants each is written at most once, in the schema's order.
void SchemaCompiler::build_distinct(Nfa& nfa, const NodeSet& nodes, const ArrayBounds& bounds) {
  constexpr size_t kMostConstants = 200;
  const NodeId owner = *std::find_if(nodes.begin(), nodes.end(),
                                     [&](NodeId node) { return document_.find(node, "uniqueItems") != nullptr; });
  bool never = false;
  const NodeSet items = document_.expand(item_schemas(nodes, 0), never);
  const auto values = constants(items);
  if (!values || bounds.prefix > 0) document_.fail_at(owner, "uniqueItems", "only constants can be kept apart");
  const size_t n = never ? 0 : values->size();
  if (n > kMostConstants) fail_limit("the constants of an array of distinct ones", kMostConstants);
  const size_t most = std::min<uint64_t>(bounds.max, n);
  // After so many items, of which the last was the constant before `next`. Above the least number none are counted.
  const size_t counted = bounds.max >= n ? std::min<uint64_t>(bounds.min, n + 1) : most;
  std::map<std::pair<size_t, size_t>, uint32_t> states;
  std::vector<std::pair<size_t, size_t>> pending;
  const auto state_of = [&](size_t next, size_t count) {
    const auto [it, added] = states.try_emplace({next, std::min(count, counted)}, 0);
    if (added) it->second = nfa.add_state(), pending.push_back(it->first);
    return it->second;
  };
  const auto add_items = [&](uint32_t from, size_t next, size_t count) {
    for (size_t i = next; i < n; i++) nfa.add_text_to(from, text_.constant((*values)[i]), state_of(i + 1, count + 1));
  };
  const uint32_t open = text_.space_inside_bracket(nfa, nfa.add_text(nfa.start, "["));
  if (bounds.min == 0) nfa.add_text_to(open, "]", nfa.end);
  if (most > 0) add_items(open, 0, 0);
  while (!pending.empty()) {
    const auto [next, count] = pending.back();
    pending.pop_back();
    budget_.spend(n + 16);
    const uint32_t from = states.at({next, count});
    if (count >= bounds.min) nfa.add_text_to(text_.space_inside_bracket(nfa, from), "]", nfa.end);
    if (bounds.max < n && count >= most) continue;
    if (next < n) add_items(text_.space_after_mark(nfa, nfa.add_text(from, ",")), next, count);
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
