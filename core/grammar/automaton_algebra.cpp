// Of deterministic automata: membership, products, minimisation (Moore 1956, by signatures), and automata given by a
// step function.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "core/grammar/automaton.h"

namespace ingle::grammar {

namespace {

uint32_t next_state(const AutomatonState& state, uint8_t byte) {
  for (const Edge& edge : state.edges) {
    if (byte < edge.lo) break;
    if (byte <= edge.hi) return edge.target;
  }
  return kNone;
}

void append_edge(std::vector<Edge>& edges, uint8_t lo, uint8_t hi, uint32_t target) {
  if (!edges.empty() && edges.back().target == target && edges.back().hi + 1 == lo)
    edges.back().hi = hi;
  else
    edges.push_back({lo, hi, Guard::none, target});
}

/// Both automata side by side. With `keep_without_b` a pair goes on where b is dead.
Automaton product(const Automaton& a, const Automaton& b, bool difference, Budget& budget, size_t max_states) {
  Automaton out;
  out.deterministic = true;
  if (a.states.empty()) return out;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> ids;
  std::vector<std::pair<uint32_t, uint32_t>> order;
  const auto intern = [&](uint32_t x, uint32_t y) {
    const auto [it, added] = ids.try_emplace({x, y}, static_cast<uint32_t>(order.size()));
    if (added) {
      if (order.size() >= max_states) fail_limit("the states of a pattern's automaton", max_states);
      budget.take_states(1);
      order.emplace_back(x, y);
      const bool in_b = y != kNone && b.states[y].final;
      out.states.emplace_back().final = a.states[x].final && in_b != difference;
    }
    return it->second;
  };
  intern(0, b.states.empty() ? kNone : 0);
  if (b.states.empty() && !difference) return Automaton{.deterministic = true};
  for (size_t i = 0; i < order.size(); i++) {
    const auto [x, y] = order[i];
    std::vector<Edge> edges;
    for (const Edge& edge : a.states[x].edges) {
      uint32_t from = edge.lo;
      budget.spend(1 + (y == kNone ? 0 : b.states[y].edges.size()));
      if (y != kNone) {
        for (const Edge& other : b.states[y].edges) {
          if (other.hi < from || other.lo > edge.hi) continue;
          if (difference && other.lo > from)
            append_edge(edges, static_cast<uint8_t>(from), static_cast<uint8_t>(other.lo - 1),
                        intern(edge.target, kNone));
          const uint8_t lo = static_cast<uint8_t>(std::max<uint32_t>(from, other.lo));
          const uint8_t hi = std::min(edge.hi, other.hi);
          append_edge(edges, lo, hi, intern(edge.target, other.target));
          from = hi + 1u;
        }
      }
      if (difference && from <= edge.hi)
        append_edge(edges, static_cast<uint8_t>(from), edge.hi, intern(edge.target, kNone));
    }
    out.states[i].edges = std::move(edges);
  }
  trim(out);
  return out;
}

}  // namespace

bool matches(const Automaton& automaton, std::string_view text) {
  if (automaton.states.empty()) return false;
  uint32_t state = 0;
  for (const char c : text) {
    state = next_state(automaton.states[state], static_cast<uint8_t>(c));
    if (state == kNone) return false;
  }
  return automaton.states[state].final;
}

Automaton intersect(const Automaton& a, const Automaton& b, Budget& budget, size_t max_states) {
  return product(a, b, false, budget, max_states);
}
Automaton subtract(const Automaton& a, const Automaton& b, Budget& budget, size_t max_states) {
  return product(a, b, true, budget, max_states);
}

std::vector<uint32_t> count_texts(const Automaton& automaton) {
  const size_t n = automaton.states.size();
  std::vector<uint32_t> counts(n, 0);
  // Depth first: a state's count is known once those of its targets are. One that is met on its own way is in a loop,
  // and from each state of a trimmed automaton a text leads to the end: there is no bound.
  enum : uint8_t { fresh, open, done };
  std::vector<uint8_t> mark(n, fresh);
  std::vector<std::pair<uint32_t, size_t>> path;
  const auto enter = [&](uint32_t state) {
    mark[state] = open, counts[state] = automaton.states[state].final ? 1 : 0;
    path.emplace_back(state, 0);
  };
  if (n > 0) enter(0);
  while (!path.empty()) {
    auto& [state, next] = path.back();
    const std::vector<Edge>& edges = automaton.states[state].edges;
    if (next == edges.size()) {
      mark[state] = done;
      path.pop_back();
      continue;
    }
    const Edge& edge = edges[next];
    if (mark[edge.target] == fresh) {
      enter(edge.target);
      continue;
    }
    next++;
    const uint64_t more = mark[edge.target] == open ? kUnbounded : counts[edge.target];
    const uint64_t sum = counts[state] + more * (edge.hi - edge.lo + 1u);
    counts[state] = static_cast<uint32_t>(std::min<uint64_t>(sum, kUnbounded));
  }
  return counts;
}

bool is_empty(const Automaton& automaton) {
  Automaton copy = automaton;
  trim(copy);
  return copy.states.empty();
}

Automaton minimize(const Automaton& automaton, Budget& budget) {
  const size_t n = automaton.states.size();
  std::vector<uint32_t> block(n);
  for (size_t i = 0; i < n; i++) block[i] = automaton.states[i].final ? 1 : 0;
  size_t count = 0;
  // A round tells apart what differs one byte further on. Long chains would take a round for each state: they stay.
  for (int round = 0;; round++) {
    if (round == 64) return automaton;
    std::map<std::vector<uint32_t>, uint32_t> signatures;
    std::vector<uint32_t> next(n);
    for (size_t i = 0; i < n; i++) {
      std::vector<uint32_t> signature = {block[i]};
      for (const Edge& edge : automaton.states[i].edges) {
        const uint32_t target = block[edge.target];
        if (signature.size() > 1 && signature.back() == target && signature[signature.size() - 2] + 1 == edge.lo) {
          signature[signature.size() - 2] = edge.hi;
          continue;
        }
        signature.insert(signature.end(), {edge.lo, edge.hi, target});
      }
      budget.spend(signature.size());
      next[i] = signatures.try_emplace(std::move(signature), static_cast<uint32_t>(signatures.size())).first->second;
    }
    block = std::move(next);
    if (signatures.size() == count) break;
    count = signatures.size();
  }
  // Numbered by their first member, the start is block 0.
  Automaton out;
  out.deterministic = true;
  out.states.resize(count);
  std::vector<bool> done(count, false);
  for (size_t i = 0; i < n; i++) {
    if (done[block[i]]) continue;
    done[block[i]] = true;
    AutomatonState& state = out.states[block[i]];
    state.final = automaton.states[i].final;
    for (const Edge& edge : automaton.states[i].edges) append_edge(state.edges, edge.lo, edge.hi, block[edge.target]);
  }
  return out;
}

Automaton build_automaton(const StepFunction& function, Budget& budget, size_t max_states) {
  Automaton out;
  out.deterministic = true;
  std::unordered_map<std::string, uint32_t> ids;
  std::vector<std::string> order;
  const auto intern = [&](std::string key) {
    const auto [it, added] = ids.try_emplace(key, static_cast<uint32_t>(order.size()));
    if (added) {
      if (order.size() >= max_states) fail_limit("the states of a value's automaton", max_states);
      budget.take_states(1);
      out.states.emplace_back().final = function.final(key);
      order.push_back(std::move(key));
    }
    return it->second;
  };
  intern(function.start);
  for (size_t i = 0; i < order.size(); i++) {
    budget.spend(function.alphabet.size());
    const std::string key = order[i];  // NOLINT(performance-unnecessary-copy-initialization): intern() moves them
    std::vector<Edge> edges;
    for (const char c : function.alphabet) {
      const auto byte = static_cast<uint8_t>(c);
      auto next = function.step(key, byte);
      if (next) append_edge(edges, byte, byte, intern(std::move(*next)));
    }
    out.states[i].edges = std::move(edges);
  }
  trim(out);
  return minimize(out, budget);
}

}  // namespace ingle::grammar
