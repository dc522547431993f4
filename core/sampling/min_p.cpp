// Min-p: Nguyen et al. 2024, "Turning up the heat: min-p sampling for creative and coherent LLM outputs".
#include <algorithm>
#include <vector>

#include "core/sampling/portable_math.h"
#include "core/sampling/truncations.h"

namespace ingle::core {

void keep_min_p(Candidates& candidates, double share) {
  std::vector<Candidate>& items = candidates.items();
  if (items.empty() || share < 1e-300) return;
  double best = items[0].logit;
  for (const Candidate& item : items) best = std::max<double>(best, item.logit);
  const double least = best + log_positive(share);  // p >= share * most, without the exponentials
  std::erase_if(items, [least](const Candidate& item) { return item.logit < least; });
}

}  // namespace ingle::core
