// Penalties on tokens of the recent past: repetition (Keskar et al. 2019, "CTRL", section 4.1: logits are divided, or
// multiplied where negative), frequency and presence (the OpenAI API's: subtracted per occurrence, and once).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ingle::core {

class Penalties {
 public:
  Penalties(float repeat, float frequency, float presence, int32_t last_n);

  bool active() const { return active_; }
  /// `history` ends with the token just accepted.
  void accept(std::span<const int32_t> history);
  void apply(std::span<float> logits) const;
  void reset() { counts_.clear(); }
  /// Makes room for a history of that many tokens.
  void reserve(size_t history);

 private:
  struct Count {
    int32_t token, count;
  };

  std::vector<Count>::iterator find(int32_t token);

  float repeat_, frequency_, presence_;
  int32_t last_n_;
  bool active_;
  std::vector<Count> counts_;  ///< of the tokens in the window, by token
};

}  // namespace ingle::core
