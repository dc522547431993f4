// Automata over bytes, of which a grammar is made: one for each rule. An edge takes a byte of a range, a call takes a
// text of another rule.
//
// Counted automata: at most one loop of an automaton counts its rounds, so that {3,5000} takes one state and not
// thousands. An edge with Guard::enter starts a round (there must be fewer than `count_max`), one with Guard::leave
// ends the loop (there must have been `count_min`); where `counted_end` is set, so does reaching the end.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/grammar/failure.h"

namespace ingle::grammar {

using RuleId = uint32_t;
constexpr uint32_t kNone = UINT32_MAX;
constexpr uint32_t kUnbounded = UINT32_MAX;

/// No byte of UTF-8; around a control token's spelling they make it a text of its own, which only literals contain.
constexpr uint8_t kMarkBegin = 0xff, kMarkEnd = 0xfe;

enum class Guard : uint8_t { none, enter, leave };

struct Edge {
  uint8_t lo, hi;
  Guard guard = Guard::none;
  uint32_t target;
};

struct Call {
  RuleId rule;
  Guard guard = Guard::none;
  uint32_t target;
};

struct AutomatonState {
  std::vector<Edge> edges;  ///< sorted and disjoint where the automaton is deterministic
  std::vector<Call> calls;
  bool final = false;
};

/// Starts in state 0. Without states: takes nothing, not even the empty text.
struct Automaton {
  std::vector<AutomatonState> states;
  bool deterministic = false;
  bool counted_end = false;
  uint32_t count_min = 0, count_max = kUnbounded;
};

/// Under construction: also moves that take nothing.
class Nfa {
 public:
  explicit Nfa(Budget& budget) : budget_(&budget) { start = add_state(), end = add_state(); }

  uint32_t add_state();
  void add_range(uint32_t from, uint8_t lo, uint8_t hi, uint32_t to, Guard guard = Guard::none);
  void add_call(uint32_t from, RuleId rule, uint32_t to, Guard guard = Guard::none);
  void add_empty(uint32_t from, uint32_t to);
  /// The bytes of `text`, the first under `guard`; the state behind them.
  uint32_t add_text(uint32_t from, std::string_view text, Guard guard = Guard::none);
  void add_text_to(uint32_t from, std::string_view text, uint32_t to);
  /// A deterministic automaton without calls and counters, from `from` to `to`.
  void add_automaton(uint32_t from, const Automaton& part, uint32_t to);

  struct State {
    std::vector<Edge> edges;
    std::vector<Call> calls;
    std::vector<uint32_t> empty;
  };
  std::vector<State> states;
  uint32_t start = 0, end = 0;
  uint32_t count_min = 0, count_max = kUnbounded;
  Budget& budget() const { return *budget_; }

 private:
  Budget* budget_;
};

/// The subset construction; nothing where it would take over `max_states`, or an edge with two guards.
std::optional<Automaton> determinize(const Nfa& nfa, size_t max_states);

/// The same language without empty moves, at no more states.
Automaton remove_empty_moves(const Nfa& nfa);

/// Removes states that no text reaches or from which none ends.
void trim(Automaton& automaton);

// Of deterministic automata without calls and counters:
bool matches(const Automaton& automaton, std::string_view text);
Automaton intersect(const Automaton& a, const Automaton& b, Budget& budget, size_t max_states);
Automaton subtract(const Automaton& a, const Automaton& b, Budget& budget, size_t max_states);
bool is_empty(const Automaton& automaton);
/// For each state how many texts there are from it to an end; kUnbounded: that many or more.
std::vector<uint32_t> count_texts(const Automaton& automaton);
/// Merges states that no text tells apart.
Automaton minimize(const Automaton& automaton, Budget& budget);

/// The automaton of a step function: from a key (any bytes) and a byte of `alphabet` to the next key, or nothing.
struct StepFunction {
  std::string start;
  std::string alphabet;  ///< in order
  std::function<std::optional<std::string>(const std::string&, uint8_t)> step;
  std::function<bool(const std::string&)> final;
};
Automaton build_automaton(const StepFunction& function, Budget& budget, size_t max_states);

}  // namespace ingle::grammar
