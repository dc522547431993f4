// The best of many logits, found without keeping the others. Their order is total (ties go to the lower id), so that
// they are the same whoever finds them, and in whatever order they come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace ingle::core {

/// A token and its logit.
struct TokenLogit {
  float logit = -std::numeric_limits<float>::infinity();
  int32_t id = -1;  ///< -1: none

  /// The order: best first.
  static bool better(const TokenLogit& a, const TokenLogit& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
  }
};

/// The most that a device is asked for: tokens of a row, and rows.
inline constexpr uint32_t kMostBest = 256, kMostBestRows = 32;

/// Keeps the best of what it is offered. NaN and -inf are no logit.
class BestTokens {
 public:
  BestTokens() = default;
  /// As many as `kept` holds, there.
  explicit BestTokens(std::span<TokenLogit> kept) : kept_(kept) {}

  void offer(const TokenLogit& token);
  /// The same for tokens of consecutive ids.
  void offer(std::span<const float> logits, size_t first_id);
  /// What it has, in no order.
  std::span<const TokenLogit> found() const { return kept_.first(count_); }
  /// Ends the search: best first, and none where fewer were found.
  void sort();

 private:
  std::span<TokenLogit>::iterator end() const { return kept_.begin() + static_cast<std::ptrdiff_t>(count_); }
  bool full() const { return count_ == kept_.size(); }
  bool any_reaches_worst(std::span<const float> logits) const;

  std::span<TokenLogit> kept_;  ///< of which the first count_ are a heap, the worst on top
  size_t count_ = 0;
};

}  // namespace ingle::core
