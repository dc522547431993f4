// qwen3: Qwen3's dense models: no biases, a norm on each query and key head.
#include "core/models/config.h"
#include "core/models/decoder.h"

namespace ingle::core {
namespace {

base::Result<ModelConfig> configure(const ModelFile& file) {
  ConfigReader reader(file, "qwen3");
  INGLE_TRY(ModelConfig config, reader.read_decoder(file));
  if (file.metadata.find_bool("use_sliding_window").value_or(false)) {
    config.window = reader.uint("", "sliding_window", 0);
    config.window_from = reader.uint("", "max_window_layers", config.layers);
  }
  return config;
}

base::Result<Graph> build(const ModelFile& file, const ModelConfig& config, const BuildOptions& options) {
  return build_decoder(file, config, options, {.qk_norm = true});
}

constexpr std::string_view kClassNames[] = {"Qwen3ForCausalLM"};

}  // namespace

extern const Architecture qwen3_record = {"qwen3", kClassNames, configure, build};

}  // namespace ingle::core
