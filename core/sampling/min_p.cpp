// Min-p: Nguyen et al. 2024, "Turning up the heat: min-p sampling for creative and coherent LLM outputs".
#include <algorithm>
#include <vector>

#include "core/sampling/truncations.h"

namespace ingle::core {

void keep_min_p(Candidates& candidates, double share) {
  candidates.weigh();
  std::vector<Candidate>& items = candidates.items();
  double most = 0;
  for (const Candidate& item : items) most = std::max(most, item.weight);
  const double least = share * most;
  std::erase_if(items, [least](const Candidate& item) { return item.weight < least; });
}

}  // namespace ingle::core
