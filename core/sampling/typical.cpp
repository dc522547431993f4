// Locally typical sampling: Meister et al. 2022, "Locally typical sampling". A token's surprise is -log p; the entropy
// is its expectation. Tokens are taken by |surprise - entropy|, least first (so the likeliest may be left out).
#include <cmath>

#include "core/sampling/truncations.h"

namespace ingle::core {

void keep_typical(Candidates& candidates, double mass) {
  candidates.weigh();
  std::vector<Candidate>& items = candidates.items();
  if (items.empty()) return;
  // With w = exp(logit - best): -log p = log(total) - (logit - best), and the offset common to surprise and entropy
  // cancels: |surprise - entropy| = |expected logit - logit|.
  const double total = candidates.total();
  double expected = 0;
  for (const Candidate& item : items) expected += item.weight * item.logit;
  expected /= total;
  keep_nearest(items, [expected](const Candidate& item) { return std::fabs(expected - item.logit); }, mass * total);
}

}  // namespace ingle::core
