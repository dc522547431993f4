// DRY ("don't repeat yourself"), by its author p-e-w: https://github.com/oobabooga/text-generation-webui/pull/5677.
// A token that would continue a repetition of the last n tokens, n >= allowed_length, has
// multiplier * base^(n - allowed_length) subtracted from its logit. A repetition never reaches across a breaker, and a
// breaker of one token is never penalised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace ingle::core {

class Dry {
 public:
  Dry(float multiplier, float base, int32_t allowed_length, int32_t last_n, std::vector<std::vector<int32_t>> breakers);

  bool active() const { return multiplier_ != 0 && last_n_ != 0; }
  /// Makes room for a history of that many tokens.
  void reserve(size_t history);
  /// Linear in the length of the window.
  void apply(std::span<const int32_t> history, std::span<float> logits);

 private:
  size_t tokens_since_breaker(std::span<const int32_t> window) const;
  float penalty(size_t match) const;

  float multiplier_, base_;
  size_t allowed_length_;
  int32_t last_n_;
  std::vector<std::vector<int32_t>> breakers_;
  std::vector<uint32_t> matches_;                      ///< scratch: the Z function of the reversed window
  std::vector<std::pair<int32_t, uint32_t>> longest_;  ///< scratch: (token, longest repetition that it continues)
};

}  // namespace ingle::core
