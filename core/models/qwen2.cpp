// qwen2: Qwen2, Qwen2.5 and their coders: biases on Q, K and V; a window only where config.json switches it on.
#include "core/models/config.h"
#include "core/models/decoder.h"

namespace ingle::core {
namespace {

base::Result<ModelConfig> configure(const ModelFile& file) {
  ConfigReader reader(file, "qwen2");
  INGLE_TRY(ModelConfig config, reader.read_decoder(file));
  if (file.metadata.find_bool("use_sliding_window").value_or(false)) {
    config.window = reader.uint("", "sliding_window", 0);
    config.window_from = reader.uint("", "max_window_layers", config.layers);
  }
  return config;
}

base::Result<Graph> build(const ModelFile& file, const ModelConfig& config, const BuildOptions& options) {
  return build_decoder(file, config, options, {});
}

constexpr std::string_view kClassNames[] = {"Qwen2ForCausalLM"};

}  // namespace

extern const Architecture qwen2_record = {"qwen2", kClassNames, configure, build};

}  // namespace ingle::core
