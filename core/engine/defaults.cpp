// Sampling defaults from metadata. GGUF's keys: gguf-py/gguf/constants.py of llama.cpp (Keys.General.SAMPLING_*).
// Hugging Face's: generation_config.json, transformers' GenerationConfig.
#include "core/engine/defaults.h"

#include <string_view>

namespace ingle::core {
namespace {

/// A number of the metadata and what it sets.
struct NumberRule {
  std::string_view key;
  float SamplingParams::* number;
};
struct CountRule {
  std::string_view key;
  int32_t SamplingParams::* count;
};

// Where both spellings occur, the later wins.
constexpr NumberRule kNumbers[] = {
    {"generation.temperature", &SamplingParams::temperature},
    {"generation.top_p", &SamplingParams::top_p},
    {"generation.min_p", &SamplingParams::min_p},
    {"generation.typical_p", &SamplingParams::typical_p},
    {"generation.repetition_penalty", &SamplingParams::repeat_penalty},
    {"general.sampling.temp", &SamplingParams::temperature},
    {"general.sampling.top_p", &SamplingParams::top_p},
    {"general.sampling.min_p", &SamplingParams::min_p},
    {"general.sampling.xtc_probability", &SamplingParams::xtc_probability},
    {"general.sampling.xtc_threshold", &SamplingParams::xtc_threshold},
    {"general.sampling.penalty_repeat", &SamplingParams::repeat_penalty},
    {"general.sampling.mirostat_tau", &SamplingParams::mirostat_tau},
    {"general.sampling.mirostat_eta", &SamplingParams::mirostat_eta},
};
constexpr CountRule kCounts[] = {
    {"generation.top_k", &SamplingParams::top_k},
    {"general.sampling.top_k", &SamplingParams::top_k},
    {"general.sampling.penalty_last_n", &SamplingParams::penalty_last_n},
    {"general.sampling.mirostat", &SamplingParams::mirostat},
};

/// Sets one field, unless that makes the parameters invalid.
template <class Value>
void set(SamplingParams& params, Value SamplingParams::* field, double value) {
  const Value before = params.*field;
  if (!(value >= -1e9 && value <= 1e9)) return;
  params.*field = static_cast<Value>(value);
  if (!validate(params).ok()) params.*field = before;
}

}  // namespace

SamplingParams default_sampling(const Metadata& metadata) {
  SamplingParams params;
  for (const NumberRule& rule : kNumbers) {
    if (const auto value = metadata.find_double(rule.key)) set(params, rule.number, *value);
  }
  for (const CountRule& rule : kCounts) {
    if (const auto value = metadata.find_double(rule.key)) set(params, rule.count, *value);
  }
  // transformers applies its penalty to the whole text.
  if (metadata.has("generation.repetition_penalty") && !metadata.has("general.sampling.penalty_last_n")) {
    params.penalty_last_n = -1;
  }
  if (metadata.find_bool("generation.do_sample") == false) params.temperature = 0;
  return params;
}

}  // namespace ingle::core
