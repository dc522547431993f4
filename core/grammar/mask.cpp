// The walk of the token tree; mask.h says how.
#include "core/grammar/mask.h"

#include <algorithm>

namespace ingle::core {

using grammar::kNone;
using grammar::kUnbounded;

namespace {
/// A walk of fewer nodes is cheaper than keeping its result.
constexpr uint64_t kWorthKeeping = 2'000;
}  // namespace

size_t MaskCache::Hash::operator()(const Key& key) const {
  uint64_t h = key.state * 0x9e3779b97f4a7c15u ^ (uint64_t{key.left} << 32 | key.need) * 0xc2b2ae3d27d4eb4fu;
  return h ^ (h >> 31);
}

std::shared_ptr<const StateMask> MaskCache::find(const Key& key) const {
  const std::lock_guard lock(mutex_);
  const auto it = masks_.find(key);
  return it == masks_.end() ? nullptr : it->second;
}

void MaskCache::insert(const Key& key, const std::shared_ptr<const StateMask>& mask) {
  const uint64_t bytes = mask->memory_bytes();
  if (bytes > max_bytes_) return;
  const std::lock_guard lock(mutex_);
  if (bytes_ + bytes > max_bytes_) masks_.clear(), bytes_ = 0;
  if (masks_.try_emplace(key, mask).second) bytes_ += bytes;
}

MaskWalk::MaskWalk(const Constraint& constraint, grammar::ReturnStack& stack, std::span<uint32_t> bits)
    : constraint_(constraint),
      program_(constraint.program()),
      trie_(constraint.trie()),
      stack_(stack),
      reader_(program_, stack),
      bits_(bits),
      distinct_(!program_.texts_left.empty()),
      text_size_(stack.text.size()) {}

void MaskWalk::allow(uint32_t node) {
  for (const TokenId id : trie_.tokens_at(node)) bits_[static_cast<size_t>(id) / 32] |= 1u << (id % 32);
}

void MaskWalk::run(std::span<const Reading> readings) {
  for (const Reading& reading : readings) {
    if (program_.states[reading.state].walkable)
      add_state(reading);
    else
      pool_.push_back(reading);
  }
  const auto nodes = static_cast<uint32_t>(trie_.nodes().size());
  if (!pool_.empty()) walk(0, nodes, 0, pool_.size());
  pool_.clear();
}

class MaskWalk::Beyond {
 public:
  explicit Beyond(MaskWalk& walk)
      : walk_(walk), first_(walk.pool_.size()), last_(first_), before_(walk.stack_.size()) {}
  Beyond(const Beyond&) = delete;
  ~Beyond() { clear(); }

  void walk_below(uint32_t node, Reading reading) {
    // Without calls the count has served its purpose.
    if (walk_.program_.states[reading.state].call_count == 0) reading.count = grammar::kUnbounded;
    if (!known_ || !(reading == at_) || walk_.distinct_) {
      clear();
      walk_.read_to(node);
      walk_.reader_.beyond(walk_.pool_, reading);
      last_ = walk_.pool_.size();
      at_ = reading, known_ = true;
    }
    if (last_ > first_) walk_.walk(node + 1, walk_.trie_.nodes()[node].end, first_, last_);
  }

 private:
  void clear() {
    walk_.pool_.resize(first_);
    walk_.stack_.cut(before_);
    last_ = first_;
  }

  MaskWalk& walk_;
  size_t first_, last_;
  grammar::ReturnStack::Size before_;
  Reading at_{};
  bool known_ = false;
};

void MaskWalk::add_state(const Reading& reading) {
  const std::shared_ptr<const StateMask> mask = state_mask(reading);
  // Other readings may allow what was seen: those bits stay as they are.
  std::vector<TokenId> seen = distinct_ ? seen_tokens(reading) : std::vector<TokenId>();
  std::erase_if(seen, [&](TokenId id) { return (bits_[static_cast<size_t>(id) / 32] >> (id % 32) & 1) != 0; });
  for (size_t w = 0; w < mask->bits.size(); w++) bits_[w] |= mask->bits[w];
  for (const TokenId id : mask->tokens) bits_[static_cast<size_t>(id) / 32] |= 1u << (id % 32);
  for (const TokenId id : seen) bits_[static_cast<size_t>(id) / 32] &= ~(1u << (id % 32));
  Beyond beyond(*this);
  for (const StateMask::Exit& exit : mask->exits)
    beyond.walk_below(exit.node, {exit.state, reading.count + exit.rounds, reading.node, reading.seen});
}

void MaskWalk::read_to(uint32_t node) {
  if (!distinct_) return;
  stack_.text.resize(text_size_);
  stack_.text += trie_.path(node);
}

/// The tokens that lead only to texts that were seen. They all lie along those texts.
std::vector<TokenId> MaskWalk::seen_tokens(const Reading& reading) {
  std::vector<TokenId> out;
  if (!program_.rules[program_.states[reading.state].rule].distinct || reading.node == kNone) return out;
  for (uint32_t r = stack_.heads[reading.node]; r != kNone; r = stack_.returns[r].next) {
    for (uint32_t i = stack_.returns[r].seen; i != kNone; i = stack_.items[i].before) {
      stack_.text.resize(text_size_);
      const std::string seen(stack_.text_of(stack_.items[i]));
      const std::string_view so_far = std::string_view(stack_.text).substr(stack_.returns[r].begin);
      if (!seen.starts_with(so_far)) continue;
      const std::string_view rest = std::string_view(seen).substr(so_far.size());
      add_seen_tokens(0, trie_.plain_end(), reading, rest, out);
      add_seen_tokens(trie_.plain_end(), static_cast<uint32_t>(trie_.nodes().size()), reading, rest, out);
    }
  }
  stack_.text.resize(text_size_);
  return out;
}

/// Down the tree along `rest`, to the first place from which nothing else leads on.
void MaskWalk::add_seen_tokens(uint32_t begin, uint32_t end, const Reading& reading, std::string_view rest,
                               std::vector<TokenId>& out) {
  const std::span<const TokenTrie::Node> nodes = trie_.nodes();
  uint32_t state = reading.state;
  for (const char c : rest) {
    uint32_t node = begin, count = 0;
    while (node < end && nodes[node].byte != static_cast<uint8_t>(c)) node = nodes[node].end;
    if (node >= end) return;
    state = reader_.walk_step(state, count, static_cast<uint8_t>(c));
    if (state == kNone) return;
    read_to(node);
    if (!reader_.alive(state, reading.node)) {
      const std::span<const TokenId> below = trie_.tokens_below(node);
      out.insert(out.end(), below.begin(), below.end());
      return;
    }
    begin = node + 1, end = nodes[node].end;
  }
}

MaskCache::Key MaskWalk::key_of(const Reading& reading) const {
  const grammar::Program::Rule& rule = program_.rules[program_.states[reading.state].rule];
  if (rule.count_max == kUnbounded && rule.count_min == 0) return {reading.state, 0, 0};
  // A token starts no more rounds than it has bytes.
  const uint32_t most = trie_.longest_token() + 1;
  const uint32_t left = rule.count_max == kUnbounded ? most : std::min(rule.count_max - reading.count, most);
  const uint32_t need = rule.count_min > reading.count ? std::min(rule.count_min - reading.count, most) : 0;
  return {reading.state, left, need};
}

std::shared_ptr<const StateMask> MaskWalk::state_mask(const Reading& reading) {
  const MaskCache::Key key = key_of(reading);
  if (auto known = constraint_.cache().find(key)) return known;
  visited_ = 0;
  std::shared_ptr<StateMask> mask = find_mask(reading);
  if (visited_ >= kWorthKeeping) constraint_.cache().insert(key, mask);
  return mask;
}

std::shared_ptr<StateMask> MaskWalk::find_mask(const Reading& reading) {
  auto mask = std::make_shared<StateMask>();
  mask->bits.assign(trie_.mask_words(), 0);
  const std::span<uint32_t> outer = bits_;
  bits_ = mask->bits;
  const auto nodes = static_cast<uint32_t>(trie_.nodes().size());
  uint32_t begin = 0;
  if (plain_returns(reading.state)) {
    const grammar::Program::Rule& rule = program_.rules[program_.states[reading.state].rule];
    trie_.add_plain(rule.count_max == kUnbounded ? kUnbounded : rule.count_max - reading.count, bits_);
    begin = trie_.plain_end();
    visited_ += kWorthKeeping;
  }
  walk_one(begin, nodes, reading, &mask->exits);
  bits_ = outer;
  size_t count = 0;
  for (const uint32_t word : mask->bits) count += static_cast<size_t>(std::popcount(word));
  if (count < mask->bits.size() / 2) {
    for (size_t w = 0; w < mask->bits.size(); w++) {
      for (uint32_t rest = mask->bits[w]; rest != 0; rest &= rest - 1)
        mask->tokens.push_back(static_cast<TokenId>(w * 32 + static_cast<size_t>(std::countr_zero(rest))));
    }
    mask->bits.clear();
    mask->bits.shrink_to_fit();
  }
  return mask;
}

namespace {

/// The next byte of a plain code point: bytes [lo, hi] lead to `next` of the UTF-8 states below (Unicode's table 3-7).
struct PlainStep {
  uint8_t lo, hi, next;
};
struct PlainSteps {
  const PlainStep* steps;
  size_t count;
};
constexpr PlainStep kFirst[] = {{0x20, 0x21, 0}, {0x23, 0x5b, 0}, {0x5d, 0x7f, 0}, {0xc2, 0xdf, 1},
                                {0xe0, 0xe0, 2}, {0xe1, 0xec, 3}, {0xed, 0xed, 4}, {0xee, 0xef, 3},
                                {0xf0, 0xf0, 5}, {0xf1, 0xf3, 6}, {0xf4, 0xf4, 7}};
constexpr PlainStep kOne[] = {{0x80, 0xbf, 0}}, kE0[] = {{0xa0, 0xbf, 1}}, kTwo[] = {{0x80, 0xbf, 1}},
                    kEd[] = {{0x80, 0x9f, 1}}, kF0[] = {{0x90, 0xbf, 3}}, kThree[] = {{0x80, 0xbf, 3}},
                    kF4[] = {{0x80, 0x8f, 3}};
constexpr PlainSteps kPlainSteps[] = {
    {kFirst, std::size(kFirst)}, {kOne, 1}, {kE0, 1}, {kTwo, 1}, {kEd, 1}, {kF0, 1}, {kThree, 1}, {kF4, 1}};

}  // namespace

/// Whether each plain code point leads from `state` back to it, one round each if the rule counts; and nothing else
/// comes there (tokens would run on into it).
bool MaskWalk::plain_returns(uint32_t state) {
  const grammar::Program::State& s = program_.states[state];
  if (s.final || s.call_count > 0 || s.row == kNone) return false;
  std::vector<std::pair<uint32_t, unsigned>> seen;
  return returns_under(state, state, 0, seen);
}

bool MaskWalk::returns_under(uint32_t state, uint32_t loop, unsigned utf8,
                             std::vector<std::pair<uint32_t, unsigned>>& seen) {
  const grammar::Program::State& s = program_.states[state];
  const bool counts = program_.rules[s.rule].count_max != kUnbounded || program_.rules[s.rule].count_min != 0;
  const grammar::Guard wanted = counts && utf8 == 0 ? grammar::Guard::enter : grammar::Guard::none;
  for (size_t i = 0; i < kPlainSteps[utf8].count; i++) {
    const PlainStep step = kPlainSteps[utf8].steps[i];
    unsigned byte = step.lo;
    for (uint32_t e = s.edges; e < s.edges + s.edge_count && byte <= step.hi; e++) {
      const grammar::Edge& edge = program_.edges[e];
      if (edge.hi < byte) continue;
      if (edge.lo > byte || edge.guard != wanted) return false;
      byte = edge.hi + 1u;
      if (step.next == 0) {
        if (edge.target != loop) return false;
        continue;
      }
      if (program_.states[edge.target].final || program_.states[edge.target].call_count > 0) return false;
      const std::pair<uint32_t, unsigned> place{edge.target, step.next};
      if (std::find(seen.begin(), seen.end(), place) != seen.end()) continue;
      seen.push_back(place);
      if (!returns_under(edge.target, loop, step.next, seen)) return false;
    }
    if (byte <= step.hi) return false;
  }
  return true;
}

void MaskWalk::walk(uint32_t begin, uint32_t end, size_t first, size_t last) {
  size_t generic = first;
  for (size_t i = first; i < last; i++) {
    const Reading reading = pool_[i];
    if (program_.states[reading.state].walkable)
      walk_one(begin, end, reading, nullptr);
    else
      std::swap(pool_[generic++], pool_[i]);
  }
  if (generic > first) walk_generic(begin, end, first, generic);
}

void MaskWalk::walk_generic(uint32_t begin, uint32_t end, size_t first, size_t last) {
  const std::span<const TokenTrie::Node> nodes = trie_.nodes();
  uint32_t wanted[8] = {};  // bytes that some reading may take
  for (size_t i = first; i < last; i++) {
    const grammar::Program::State& state = program_.states[pool_[i].state];
    for (uint32_t e = state.edges; e < state.edges + state.edge_count; e++) {
      for (unsigned byte = program_.edges[e].lo; byte <= program_.edges[e].hi; byte++)
        wanted[byte / 32] |= 1u << (byte % 32);
    }
  }
  for (uint32_t node = begin; node < end; node = nodes[node].end) {
    const uint8_t byte = nodes[node].byte;
    if ((wanted[byte / 32] >> (byte % 32) & 1) == 0) continue;
    const size_t from = pool_.size();
    read_to(node);
    if (distinct_) stack_.text.pop_back();  // the step takes it
    const grammar::ReturnStack::Size before = stack_.size();
    const bool complete = reader_.step(pool_, first, last, byte);
    const size_t to = pool_.size();
    if (to > from || complete) allow(node);
    if (to > from && nodes[node].end > node + 1) walk(node + 1, nodes[node].end, from, to);
    pool_.resize(from);
    stack_.cut(before);
  }
}

void MaskWalk::walk_one(uint32_t begin, uint32_t end, const Reading& reading, std::vector<StateMask::Exit>* exits) {
  if (begin >= end) return;
  const TokenTrie::Node* nodes = trie_.nodes().data();
  const size_t base = path_.size();
  const uint32_t depth = nodes[begin].depth;
  path_.push_back({reading.state, reading.count});
  Beyond beyond(*this);
  for (uint32_t node = begin; node < end;) {
    visited_++;
    const size_t level = base + nodes[node].depth - depth;
    Place place = path_[level];
    place.state = reader_.walk_step(place.state, place.count, nodes[node].byte);
    if (place.state == kNone) {
      node = nodes[node].end;
      continue;
    }
    if (distinct_ && exits == nullptr && program_.rules[program_.states[place.state].rule].distinct) {
      read_to(node);
      if (!reader_.alive(place.state, reading.node)) {
        node = nodes[node].end;
        continue;
      }
    }
    allow(node);
    const uint32_t below = node + 1;
    if (nodes[node].end == below) {
      node++;
      continue;
    }
    if (path_.size() < level + 2) path_.resize(level + 2);
    path_[level + 1] = place;
    const grammar::Program::State& state = program_.states[place.state];
    if (state.call_count > 0 || reader_.may_end(place.state, place.count)) {
      if (exits != nullptr) {
        exits->push_back({node, place.state, place.count - reading.count});
      } else {
        const size_t path_size = path_.size();
        beyond.walk_below(node, {place.state, place.count, reading.node, reading.seen});
        path_.resize(path_size);
      }
    }
    node = state.edge_count == 0 ? nodes[node].end : below;
  }
  path_.resize(base);
}

}  // namespace ingle::core
