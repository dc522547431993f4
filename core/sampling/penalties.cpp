// Repetition, frequency and presence penalties over a sliding window.
#include "core/sampling/penalties.h"

#include <algorithm>

namespace ingle::core {

Penalties::Penalties(float repeat, float frequency, float presence, int32_t last_n)
    : repeat_(repeat),
      frequency_(frequency),
      presence_(presence),
      last_n_(last_n),
      active_(last_n != 0 && (repeat != 1 || frequency != 0 || presence != 0)) {}

void Penalties::accept(std::span<const int32_t> history) {
  if (!active_ || history.empty()) return;
  const auto found = find(history.back());
  if (found != counts_.end() && found->token == history.back())
    ++found->count;
  else
    counts_.insert(found, {history.back(), 1});
  if (last_n_ < 0 || history.size() <= static_cast<size_t>(last_n_)) return;
  const auto gone = find(history[history.size() - 1 - static_cast<size_t>(last_n_)]);
  if (--gone->count == 0) counts_.erase(gone);
}

// The token's entry, or where it belongs.
std::vector<Penalties::Count>::iterator Penalties::find(int32_t token) {
  return std::lower_bound(counts_.begin(), counts_.end(), token,
                          [](const Count& entry, int32_t wanted) { return entry.token < wanted; });
}

void Penalties::reserve(size_t history) {
  // One more than the window for a moment: a token comes before another goes.
  if (active_) counts_.reserve(last_n_ < 0 ? history : std::min(history, static_cast<size_t>(last_n_) + 1));
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
