// What GBNF and regular expressions have in common: a tree of expressions, and the draft of a grammar that the front
// ends fill with rules.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/grammar/automaton.h"

namespace ingle::grammar {

struct CodeRange {
  uint32_t lo, hi;  ///< inclusive
};

/// Sorted, disjoint, without surrogates.
std::vector<CodeRange> normalize(const std::vector<CodeRange>& ranges);
std::vector<CodeRange> complement(const std::vector<CodeRange>& ranges);

/// The UTF-8 of the ranges' code points, from `from` to `to`; the first byte under `guard`.
void add_code_points(Nfa& nfa, uint32_t from, const std::vector<CodeRange>& ranges, uint32_t to,
                     Guard guard = Guard::none);

enum class ExpressionKind : uint8_t { never, text, marked_text, code_points, sequence, choice, repeat, call, until };

struct Expression {
  ExpressionKind kind = ExpressionKind::sequence;  ///< an empty sequence takes the empty text
  std::string text;                                ///< of text, marked_text, until
  std::vector<CodeRange> ranges;
  std::vector<Expression> parts;
  uint32_t min = 0, max = kUnbounded;  ///< of repeat
  RuleId rule = 0;                     ///< of call

  static Expression make_text(std::string bytes);
  static Expression make_marked(std::string bytes);
  static Expression make_code_points(const std::vector<CodeRange>& ranges);
  static Expression make_sequence(std::vector<Expression> parts);
  static Expression make_choice(std::vector<Expression> parts);
  static Expression make_repeat(Expression part, uint32_t min, uint32_t max);
  static Expression make_call(RuleId rule);
};

/// A grammar while a front end fills it.
class Draft {
 public:
  explicit Draft(const core::GrammarLimits& limits) : budget(limits) {}

  RuleId add_rule(std::string name);
  void define(RuleId rule, const Expression& expression);
  void define(RuleId rule, const Nfa& nfa);
  void define(RuleId rule, Automaton automaton) { rules_[rule].automaton = std::move(automaton); }
  void set_distinct(RuleId rule) { rules_[rule].distinct = true; }

  struct Rule {
    std::string name;
    Automaton automaton;
    /// No two texts of the rule are the same within one run of the automaton that calls it (an array's items). The
    /// rule's automaton is deterministic, without calls and counters.
    bool distinct = false;
  };
  std::vector<Rule>& rules() { return rules_; }

  Budget budget;

 private:
  friend class Thompson;
  std::vector<Rule> rules_;
};

/// An expression without calls as one deterministic automaton. Error: limit_exceeded.
Automaton pattern_automaton(const Expression& expression, Budget& budget);

}  // namespace ingle::grammar
