// A grammar in the form in which the matcher runs it: all automata in flat tables.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/grammar/expression.h"

namespace ingle::grammar {

struct Program {
  struct State {
    uint32_t edges, edge_count;
    uint32_t calls, call_count;
    uint32_t rule;
    uint32_t row;  ///< of a deterministic state with many edges; kNone: look through the edges
    bool final : 1;
    bool walkable : 1;  ///< of a deterministic automaton: a byte leads to one state at most
  };
  struct ProgramCall {
    uint32_t start;  ///< the called rule's first state
    uint32_t target;
    RuleId rule;
    Guard guard;
    bool nullable : 1;  ///< the called rule takes the empty text, too
    bool tail : 1;      ///< nothing comes after it: it returns where the caller would
  };
  struct Rule {
    uint32_t start = 0;
    uint32_t count_min = 0, count_max = kUnbounded;
    bool counted_end = false;
    bool distinct = false;  ///< Draft::Rule says what that is
  };

  std::vector<State> states;
  std::vector<Edge> edges;
  std::vector<ProgramCall> calls;
  /// For each byte the target, with the guard in the two top bits; kNone: none.
  std::vector<std::array<uint32_t, 256>> rows;
  std::vector<Rule> rules;
  /// For each state of a distinct rule how many texts lead from it to the end; kUnbounded: that many or more, or
  /// another rule. Empty where no rule is distinct.
  std::vector<uint32_t> texts_left;
  uint32_t start = 0;
  bool nullable = false;      ///< the empty text is in the language
  uint32_t max_parallel = 0;  ///< readings kept at a time

  static constexpr uint32_t kTargetBits = 30;
  static constexpr uint32_t kTargetMask = (1u << kTargetBits) - 1;
};

/// Joins the draft's rules. Rules that derive no text are cut off. Errors: invalid_argument where a rule calls itself
/// before it takes a byte, or where nothing can be written at all; limit_exceeded.
std::shared_ptr<const Program> link(Draft& draft, RuleId root);

}  // namespace ingle::grammar
