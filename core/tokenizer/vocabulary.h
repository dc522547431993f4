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
  /// `kinds` has one entry per token. Empty spellings are kept but never found.
  /// Errors: corrupt (a spelling twice), limit_exceeded (more than 2^24 tokens, a spelling over 64 KiB).
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
    const auto tag = static_cast<uint32_t>(hash);
    for (size_t slot = first_slot(hash, slots_.size());; slot = next_slot(slot, slots_.size())) {
      const Slot& s = slots_[slot];
      if (s.id == kNoToken) return kNoToken;
      if (s.tag == tag && this->text(s.id) == text) return s.id;
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
  struct Slot {
    uint32_t tag = 0;  ///< lower half of the hash
    TokenId id = kNoToken;
  };
  enum class Indexing { done, duplicate, too_many_collisions };
  Indexing index(TokenId& duplicate);

  std::string arena_;
  std::vector<uint32_t> offsets_;
  std::vector<TokenKind> kinds_;
  std::vector<Slot> slots_ = std::vector<Slot>(1);
  uint64_t seed_ = 0;
  uint32_t longest_ = 0;
};

}  // namespace ingle::core
