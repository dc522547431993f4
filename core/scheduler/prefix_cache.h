// Sequences that are kept after their request, so that the next one with the same beginning need not compute it again:
// a conversation's next turn, a system prompt that many share. Each belongs to one principal, here called its owner
// (any name of it), and serves no other.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/engine.h"

namespace ingle::core {

class PrefixCache {
 public:
  /// `windowed`: sequences of this model can't be cut anywhere, so that a longer one does not stand for a shorter one.
  PrefixCache(size_t most_entries, bool windowed) : most_entries_(most_entries), windowed_(windowed) {}

  /// A sequence that holds the longest known beginning of `tokens` of this owner, at most all but the last of them;
  /// nullptr: none that is worth it.
  std::unique_ptr<Sequence> take(std::string_view owner, std::span<const TokenId> tokens);
  /// How long that is at most.
  size_t longest(std::string_view owner, std::span<const TokenId> tokens) const;
  /// Keeps a sequence that holds these tokens. What it stands for from now on is dropped, as is the entry that was used
  /// least lately where there are too many. `on_disk`: PrefixFiles have it.
  void keep(std::string_view owner, std::span<const TokenId> tokens, std::unique_ptr<Sequence> sequence,
            bool on_disk = false);
  /// Drops what was used least lately. False: there is nothing.
  bool evict();
  /// Drops what belongs to an owner.
  void forget(std::string_view owner);
  size_t size() const { return entries_.size(); }
  bool full() const { return entries_.size() >= most_entries_; }

  struct Entry {
    std::string owner;
    std::vector<TokenId> tokens;
    std::unique_ptr<Sequence> sequence;
    uint64_t used = 0;
    bool on_disk = false;
  };
  /// Of the so many of at least `tokens` tokens that were used last, the one used first that is not on disk; it counts
  /// as being there from now on. nullptr: there is none. It is there until the next call that changes anything.
  const Entry* next_to_save(size_t latest, size_t tokens);

 private:
  static constexpr size_t kWorthIt = 8;  // tokens

  std::vector<Entry> entries_;
  size_t most_entries_;
  bool windowed_;
  uint64_t now_ = 0;
};

}  // namespace ingle::core
