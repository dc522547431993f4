#include "core/tokenizer/vocabulary.h"

#include <algorithm>
#include <cstring>

namespace ingle::core {
namespace {

constexpr size_t kMaxTokenBytes = size_t{1} << 16;
constexpr uint64_t kMaxArena = UINT32_MAX;
// Spellings chosen to collide under one seed are unlikely to collide under the next.
constexpr uint64_t kSeeds = 4;
constexpr size_t kProbesPerToken = 64;

constexpr uint64_t kMix = 0x9E3779B97F4A7C15;

uint64_t mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t load(const char* at, size_t bytes) {
  uint64_t value = 0;
  std::memcpy(&value, at, bytes);
  return value;
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 40)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  return out;
}

}  // namespace

uint64_t Vocabulary::hash_bytes(std::string_view text, uint64_t seed) {
  uint64_t hash = mix(seed ^ kMix, text.size() + 0xD6E8FEB86659FD93);
  const char* at = text.data();
  size_t left = text.size();
  for (; left > 8; left -= 8, at += 8) hash = mix(hash ^ load(at, 8), kMix);
  if (left > 0) hash = mix(hash ^ load(at, left), 0xA0761D6478BD642F);
  return mix(hash, kMix);
}

base::Result<Vocabulary> Vocabulary::build(std::span<const std::string> tokens, std::vector<TokenKind> kinds) {
  using base::Error;
  using base::ErrorCode;
  if (tokens.empty()) return Error{ErrorCode::corrupt, "the tokenizer's vocabulary is empty"};
  if (tokens.size() > kMost) {
    return Error{ErrorCode::limit_exceeded, "the tokenizer has " + std::to_string(tokens.size()) + " tokens; at most " +
                                                std::to_string(kMost) + " are supported"};
  }
  Vocabulary v;
  uint64_t total = 0;
  for (size_t i = 0; i < tokens.size(); i++) {
    if (tokens[i].size() > kMaxTokenBytes) {
      return Error{ErrorCode::limit_exceeded, "token " + std::to_string(i) + " of the vocabulary has " +
                                                  std::to_string(tokens[i].size()) + " bytes; at most " +
                                                  std::to_string(kMaxTokenBytes) + " are supported"};
    }
    v.longest_ = std::max(v.longest_, static_cast<uint32_t>(tokens[i].size()));
    total += tokens[i].size();
  }
  if (total > kMaxArena) return Error{ErrorCode::limit_exceeded, "the tokenizer's vocabulary is larger than 4 GiB"};
  v.arena_.reserve(total);
  v.offsets_.reserve(tokens.size() + 1);
  for (const std::string& token : tokens) {
    v.offsets_.push_back(static_cast<uint32_t>(v.arena_.size()));
    v.arena_ += token;
  }
  v.offsets_.push_back(static_cast<uint32_t>(v.arena_.size()));
  v.kinds_ = std::move(kinds);
  TokenId duplicate = kNoToken;
  for (v.seed_ = 0; v.seed_ < kSeeds; v.seed_++) {
    const Indexing result = v.index(duplicate);
    if (result == Indexing::done) return v;
    if (result == Indexing::duplicate) {
      return Error{ErrorCode::corrupt, "the tokenizer's vocabulary has \"" + printable(v.text(duplicate)) +
                                           "\" twice, the second time as token " + std::to_string(duplicate)};
    }
  }
  return Error{ErrorCode::corrupt, "the tokenizer's vocabulary cannot be indexed: its spellings were made to collide"};
}

Vocabulary::Indexing Vocabulary::index(TokenId& duplicate) {
  const size_t slots = size() * size_t{3} / 2 + 1;  // at most two thirds full
  slots_.assign(slots, kEmpty);
  size_t probes = size() * kProbesPerToken + 4096;
  // The table is larger than the caches: the slots of the tokens to come are asked for ahead.
  constexpr uint32_t kAhead = 16;
  uint64_t hashes[kAhead] = {};
  for (uint32_t i = 0; i < size() + kAhead; i++) {
    const uint64_t hash = hashes[i % kAhead];
    if (i < size()) {
      hashes[i % kAhead] = hash_bytes(text(static_cast<TokenId>(i)), seed_);
      __builtin_prefetch(&slots_[first_slot(hashes[i % kAhead], slots)], 1);
    }
    if (i < kAhead) continue;
    const auto id = static_cast<TokenId>(i - kAhead);
    const std::string_view spelling = text(id);
    if (spelling.empty()) continue;
    size_t slot = first_slot(hash, slots);
    for (; slots_[slot] != kEmpty; slot = next_slot(slot, slots)) {
      if (tag_of(slots_[slot]) == tag_of(hash) && text(id_of(slots_[slot])) == spelling) {
        duplicate = id;
        return Indexing::duplicate;
      }
      if (probes-- == 0) return Indexing::too_many_collisions;
    }
    slots_[slot] = tag_of(hash) << 24 | static_cast<uint32_t>(id);
  }
  return Indexing::done;
}

}  // namespace ingle::core
