// What a row of logits says, before any sampling: probabilities, how sure they are, and where a token stands.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/hal/best_tokens.h"

namespace ingle::core {

/// Of the softmax of logits. NaN counts as no logit.
class Distribution {
 public:
  /// The logits outlive it.
  explicit Distribution(std::span<const float> logits);

  /// The natural logarithm of a token's probability.
  float logprob(int32_t token) const;
  /// The natural logarithm of the sum of e^logit.
  double log_sum() const { return log_sum_; }
  /// Shannon's, in bits.
  double entropy() const { return entropy_; }
  /// How many tokens come before it, best first, as TokenLogit::better orders them.
  uint32_t rank(int32_t token) const;
  /// The `count` best, best first; fewer where there are no more.
  std::vector<TokenLogit> best(size_t count) const;

 private:
  std::span<const float> logits_;
  double log_sum_ = 0;  ///< of e^logit
  double entropy_ = 0;
};

}  // namespace ingle::core
