// Repetition, frequency and presence penalties over a sliding window.
#include "core/sampling/penalties.h"

namespace ingle::core {

Penalties::Penalties(float repeat, float frequency, float presence, int32_t last_n)
    : repeat_(repeat),
      frequency_(frequency),
      presence_(presence),
      last_n_(last_n),
      active_(last_n != 0 && (repeat != 1 || frequency != 0 || presence != 0)) {}

void Penalties::accept(std::span<const int32_t> history) {
  if (!active_ || history.empty()) return;
  ++counts_[history.back()];
  if (last_n_ < 0 || history.size() <= static_cast<size_t>(last_n_)) return;
  const auto gone = counts_.find(history[history.size() - 1 - static_cast<size_t>(last_n_)]);
  if (gone != counts_.end() && --gone->second == 0) counts_.erase(gone);
}

void Penalties::apply(std::span<float> logits) const {
  for (const auto& [token, count] : counts_) {
    if (token < 0 || static_cast<size_t>(token) >= logits.size()) continue;
    float& logit = logits[static_cast<size_t>(token)];
    logit = logit > 0 ? logit / repeat_ : logit * repeat_;
    logit -= static_cast<float>(count) * frequency_ + presence_;
  }
}

}  // namespace ingle::core
