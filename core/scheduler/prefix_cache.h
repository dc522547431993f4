// Sequences that are kept after their request, so that the next one with the same beginning need not compute it again:
// a conversation's next turn, a system prompt that many share. Each belongs to one principal and serves no other.
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

  /// A sequence that holds the longest known beginning of `tokens` of this principal, at most all but the last of them;
  /// nullptr: none that is worth it.
  std::unique_ptr<Sequence> take(std::string_view principal, std::span<const TokenId> tokens);
  /// Keeps a sequence that holds these tokens. What it stands for from now on is dropped, as is the entry that was used
  /// least lately where there are too many.
  void keep(std::string_view principal, std::span<const TokenId> tokens, std::unique_ptr<Sequence> sequence);
  /// Drops what was used least lately. False: there is nothing.
  bool evict();
  /// Drops what belongs to a principal.
  void forget(std::string_view principal);
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string principal;
    std::vector<TokenId> tokens;
    std::unique_ptr<Sequence> sequence;
    uint64_t used = 0;
  };
  static constexpr size_t kWorthIt = 8;  // tokens

  std::vector<Entry> entries_;
  size_t most_entries_;
  bool windowed_;
  uint64_t now_ = 0;
};

}  // namespace ingle::core
