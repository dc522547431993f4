// Gathering candidates from logits and weighing them.
#include "core/sampling/candidates.h"

#include <algorithm>
#include <limits>

#include "core/sampling/portable_math.h"

namespace ingle::core {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

void Candidates::gather(std::span<const float> logits) {
  gather_best(logits, logits.size());
}

void Candidates::gather_best(std::span<const float> logits, size_t count) {
  items_.clear();
  weighed_ = false;
  best_logit_ = -kInfinity;
  if (count >= logits.size()) {
    for (size_t i = 0; i < logits.size(); ++i) {
      if (!(logits[i] > -kInfinity)) continue;  // false for NaN as well
      items_.push_back({.weight = 0, .logit = logits[i], .id = static_cast<int32_t>(i)});
      best_logit_ = std::max(best_logit_, logits[i]);
    }
  } else if (count > 0) {
    // A heap of the best so far, the worst of them on top. Ids rise, so an equal logit comes too late.
    float worst = -kInfinity;
    for (size_t i = 0; i < logits.size(); ++i) {
      if (!(logits[i] > worst)) continue;
      if (items_.size() == count) {
        std::pop_heap(items_.begin(), items_.end(), better);
        items_.pop_back();
      }
      items_.push_back({.weight = 0, .logit = logits[i], .id = static_cast<int32_t>(i)});
      std::push_heap(items_.begin(), items_.end(), better);
      if (items_.size() == count) worst = items_.front().logit;
    }
    std::sort_heap(items_.begin(), items_.end(), better);
    if (!items_.empty()) best_logit_ = items_.front().logit;
  }
  if (best_logit_ == kInfinity) {
    std::erase_if(items_, [](const Candidate& item) { return item.logit != kInfinity; });
    for (Candidate& item : items_) item.logit = 0;
    best_logit_ = 0;
  }
}

void Candidates::weigh(double temperature) {
  if (weighed_ && temperature == 1) return;
  const double best = best_logit_;
  for (Candidate& item : items_) item.weight = exp_nonpositive((item.logit - best) / temperature);
  weighed_ = temperature == 1;
}

double Candidates::total() const {
  double sum = 0;
  for (const Candidate& item : items_) sum += item.weight;
  return sum;
}

size_t Candidates::find_fraction(double fraction) const {
  const double target = fraction * total();
  double sum = 0;
  size_t last = 0;  // the last item of any weight, for a rounding that leaves the sum at the target
  for (size_t i = 0; i < items_.size(); ++i) {
    if (items_[i].weight <= 0) continue;
    sum += items_[i].weight;
    last = i;
    if (sum > target) break;
  }
  return last;
}

}  // namespace ingle::core
