// Nucleus sampling: Holtzman et al. 2020, "The curious case of neural text degeneration", section 3.1.
#include "core/sampling/truncations.h"

namespace ingle::core {

void keep_top_p(Candidates& candidates, double mass) {
  candidates.weigh();
  const double target = mass * candidates.total();
  double sum = 0;
  keep_prefix(candidates.items(), better, [&](const Candidate& item) {
    sum += item.weight;
    return sum < target;
  });
}

}  // namespace ingle::core
