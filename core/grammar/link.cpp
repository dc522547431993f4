// From rules to a program: what derives no text goes, left recursion is refused, tables are laid out.
#include <algorithm>

#include "core/grammar/program.h"

namespace ingle::grammar {

namespace {

class Linker {
 public:
  Linker(Draft& draft, RuleId root) : rules_(draft.rules()), budget_(draft.budget), root_(root) {}

  std::shared_ptr<const Program> run() {
    collect_used();
    remove_unproductive();
    collect_used();
    find_nullable();
    refuse_left_recursion();
    return lay_out();
  }

 private:
  /// The rules that the root reaches, in the order of a walk in breadth.
  void collect_used() {
    used_ = {root_};
    id_.assign(rules_.size(), kNone);
    id_[root_] = 0;
    for (size_t i = 0; i < used_.size(); i++) {
      for (const AutomatonState& state : rules_[used_[i]].automaton.states) {
        for (const Call& call : state.calls) {
          if (id_[call.rule] != kNone) continue;
          id_[call.rule] = static_cast<uint32_t>(used_.size());
          used_.push_back(call.rule);
        }
      }
    }
    callers_.assign(rules_.size(), {});
    for (const RuleId rule : used_) {
      for (const AutomatonState& state : rules_[rule].automaton.states) {
        for (const Call& call : state.calls) callers_[call.rule].push_back(rule);
      }
    }
    for (auto& callers : callers_) {
      std::sort(callers.begin(), callers.end());
      callers.erase(std::unique(callers.begin(), callers.end()), callers.end());
    }
  }

  /// Marks rules for which `holds` is true until no more become so; `holds` may ask what is marked already.
  template <typename Holds>
  std::vector<bool> fixpoint(Holds holds) {
    std::vector<bool> marked(rules_.size(), false), queued(rules_.size(), false);
    std::vector<RuleId> pending(used_.rbegin(), used_.rend());
    for (const RuleId rule : pending) queued[rule] = true;
    while (!pending.empty()) {
      const RuleId rule = pending.back();
      pending.pop_back();
      queued[rule] = false;
      if (marked[rule] || !holds(rule, marked)) continue;
      marked[rule] = true;
      for (const RuleId caller : callers_[rule]) {
        if (!marked[caller] && !queued[caller]) queued[caller] = true, pending.push_back(caller);
      }
    }
    return marked;
  }

  /// Whether a path leads from the start to an end, over bytes (if `bytes`) and over calls of marked rules. One that
  /// leaves a loop which must have rounds has been through it.
  bool reaches_end(const Automaton& automaton, bool bytes, const std::vector<bool>& marked) {
    if (automaton.states.empty()) return false;
    const bool needs_round = automaton.count_min > 0;
    std::vector<bool> seen(automaton.states.size() * 2, false);
    std::vector<std::pair<uint32_t, bool>> pending = {{0, false}};
    seen[0] = true;
    while (!pending.empty()) {
      const auto [at, in_round] = pending.back();
      pending.pop_back();
      const AutomatonState& state = automaton.states[at];
      budget_.spend(1 + state.edges.size() + state.calls.size());
      if (state.final && (in_round || !automaton.counted_end || !needs_round)) return true;
      const auto visit = [&](uint32_t target, Guard guard) {
        if (guard == Guard::leave && needs_round && !in_round) return;
        const bool after = in_round || guard == Guard::enter;
        if (seen[target * 2 + after]) return;
        seen[target * 2 + after] = true;
        pending.emplace_back(target, after);
      };
      if (bytes) {
        for (const Edge& edge : state.edges) visit(edge.target, edge.guard);
      }
      for (const Call& call : state.calls) {
        if (marked[call.rule]) visit(call.target, call.guard);
      }
    }
    return false;
  }

  static bool has_round(const Automaton& automaton) {
    for (const AutomatonState& state : automaton.states) {
      for (const Edge& edge : state.edges) {
        if (edge.guard == Guard::enter) return true;
      }
      for (const Call& call : state.calls) {
        if (call.guard == Guard::enter) return true;
      }
    }
    return false;
  }

  /// A loop that must have rounds and can have none is never left.
  static void remove_stuck_loop(Automaton& automaton) {
    if (automaton.count_min == 0 || has_round(automaton)) return;
    for (AutomatonState& state : automaton.states) {
      std::erase_if(state.edges, [](const Edge& edge) { return edge.guard == Guard::leave; });
      std::erase_if(state.calls, [](const Call& call) { return call.guard == Guard::leave; });
      if (automaton.counted_end) state.final = false;
    }
    trim(automaton);
  }

  void remove_unproductive() {
    const std::vector<bool> productive = fixpoint([&](RuleId rule, const std::vector<bool>& marked) {
      return reaches_end(rules_[rule].automaton, true, marked);
    });
    if (!productive[root_]) fail(base::ErrorCode::invalid_argument, "there is no text that this grammar allows");
    for (const RuleId rule : used_) {
      Automaton& automaton = rules_[rule].automaton;
      for (AutomatonState& state : automaton.states)
        std::erase_if(state.calls, [&](const Call& call) { return !productive[call.rule]; });
      trim(automaton);
      remove_stuck_loop(automaton);
    }
  }

  void find_nullable() {
    nullable_ = fixpoint([&](RuleId rule, const std::vector<bool>& marked) {
      Automaton& automaton = rules_[rule].automaton;
      if (automaton.counted_end && automaton.count_min > 0) {
        // Rounds of nothing make up the count.
        for (const Call& call : automaton.states[0].calls) {
          if (call.guard == Guard::enter && marked[call.rule]) automaton.count_min = 0;
        }
        if (automaton.count_min > 0) return false;
      }
      return reaches_end(automaton, false, marked);
    });
  }

  /// The rules called before any byte is taken.
  std::vector<RuleId> first_calls(const Automaton& automaton) {
    std::vector<RuleId> out;
    std::vector<bool> seen(automaton.states.size(), false);
    std::vector<uint32_t> pending = {0};
    seen[0] = true;
    while (!pending.empty()) {
      const AutomatonState& state = automaton.states[pending.back()];
      pending.pop_back();
      for (const Call& call : state.calls) {
        out.push_back(call.rule);
        if (nullable_[call.rule] && !seen[call.target]) seen[call.target] = true, pending.push_back(call.target);
      }
    }
    return out;
  }

  void refuse_left_recursion() {
    enum : uint8_t { fresh, open, done };
    std::vector<uint8_t> mark(rules_.size(), fresh);
    struct Frame {
      RuleId rule;
      std::vector<RuleId> calls;
      size_t next = 0;
    };
    for (const RuleId first : used_) {
      if (mark[first] != fresh) continue;
      std::vector<Frame> path;
      const auto enter = [&](RuleId rule) {
        mark[rule] = open;
        path.push_back({rule, first_calls(rules_[rule].automaton)});
      };
      enter(first);
      while (!path.empty()) {
        Frame& frame = path.back();
        if (frame.next == frame.calls.size()) {
          mark[frame.rule] = done;
          path.pop_back();
          continue;
        }
        const RuleId callee = frame.calls[frame.next++];
        if (mark[callee] == open)
          fail(base::ErrorCode::invalid_argument,
               "left recursion: the rule '" + rules_[callee].name + "' can begin with itself");
        if (mark[callee] == fresh) enter(callee);
      }
    }
  }

  std::shared_ptr<const Program> lay_out() {
    auto program = std::make_shared<Program>();
    std::vector<uint32_t> base(used_.size());
    uint64_t total = 0;
    for (size_t i = 0; i < used_.size(); i++) {
      base[i] = static_cast<uint32_t>(total);
      total += rules_[used_[i]].automaton.states.size();
    }
    if (total >= Program::kTargetMask) fail_limit("the automata's states", Program::kTargetMask);
    for (size_t i = 0; i < used_.size(); i++) {
      const Automaton& automaton = rules_[used_[i]].automaton;
      program->rules.push_back(
          {base[i], automaton.count_min, automaton.count_max, automaton.counted_end, rules_[used_[i]].distinct});
    }
    count_texts_left(*program, base);
    for (uint32_t i = 0; i < used_.size(); i++) lay_out_rule(*program, i, base);
    program->nullable = nullable_[root_];
    program->max_parallel = budget_.limits().max_parallel;
    return program;
  }

  void count_texts_left(Program& program, const std::vector<uint32_t>& base) {
    for (size_t i = 0; i < used_.size(); i++) {
      if (!program.rules[i].distinct) continue;
      const std::vector<uint32_t> counts = count_texts(rules_[used_[i]].automaton);
      if (program.texts_left.size() < base[i] + counts.size())
        program.texts_left.resize(base[i] + counts.size(), kUnbounded);
      std::copy(counts.begin(), counts.end(), program.texts_left.begin() + base[i]);
    }
  }

  void lay_out_rule(Program& program, uint32_t index, const std::vector<uint32_t>& base) {
    const Automaton& automaton = rules_[used_[index]].automaton;
    const auto is_tail = [&](const AutomatonState& target) {
      return target.final && !automaton.counted_end && target.edges.empty() && target.calls.empty();
    };
    for (const AutomatonState& state : automaton.states) {
      Program::State out{};
      out.rule = index, out.final = state.final, out.walkable = automaton.deterministic;
      out.edges = static_cast<uint32_t>(program.edges.size());
      out.edge_count = static_cast<uint32_t>(state.edges.size());
      out.calls = static_cast<uint32_t>(program.calls.size());
      out.call_count = static_cast<uint32_t>(state.calls.size());
      for (Edge edge : state.edges) {
        edge.target += base[index];
        program.edges.push_back(edge);
      }
      for (const Call& call : state.calls) {
        const uint32_t callee = id_[call.rule];
        const bool counts = call.guard == Guard::enter && automaton.counted_end;
        program.calls.push_back({base[callee], base[index] + call.target, callee, call.guard,
                                 nullable_[call.rule] && !counts, is_tail(automaton.states[call.target])});
      }
      out.row = automaton.deterministic && state.edges.size() > 4 ? add_row(program, out) : kNone;
      program.states.push_back(out);
    }
  }

  uint32_t add_row(Program& program, const Program::State& state) {
    budget_.take_states(16);  // a row is as large as that
    auto& row = program.rows.emplace_back();
    row.fill(kNone);
    for (uint32_t e = state.edges; e < state.edges + state.edge_count; e++) {
      const Edge& edge = program.edges[e];
      for (unsigned byte = edge.lo; byte <= edge.hi; byte++)
        row[byte] = edge.target | static_cast<uint32_t>(edge.guard) << Program::kTargetBits;
    }
    return static_cast<uint32_t>(program.rows.size() - 1);
  }

  std::vector<Draft::Rule>& rules_;
  Budget& budget_;
  RuleId root_;
  std::vector<RuleId> used_;
  std::vector<uint32_t> id_;
  std::vector<std::vector<RuleId>> callers_;
  std::vector<bool> nullable_;
};

}  // namespace

std::shared_ptr<const Program> link(Draft& draft, RuleId root) {
  return Linker(draft, root).run();
}

}  // namespace ingle::grammar
