// What is kept of an answer that somebody looks at, for questions that come while it is written and afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/engine/engine.h"
#include "core/scheduler/request.h"

namespace ingle::core {

/// Of one answer. Used by the scheduler's thread alone.
class Recording {
 public:
  Recording(const ObservationOptions& options, uint32_t prompt_tokens, size_t layer_floats);

  uint64_t key() const { return options_.key; }
  /// Where what goes through the layers for the next token is to be put; null: it is not kept.
  float* next_layers();
  /// What next_layers() got was this token's.
  void add(TokenId token) { tokens_.push_back(token); }

  /// The first generated token whose layers are kept; nothing: none are.
  std::optional<uint32_t> first_kept() const;
  /// Of a generated token. Error: not_found.
  base::Result<std::span<const float>> layers(uint32_t token) const;
  TokenId token(uint32_t token) const { return tokens_[token]; }
  /// The position whose pass chose a generated token.
  uint32_t position(uint32_t token) const { return prompt_tokens_ + token - 1; }

  /// Keeps the keys and values, once the answer is complete.
  void keep(std::unique_ptr<Sequence> sequence) { sequence_ = std::move(sequence); }
  const Sequence* sequence() const { return sequence_.get(); }
  void drop_sequence() { sequence_.reset(); }
  std::string timeline;  ///< JSON; empty: there is none

 private:
  const ObservationOptions options_;
  const uint32_t prompt_tokens_;
  const size_t layer_floats_;
  const size_t places_;        ///< tokens whose layers there is room for
  std::vector<float> layers_;  ///< [token % places_]
  std::vector<TokenId> tokens_;
  std::unique_ptr<Sequence> sequence_;
};

}  // namespace ingle::core
