// What the bodies of all generating routes have in common: sampling, ends.
#pragma once

#include <cstdint>
#include <limits>

#include "assistant/inference/model_service.h"
#include "server/api/reader.h"
#include "server/api/route.h"
#include "server/api/turns.h"

namespace ingle::server {

/// The most answers to one request, stop strings, likeliest tokens.
inline constexpr int64_t kMostChoices = 16, kMostStops = 16, kMostLikeliest = 20;
inline constexpr size_t kLongestStop = 1024;  ///< bytes

inline constexpr int64_t kLeastSeed = std::numeric_limits<int64_t>::min(),
                         kMostSeed = std::numeric_limits<int64_t>::max();

/// Our own.
inline constexpr std::string_view kPriorities[] = {"interactive", "background"};
inline constexpr Field kOwnFields[] = {
    {"priority", one_of(kPriorities), "background requests wait for interactive ones"},
    {"keep_prefix", kBoolean, "whether what is computed may serve later requests"},
    {"overflow", one_of(kOverflows), "what is done with a chat that exceeds the context"},
};

// For tables of fields. What all APIs have of sampling, or take by others' names:
#define INGLE_SAMPLING_FIELDS                                                                                        \
  {"temperature", number(0, 100), "0: always the likeliest token"},                                                  \
      {"top_p", number(0, 1), "only the likeliest tokens, which have this share together"},                          \
      {"top_k", integer(0), "only the k likeliest tokens; 0: all"},                                                  \
      {"min_p", number(0, 1), "only tokens with at least this part of the likeliest's probability"},                 \
      {"typical_p", number(0, 1), "locally typical sampling"},                                                       \
      {"repeat_penalty", number(0, 100), "divides logits of what was said; 1: off"},                                 \
      {"repeat_last_n", integer(-1), "tokens that penalties look back; -1: all"},                                    \
      {"mirostat", integer(0, 2), "0 (off) or 2"}, {"mirostat_tau", number(0, 100), "the surprise that it aims at"}, \
      {"mirostat_eta", number(0, 1), "how fast it learns"},                                                          \
      {"seed", integer(kLeastSeed, kMostSeed), "the same seed and text give the same answer"}

/// … what OpenAI's and Ollama's have:
#define INGLE_PENALTY_FIELDS                                                   \
  {"frequency_penalty", number(-2, 2), "for each time that a token was said"}, \
      {"presence_penalty", number(-2, 2), "for tokens that were said"},        \
      {"stop", texts(kMostStops), "what ends an answer"}

/// … and what none of them has, but others know by these names.
#define INGLE_OTHER_SAMPLING_FIELDS                                                          \
  {"xtc_probability", number(0, 1), "how often the likeliest tokens are left out"},          \
      {"xtc_threshold", number(0, 1), "… of those at least so likely all but the last"},     \
      {"dry_multiplier", number(0, 100), "the penalty for what repeats a sequence; 0: off"}, \
      {"dry_base", number(0, 100), "… which grows so with its length"},                      \
      {"dry_allowed_length", integer(0), "… beyond this"},                                   \
      {"dry_last_n", integer(-1), "tokens that it looks back; -1: all"},                     \
      {"ignore_eos", kBoolean, "goes on where the model would end"}, {"ingle", object_of(kOwnFields), "Ingle's own"}

/// A request without its prompt: what the body says over what the model recommends. Without a seed one is drawn.
/// `reader.error()` tells what is wrong.
assistant::GenerationRequest read_generation(Reader& reader, const assistant::ModelService& model, const Call& call);

/// `ingle`, for bodies in which it does not stand beside the sampling.
void read_ingle(Reader& reader, assistant::GenerationRequest& request);

/// Texts that end an answer.
std::vector<std::string> read_stops(Reader& reader, std::string_view name);

/// Whether a prompt leaves room for an answer. Otherwise OpenAI's error for it.
std::optional<ApiError> check_context(const assistant::ModelService& model, size_t prompt_tokens,
                                      std::string param = "messages");

}  // namespace ingle::server
