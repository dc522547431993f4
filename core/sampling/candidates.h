// The tokens that are still in the draw, with their probabilities. Every order in here is total (ties go to the lower
// id) and every sum runs in a defined order, so that a result depends on no library's sort.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/hal/best_tokens.h"

namespace ingle::core {

struct Candidate {
  double weight = 0;  ///< exp((logit - best logit) / temperature); probability is weight / total
  float logit = 0;
  int32_t id = 0;
};

class Candidates {
 public:
  /// All tokens with a logit, in order of id. NaN and -inf are no logit; where +inf occurs, only those stay, as equals.
  void gather(std::span<const float> logits);

  /// The `count` best of them, best first.
  void gather_best(std::span<const float> logits, size_t count);
  /// The same, found already: as BestTokens leaves them.
  void take_best(std::span<const TokenLogit> best);

  std::vector<Candidate>& items() { return items_; }
  /// The largest logit when the weights were last computed (its item may have been taken out since).
  float best_logit() const { return best_logit_; }
  bool empty() const { return items_.empty(); }

  /// Computes the weights at `temperature`, unless they are those already: filters keep them.
  void weigh(double temperature = 1);
  /// Sum of the weights, in the order of the items.
  double total() const;

  /// Index of the item where the running sum of weights first exceeds fraction * total; fraction in [0, 1).
  size_t find_fraction(double fraction) const;

 private:
  void keep_infinite();

  std::vector<Candidate> items_;
  std::vector<TokenLogit> best_;  ///< scratch
  float best_logit_ = 0;
  bool weighed_ = false;  ///< the weights are those of temperature 1
};

/// The order by logit: best first.
inline bool better(const Candidate& a, const Candidate& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

/// Keeps the fewest items, in order of distance(item) >= 0 (ties: lower id first), whose weights sum to at least
/// `target`, sorted so. A histogram of distances finds most of those that cannot be among them, so that few need
/// sorting.
template <class Distance>
void keep_nearest(std::vector<Candidate>& items, Distance distance, double target) {
  constexpr size_t kBuckets = 1024;
  if (items.size() > kBuckets) {
    const auto bucket_of = [&distance](const Candidate& item) {
      return static_cast<size_t>(std::min(distance(item) * 32, kBuckets - 1.0));
    };
    std::array<double, kBuckets> weights{};
    for (const Candidate& item : items) weights[bucket_of(item)] += item.weight;
    size_t last = 0;  // a little beyond the target, because the sum below rounds differently
    for (double sum = weights[0]; last + 1 < kBuckets && sum < target * (1 + 1e-9);) sum += weights[++last];
    std::erase_if(items, [&](const Candidate& item) { return bucket_of(item) > last; });
  }
  std::sort(items.begin(), items.end(), [&distance](const Candidate& a, const Candidate& b) {
    const double distance_a = distance(a), distance_b = distance(b);
    return distance_a < distance_b || (distance_a == distance_b && a.id < b.id);
  });
  double sum = 0;
  size_t kept = 0;
  while (kept < items.size() && (kept == 0 || sum < target)) sum += items[kept++].weight;
  items.resize(kept);
}

}  // namespace ingle::core
