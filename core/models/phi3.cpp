// phi3: Phi-3 and 3.5 mini, Phi-4 mini: Q, K, V in one matrix, gate and up in another; LongRoPE and partial rotation.
#include "core/models/config.h"
#include "core/models/decoder.h"

namespace ingle::core {
namespace {

base::Result<ModelConfig> configure(const ModelFile& file) {
  ConfigReader reader(file, "phi3");
  INGLE_TRY(ModelConfig config, reader.read_decoder(file));
  config.window = reader.uint("attention.sliding_window", "sliding_window", 0);
  return config;
}

base::Result<Graph> build(const ModelFile& file, const ModelConfig& config, const BuildOptions& options) {
  return build_decoder(file, config, options, {.fused_qkv = true, .fused_gate_up = true});
}

constexpr std::string_view kClassNames[] = {"Phi3ForCausalLM"};

}  // namespace

extern const Architecture phi3_record = {"phi3", kClassNames, configure, build};

}  // namespace ingle::core
