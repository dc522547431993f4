#include "core/models/config.h"

#include <cmath>
#include <limits>

#include "core/quants/half.h"

namespace ingle::core {

using base::Error;
using base::ErrorCode;

std::string ConfigReader::key(std::string_view gguf_key, std::string_view json_key) const {
  if (!gguf_) return std::string(json_key);
  return gguf_key.empty() ? std::string() : prefix_ + std::string(gguf_key);
}

std::optional<uint32_t> ConfigReader::find_uint(std::string_view gguf_key, std::string_view json_key) const {
  const auto value = metadata_.find_uint(key(gguf_key, json_key));
  if (!value || *value > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return static_cast<uint32_t>(*value);
}

std::optional<float> ConfigReader::find_float(std::string_view gguf_key, std::string_view json_key) const {
  const auto value = metadata_.find_double(key(gguf_key, json_key));
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return static_cast<float>(*value);
}

const std::string* ConfigReader::find_string(std::string_view gguf_key, std::string_view json_key) const {
  return metadata_.find_string(key(gguf_key, json_key));
}

uint32_t ConfigReader::uint(std::string_view gguf_key, std::string_view json_key, std::optional<uint32_t> fallback) {
  if (const auto value = find_uint(gguf_key, json_key)) return *value;
  if (!fallback && missing_.empty()) missing_ = key(gguf_key, json_key);
  return fallback.value_or(0);
}

float ConfigReader::real(std::string_view gguf_key, std::string_view json_key, std::optional<float> fallback) {
  if (const auto value = find_float(gguf_key, json_key)) return *value;
  if (!fallback && missing_.empty()) missing_ = key(gguf_key, json_key);
  return fallback.value_or(0.0f);
}

ModelConfig ConfigReader::read_sizes() {
  ModelConfig config;
  config.width = uint("embedding_length", "hidden_size");
  config.layers = uint("block_count", "num_hidden_layers");
  config.heads = uint("attention.head_count", "num_attention_heads");
  config.kv_heads = uint("attention.head_count_kv", "num_key_value_heads", config.heads);
  config.feed_forward = uint("feed_forward_length", "intermediate_size");
  config.trained_context = uint("context_length", "max_position_embeddings");
  config.head_dim = uint("attention.key_length", "head_dim", config.heads != 0 ? config.width / config.heads : 0);
  return config;
}

base::Result<ModelConfig> ConfigReader::read_decoder(const ModelFile& file) {
  ModelConfig config = read_sizes();
  config.norm_epsilon = real("attention.layer_norm_rms_epsilon", "rms_norm_eps", 1e-5f);
  const uint32_t value_dim = uint("attention.value_length", "", config.head_dim);
  config.final_softcap = real("final_logit_softcapping", "final_logit_softcapping", 0.0f);
  config.attention_softcap = real("attn_logit_softcapping", "attn_logit_softcapping", 0.0f);
  if (value_dim != config.head_dim)
    return Error{ErrorCode::unsupported, "heads whose keys and values differ in length are not supported"};
  INGLE_CHECK(finish(file, file.find_tensor(gguf_ ? "token_embd.weight" : "model.embed_tokens.weight"), config));
  INGLE_CHECK(read_rope(file, config));
  return config;
}

base::Result<ModelConfig> ConfigReader::read_encoder(const ModelFile& file, const Tensor* embedding) {
  ModelConfig config = read_sizes();
  config.norm_epsilon = real("attention.layer_norm_epsilon", "layer_norm_eps", 1e-12f);
  INGLE_CHECK(finish(file, embedding, config));
  return config;
}

// What was read, as far as it must be there and within bounds; the vocabulary is as large as the embeddings.
base::Status ConfigReader::finish(const ModelFile& file, const Tensor* embedding, ModelConfig& config) const {
  if (file.tensors.empty())
    return Error{ErrorCode::unsupported,
                 file.path.string() + " holds a vocabulary and no weights; it can tokenize, but not be run"};
  if (!missing_.empty()) return Error{ErrorCode::corrupt, file.path.string() + " lacks the parameter " + missing_};
  if (embedding == nullptr) return Error{ErrorCode::corrupt, file.path.string() + " has no token embeddings"};
  if (embedding->rows() > std::numeric_limits<int32_t>::max())
    return Error{ErrorCode::corrupt, file.path.string() + ": the vocabulary is too large"};
  config.vocabulary_size = static_cast<uint32_t>(embedding->rows());
  return check(config);
}

// Bounds that keep every later product of sizes far from overflow.
base::Status ConfigReader::check(const ModelConfig& config) const {
  const auto refuse = [](const std::string& what) { return Error{ErrorCode::corrupt, "the model's " + what}; };
  const auto within = [](uint32_t value, uint32_t most) { return value >= 1 && value <= most; };
  if (!within(config.width, 1u << 18)) return refuse("width is out of range: " + std::to_string(config.width));
  if (!within(config.layers, 1024)) return refuse("number of layers is out of range: " + std::to_string(config.layers));
  if (!within(config.heads, 4096)) return refuse("number of heads is out of range: " + std::to_string(config.heads));
  if (!within(config.kv_heads, config.heads) || config.heads % config.kv_heads != 0)
    return refuse("key-value heads (" + std::to_string(config.kv_heads) + ") do not divide its heads (" +
                  std::to_string(config.heads) + ")");
  if (!within(config.feed_forward, 1u << 20)) return refuse("feed-forward length is out of range");
  if (!within(config.trained_context, 1u << 28)) return refuse("context length is out of range");
  if (!(config.norm_epsilon >= 0.0f && config.norm_epsilon < 1.0f)) return refuse("norm epsilon is out of range");
  if (!within(config.head_dim, 1024) || config.head_dim % 2 != 0)
    return Error{ErrorCode::unsupported, "heads of " + std::to_string(config.head_dim) +
                                             " values are not supported; supported are even numbers up to 1024"};
  return {};
}

base::Status ConfigReader::read_rope(const ModelFile& file, ModelConfig& config) {
  RopeConfig& rope = config.rope;
  rope.original_context = config.trained_context;
  INGLE_CHECK(gguf_ ? read_gguf_rope(file, config) : read_json_rope(config));
  config.local_rope = rope;
  const bool sane = rope.dimensions >= 2 && rope.dimensions <= config.head_dim && rope.dimensions % 2 == 0 &&
                    rope.base > 0.0f && rope.factor > 0.0f && rope.original_context >= 1;
  if (!sane) return Error{ErrorCode::corrupt, "the model's rotary embedding parameters are out of range"};
  for (const auto* divisors : {&rope.divisors, &rope.long_divisors})
    if (!divisors->empty() && divisors->size() != rope.dimensions / 2)
      return Error{ErrorCode::corrupt, "the model has " + std::to_string(divisors->size()) + " rotary divisors where " +
                                           std::to_string(rope.dimensions / 2) + " are needed"};
  return {};
}

namespace {

base::Status read_divisors(const ModelFile& file, std::string_view name, std::vector<float>& out) {
  const Tensor* tensor = file.find_tensor(name);
  if (tensor == nullptr) return {};
  if (tensor->format->name != "F32" || tensor->elements() > 4096)
    return Error{ErrorCode::corrupt, std::string(name) + " is not a small F32 vector"};
  out.assign(tensor->elements(), 1.0f);
  if (file.contents == FileContents::description) return {};
  tensor->format->decode(tensor->data.data(), out.data(), out.size());
  for (const float value : out)
    if (!(value > 0.0f)) return Error{ErrorCode::corrupt, std::string(name) + " has a divisor that is not positive"};
  return {};
}

}  // namespace

base::Status ConfigReader::read_gguf_rope(const ModelFile& file, ModelConfig& config) {
  RopeConfig& rope = config.rope;
  rope.base = real("rope.freq_base", "", 10000.0f);
  rope.dimensions = uint("rope.dimension_count", "", config.head_dim);
  rope.original_context = uint("rope.scaling.original_context_length", "", config.trained_context);
  INGLE_CHECK(read_divisors(file, "rope_freqs.weight", rope.divisors));
  INGLE_CHECK(read_divisors(file, "rope_factors_short.weight", rope.divisors));
  INGLE_CHECK(read_divisors(file, "rope_factors_long.weight", rope.long_divisors));
  if (!rope.long_divisors.empty())
    rope.scaling = RopeScaling::longrope;
  else if (!rope.divisors.empty())
    rope.scaling = RopeScaling::llama3;
  rope.factor = real("rope.scaling.factor", "", real("rope.scale_linear", "", 1.0f));
  rope.attention_factor = real("rope.scaling.attn_factor", "", 1.0f);
  rope.beta_fast = real("rope.scaling.yarn_beta_fast", "", 32.0f);
  rope.beta_slow = real("rope.scaling.yarn_beta_slow", "", 1.0f);
  const std::string* type = find_string("rope.scaling.type", "");
  if (type == nullptr) {
    if (rope.factor != 1.0f && rope.scaling == RopeScaling::none) rope.scaling = RopeScaling::linear;
    return {};
  }
  if (*type == "linear")
    rope.scaling = RopeScaling::linear;
  else if (*type == "yarn") {
    rope.scaling = RopeScaling::yarn;
    rope.attention_factor *= 1.0f + 0.1f * std::log(rope.factor);
  } else if (*type != "none" && *type != "longrope" && *type != "su") {
    return Error{ErrorCode::unsupported,
                 "the rope scaling \"" + *type + "\" is not supported; supported are linear, yarn, llama3, longrope"};
  }
  return {};
}

base::Status ConfigReader::read_json_rope(ModelConfig& config) {
  RopeConfig& rope = config.rope;
  // transformers 5 writes rope_parameters; earlier ones rope_theta and rope_scaling.
  std::string prefix = "rope_scaling.";
  if (metadata_.has("rope_parameters.rope_theta")) prefix = "rope_parameters.";
  if (metadata_.has("rope_parameters.full_attention.rope_theta")) prefix = "rope_parameters.full_attention.";
  rope.base = real("", prefix + "rope_theta", real("", "rope_theta", 10000.0f));
  const float partial = real("", prefix + "partial_rotary_factor", real("", "partial_rotary_factor", 1.0f));
  if (!(partial > 0.0f && partial <= 1.0f)) return Error{ErrorCode::corrupt, "partial_rotary_factor is out of range"};
  rope.dimensions = static_cast<uint32_t>(static_cast<float>(config.head_dim) * partial);
  return read_json_scaling(metadata_, prefix, config, rope);
}

base::Status read_json_scaling(const Metadata& metadata, const std::string& prefix, const ModelConfig& config,
                               RopeConfig& rope) {
  const auto number = [&](const char* name, float fallback) {
    const auto value = metadata.find_double(prefix + name);
    return value && std::isfinite(*value) ? static_cast<float>(*value) : fallback;
  };
  const std::string* type = metadata.find_string(prefix + "rope_type");
  if (type == nullptr) type = metadata.find_string(prefix + "type");
  if (type == nullptr || *type == "default") return {};
  rope.factor = number("factor", 1.0f);
  const auto original = metadata.find_uint(prefix + "original_max_position_embeddings");
  const auto outer = metadata.find_uint("original_max_position_embeddings");
  rope.original_context = static_cast<uint32_t>(original.value_or(outer.value_or(config.trained_context)));
  if (*type == "linear") {
    rope.scaling = RopeScaling::linear;
  } else if (*type == "yarn") {
    rope.scaling = RopeScaling::yarn;
    rope.beta_fast = number("beta_fast", 32.0f);
    rope.beta_slow = number("beta_slow", 1.0f);
    rope.attention_factor = number("attention_factor", 1.0f + 0.1f * std::log(rope.factor));
  } else if (*type == "llama3") {
    rope.scaling = RopeScaling::llama3;
    rope.low_frequency_factor = number("low_freq_factor", 1.0f);
    rope.high_frequency_factor = number("high_freq_factor", 4.0f);
  } else if (*type == "longrope" || *type == "su") {
    rope.scaling = RopeScaling::longrope;
    const auto* short_factors = metadata.find_doubles(prefix + "short_factor");
    const auto* long_factors = metadata.find_doubles(prefix + "long_factor");
    if (short_factors == nullptr || long_factors == nullptr)
      return Error{ErrorCode::corrupt, "config.json lacks short_factor or long_factor of its rope scaling"};
    rope.divisors.assign(short_factors->begin(), short_factors->end());
    rope.long_divisors.assign(long_factors->begin(), long_factors->end());
    const float ratio = static_cast<float>(config.trained_context) / static_cast<float>(rope.original_context);
    rope.attention_factor = number(
        "attention_factor",
        ratio <= 1.0f ? 1.0f : std::sqrt(1.0f + std::log(ratio) / std::log(static_cast<float>(rope.original_context))));
  } else {
    return Error{ErrorCode::unsupported,
                 "the rope scaling \"" + *type + "\" is not supported; supported are linear, yarn, llama3, longrope"};
  }
  return {};
}

namespace {

constexpr float kPi = 3.14159265358979f;

// Llama 3.1: long wavelengths are divided by factor, short ones kept, with a linear blend between.
float llama3_frequency(const RopeConfig& config, float inverse) {
  const float wavelength = 2.0f * kPi / inverse;
  const auto original = static_cast<float>(config.original_context);
  if (wavelength < original / config.high_frequency_factor) return inverse;
  if (wavelength > original / config.low_frequency_factor) return inverse / config.factor;
  const float smooth = (original / wavelength - config.low_frequency_factor) /
                       (config.high_frequency_factor - config.low_frequency_factor);
  return (1.0f - smooth) * inverse / config.factor + smooth * inverse;
}

// YaRN (Peng et al. 2023, arXiv 2309.00071): interpolate dimensions that turn less than beta_slow times over the
// original context, keep those that turn more than beta_fast times, blend between.
void apply_yarn(const RopeConfig& config, std::vector<float>& inverse) {
  const auto dims = static_cast<float>(config.dimensions);
  const auto boundary = [&](float rotations) {
    return dims * std::log(static_cast<float>(config.original_context) / (rotations * 2.0f * kPi)) /
           (2.0f * std::log(config.base));
  };
  const float low = std::max(std::floor(boundary(config.beta_fast)), 0.0f);
  float high = std::min(std::ceil(boundary(config.beta_slow)), dims - 1.0f);
  if (low == high) high += 0.001f;
  for (size_t i = 0; i < inverse.size(); ++i) {
    const float ramp = std::min(std::max((static_cast<float>(i) - low) / (high - low), 0.0f), 1.0f);
    inverse[i] = inverse[i] / config.factor * ramp + inverse[i] * (1.0f - ramp);
  }
}

}  // namespace

RopeSpec make_rope(const RopeConfig& config, uint32_t context_length) {
  RopeSpec spec;
  spec.interleaved = config.interleaved;
  spec.factor = config.attention_factor;
  spec.inverse_frequencies.resize(config.dimensions / 2);
  for (size_t i = 0; i < spec.inverse_frequencies.size(); ++i)
    spec.inverse_frequencies[i] =
        1.0f / std::pow(config.base, static_cast<float>(2 * i) / static_cast<float>(config.dimensions));
  const bool is_long = config.scaling == RopeScaling::longrope && context_length > config.original_context;
  const std::vector<float>& divisors = is_long ? config.long_divisors : config.divisors;
  if (!divisors.empty()) {
    for (size_t i = 0; i < divisors.size(); ++i) spec.inverse_frequencies[i] /= divisors[i];
  } else if (config.scaling == RopeScaling::llama3) {
    for (float& inverse : spec.inverse_frequencies) inverse = llama3_frequency(config, inverse);
  }
  if (config.scaling == RopeScaling::linear)
    for (float& inverse : spec.inverse_frequencies) inverse /= config.factor;
  if (config.scaling == RopeScaling::yarn) apply_yarn(config, spec.inverse_frequencies);
  return spec;
}

}  // namespace ingle::core
