// Likelihood of known tokens and the distance between two models' predictions, from logits. The mathematics of `eval`.
//
// With log-sum-exp  L = log sum_v exp(x_v)  in double precision:
//   nll        = L - x_t                          nats of the token t that came
//   KL(P || Q) = sum_v p_v (log p_v - log q_v)    nats, p = exp(x - L)
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tokenizer/tokenizer.h"

namespace ingle::cli {

/// Sums over scored positions.
struct Score {
  uint64_t tokens = 0;
  double nll = 0;
  void add(const Score& other);
};

struct Divergence {
  uint64_t tokens = 0;
  double kl = 0;  ///< sum of KL(reference || model)
  double kl_largest = 0;
  uint64_t same_top = 0;  ///< positions where both prefer the same token
  void add(const Divergence& other);
};

/// log(sum(exp(row))), stable. Infinite where the row holds no finite number.
double log_sum_exp(std::span<const float> row);

/// Row i of `logits` (targets.size() rows of `vocabulary` floats) predicts targets[i]. Rows are shared out to `threads`
/// threads; the sums are added in the order of the rows, whatever that number is.
Score score_rows(std::span<const float> logits, std::span<const core::TokenId> targets, size_t vocabulary,
                 unsigned threads);

/// Both of the same shape. Vocabularies of different sizes (padding) are compared over the smaller.
Divergence compare_rows(std::span<const float> reference, size_t reference_vocabulary, std::span<const float> model,
                        size_t model_vocabulary, size_t rows, unsigned threads);

}  // namespace ingle::cli
