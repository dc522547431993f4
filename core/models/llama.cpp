// llama: LLaMA 1-3 (with Llama 3's rope scaling), SmolLM2, Mistral. GGUF files hold Q and K with each head's rows
// permuted so that rotation takes neighbouring pairs; checkpoints hold them in halves.
#include "core/models/config.h"
#include "core/models/decoder.h"

namespace ingle::core {
namespace {

base::Result<ModelConfig> configure(const ModelFile& file) {
  ConfigReader reader(file, "llama");
  INGLE_TRY(ModelConfig config, reader.read_decoder(file));
  config.rope.interleaved = reader.gguf();
  config.window = reader.uint("attention.sliding_window", "sliding_window", 0);
  return config;
}

base::Result<Graph> build(const ModelFile& file, const ModelConfig& config, const BuildOptions& options) {
  return build_decoder(file, config, options, {});
}

constexpr std::string_view kClassNames[] = {"LlamaForCausalLM", "MistralForCausalLM"};

}  // namespace

extern const Architecture llama_record = {"llama", kClassNames, configure, build};

}  // namespace ingle::core
