// Expressions to automata: Thompson's construction (1968).
#include "core/grammar/expression.h"

#include <algorithm>

namespace ingle::grammar {

Expression Expression::make_text(std::string bytes) {
  return {.kind = ExpressionKind::text, .text = std::move(bytes)};
}
Expression Expression::make_marked(std::string bytes) {
  return {.kind = ExpressionKind::marked_text, .text = std::move(bytes)};
}
Expression Expression::make_code_points(const std::vector<CodeRange>& ranges) {
  return {.kind = ExpressionKind::code_points, .ranges = normalize(ranges)};
}
Expression Expression::make_sequence(std::vector<Expression> parts) {
  if (parts.size() == 1) return std::move(parts[0]);
  return {.kind = ExpressionKind::sequence, .parts = std::move(parts)};
}
Expression Expression::make_choice(std::vector<Expression> parts) {
  if (parts.size() == 1) return std::move(parts[0]);
  return {.kind = ExpressionKind::choice, .parts = std::move(parts)};
}
Expression Expression::make_repeat(Expression part, uint32_t min, uint32_t max) {
  Expression out{.kind = ExpressionKind::repeat, .min = min, .max = max};
  out.parts.push_back(std::move(part));
  return out;
}
Expression Expression::make_call(RuleId rule) {
  return {.kind = ExpressionKind::call, .rule = rule};
}

namespace {
/// A repetition that takes more states than this when written out becomes a counted rule, where rules can be made.
constexpr uint64_t kWrittenOut = 600;
/// Automata stay nondeterministic beyond this growth.
size_t deterministic_bound(const Nfa& nfa) {
  return nfa.states.size() * 4 + 256;
}
}  // namespace

/// Without a draft, no rules can be made: repetitions are written out whatever they take.
class Thompson {
 public:
  Thompson(Nfa& nfa, Draft* draft) : nfa_(nfa), draft_(draft) {}

  void add(const Expression& e, uint32_t from, uint32_t to) {
    nfa_.budget().spend(1);
    switch (e.kind) {
      case ExpressionKind::never:
        return;
      case ExpressionKind::text:
        return nfa_.add_text_to(from, e.text, to);
      case ExpressionKind::marked_text:
        return add_marked(e.text, from, to);
      case ExpressionKind::code_points:
        return add_code_points(nfa_, from, e.ranges, to);
      case ExpressionKind::call:
        return nfa_.add_call(from, e.rule, to);
      case ExpressionKind::sequence:
        for (size_t i = 0; i < e.parts.size(); i++) {
          const uint32_t next = nfa_.add_state();
          add(e.parts[i], from, next);
          from = next;
        }
        return nfa_.add_empty(from, to);
      case ExpressionKind::choice:
        for (const Expression& part : e.parts) {
          const uint32_t first = nfa_.add_state();
          nfa_.add_empty(from, first);
          add(part, first, to);
        }
        return;
      case ExpressionKind::repeat:
        return add_repeat(e, from, to);
      case ExpressionKind::until:
        return add_until(e.text, from, to);
    }
  }

 private:
  static uint64_t size_of(const Expression& e) {
    uint64_t size = 2 + e.text.size() * 2 + e.ranges.size() * 4;
    for (const Expression& part : e.parts) size += size_of(part);
    if (e.kind == ExpressionKind::repeat) size *= std::max<uint64_t>(1, e.max == kUnbounded ? e.min + 1 : e.max);
    return std::min<uint64_t>(size, uint64_t{1} << 32);
  }

  void add_repeat(const Expression& e, uint32_t from, uint32_t to) {
    if (e.max == 0) return nfa_.add_empty(from, to);
    if (draft_ != nullptr && (e.min > 1 || (e.max != 1 && e.max != kUnbounded)) && size_of(e) > kWrittenOut)
      return add_counted(e, from, to);
    const Expression& part = e.parts[0];
    for (uint32_t i = 0; i < e.min; i++) {
      const uint32_t next = nfa_.add_state();
      add(part, from, next);
      from = next;
    }
    if (e.max == kUnbounded) {
      const uint32_t loop = nfa_.add_state();
      nfa_.add_empty(from, loop);
      add(part, loop, loop);
      return nfa_.add_empty(loop, to);
    }
    for (uint32_t i = e.min; i < e.max; i++) {
      nfa_.add_empty(from, to);
      const uint32_t next = nfa_.add_state();
      add(part, from, next);
      from = next;
    }
    nfa_.add_empty(from, to);
  }

  void add_counted(const Expression& e, uint32_t from, uint32_t to) {
    const RuleId round = draft_->add_rule("");
    draft_->define(round, e.parts[0]);
    const RuleId loop = draft_->add_rule("");
    draft_->define(loop, counted_loop(round, e.min, e.max));
    nfa_.add_call(from, loop, to);
  }

  /// Where the rounds are told apart without looking ahead, their automaton itself is the loop; else it is called.
  Automaton counted_loop(RuleId round, uint32_t min, uint32_t max) {
    Automaton body = draft_->rules()[round].automaton;
    bool plain = body.deterministic && !body.counted_end && !body.states.empty() && !body.states[0].final;
    for (const AutomatonState& state : body.states) {
      plain = plain && state.calls.empty() && !(state.final && !state.edges.empty());
      for (const Edge& edge : state.edges) plain = plain && edge.target != 0 && edge.guard == Guard::none;
    }
    if (!plain) return counted_call(round, min, max);
    for (AutomatonState& state : body.states) {
      for (Edge& edge : state.edges) {
        if (body.states[edge.target].final) edge.target = 0;
      }
    }
    for (Edge& edge : body.states[0].edges) edge.guard = Guard::enter;
    for (AutomatonState& state : body.states) state.final = false;
    body.states[0].final = true;
    trim(body);
    body.counted_end = true;
    body.count_min = min, body.count_max = max;
    return body;
  }

  static Automaton counted_call(RuleId round, uint32_t min, uint32_t max) {
    Automaton loop;
    loop.states.resize(1);
    loop.states[0].calls.push_back({round, Guard::enter, 0});
    loop.states[0].final = true;
    loop.counted_end = true;
    loop.count_min = min, loop.count_max = max;
    return loop;
  }

  /// Beside the text runs a copy between marks: there any control token goes that spells a part of the text.
  void add_marked(std::string_view text, uint32_t from, uint32_t to) {
    std::vector<uint32_t> plain = {nfa_.add_state()}, marked = {nfa_.add_state()};
    nfa_.add_empty(from, plain[0]);
    for (const char c : text) {
      const auto byte = static_cast<uint8_t>(c);
      plain.push_back(nfa_.add_state()), marked.push_back(nfa_.add_state());
      const size_t last = plain.size() - 1;
      nfa_.add_range(plain[last - 1], byte, byte, plain[last]);
      nfa_.add_range(marked[last - 1], byte, byte, marked[last]);
    }
    for (size_t i = 0; i < text.size(); i++) {
      nfa_.add_range(plain[i], kMarkBegin, kMarkBegin, marked[i]);
      nfa_.add_range(marked[i + 1], kMarkEnd, kMarkEnd, plain[i + 1]);
    }
    nfa_.add_empty(plain.back(), to);
  }

  void add_until(const std::string& text, uint32_t from, uint32_t to);

  Nfa& nfa_;
  Draft* draft_;
};

namespace {

/// How many bytes of a code point are to come and what the next may be (Unicode's table 3-7).
struct Utf8Step {
  uint8_t lo, hi, next;  ///< next: index into kUtf8States
};
const std::vector<std::vector<Utf8Step>> kUtf8States = {
    {{0x00, 0x7f, 0},
     {0xc2, 0xdf, 1},
     {0xe0, 0xe0, 2},
     {0xe1, 0xec, 3},
     {0xed, 0xed, 4},
     {0xee, 0xef, 3},
     {0xf0, 0xf0, 5},
     {0xf1, 0xf3, 6},
     {0xf4, 0xf4, 7}},
    {{0x80, 0xbf, 0}},
    {{0xa0, 0xbf, 1}},
    {{0x80, 0xbf, 1}},
    {{0x80, 0x9f, 1}},
    {{0x90, 0xbf, 3}},
    {{0x80, 0xbf, 3}},
    {{0x80, 0x8f, 3}},
};

/// border[k]: the length of the longest proper prefix of text[0, k) that ends it (Knuth, Morris, Pratt 1977).
std::vector<uint32_t> borders(std::string_view text) {
  std::vector<uint32_t> border(text.size() + 1, 0);
  for (size_t k = 1; k < text.size(); k++) {
    uint32_t b = border[k];
    while (b > 0 && text[b] != text[k]) b = border[b];
    border[k + 1] = text[b] == text[k] ? b + 1 : 0;
  }
  return border;
}

}  // namespace

/// States: how much of the text has been seen, times how far a code point is. A control token that spells the next part
/// of the text may come wherever that part would be seen.
void Thompson::add_until(const std::string& text, uint32_t from, uint32_t to) {
  const std::vector<uint32_t> border = borders(text);
  const auto width = static_cast<uint32_t>(kUtf8States.size());
  const auto base = static_cast<uint32_t>(nfa_.states.size());
  const auto length = static_cast<uint32_t>(text.size());
  for (uint32_t i = 0; i < length * width + length + 1; i++) nfa_.add_state();
  const auto plain = [&](uint32_t seen, uint32_t utf8) { return seen == length ? to : base + seen * width + utf8; };
  const auto marked = [&](uint32_t seen) { return base + length * width + seen; };
  nfa_.add_empty(from, plain(0, 0));
  for (uint32_t seen = 0; seen < length; seen++) {
    for (uint32_t utf8 = 0; utf8 < width; utf8++) {
      for (const Utf8Step& step : kUtf8States[utf8]) {
        nfa_.budget().spend(64);
        for (unsigned byte = step.lo; byte <= step.hi; byte++) {
          uint32_t s = seen;
          while (s > 0 && static_cast<uint8_t>(text[s]) != byte) s = border[s];
          if (static_cast<uint8_t>(text[s]) == byte) s++;
          nfa_.add_range(plain(seen, utf8), static_cast<uint8_t>(byte), static_cast<uint8_t>(byte),
                         plain(s, step.next));
        }
      }
    }
    for (uint32_t s = seen;; s = border[s]) {
      nfa_.add_range(plain(seen, 0), kMarkBegin, kMarkBegin, marked(s));
      if (s == 0) break;
    }
    const auto byte = static_cast<uint8_t>(text[seen]);
    nfa_.add_range(marked(seen), byte, byte, marked(seen + 1));
    nfa_.add_range(marked(seen + 1), kMarkEnd, kMarkEnd, plain(seen + 1, 0));
  }
}

RuleId Draft::add_rule(std::string name) {
  if (rules_.size() >= budget.limits().max_rules) fail_limit("the grammar's rules", budget.limits().max_rules);
  rules_.push_back({std::move(name), {}});
  return static_cast<RuleId>(rules_.size() - 1);
}

void Draft::define(RuleId rule, const Expression& expression) {
  Nfa nfa(budget);
  Thompson(nfa, this).add(expression, nfa.start, nfa.end);
  define(rule, nfa);
}

void Draft::define(RuleId rule, const Nfa& nfa) {
  auto automaton = determinize(nfa, deterministic_bound(nfa));
  rules_[rule].automaton = automaton ? std::move(*automaton) : remove_empty_moves(nfa);
}

Automaton pattern_automaton(const Expression& expression, Budget& budget) {
  Nfa nfa(budget);
  Thompson(nfa, nullptr).add(expression, nfa.start, nfa.end);
  const size_t bound = budget.limits().max_pattern_states;
  auto automaton = determinize(nfa, bound);
  if (!automaton) fail_limit("the states of a pattern's automaton", bound);
  return minimize(*automaton, budget);
}

}  // namespace ingle::grammar
