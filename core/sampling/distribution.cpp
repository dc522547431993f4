#include "core/sampling/distribution.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace ingle::core {

Distribution::Distribution(std::span<const float> logits) : logits_(logits) {
  float top = -std::numeric_limits<float>::infinity();
  for (const float logit : logits) top = std::max(top, logit);  // NaN is not greater
  if (!std::isfinite(top)) return;
  double sum = 0, weighted = 0;
  for (const float logit : logits) {
    if (!(logit > -std::numeric_limits<float>::infinity())) continue;
    const double below = static_cast<double>(logit) - top, weight = std::exp(below);
    sum += weight;
    weighted += weight * below;
  }
  log_sum_ = top + std::log(sum);
  entropy_ = std::max(0.0, (std::log(sum) - weighted / sum) / std::numbers::ln2);
}

float Distribution::logprob(int32_t token) const {
  return static_cast<float>(static_cast<double>(logits_[static_cast<size_t>(token)]) - log_sum_);
}

uint32_t Distribution::rank(int32_t token) const {
  const TokenLogit of{logits_[static_cast<size_t>(token)], token};
  uint32_t before = 0;
  for (size_t i = 0; i < logits_.size(); ++i)
    before += TokenLogit::better({logits_[i], static_cast<int32_t>(i)}, of) ? 1 : 0;
  return before;
}

std::vector<TokenLogit> Distribution::best(size_t count) const {
  std::vector<TokenLogit> kept(std::min(count, logits_.size()));
  BestTokens found{std::span(kept)};
  found.offer(logits_, 0);
  found.sort();
  std::erase_if(kept, [](const TokenLogit& token) { return token.id < 0; });
  return kept;
}

}  // namespace ingle::core
