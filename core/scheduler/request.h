// What somebody wants generated, and what they are told while it happens.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/engine/reply.h"
#include "core/grammar/matcher.h"
#include "core/sampling/sampler.h"

namespace ingle::core {

/// Who is served first: background work runs where no interactive work is there, and seldom otherwise.
enum class Priority : uint8_t { interactive, background };

/// What somebody wants to see of how an answer is written.
struct ObservationOptions {
  uint64_t key = 0;             ///< what they ask for it by, chosen by who asks; 0: nobody looks
  uint32_t alternatives = 10;   ///< likeliest tokens at each place
  uint64_t layer_bytes = 0;     ///< memory for what goes through the layers, of the latest tokens; 0: that is not kept
  uint64_t timeline_bytes = 0;  ///< … for when each kernel ran, of the first passes; 0: that is not kept
};

struct GenerationRequest {
  std::vector<TokenId> prompt;
  SamplingParams sampling;
  ReplyOptions reply;
  std::shared_ptr<const Constraint> constraint;  ///< what the answer has to look like; null: any text
  /// Logarithms of probabilities before penalties and temperature, of each token and so many likelier ones; below 0:
  /// none.
  int32_t logprobs = -1;
  ObservationOptions observation;
  Priority priority = Priority::interactive;
  /// Whose request it is. What was computed for one principal is never used for another, as the time that it saves
  /// would tell them of it.
  std::string principal;
  std::string client;       ///< those of one client share its part of the machine
  bool keep_prefix = true;  ///< what is computed may serve later requests of the principal, and theirs this one
};

struct TokenLogprob {
  TokenId token = 0;
  std::string bytes;  ///< what the token adds to a text; may be part of a code point
  float logprob = 0;  ///< natural logarithm
};

struct GeneratedToken : TokenLogprob {
  std::vector<TokenLogprob> likeliest;  ///< as many as were asked for, falling
};

/// How a token came to be.
struct ObservedToken : GeneratedToken {
  uint32_t rank = 0;                           ///< how many the model finds likelier
  float entropy = 0;                           ///< of what the model says comes next, in bits
  std::optional<uint32_t> allowed;             ///< tokens that the answer's form allowed
  std::vector<SamplingStep> steps;             ///< what each rule of sampling left, in order
  double pass_ms = 0;                          ///< of the pass that computed it
  uint32_t pass_rows = 0, pass_sequences = 0;  ///< tokens and answers in that pass
  bool guessed = false;  ///< computed before it was sampled, by what followed the same words before
};

struct GenerationStats {
  uint32_t prompt_tokens = 0, cached_tokens = 0;   ///< cached: of the prompt, what did not have to be computed
  uint32_t generated_tokens = 0;                   ///< with the stop token, where one ended it
  uint32_t proposed_tokens = 0, taken_tokens = 0;  ///< computed by speculation, and of these became part of the answer
  uint32_t preemptions = 0;                        ///< how often it lost its memory to others and was computed again
  double queue_ms = 0, prefill_ms = 0, decode_ms = 0;
  double observing_ms = 0;   ///< of prefill_ms and decode_ms, what looking took
  uint64_t state_bytes = 0;  ///< what its sequence takes
};

/// What is new since the last event. The last one has `finished` or `error`.
struct GenerationEvent {
  std::string text;
  std::vector<GeneratedToken> tokens;   ///< where log-probabilities were asked for
  std::vector<ObservedToken> observed;  ///< where somebody looks
  uint32_t token_count = 0;             ///< tokens behind the text, shown or not
  bool started = false;                 ///< the prompt has been computed
  std::optional<StopReason> finished;
  std::string stopped_by;  ///< the stop string, where one ended it
  std::optional<base::Error> error;
  GenerationStats stats;
};

/// Called by the thread that runs the scheduler, which waits for it: it hands the event on and returns.
using EventSink = std::function<void(GenerationEvent&&)>;

using RequestId = uint64_t;

}  // namespace ingle::core
