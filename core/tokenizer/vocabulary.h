// The tokens of a vocabulary: spellings in one arena, found by a hash table of ids.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/tokenizer/tokenizer.h"

namespace ingle::core {

inline constexpr TokenId kNoToken = -1;

/// Where a hash table of `slots` slots starts to look: by the hash's upper bits (Lemire, "Fast random integer
/// generation in an interval", 2019).
inline size_t first_slot(uint64_t hash, size_t slots) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<size_t>(static_cast<Wide>(hash) * slots >> 64);
}
inline size_t next_slot(size_t slot, size_t slots) {
  return slot + 1 == slots ? 0 : slot + 1;
}

class Vocabulary {
 public:
  static constexpr uint32_t kMost = (1u << 24) - 1;  ///< tokens: an id takes three bytes, and one is left to mean none

  /// `kinds` has one entry per token. Empty spellings are kept but never found.
  /// Errors: corrupt (a spelling twice), limit_exceeded (more than kMost tokens, a spelling over 64 KiB).
  static base::Result<Vocabulary> build(std::span<const std::string> tokens, std::vector<TokenKind> kinds);

  uint32_t size() const { return static_cast<uint32_t>(kinds_.size()); }
  bool contains(TokenId id) const { return id >= 0 && static_cast<uint32_t>(id) < size(); }
  std::string_view text(TokenId id) const {
    const auto i = static_cast<size_t>(id);
    return std::string_view(arena_).substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }
  TokenKind kind(TokenId id) const { return kinds_[static_cast<size_t>(id)]; }
  void set_kind(TokenId id, TokenKind kind) { kinds_[static_cast<size_t>(id)] = kind; }
  uint32_t longest() const { return longest_; }  ///< bytes

  TokenId find(std::string_view text) const {
    if (text.size() > longest_) return kNoToken;
    const uint64_t hash = hash_bytes(text, seed_);
    for (size_t slot = first_slot(hash, slots_.size());; slot = next_slot(slot, slots_.size())) {
      const Slot s = slots_[slot];
      if (s == kEmpty) return kNoToken;
      if (tag_of(s) == tag_of(hash) && this->text(id_of(s)) == text) return id_of(s);
    }
  }

  /// Asks for the memory that find(text) will look at first.
  void prefetch(std::string_view text) const {
    __builtin_prefetch(&slots_[first_slot(hash_bytes(text, seed_), slots_.size())]);
  }

  /// What the tables take.
  uint64_t bytes() const {
    return arena_.capacity() + offsets_.capacity() * sizeof(uint32_t) + kinds_.capacity() * sizeof(TokenKind) +
           slots_.capacity() * sizeof(Slot);
  }

  static uint64_t hash_bytes(std::string_view text, uint64_t seed);

 private:
  /// A token's id, and above it a byte of its hash, which tells most others apart.
  using Slot = uint32_t;
  static constexpr Slot kEmpty = UINT32_MAX;
  static TokenId id_of(Slot slot) { return static_cast<TokenId>(slot & kMost); }
  static uint32_t tag_of(Slot slot) { return slot >> 24; }
  static uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash & 0xFF); }
  enum class Indexing { done, duplicate, too_many_collisions };
  Indexing index(TokenId& duplicate);

  std::string arena_;
  std::vector<uint32_t> offsets_;
  std::vector<TokenKind> kinds_;
  std::vector<Slot> slots_{kEmpty};
  uint64_t seed_ = 0;
  uint32_t longest_ = 0;
};

}  // namespace ingle::core
