// What the bodies of all generating routes have in common: sampling, ends, log-probabilities.
#pragma once

#include <cstdint>

#include "assistant/inference/model_service.h"
#include "server/api/reader.h"
#include "server/api/route.h"

namespace ingle::server {

/// Fields that OpenAI's API does not have, but others know by these names; for tables of fields.
#define INGLE_SAMPLING_FIELDS                                                                                         \
  {"top_k", "only the k likeliest tokens are drawn from"},                                                            \
      {"min_p", "… and those at least so likely as the likeliest"}, {"typical_p", "locally typical sampling"},        \
      {"repeat_penalty", "divides logits of what was said"},                                                          \
      {"repeat_last_n", "tokens that penalties look back; -1: all"}, {"mirostat", "0 or 2"}, {"mirostat_tau", ""},    \
      {"mirostat_eta", ""}, {"xtc_probability", ""}, {"xtc_threshold", ""}, {"dry_multiplier", ""}, {"dry_base", ""}, \
      {"dry_allowed_length", ""}, {"dry_last_n", ""}, {"ignore_eos", "goes on where the model would end"},            \
      {"ingle",                                                                                                       \
       "our own: {priority: \"interactive\" or \"background\", keep_prefix: true or false, overflow: \"error\", "     \
       "\"drop_oldest\", \"drop_middle\" or \"summarise\"}"}

/// A request without its prompt: what the body says over what the model recommends. Without a seed one is drawn.
/// `reader.error()` tells what is wrong.
assistant::GenerationRequest read_generation(Reader& reader, const assistant::ModelService& model, const Call& call);

/// `ingle`, for bodies in which it does not stand beside the sampling.
void read_ingle(Reader& reader, assistant::GenerationRequest& request);

/// The most answers to one request, stop strings, likeliest tokens.
inline constexpr int64_t kMostChoices = 16, kMostStops = 16, kMostLikeliest = 20;
inline constexpr size_t kLongestStop = 1024;  ///< bytes

/// Texts that end an answer.
std::vector<std::string> read_stops(Reader& reader, std::string_view name);

/// Whether a prompt leaves room for an answer. Otherwise OpenAI's error for it.
std::optional<ApiError> check_context(const assistant::ModelService& model, size_t prompt_tokens,
                                      std::string param = "messages");

}  // namespace ingle::server
