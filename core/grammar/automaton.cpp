// Building automata: Thompson's construction is in expression.cpp; here empty moves go (subset construction, Rabin and
// Scott 1959, over byte ranges), and useless states.
#include "core/grammar/automaton.h"

#include <algorithm>
#include <map>

namespace ingle::grammar {

uint32_t Nfa::add_state() {
  budget_->take_states(1);
  states.emplace_back();
  return static_cast<uint32_t>(states.size() - 1);
}
void Nfa::add_range(uint32_t from, uint8_t lo, uint8_t hi, uint32_t to, Guard guard) {
  states[from].edges.push_back({lo, hi, guard, to});
}
void Nfa::add_call(uint32_t from, RuleId rule, uint32_t to, Guard guard) {
  states[from].calls.push_back({rule, guard, to});
}
void Nfa::add_empty(uint32_t from, uint32_t to) {
  states[from].empty.push_back(to);
}
uint32_t Nfa::add_text(uint32_t from, std::string_view text, Guard guard) {
  for (const char c : text) {
    const uint32_t next = add_state();
    add_range(from, static_cast<uint8_t>(c), static_cast<uint8_t>(c), next, guard);
    from = next, guard = Guard::none;
  }
  return from;
}
void Nfa::add_text_to(uint32_t from, std::string_view text, uint32_t to) {
  add_empty(add_text(from, text), to);
}
void Nfa::add_automaton(uint32_t from, const Automaton& part, uint32_t to) {
  const auto base = static_cast<uint32_t>(states.size());
  for (size_t i = 0; i < part.states.size(); i++) add_state();
  for (uint32_t i = 0; i < part.states.size(); i++) {
    for (const Edge& edge : part.states[i].edges) add_range(base + i, edge.lo, edge.hi, base + edge.target);
    if (part.states[i].final) add_empty(base + i, to);
  }
  if (!part.states.empty()) add_empty(from, base);
}

namespace {

/// Sets of states closed under empty moves, without those that matter to nobody: states that have no edge, no call and
/// are not the end. Sorted, so that equal sets compare equal.
class Closures {
 public:
  explicit Closures(const Nfa& nfa) : nfa_(nfa), seen_(nfa.states.size(), 0) {}

  std::vector<uint32_t> of(const std::vector<uint32_t>& seeds) {
    stamp_++;
    std::vector<uint32_t> found;
    pending_ = seeds;
    while (!pending_.empty()) {
      const uint32_t at = pending_.back();
      pending_.pop_back();
      if (seen_[at] == stamp_) continue;
      seen_[at] = stamp_;
      const Nfa::State& state = nfa_.states[at];
      nfa_.budget().spend(1 + state.empty.size());
      if (!state.edges.empty() || !state.calls.empty() || at == nfa_.end) found.push_back(at);
      pending_.insert(pending_.end(), state.empty.begin(), state.empty.end());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  const Nfa& nfa_;
  std::vector<uint32_t> seen_;
  std::vector<uint32_t> pending_;
  uint32_t stamp_ = 0;
};

class SubsetConstruction {
 public:
  SubsetConstruction(const Nfa& nfa, size_t max_states) : nfa_(nfa), closures_(nfa), max_states_(max_states) {}

  std::optional<Automaton> run() {
    intern(closures_.of({nfa_.start}));
    for (size_t i = 0; i < sets_.size(); i++) {
      const std::vector<uint32_t> set = *sets_[i];
      if (!add_edges(i, set)) return std::nullopt;
      add_calls(i, set);
      if (sets_.size() > max_states_) return std::nullopt;
    }
    automaton_.deterministic = true;
    automaton_.count_min = nfa_.count_min, automaton_.count_max = nfa_.count_max;
    return std::move(automaton_);
  }

 private:
  uint32_t intern(std::vector<uint32_t> set) {
    const auto [it, added] = ids_.try_emplace(std::move(set), static_cast<uint32_t>(sets_.size()));
    if (added) {
      nfa_.budget().take_states(1);
      sets_.push_back(&it->first);
      automaton_.states.emplace_back();
      automaton_.states.back().final = std::binary_search(it->first.begin(), it->first.end(), nfa_.end);
    }
    return it->second;
  }

  bool add_edges(size_t at, const std::vector<uint32_t>& set) {
    edges_.clear(), cuts_.clear();
    for (const uint32_t member : set) {
      for (const Edge& edge : nfa_.states[member].edges) {
        edges_.push_back(edge);
        cuts_.push_back(edge.lo), cuts_.push_back(edge.hi + 1u);
      }
    }
    std::sort(cuts_.begin(), cuts_.end());
    cuts_.erase(std::unique(cuts_.begin(), cuts_.end()), cuts_.end());
    for (size_t c = 0; c + 1 < cuts_.size(); c++) {
      nfa_.budget().spend(edges_.size());
      std::vector<uint32_t> targets;
      std::optional<Guard> guard;
      for (const Edge& edge : edges_) {
        if (edge.lo > cuts_[c] || edge.hi < cuts_[c]) continue;
        if (guard && *guard != edge.guard) return false;
        guard = edge.guard;
        targets.push_back(edge.target);
      }
      if (!guard) continue;
      append(at, static_cast<uint8_t>(cuts_[c]), static_cast<uint8_t>(cuts_[c + 1] - 1), *guard,
             intern(closures_.of(targets)));
    }
    return true;
  }

  void append(size_t at, uint8_t lo, uint8_t hi, Guard guard, uint32_t target) {
    std::vector<Edge>& edges = automaton_.states[at].edges;
    if (!edges.empty() && edges.back().target == target && edges.back().guard == guard && edges.back().hi + 1 == lo)
      edges.back().hi = hi;
    else
      edges.push_back({lo, hi, guard, target});
  }

  void add_calls(size_t at, const std::vector<uint32_t>& set) {
    std::map<std::pair<RuleId, Guard>, std::vector<uint32_t>> targets;
    for (const uint32_t member : set) {
      for (const Call& call : nfa_.states[member].calls) targets[{call.rule, call.guard}].push_back(call.target);
    }
    for (const auto& [key, seeds] : targets) {
      const uint32_t target = intern(closures_.of(seeds));
      automaton_.states[at].calls.push_back({key.first, key.second, target});
    }
  }

  const Nfa& nfa_;
  Closures closures_;
  size_t max_states_;
  Automaton automaton_;
  std::map<std::vector<uint32_t>, uint32_t> ids_;
  std::vector<const std::vector<uint32_t>*> sets_;
  std::vector<Edge> edges_;
  std::vector<uint32_t> cuts_;
};

}  // namespace

std::optional<Automaton> determinize(const Nfa& nfa, size_t max_states) {
  auto automaton = SubsetConstruction(nfa, max_states).run();
  if (automaton) trim(*automaton);
  return automaton;
}

Automaton remove_empty_moves(const Nfa& nfa) {
  Closures closures(nfa);
  Automaton automaton;
  automaton.count_min = nfa.count_min, automaton.count_max = nfa.count_max;
  std::vector<uint32_t> ids(nfa.states.size(), kNone), order;
  const auto intern = [&](uint32_t state) {
    if (ids[state] == kNone) {
      ids[state] = static_cast<uint32_t>(order.size());
      order.push_back(state);
      automaton.states.emplace_back();
    }
    return ids[state];
  };
  intern(nfa.start);
  for (size_t i = 0; i < order.size(); i++) {
    for (const uint32_t member : closures.of({order[i]})) {
      const Nfa::State& state = nfa.states[member];
      nfa.budget().spend(state.edges.size() + state.calls.size());
      for (Edge edge : state.edges) {
        edge.target = intern(edge.target);
        automaton.states[i].edges.push_back(edge);
      }
      for (Call call : state.calls) {
        call.target = intern(call.target);
        automaton.states[i].calls.push_back(call);
      }
      automaton.states[i].final |= member == nfa.end;
    }
  }
  trim(automaton);
  return automaton;
}

namespace {

/// States from which a final one can be reached.
std::vector<bool> living(const Automaton& automaton) {
  const size_t n = automaton.states.size();
  std::vector<std::vector<uint32_t>> sources(n);
  std::vector<bool> alive(n, false);
  std::vector<uint32_t> pending;
  for (uint32_t i = 0; i < n; i++) {
    for (const Edge& edge : automaton.states[i].edges) sources[edge.target].push_back(i);
    for (const Call& call : automaton.states[i].calls) sources[call.target].push_back(i);
    if (automaton.states[i].final) alive[i] = true, pending.push_back(i);
  }
  while (!pending.empty()) {
    const uint32_t at = pending.back();
    pending.pop_back();
    for (const uint32_t source : sources[at]) {
      if (!alive[source]) alive[source] = true, pending.push_back(source);
    }
  }
  return alive;
}

}  // namespace

void trim(Automaton& automaton) {
  if (automaton.states.empty()) return;
  const std::vector<bool> alive = living(automaton);
  if (!alive[0]) {
    automaton.states.clear();
    return;
  }
  std::vector<uint32_t> ids(automaton.states.size(), kNone), order = {0};
  ids[0] = 0;
  const auto keep = [&](uint32_t target) {
    if (!alive[target]) return false;
    if (ids[target] == kNone) ids[target] = static_cast<uint32_t>(order.size()), order.push_back(target);
    return true;
  };
  for (size_t i = 0; i < order.size(); i++) {
    AutomatonState& state = automaton.states[order[i]];
    std::erase_if(state.edges, [&](const Edge& edge) { return !keep(edge.target); });
    std::erase_if(state.calls, [&](const Call& call) { return !keep(call.target); });
  }
  std::vector<AutomatonState> states;
  states.reserve(order.size());
  for (const uint32_t from : order) {
    AutomatonState& state = states.emplace_back(std::move(automaton.states[from]));
    for (Edge& edge : state.edges) edge.target = ids[edge.target];
    for (Call& call : state.calls) call.target = ids[call.target];
  }
  automaton.states = std::move(states);
}

}  // namespace ingle::grammar
