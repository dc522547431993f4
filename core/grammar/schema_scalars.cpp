// Strings and numbers.
#include <algorithm>

#include "core/grammar/formats.h"
#include "core/grammar/regex.h"
#include "core/grammar/schema_compiler.h"

namespace ingle::grammar {

using base::ErrorCode;
using base::Json;

const Automaton& SchemaCompiler::pattern(NodeId node, const std::string& keyword, const std::string& text) {
  const auto [it, added] = patterns_.try_emplace("pattern " + text);
  if (added) {
    try {
      it->second = pattern_automaton(parse_regex(text, RegexUse::search, budget_.limits()), budget_);
    } catch (const Failure& failure) {
      document_.fail_at(node, keyword, failure.message, failure.code);
    }
  }
  return it->second;
}

/// Of the node's format, or null where it says nothing of strings: a name that JSON Schema does not define is a remark.
const Automaton* SchemaCompiler::format(NodeId node) {
  const auto name = document_.text(node, "format");
  if (!name) return nullptr;
  if (side_ == Side::theirs) return nullptr;  // a validator may take it as a remark
  const std::span<const Format> formats = all_formats();
  const auto known = std::find_if(formats.begin(), formats.end(), [&](const Format& f) { return f.name == *name; });
  if (known == formats.end()) return nullptr;
  const auto [it, added] = patterns_.try_emplace("format " + *name);
  if (added) it->second = pattern_automaton(parse_regex(known->pattern, RegexUse::whole, budget_.limits()), budget_);
  return &it->second;
}

/// What a `not` of constants or of a pattern leaves of the strings, or null.
const Automaton* SchemaCompiler::other_strings(NodeId node) {
  const Json* constants = document_.find_own(node, kNotEnum);
  const Json* text = document_.find_own(node, kNotPattern);
  if (!text && (constants == nullptr || std::none_of(constants->begin(), constants->end(),
                                                     [](const Json& constant) { return constant.is_string(); })))
    return nullptr;
  const auto [it, added] =
      patterns_.try_emplace(text ? "not pattern " + text->get<std::string>() : "not enum " + std::to_string(node));
  if (!added) return &it->second;
  Automaton out;
  if (text) {
    out = pattern(node, "pattern", text->get<std::string>());
  } else {
    Nfa nfa(budget_);
    for (const Json& constant : *constants) {
      if (constant.is_string()) nfa.add_text_to(nfa.start, constant.get_ref<const std::string&>(), nfa.end);
    }
    out = *determinize(nfa, nfa.states.size() + 1);
  }
  const Automaton any =
      pattern_automaton(Expression::make_repeat(Expression::make_code_points({{0, 0x10ffff}}), 0, kUnbounded), budget_);
  it->second = subtract(any, out, budget_, budget_.limits().max_pattern_states);
  return &it->second;
}

StringBounds SchemaCompiler::string_bounds(const NodeSet& nodes) {
  StringBounds bounds;
  for (const NodeId node : nodes) {
    bounds.min = std::max(bounds.min, document_.count(node, "minLength").value_or(0));
    bounds.max = std::min(bounds.max, document_.count(node, "maxLength").value_or(kUnbounded));
    const auto add = [&](const Automaton* contents) {
      if (contents != nullptr &&
          std::find(bounds.contents.begin(), bounds.contents.end(), contents) == bounds.contents.end())
        bounds.contents.push_back(contents);
    };
    if (const auto text = document_.text(node, "pattern")) add(&pattern(node, "pattern", *text));
    add(format(node));
    add(other_strings(node));
  }
  return bounds;
}

Automaton SchemaCompiler::join_contents(const std::vector<const Automaton*>& contents) {
  Automaton out = *contents[0];
  for (size_t i = 1; i < contents.size(); i++)
    out = intersect(out, *contents[i], budget_, budget_.limits().max_pattern_states);
  return out;
}

namespace {

/// The lengths in code points of the texts that an automaton takes: the least, and the most if there is one.
struct Lengths {
  uint32_t least = 0, most = kUnbounded;
};

bool starts_code_point(const Edge& edge) {
  return (edge.lo & 0xc0) != 0x80;
}

Lengths lengths_of(const Automaton& automaton) {
  const size_t n = automaton.states.size();
  Lengths out;
  // Rounds of relaxation: lengths that still change after as many rounds as there are states have no bound.
  std::vector<uint32_t> least(n, kUnbounded), most(n, kNone);
  for (size_t i = 0; i < n; i++) {
    if (automaton.states[i].final) least[i] = most[i] = 0;
  }
  bool changed = true;
  size_t round = 0;
  for (; changed && round <= n; round++) {
    changed = false;
    for (size_t i = n; i-- > 0;) {
      for (const Edge& edge : automaton.states[i].edges) {
        const uint32_t step = starts_code_point(edge) ? 1 : 0;
        if (least[edge.target] != kUnbounded && least[edge.target] + step < least[i])
          least[i] = least[edge.target] + step, changed = true;
        if (most[edge.target] != kNone && (most[i] == kNone || most[edge.target] + step > most[i]))
          most[i] = most[edge.target] + step, changed = true;
      }
    }
  }
  out.least = n == 0 ? 0 : least[0];
  out.most = changed || n == 0 ? kUnbounded : most[0];
  return out;
}

}  // namespace

/// The strings within the bounds, unescaped. Where patterns give lengths that are within them anyway, none are counted.
Automaton SchemaCompiler::string_automaton(const NodeSet& nodes, const StringBounds& bounds) {
  const Expression any = Expression::make_code_points({{0, 0x10ffff}});
  const size_t bound = budget_.limits().max_pattern_states;
  uint32_t min = bounds.min, max = bounds.max;
  try {
    if (bounds.contents.empty()) return pattern_automaton(Expression::make_repeat(any, min, max), budget_);
    Automaton contents = join_contents(bounds.contents);
    budget_.spend(contents.states.size() * 8);
    const Lengths lengths = lengths_of(contents);
    if (lengths.least >= min) min = 0;
    if (lengths.most <= max) max = kUnbounded;
    if (min > 0 || max != kUnbounded)
      contents =
          intersect(contents, pattern_automaton(Expression::make_repeat(any, min, max), budget_), budget_, bound);
    return minimize(contents, budget_);
  } catch (const Failure& failure) {
    document_.fail_at(nodes.front(), bounds.contents.empty() ? "maxLength" : "pattern",
                      "with the bounds of its length: " + failure.message, failure.code);
  }
}

RuleId SchemaCompiler::string_rule(const NodeSet& nodes) {
  const StringBounds bounds = string_bounds(nodes);
  if (bounds.min > bounds.max) return draft_.add_rule("no string");
  if (bounds.contents.empty()) return text_.string(bounds.min, bounds.max);
  return text_.string_of(string_automaton(nodes, bounds));
}

void SchemaCompiler::add_bound(NodeId node, const char* keyword, bool open, bool low, NumberRange& range) {
  const Json* value = document_.find(node, keyword);
  if (value == nullptr || value->is_boolean()) return;  // draft 4: exclusiveMinimum says how minimum is meant
  if (!value->is_number()) document_.fail_at(node, keyword, "a number is wanted", ErrorCode::invalid_argument);
  const Decimal bound = decimal_of(*value);
  // Further out than any number we write.
  if (bound.whole.size() > 38 && bound.negative == low) return;
  std::optional<Decimal>& old = low ? range.low : range.high;
  bool& old_open = low ? range.low_open : range.high_open;
  const int order = old ? compare(bound, *old) * (low ? 1 : -1) : 1;
  if (order > 0)
    old = bound, old_open = open;
  else if (order == 0)
    old_open |= open;
}

NumberRange SchemaCompiler::number_range(const NodeSet& nodes, bool integer) {
  NumberRange range;
  range.integer = integer;
  for (const NodeId node : nodes) {
    const auto flag = [&](const char* keyword) {
      const Json* value = document_.find(node, keyword);
      return value != nullptr && *value == Json(true);
    };
    add_bound(node, "minimum", flag("exclusiveMinimum"), true, range);
    add_bound(node, "exclusiveMinimum", true, true, range);
    add_bound(node, "maximum", flag("exclusiveMaximum"), false, range);
    add_bound(node, "exclusiveMaximum", true, false, range);
    const Json* step = document_.find(node, "multipleOf");
    if (step == nullptr) continue;
    if (!step->is_number()) document_.fail_at(node, "multipleOf", "a number is wanted", ErrorCode::invalid_argument);
    const Decimal decimal = decimal_of(*step);
    if (decimal.negative || decimal.is_zero())
      document_.fail_at(node, "multipleOf", "a number above 0 is wanted", ErrorCode::invalid_argument);
    if (!range.multiple_of || is_multiple(decimal, *range.multiple_of).value_or(false))
      range.multiple_of = decimal;
    else if (!is_multiple(*range.multiple_of, decimal).value_or(false))
      document_.fail_at(node, "multipleOf", "two steps of which neither is a multiple of the other");
  }
  for (const NodeId node : nodes) {
    const auto name = document_.text(node, "format");
    if (side_ == Side::theirs || !name || (*name != "int32" && *name != "int64")) continue;
    const bool wide = *name == "int64";
    NumberRange more = range;
    const Decimal low = *parse_decimal(wide ? "-9223372036854775808" : "-2147483648");
    const Decimal high = *parse_decimal(wide ? "9223372036854775807" : "2147483647");
    if (!more.low || compare(low, *more.low) > 0) more.low = low, more.low_open = false;
    if (!more.high || compare(high, *more.high) < 0) more.high = high, more.high_open = false;
    range = more;
  }
  return range;
}

RuleId SchemaCompiler::number_rule(const NodeSet& nodes, bool integer) {
  const NumberRange range = number_range(nodes, integer);
  if (!range.low && !range.high && !range.multiple_of) return text_.number(integer);
  const RuleId rule = draft_.add_rule("number");
  draft_.define(rule, number_values(nodes, range));
  return rule;
}

Automaton SchemaCompiler::number_values(const NodeSet& nodes, const NumberRange& range) {
  try {
    return number_automaton(range, budget_);
  } catch (const Failure& failure) {
    document_.fail_at(nodes.front(), range.multiple_of ? "multipleOf" : "minimum", failure.message, failure.code);
  }
}

}  // namespace ingle::grammar
