// gemma3 (text): five windowed layers, with their own rope base, to one that sees everything; norms before and after
// each branch and on query and key heads, GELU, embeddings scaled by sqrt(width). Scaling of the rope is for the full
// layers.
#include <cmath>

#include "core/models/config.h"
#include "core/models/decoder.h"

namespace ingle::core {
namespace {

constexpr uint32_t kPeriod = 6;

base::Result<ModelConfig> configure(const ModelFile& file) {
  ConfigReader reader(file, "gemma3");
  INGLE_TRY(ModelConfig config, reader.read_decoder(file));
  config.window = reader.uint("attention.sliding_window", "sliding_window");
  config.window_period = reader.uint("attention.sliding_window_pattern", "sliding_window_pattern",
                                     reader.uint("", "_sliding_window_pattern", kPeriod));
  if (config.window_period == 0) return base::Error{base::ErrorCode::corrupt, "the model's window pattern is 0"};
  config.local_rope = {};
  config.local_rope.dimensions = config.rope.dimensions;
  config.local_rope.original_context = config.rope.original_context;
  config.local_rope.base = reader.real("rope.freq_base_swa", "rope_parameters.sliding_attention.rope_theta",
                                       reader.real("", "rope_local_base_freq", 10000.0f));
  const float scalar = reader.real("", "query_pre_attn_scalar", static_cast<float>(config.head_dim));
  if (!(scalar > 0.0f)) return base::Error{base::ErrorCode::corrupt, "query_pre_attn_scalar is not positive"};
  config.attention_scale = 1.0f / std::sqrt(scalar);
  return config;
}

base::Result<Graph> build(const ModelFile& file, const ModelConfig& config, const BuildOptions& options) {
  return build_decoder(file, config, options,
                       {.activation = Activation::gelu_tanh,
                        .qk_norm = true,
                        .post_norms = true,
                        .scale_embedding = true,
                        .json_norms_add_one = true,
                        .json_ffn_norm = "pre_feedforward_layernorm"});
}

constexpr std::string_view kClassNames[] = {"Gemma3ForCausalLM"};

}  // namespace

extern const Architecture gemma3_record = {"gemma3", kClassNames, configure, build};

}  // namespace ingle::core
