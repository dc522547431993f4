// The readings' steps: bytes, calls and returns.
#include "core/grammar/reading.h"

#include <algorithm>

namespace ingle::grammar {

namespace {

uint64_t hash_of(const Reading& r) {
  uint64_t h = r.state * 0x9e3779b97f4a7c15u ^ (uint64_t{r.node} << 32 | r.count) * 0xc2b2ae3d27d4eb4fu;
  h ^= r.seen * 0x165667b19e3779f9u;
  return h ^ (h >> 29);
}

}  // namespace

bool Reader::pass(Guard guard, const Program::Rule& rule, uint32_t& count) const {
  if (guard == Guard::none) return true;
  if (guard == Guard::leave) return count >= rule.count_min;
  if (rule.count_max == kUnbounded) {
    count = std::min(count + 1, rule.count_min);
    return true;
  }
  if (count >= rule.count_max) return false;
  count++;
  return true;
}

void Reader::begin() {
  complete_ = false;
  first_node_ = stack_.heads.size();
  called_.clear();
  visited_count_ = 0;
  if (table_.empty()) table_.resize(64), stamps_.assign(64, 0);
  if (++stamp_ == 0) std::fill(stamps_.begin(), stamps_.end(), 0), stamp_ = 1;
}

bool Reader::insert(const Reading& reading) {
  if (visited_count_ * 2 >= table_.size()) {
    std::vector<Reading> old;
    for (size_t i = 0; i < table_.size(); i++) {
      if (stamps_[i] == stamp_) old.push_back(table_[i]);
    }
    table_.assign(table_.size() * 4, {});
    stamps_.assign(table_.size(), 0);
    visited_count_ = 0;
    for (const Reading& r : old) insert(r);
  }
  const size_t mask = table_.size() - 1;
  for (size_t at = hash_of(reading) & mask;; at = (at + 1) & mask) {
    if (stamps_[at] != stamp_) {
      stamps_[at] = stamp_, table_[at] = reading;
      visited_count_++;
      return true;
    }
    if (table_[at] == reading) return false;
  }
}

void Reader::reach(uint32_t state, uint32_t count, uint32_t node, uint32_t seen) {
  const Reading reading{state, count, node, seen};
  if (visited_count_ < program_.max_parallel && insert(reading)) pending_.push_back(reading);
}

void Reader::close(std::vector<Reading>& out) {
  while (!pending_.empty()) {
    const Reading reading = pending_.back();
    pending_.pop_back();
    if (program_.states[reading.state].edge_count > 0) out.push_back(reading);
    expand(reading);
  }
}

void Reader::expand(const Reading& reading) {
  const Program::State& state = program_.states[reading.state];
  for (uint32_t c = state.calls; c < state.calls + state.call_count; c++) call(reading, program_.calls[c]);
  // A rule called at this very place has taken nothing; its caller went on without it, if it may be empty.
  if (!may_end(reading.state, reading.count)) return;
  if (reading.node == kNone) {
    complete_ = true;
    return;
  }
  if (reading.node >= first_node_) return;
  for (uint32_t r = stack_.heads[reading.node]; r != kNone; r = stack_.returns[r].next) {
    const ReturnStack::Return& back = stack_.returns[r];
    if (program_.rules[state.rule].distinct)
      return_item(back);
    else
      reach(back.state, back.count, back.node, back.seen);
  }
}

/// From the end of a distinct rule's text, unless it was seen before.
void Reader::return_item(const ReturnStack::Return& back) {
  const ReturnStack::Item item{back.begin, static_cast<uint32_t>(stack_.text.size()), back.seen};
  for (uint32_t i = back.seen; i != kNone; i = stack_.items[i].before) {
    if (stack_.text_of(stack_.items[i]) == stack_.text_of(item)) return;
  }
  stack_.items.push_back(item);
  reach(back.state, back.count, back.node, static_cast<uint32_t>(stack_.items.size() - 1));
}

bool Reader::has_unseen(uint32_t texts_left, uint32_t node) const {
  for (uint32_t r = stack_.heads[node]; r != kNone; r = stack_.returns[r].next) {
    const ReturnStack::Return& back = stack_.returns[r];
    const std::string_view so_far = std::string_view(stack_.text).substr(back.begin);
    uint32_t left = texts_left;
    for (uint32_t i = back.seen; i != kNone && left > 0; i = stack_.items[i].before) {
      if (stack_.text_of(stack_.items[i]).starts_with(so_far)) left--;
    }
    if (left > 0) return true;
  }
  return false;
}

void Reader::call(const Reading& reading, const Program::ProgramCall& call) {
  uint32_t count = reading.count;
  if (!pass(call.guard, program_.rules[program_.states[reading.state].rule], count)) return;
  if (call.nullable) reach(call.target, count, reading.node, reading.seen);
  if (call.tail) return reach(call.start, 0, reading.node, kNone);
  const auto known = std::find_if(called_.begin(), called_.end(), [&](const Called& c) { return c.rule == call.rule; });
  uint32_t node = 0;
  if (known != called_.end()) {
    node = known->node;
  } else {
    node = static_cast<uint32_t>(stack_.heads.size());
    stack_.heads.push_back(kNone);
    called_.push_back({call.rule, node});
  }
  stack_.returns.push_back(
      {call.target, count, reading.node, reading.seen, static_cast<uint32_t>(stack_.text.size()), stack_.heads[node]});
  stack_.heads[node] = static_cast<uint32_t>(stack_.returns.size() - 1);
  reach(call.start, 0, node, kNone);
}

bool Reader::start(std::vector<Reading>& out) {
  begin();
  reach(program_.start, 0, kNone, kNone);
  close(out);
  return complete_ || program_.nullable;
}

uint32_t Reader::walk_step(uint32_t state, uint32_t& count, uint8_t byte) const {
  const Program::State& s = program_.states[state];
  uint32_t target = kNone;
  Guard guard = Guard::none;
  if (s.row != kNone) {
    const uint32_t entry = program_.rows[s.row][byte];
    if (entry == kNone) return kNone;
    target = entry & Program::kTargetMask;
    guard = static_cast<Guard>(entry >> Program::kTargetBits);
  } else {
    for (uint32_t e = s.edges; e < s.edges + s.edge_count; e++) {
      const Edge& edge = program_.edges[e];
      if (byte < edge.lo || byte > edge.hi) continue;
      target = edge.target, guard = edge.guard;
      break;
    }
    if (target == kNone) return kNone;
  }
  return pass(guard, program_.rules[s.rule], count) ? target : kNone;
}

bool Reader::step(std::vector<Reading>& out, size_t first, size_t last, uint8_t byte) {
  begin();
  if (!program_.texts_left.empty()) stack_.text += static_cast<char>(byte);
  for (size_t i = first; i < last; i++) {
    const Reading reading = out[i];
    const Program::State& state = program_.states[reading.state];
    if (state.walkable) {
      uint32_t count = reading.count;
      const uint32_t target = walk_step(reading.state, count, byte);
      if (target != kNone && alive(target, reading.node)) reach(target, count, reading.node, reading.seen);
      continue;
    }
    for (uint32_t e = state.edges; e < state.edges + state.edge_count; e++) {
      const Edge& edge = program_.edges[e];
      if (byte < edge.lo || byte > edge.hi) continue;
      uint32_t count = reading.count;
      if (pass(edge.guard, program_.rules[state.rule], count)) reach(edge.target, count, reading.node, reading.seen);
    }
  }
  close(out);
  return complete_;
}

void Reader::beyond(std::vector<Reading>& out, const Reading& reading) {
  begin();
  insert(reading);
  expand(reading);
  close(out);
}

void ReturnStack::compact(std::vector<Reading>& readings) {
  std::vector<uint32_t> ids(heads.size(), kNone), order;
  const auto keep = [&](uint32_t node) {
    if (node == kNone) return kNone;
    if (ids[node] == kNone) ids[node] = static_cast<uint32_t>(order.size()), order.push_back(node);
    return ids[node];
  };
  for (Reading& reading : readings) reading.node = keep(reading.node);
  std::vector<uint32_t> new_heads;
  std::vector<Return> new_returns;
  for (size_t i = 0; i < order.size(); i++) {
    new_heads.push_back(heads[order[i]] == kNone ? kNone : static_cast<uint32_t>(new_returns.size()));
    for (uint32_t r = heads[order[i]]; r != kNone; r = returns[r].next) {
      Return back = returns[r];
      back.node = keep(back.node);
      back.next = back.next == kNone ? kNone : static_cast<uint32_t>(new_returns.size() + 1);
      new_returns.push_back(back);
    }
  }
  heads = std::move(new_heads);
  returns = std::move(new_returns);
}

}  // namespace ingle::grammar
