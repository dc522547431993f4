#include "core/hal/best_tokens.h"

#include <algorithm>

namespace ingle::core {

void BestTokens::offer(const TokenLogit& token) {
  if (!(token.logit > TokenLogit().logit)) return;
  if (full()) {
    if (kept_.empty() || !TokenLogit::better(token, kept_.front())) return;
    std::pop_heap(kept_.begin(), end(), TokenLogit::better);
    --count_;
  }
  kept_[count_++] = token;
  std::push_heap(kept_.begin(), end(), TokenLogit::better);
}

// Most blocks hold none that is good enough.
void BestTokens::offer(std::span<const float> logits, size_t first_id) {
  constexpr size_t kBlock = 64;
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const auto block = logits.subspan(begin, std::min(kBlock, logits.size() - begin));
    if (full() && !any_reaches_worst(block)) continue;
    for (size_t i = 0; i < block.size(); ++i) offer({block[i], static_cast<int32_t>(first_id + begin + i)});
  }
}

bool BestTokens::any_reaches_worst(std::span<const float> logits) const {
  if (kept_.empty()) return false;
  const float worst = kept_.front().logit;
  uint32_t reach = 0;
  for (const float logit : logits) reach += logit >= worst ? 1 : 0;  // no early end: this takes several at a time
  return reach != 0;
}

void BestTokens::sort() {
  std::sort_heap(kept_.begin(), end(), TokenLogit::better);
  std::fill(end(), kept_.end(), TokenLogit());
}

}  // namespace ingle::core
