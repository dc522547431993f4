// Exclude top choices, by its author p-e-w: https://github.com/oobabooga/text-generation-webui/pull/6335. The caller
// throws the coin of xtc_probability.
#include <algorithm>
#include <vector>

#include "core/sampling/truncations.h"

namespace ingle::core {

void exclude_top_choices(Candidates& candidates, double threshold) {
  candidates.weigh();
  std::vector<Candidate>& items = candidates.items();
  const double least = threshold * candidates.total();
  const Candidate* kept = nullptr;  // the worst of the likely ones
  for (const Candidate& item : items) {
    if (item.weight >= least && (kept == nullptr || better(*kept, item))) kept = &item;
  }
  if (kept == nullptr) return;
  const int32_t kept_id = kept->id;
  std::erase_if(items, [&](const Candidate& item) { return item.weight >= least && item.id != kept_id; });
}

}  // namespace ingle::core
