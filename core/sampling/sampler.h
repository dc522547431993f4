// From logits to a token: penalties, truncations, temperature, a seeded draw. Same seed and logits, same tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "core/hal/best_tokens.h"

namespace ingle::core {

/// Every default means "off" but temperature. The order of application is documented in sampler.cpp.
struct SamplingParams {
  float temperature = 0.8f;  ///< 0: greedy
  int32_t top_k = 0;         ///< 0: off
  float top_p = 1.0f;
  float min_p = 0.0f;
  float typical_p = 1.0f;
  float xtc_probability = 0.0f, xtc_threshold = 0.1f;
  float repeat_penalty = 1.0f, frequency_penalty = 0.0f, presence_penalty = 0.0f;
  int32_t penalty_last_n = 64;  ///< tokens looked back; -1: all
  float dry_multiplier = 0.0f, dry_base = 1.75f;
  int32_t dry_allowed_length = 2, dry_last_n = -1;
  std::vector<std::vector<int32_t>> dry_breakers;  ///< token sequences that end a repetition
  int32_t mirostat = 0;                            ///< 0 or 2
  float mirostat_tau = 5.0f, mirostat_eta = 0.1f;
  std::vector<std::pair<int32_t, float>> logit_bias;
  uint64_t seed = 0;
};

/// Refuses values that make no sense (temperature < 0, top_p outside (0, 1], …), naming the field and its range.
base::Status validate(const SamplingParams& params);

/// How many of a row's best logits are all that a sampler with these parameters looks at; 0: it wants the whole row.
uint32_t best_needed(const SamplingParams& params, uint32_t vocabulary_size);

/// What one rule left of the draw.
struct SamplingStep {
  std::string name;
  uint32_t left = 0;      ///< tokens
  float probability = 0;  ///< of the token that was drawn at last, among them
};

class Sampler {
 public:
  virtual ~Sampler() = default;
  /// Tokens of the prompt, so that penalties see them.
  virtual void accept(int32_t token) = 0;
  /// Chooses a token. `logits` has vocabulary-size entries and is used as scratch. Does not accept it. Never returns an
  /// id whose logit is NaN or -inf while another has a finite one.
  virtual int32_t sample(std::span<float> logits) = 0;
  /// The same token from the best_needed() best of these logits, as BestTokens leaves them.
  virtual int32_t sample_best(std::span<const TokenLogit> best) = 0;
  /// As sample(), and tells in `steps`, which it clears, what each rule left; the token is the same.
  virtual int32_t explain(std::span<float> logits, std::vector<SamplingStep>& steps) = 0;
  /// Restart: history cleared, random state back to the seed.
  virtual void reset() = 0;
};

/// `history`: how many tokens will be accepted, if that is known; room for them is made at once.
std::unique_ptr<Sampler> make_sampler(const SamplingParams& params, uint32_t vocabulary_size, size_t history = 0);

}  // namespace ingle::core
