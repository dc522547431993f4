// Gathering candidates from logits and weighing them.
#include "core/sampling/candidates.h"

#include <algorithm>
#include <array>
#include <limits>

#include "core/sampling/portable_math.h"

namespace ingle::core {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

void Candidates::gather(std::span<const float> logits) {
  items_.resize(logits.size());
  weighed_ = false;
  best_logit_ = -kInfinity;
  size_t count = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    items_[count] = {.weight = 0, .logit = logits[i], .id = static_cast<int32_t>(i)};
    count += logits[i] > -kInfinity ? 1 : 0;  // false for NaN as well
    best_logit_ = logits[i] > best_logit_ ? logits[i] : best_logit_;
  }
  items_.resize(count);
  keep_infinite();
}

void Candidates::gather_best(std::span<const float> logits, size_t count) {
  best_.resize(count);
  BestTokens best(best_);
  best.offer(logits, 0);
  best.sort();
  take_best(best_);
}

void Candidates::take_best(std::span<const TokenLogit> best) {
  items_.clear();
  weighed_ = false;
  for (const TokenLogit& token : best)
    if (token.id >= 0) items_.push_back({.weight = 0, .logit = token.logit, .id = token.id});
  best_logit_ = items_.empty() ? -kInfinity : items_.front().logit;
  keep_infinite();
}

void Candidates::keep_infinite() {
  if (best_logit_ != kInfinity) return;
  std::erase_if(items_, [](const Candidate& item) { return item.logit != kInfinity; });
  for (Candidate& item : items_) item.logit = 0;
  best_logit_ = 0;
}

void Candidates::weigh(double temperature) {
  if (weighed_ && temperature == 1) return;
  best_logit_ = -kInfinity;  // of those that are left: the best one's weight is 1, however low the temperature
  for (const Candidate& item : items_) best_logit_ = std::max(best_logit_, item.logit);
  const double best = best_logit_;
  std::array<double, 128> chunk;  // contiguous, so that the exponentials vectorise
  for (size_t start = 0; start < items_.size(); start += chunk.size()) {
    const std::span<Candidate> part = std::span(items_).subspan(start, std::min(chunk.size(), items_.size() - start));
    chunk.fill(0);
    for (size_t i = 0; i < part.size(); ++i) chunk[i] = (part[i].logit - best) / temperature;
    for (double& value : chunk) value = exp_nonpositive(value);
    for (size_t i = 0; i < part.size(); ++i) part[i].weight = chunk[i];
  }
  weighed_ = temperature == 1;
}

double Candidates::total() const {
  double sum = 0;
  for (const Candidate& item : items_) sum += item.weight;
  return sum;
}

size_t Candidates::find_fraction(double fraction) const {
  const double target = fraction * total();  // below the total: a fraction below 1 never rounds up to it
  double sum = 0;
  for (size_t i = 0; i < items_.size(); ++i) {
    sum += items_[i].weight;
    if (sum > target) return i;
  }
  return 0;
}

}  // namespace ingle::core
