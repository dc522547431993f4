// Nucleus sampling: Holtzman et al. 2020, "The curious case of neural text degeneration", section 3.1.
#include "core/sampling/truncations.h"

namespace ingle::core {

void keep_top_p(Candidates& candidates, double mass) {
  candidates.weigh();
  const double best = candidates.best_logit();
  keep_nearest(
      candidates.items(), [best](const Candidate& item) { return best - item.logit; }, mass * candidates.total());
}

}  // namespace ingle::core
