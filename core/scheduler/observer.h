// Looks at answers that somebody wants to see being written, in the passes that write them. Where nobody does, it has
// nothing to do. Used by the scheduler's thread alone.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/engine/engine.h"
#include "core/sampling/sampler.h"
#include "core/scheduler/recording.h"
#include "core/scheduler/request.h"

namespace ingle::core {

class Observer {
 public:
  explicit Observer(Engine& engine) : engine_(engine) {}

  /// An answer begins. Null: nobody looks.
  std::shared_ptr<Recording> begin(const ObservationOptions& options, uint32_t prompt_tokens);
  /// It is complete, with the sequence that holds it, if one does.
  void end(Recording& recording, const Sequence* sequence);
  /// The keys and values of the oldest answer that has some go. False: none has.
  bool drop_sequence();
  void clear() { recordings_.clear(); }
  /// Error: not_found.
  base::Result<std::shared_ptr<Recording>> find(uint64_t key) const;

  /// The last pass is over.
  void forget_pass();
  /// Of the next pass, the row that result number `result` comes from is looked at.
  void watch(size_t result, uint32_t row);
  /// The next pass is about to begin.
  void begin_pass();
  /// What a pass costs for that, in milliseconds, so far.
  double pass_cost_ms() const;

  /// Chooses a token as the sampler does, and tells how that went. `logits` are as the model left them, `masked`
  /// the same held to what the answer's form allows, which is so many tokens.
  ObservedToken choose(Sampler& sampler, std::span<const float> logits, std::span<float> masked,
                       std::optional<uint32_t> allowed, const ObservationOptions& options);
  /// A token of result number `result` of the last pass is part of the answer.
  void add(Recording& recording, size_t result, TokenId token);

 private:
  Engine& engine_;
  std::list<std::shared_ptr<Recording>> recordings_;  ///< the latest last
  std::vector<uint32_t> rows_;                        ///< of the next pass …
  std::vector<size_t> results_;                       ///< … and what they are the results of
  std::vector<float> layers_;                         ///< [rows_][layer_floats]
  uint64_t timeline_ = 0;                             ///< the key of the answer that is being timed; 0: none
};

/// A token, its probability, and the likeliest, as answers tell them.
GeneratedToken with_logprobs(const Tokenizer& tokenizer, std::span<const float> logits, TokenId token,
                             size_t likeliest);

}  // namespace ingle::core
