// Byte-pair merging: of all neighbouring symbols that may merge, the pair of the best (lowest) rank does, the leftmost
// first, until none may. Short pieces look for the best pair by scanning; long ones keep the pairs in a heap, so that a
// piece of n symbols takes O(n log n).
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/tokenizer/vocabulary.h"

namespace ingle::core {

inline constexpr uint32_t kNoRank = UINT32_MAX;

struct Merge {
  uint32_t rank = kNoRank;
  TokenId id = kNoToken;  ///< what the pair becomes
};

/// Which pairs of tokens merge: an open-addressing hash table, at most two thirds full. Its size is no power of two:
/// rounding up to one would cost up to twice the memory.
class MergeTable {
 public:
  static constexpr uint32_t kMost = (1u << 24) - 1;  ///< merges

  void reserve(size_t merges) { slots_.assign(merges * 3 / 2 + 1, Slot{}); }
  /// The first rank given to a pair stays. False where the pairs were made to collide. At most as many as reserved.
  bool add(TokenId left, TokenId right, Merge merge) {
    int probes = 0;
    size_t slot = first_slot(hash(left, right), slots_.size());
    for (; !slots_[slot].empty(); slot = next_slot(slot, slots_.size())) {
      if (slots_[slot].is(left, right)) return true;
      if (++probes > kMaxProbes) return false;
    }
    slots_[slot] = Slot(left, right, merge);
    return true;
  }
  void prefetch(TokenId left, TokenId right) const {
    __builtin_prefetch(&slots_[first_slot(hash(left, right), slots_.size())], 1);
  }
  Merge find(TokenId left, TokenId right) const {
    for (size_t slot = first_slot(hash(left, right), slots_.size());; slot = next_slot(slot, slots_.size())) {
      if (slots_[slot].is(left, right)) return slots_[slot].merge();
      if (slots_[slot].empty()) return {};
    }
  }
  uint64_t bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  static constexpr int kMaxProbes = 4096;
  /// Three ids of three bytes (Vocabulary::kMost), and above each of them a byte of the rank.
  class Slot {
   public:
    Slot() = default;
    Slot(TokenId left, TokenId right, Merge merge)
        : left_(with_byte(left, merge.rank)),
          right_(with_byte(right, merge.rank >> 8)),
          id_(with_byte(merge.id, merge.rank >> 16)) {}
    bool empty() const { return (left_ & kMask) == kMask; }
    bool is(TokenId left, TokenId right) const {
      return (left_ & kMask) == static_cast<uint32_t>(left) && (right_ & kMask) == static_cast<uint32_t>(right);
    }
    Merge merge() const {
      return {left_ >> 24 | right_ >> 24 << 8 | id_ >> 24 << 16, static_cast<TokenId>(id_ & kMask)};
    }

   private:
    static constexpr uint32_t kMask = (1u << 24) - 1;
    static uint32_t with_byte(TokenId id, uint32_t rank) { return static_cast<uint32_t>(id) | rank << 24; }
    uint32_t left_ = kMask, right_ = 0, id_ = 0;
  };
  static uint64_t hash(TokenId left, TokenId right) {
    const uint64_t key = static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
    return (key ^ (key >> 32)) * 0x9E3779B97F4A7C15;
  }

  std::vector<Slot> slots_ = std::vector<Slot>(1);
};

/// A stretch of the piece: `id` is kNoToken where no token spells it. It ends where the next symbol begins.
struct Symbol {
  TokenId id = kNoToken;
  uint32_t begin = 0;
};

/// Working space that one encode call keeps from piece to piece.
struct MergeScratch {
  struct Node {
    Symbol symbol;
    Merge with_next;
    uint32_t previous, next;
  };
  std::vector<Symbol> symbols;
  std::vector<Merge> with_next;
  std::vector<Node> nodes;
  std::vector<uint64_t> heap;
};

inline constexpr size_t kLongestScan = 48;

/// Merges `scratch.symbols` in place. `find(left, right, end)` gives the merge of two neighbours, of which the second
/// ends at `end`; the piece ends at `piece_end`.
template <typename Find>
void merge_by_scan(MergeScratch& scratch, uint32_t piece_end, const Find& find) {
  std::vector<Symbol>& symbols = scratch.symbols;
  std::vector<Merge>& pairs = scratch.with_next;
  const auto pair_at = [&](size_t i) {
    if (i + 1 >= symbols.size()) return Merge{};
    return find(symbols[i], symbols[i + 1], i + 2 < symbols.size() ? symbols[i + 2].begin : piece_end);
  };
  pairs.resize(symbols.size());
  for (size_t i = 0; i < symbols.size(); i++) pairs[i] = pair_at(i);
  for (;;) {
    size_t best = 0;
    uint32_t best_rank = kNoRank;
    for (size_t i = 0; i + 1 < symbols.size(); i++) {
      if (pairs[i].rank < best_rank) {
        best_rank = pairs[i].rank;
        best = i;
      }
    }
    if (best_rank == kNoRank) return;
    symbols[best].id = pairs[best].id;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    pairs.erase(pairs.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    pairs[best] = pair_at(best);
    if (best > 0) pairs[best - 1] = pair_at(best - 1);
  }
}

template <typename Find>
void merge_by_heap(MergeScratch& scratch, uint32_t piece_end, const Find& find) {
  using Node = MergeScratch::Node;
  std::vector<Node>& nodes = scratch.nodes;
  std::vector<uint64_t>& heap = scratch.heap;
  const auto count = static_cast<uint32_t>(scratch.symbols.size());
  const auto end_of = [&](uint32_t i) { return nodes[i].next < count ? nodes[nodes[i].next].symbol.begin : piece_end; };
  // Finds the pair that starts at node i; its heap entry orders by rank, then by place.
  const auto refresh = [&](uint32_t i) {
    const uint32_t next = nodes[i].next;
    nodes[i].with_next = next < count ? find(nodes[i].symbol, nodes[next].symbol, end_of(next)) : Merge{};
    return nodes[i].with_next.rank != kNoRank;
  };
  const auto entry = [&](uint32_t i) { return static_cast<uint64_t>(nodes[i].with_next.rank) << 32 | i; };
  const auto push = [&](uint32_t i) {
    if (!refresh(i)) return;
    heap.push_back(entry(i));
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  nodes.resize(count);
  heap.clear();
  for (uint32_t i = 0; i < count; i++) nodes[i] = {scratch.symbols[i], {}, i - 1, i + 1};
  for (uint32_t i = 0; i < count; i++) {
    if (refresh(i)) heap.push_back(entry(i));
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const auto i = static_cast<uint32_t>(heap.back());
    const auto rank = static_cast<uint32_t>(heap.back() >> 32);
    heap.pop_back();
    if (nodes[i].with_next.rank != rank) continue;  // the pair has changed since
    const uint32_t gone = nodes[i].next;
    nodes[i].symbol.id = nodes[i].with_next.id;
    nodes[i].next = nodes[gone].next;
    nodes[gone].with_next = {};
    if (nodes[gone].next < count) nodes[nodes[gone].next].previous = i;
    push(i);
    if (i != 0) push(nodes[i].previous);
  }
  scratch.symbols.clear();
  for (uint32_t i = 0; i < count; i = nodes[i].next) scratch.symbols.push_back(nodes[i].symbol);
}

template <typename Find>
void merge_symbols(MergeScratch& scratch, uint32_t piece_end, const Find& find) {
  if (scratch.symbols.size() <= kLongestScan) {
    merge_by_scan(scratch, piece_end, find);
  } else {
    merge_by_heap(scratch, piece_end, find);
  }
}

}  // namespace ingle::core
