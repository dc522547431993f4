// How far a text has been read: every way in which the grammar can have taken it so far. A reading stands in a state of
// a rule's automaton, with the rounds counted there and what it returns to when the rule ends.
//
// Returns are shared, as in Tomita's graph-structured stack (1985): rules called at one place by several readings run
// once and return to all of them. The stack only grows while bytes are taken, so a mask tries a byte, and goes back by
// cutting it off.
//
// Texts that must differ (the items of an array with `uniqueItems`) are texts of a distinct rule. A reading of the
// array knows those that it has seen, as a list that shares its older part with others'. When such a rule ends, a text
// that was seen doesn't return; and inside it a state from which only texts lead on that were seen is not entered, so
// that no reply gets stuck. As the automaton tells how many texts lead on, it is enough to count those seen that begin
// like this one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/grammar/program.h"

namespace ingle::grammar {

struct Reading {
  uint32_t state, count;
  uint32_t node;  ///< what it returns to; kNone: the text's end
  uint32_t seen;  ///< of the stack's `items`, the last one before this place; kNone: none, or the rule calls none
  bool operator==(const Reading&) const = default;
};

class ReturnStack {
 public:
  struct Return {
    uint32_t state, count, node, seen;
    uint32_t begin;  ///< of the called rule's text, in `text`
    uint32_t next;   ///< another return of the same node, or kNone
  };
  std::vector<uint32_t> heads;  ///< of each node, its first return
  std::vector<Return> returns;
  // Where there are distinct rules: the bytes taken, and the texts of those rules.
  struct Item {
    uint32_t begin, end;
    uint32_t before;  ///< the item seen before it, or kNone
  };
  std::string text;
  std::vector<Item> items;

  struct Size {
    size_t heads, returns, text, items;
  };
  Size size() const { return {heads.size(), returns.size(), text.size(), items.size()}; }
  void cut(Size to) {
    heads.resize(to.heads);
    returns.resize(to.returns);
    text.resize(std::min(text.size(), to.text));
    items.resize(to.items);
  }
  std::string_view text_of(const Item& item) const {
    return std::string_view(text).substr(item.begin, item.end - item.begin);
  }
  /// Drops what no reading needs, and renumbers.
  void compact(std::vector<Reading>& readings);
};

/// Takes bytes. Has scratch memory of its own: one for each thread.
class Reader {
 public:
  Reader(const Program& program, ReturnStack& stack) : program_(program), stack_(stack) {}

  /// Appends the readings of an empty text; whether it may end here.
  bool start(std::vector<Reading>& out);

  /// Appends to `out` the readings after `byte` of those in [first, last) of `out` itself, or of `in`; whether the
  /// text may end there.
  bool step(std::vector<Reading>& out, size_t first, size_t last, uint8_t byte);

  /// Appends what a reading goes on with besides its own edges: the rules that it calls, and what it returns to.
  void beyond(std::vector<Reading>& out, const Reading& reading);

  /// Where a reading in a deterministic automaton goes; kNone: nowhere. Changes the count.
  uint32_t walk_step(uint32_t state, uint32_t& count, uint8_t byte) const;
  bool may_end(uint32_t state, uint32_t count) const {
    const Program::State& s = program_.states[state];
    if (!s.final) return false;
    const Program::Rule& rule = program_.rules[s.rule];
    return !rule.counted_end || count >= rule.count_min;
  }
  /// Of a state of a distinct rule that returns to `node`, after the stack's text: whether a text that was not seen
  /// leads on, or ends here. True of other states.
  bool alive(uint32_t state, uint32_t node) const {
    return state >= program_.texts_left.size() || program_.texts_left[state] == kUnbounded ||
           has_unseen(program_.texts_left[state], node);
  }
  /// Whether the count lets an edge be taken; counts the round that it starts.
  bool pass(Guard guard, const Program::Rule& rule, uint32_t& count) const;

 private:
  void begin();
  void reach(uint32_t state, uint32_t count, uint32_t node, uint32_t seen);
  bool has_unseen(uint32_t texts_left, uint32_t node) const;
  void return_item(const ReturnStack::Return& back);
  void close(std::vector<Reading>& out);
  void expand(const Reading& reading);
  void call(const Reading& reading, const Program::ProgramCall& call);
  bool insert(const Reading& reading);

  const Program& program_;
  ReturnStack& stack_;
  bool complete_ = false;
  size_t first_node_ = 0;  ///< of those made at this place
  std::vector<Reading> pending_;
  size_t visited_count_ = 0;
  std::vector<Reading> table_;  ///< a hash set of what was visited at this place
  std::vector<uint32_t> stamps_;
  uint32_t stamp_ = 0;
  struct Called {
    RuleId rule;
    uint32_t node;
  };
  std::vector<Called> called_;  ///< at this place
};

}  // namespace ingle::grammar
