#include "server/api/generation.h"

#include <cmath>
#include <limits>
#include <random>

#include "server/api/turns.h"

namespace ingle::server {
namespace {

constexpr double kLargest = std::numeric_limits<float>::max();

struct FloatField {
  std::string_view name;
  float core::SamplingParams::* field;
  double least, most;
};
constexpr FloatField kFloats[] = {
    {"temperature", &core::SamplingParams::temperature, 0, 100},
    {"top_p", &core::SamplingParams::top_p, 0, 1},
    {"min_p", &core::SamplingParams::min_p, 0, 1},
    {"typical_p", &core::SamplingParams::typical_p, 0, 1},
    {"frequency_penalty", &core::SamplingParams::frequency_penalty, -2, 2},
    {"presence_penalty", &core::SamplingParams::presence_penalty, -2, 2},
    {"repeat_penalty", &core::SamplingParams::repeat_penalty, 0, 100},
    {"mirostat_tau", &core::SamplingParams::mirostat_tau, 0, kLargest},
    {"mirostat_eta", &core::SamplingParams::mirostat_eta, 0, kLargest},
    {"xtc_probability", &core::SamplingParams::xtc_probability, 0, 1},
    {"xtc_threshold", &core::SamplingParams::xtc_threshold, 0, 1},
    {"dry_multiplier", &core::SamplingParams::dry_multiplier, 0, 100},
    {"dry_base", &core::SamplingParams::dry_base, 0, 100},
};
struct IntField {
  std::string_view name;
  int32_t core::SamplingParams::* field;
  int64_t least;
};
constexpr IntField kInts[] = {
    {"top_k", &core::SamplingParams::top_k, 0},
    {"repeat_last_n", &core::SamplingParams::penalty_last_n, -1},
    {"mirostat", &core::SamplingParams::mirostat, 0},
    {"dry_allowed_length", &core::SamplingParams::dry_allowed_length, 0},
    {"dry_last_n", &core::SamplingParams::dry_last_n, -1},
};
constexpr Field kOwnFields[] = {
    {"priority", "interactive or background"},
    {"keep_prefix", "whether what is computed may serve later requests"},
    {"overflow", "what is done with a chat that exceeds the context"},
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
  std::vector<std::string> stops = reader.texts(name, kMostStops);
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
  inner.check(kOwnFields, nullptr);
  if (const auto priority = inner.text("priority")) {
    if (*priority != "interactive" && *priority != "background")
      inner.fail("priority", "'ingle.priority' is interactive or background");
    request.priority = *priority == "background" ? core::Priority::background : core::Priority::interactive;
  }
  request.keep_prefix = inner.boolean("keep_prefix").value_or(true);
  if (const auto overflow = inner.text("overflow"); overflow && !find_overflow(*overflow))
    inner.fail("overflow", "'ingle.overflow' is error, drop_oldest, drop_middle or summarise");
  reader.adopt(inner.error());
}

assistant::GenerationRequest read_generation(Reader& reader, const assistant::ModelService& model, const Call& call) {
  assistant::GenerationRequest request;
  core::SamplingParams& sampling = request.sampling;
  sampling = model.facts().default_sampling;
  for (const FloatField& field : kFloats)
    if (const auto value = reader.number(field.name, field.least, field.most))
      sampling.*field.field = static_cast<float>(*value);
  for (const IntField& field : kInts)
    if (const auto value = reader.integer(field.name, field.least, std::numeric_limits<int32_t>::max()))
      sampling.*field.field = static_cast<int32_t>(*value);
  read_logit_bias(reader, model.info().vocabulary_size, sampling);
  const auto seed = reader.integer("seed", std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
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
