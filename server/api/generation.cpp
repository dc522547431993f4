#include "server/api/generation.h"

#include <cmath>
#include <random>
#include <utility>

namespace ingle::server {
namespace {

// By the names that requests have for them.
constexpr std::pair<std::string_view, float core::SamplingParams::*> kFloats[] = {
    {"temperature", &core::SamplingParams::temperature},
    {"top_p", &core::SamplingParams::top_p},
    {"min_p", &core::SamplingParams::min_p},
    {"typical_p", &core::SamplingParams::typical_p},
    {"frequency_penalty", &core::SamplingParams::frequency_penalty},
    {"presence_penalty", &core::SamplingParams::presence_penalty},
    {"repeat_penalty", &core::SamplingParams::repeat_penalty},
    {"mirostat_tau", &core::SamplingParams::mirostat_tau},
    {"mirostat_eta", &core::SamplingParams::mirostat_eta},
    {"xtc_probability", &core::SamplingParams::xtc_probability},
    {"xtc_threshold", &core::SamplingParams::xtc_threshold},
    {"dry_multiplier", &core::SamplingParams::dry_multiplier},
    {"dry_base", &core::SamplingParams::dry_base},
};
constexpr std::pair<std::string_view, int32_t core::SamplingParams::*> kInts[] = {
    {"top_k", &core::SamplingParams::top_k},
    {"repeat_last_n", &core::SamplingParams::penalty_last_n},
    {"mirostat", &core::SamplingParams::mirostat},
    {"dry_allowed_length", &core::SamplingParams::dry_allowed_length},
    {"dry_last_n", &core::SamplingParams::dry_last_n},
};

uint64_t draw_seed() {
  std::random_device device;
  return (uint64_t{device()} << 32 | device()) >> 1;
}

// {"50256": -100}; the keys are token ids.
void read_logit_bias(Reader& reader, uint32_t vocabulary, core::SamplingParams& sampling) {
  const base::Json* bias = reader.object("logit_bias");
  if (bias == nullptr) return;
  for (const auto& [key, value] : bias->items()) {
    uint64_t id = 0;
    const bool digits = !key.empty() && key.size() < 10 && key.find_first_not_of("0123456789") == std::string::npos;
    if (digits) id = std::stoull(key);
    if (!digits || id >= vocabulary || !value.is_number() || std::abs(value.get<double>()) > 100)
      return reader.fail("logit_bias", "'logit_bias' maps ids of tokens below " + std::to_string(vocabulary) +
                                           " to numbers from -100 to 100");
    sampling.logit_bias.emplace_back(static_cast<int32_t>(id), value.get<float>());
  }
}

}  // namespace

std::vector<std::string> read_stops(Reader& reader, std::string_view name) {
  std::vector<std::string> stops = reader.texts(name);
  for (const std::string& stop : stops)
    if (stop.size() > kLongestStop)
      reader.fail(name,
                  "a text of '" + std::string(name) + "' has more than " + std::to_string(kLongestStop) + " bytes");
  return stops;
}

void read_ingle(Reader& reader, assistant::GenerationRequest& request) {
  const base::Json* own = reader.object("ingle");
  if (own == nullptr) return;
  Reader inner(*own, "ingle");
  request.priority = inner.text("priority") == "background" ? core::Priority::background : core::Priority::interactive;
  request.keep_prefix = inner.boolean("keep_prefix").value_or(true);
  reader.adopt(inner.error());
}

assistant::GenerationRequest read_generation(Reader& reader, const assistant::ModelService& model, const Call& call) {
  assistant::GenerationRequest request;
  core::SamplingParams& sampling = request.sampling;
  sampling = model.facts().default_sampling;
  for (const auto& [name, field] : kFloats)
    if (const auto value = reader.number(name)) sampling.*field = static_cast<float>(*value);
  for (const auto& [name, field] : kInts)
    if (const auto value = reader.integer(name)) sampling.*field = static_cast<int32_t>(*value);
  read_logit_bias(reader, model.info().vocabulary_size, sampling);
  const auto seed = reader.integer("seed");
  sampling.seed = seed ? static_cast<uint64_t>(*seed) : draw_seed();
  request.reply.stop_strings = read_stops(reader, "stop");
  request.reply.ignore_stop_tokens = reader.boolean("ignore_eos").value_or(false);
  read_ingle(reader, request);
  if (!reader.error())
    if (const base::Status valid = core::validate(sampling); !valid.ok()) reader.fail({}, valid.error().message);
  request.principal = call.principal;
  request.client = call.client;
  return request;
}

std::optional<ApiError> check_context(const assistant::ModelService& model, size_t prompt_tokens, std::string param) {
  const uint32_t context = model.info().context_length;
  if (prompt_tokens < context) return std::nullopt;
  return ApiError{400,
                  "this model's context is " + std::to_string(context) + " tokens, and the prompt has " +
                      std::to_string(prompt_tokens) + "; shorten it, or serve the model with a longer --ctx",
                  std::move(param),
                  "context_length_exceeded",
                  {}};
}

}  // namespace ingle::server
