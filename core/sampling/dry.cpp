// DRY by the Z function: on the reversed window, z[k] is how many tokens before place k agree with the window's end.
#include "core/sampling/dry.h"

#include <algorithm>
#include <utility>

namespace ingle::core {

Dry::Dry(float multiplier, float base, int32_t allowed_length, int32_t last_n,
         std::vector<std::vector<int32_t>> breakers)
    : multiplier_(multiplier),
      base_(base),
      allowed_length_(static_cast<size_t>(std::max(allowed_length, 1))),
      last_n_(last_n),
      breakers_(std::move(breakers)) {
  std::erase_if(breakers_, [](const auto& breaker) { return breaker.empty(); });
}

size_t Dry::tokens_since_breaker(std::span<const int32_t> window) const {
  for (size_t end = window.size(); end > 0; --end) {
    for (const std::vector<int32_t>& breaker : breakers_) {
      if (breaker.size() <= end &&
          std::equal(breaker.begin(), breaker.end(), window.begin() + static_cast<ptrdiff_t>(end - breaker.size()))) {
        return window.size() - end;
      }
    }
  }
  return window.size();
}

float Dry::penalty(size_t match) const {
  constexpr float kMost = 1e30f;  // finite, so that a choice among penalised tokens alone remains a choice
  float value = multiplier_;
  for (size_t i = allowed_length_; i < match && value < kMost && base_ != 1; ++i) value *= base_;
  return std::min(value, kMost);
}

void Dry::reserve(size_t history) {
  if (!active()) return;
  const size_t most = last_n_ < 0 ? history : std::min(history, static_cast<size_t>(last_n_));
  matches_.reserve(most);
  longest_.reserve(most);
}

void Dry::apply(std::span<const int32_t> history, std::span<float> logits) {
  const size_t size = last_n_ < 0 ? history.size() : std::min(history.size(), static_cast<size_t>(last_n_));
  const std::span<const int32_t> window = history.last(size);
  const size_t limit = tokens_since_breaker(window);
  if (size < 2 || limit < allowed_length_) return;

  matches_.clear();
  matches_.resize(size);
  longest_.clear();
  const auto reversed = [window, size](size_t i) { return window[size - 1 - i]; };
  size_t left = 0, right = 0;  // [left, right): the match found so far that reaches farthest
  for (size_t k = 1; k < size; ++k) {
    size_t match = k < right ? std::min(right - k, static_cast<size_t>(matches_[k - left])) : 0;
    while (k + match < size && reversed(match) == reversed(k + match)) ++match;
    if (k + match > right) {
      left = k;
      right = k + match;
    }
    matches_[k] = static_cast<uint32_t>(match);
    const size_t usable = std::min(match, limit);
    if (usable >= allowed_length_) longest_.emplace_back(reversed(k - 1), static_cast<uint32_t>(usable));
  }

  std::sort(longest_.begin(), longest_.end());
  for (size_t i = 0; i < longest_.size(); ++i) {
    const auto [token, match] = longest_[i];
    if (i + 1 < longest_.size() && longest_[i + 1].first == token) continue;  // a longer one follows
    if (token < 0 || static_cast<size_t>(token) >= logits.size()) continue;
    const bool is_breaker = std::any_of(breakers_.begin(), breakers_.end(), [id = token](const auto& breaker) {
      return breaker.size() == 1 && breaker[0] == id;
    });
    if (!is_breaker) logits[static_cast<size_t>(token)] -= penalty(match);
  }
}

}  // namespace ingle::core
