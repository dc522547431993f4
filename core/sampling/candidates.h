// The tokens that are still in the draw, with their probabilities. Every order in here is total (ties go to the lower
// id) and every sum runs in a defined order, so that a result depends on no library's sort.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ingle::core {

struct Candidate {
  double weight = 0;  ///< exp(logit - best logit); probability is weight / total
  float logit = 0;
  int32_t id = 0;
};

class Candidates {
 public:
  /// All tokens with a logit, in order of id. NaN and -inf are no logit; where +inf occurs, only those stay, as equals.
  void gather(std::span<const float> logits);

  /// The `count` best of them, best first.
  void gather_best(std::span<const float> logits, size_t count);

  std::vector<Candidate>& items() { return items_; }
  bool empty() const { return items_.empty(); }

  /// Computes the weights at `temperature`, unless they are those already: filters keep them.
  void weigh(double temperature = 1);
  /// Sum of the weights, in the order of the items.
  double total() const;

  /// Index of the item where the running sum of weights first exceeds fraction * total; fraction in [0, 1).
  size_t find_fraction(double fraction) const;

 private:
  std::vector<Candidate> items_;
  float best_logit_ = 0;
  bool weighed_ = false;  ///< the weights are those of temperature 1
};

/// The order by logit: best first.
inline bool better(const Candidate& a, const Candidate& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

/// Keeps, in the strict order `before`, the items for which visit(item) returns true and the first for which it returns
/// false; sorts only as far as that takes.
template <class Before, class Visit>
void keep_prefix(std::vector<Candidate>& items, Before before, Visit visit) {
  size_t sorted = 0;
  for (size_t step = 128; sorted < items.size(); step *= 8) {
    const size_t end = step < items.size() - sorted ? sorted + step : items.size();
    const auto first = items.begin() + static_cast<ptrdiff_t>(sorted);
    const auto last = items.begin() + static_cast<ptrdiff_t>(end);
    if (end < items.size()) std::nth_element(first, last, items.end(), before);
    std::sort(first, last, before);
    for (; sorted < end; ++sorted) {
      if (visit(items[sorted])) continue;
      items.resize(sorted + 1);
      return;
    }
  }
}

}  // namespace ingle::core
