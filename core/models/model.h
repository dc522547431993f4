// From a model file to a graph: architectures, hyperparameters, tensors by name.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/files/model_file.h"
#include "core/graph/graph.h"

namespace ingle::core {

enum class RopeScaling : uint8_t { none, linear, yarn, llama3, longrope };

struct RopeConfig {
  float base = 10000.0f;
  uint32_t dimensions = 0;  ///< rotated per head
  RopeScaling scaling = RopeScaling::none;
  float factor = 1.0f;
  float attention_factor = 1.0f;                                    ///< on cosine and sine
  uint32_t original_context = 0;                                    ///< what the model was trained on before scaling
  float beta_fast = 32.0f, beta_slow = 1.0f;                        // YaRN
  float low_frequency_factor = 1.0f, high_frequency_factor = 4.0f;  // Llama 3
  std::vector<float> divisors;       ///< per pair: Llama 3 in GGUF, LongRoPE within the original context
  std::vector<float> long_divisors;  ///< LongRoPE beyond it
  bool interleaved = false;
};

/// How the rows of an encoder become what stands for a text: their mean, the first one (of the token CLS), or a score
/// made of that one.
enum class Pooling : uint8_t { none, mean, cls, rank };

/// Hyperparameters, whatever the container called them.
struct ModelConfig {
  uint32_t width = 0, layers = 0, heads = 0, kv_heads = 0, head_dim = 0, feed_forward = 0;
  uint32_t vocabulary_size = 0;
  uint32_t trained_context = 0;
  float norm_epsilon = 1e-5f;
  RopeConfig rope, local_rope;  ///< local_rope: of windowed layers, where they have their own
  uint32_t window = 0;          ///< 0: none
  uint32_t window_period =
      0;  ///< every n-th layer sees all positions; 0: windowed layers are those from window_from on
  uint32_t window_from = 0;
  float attention_scale = 0.0f;  ///< 0: 1 / sqrt(head_dim)
  float final_softcap = 0.0f, attention_softcap = 0.0f;
  Pooling pooling = Pooling::none;  ///< none: a decoder, which writes text
  uint32_t token_types = 0;         ///< of an encoder
  Activation activation = Activation::silu;

  bool windowed(uint32_t layer) const {
    return window != 0 && (window_period != 0 ? (layer + 1) % window_period != 0 : layer >= window_from);
  }
};

/// A LoRA adapter's file and the weight it is applied with.
struct Adapter {
  const ModelFile* file = nullptr;
  float scale = 1.0f;
};

struct BuildOptions {
  uint32_t context_length = 0;  ///< chooses LongRoPE's divisors; 0: the trained length
  std::span<const Adapter> adapters;
};

struct Architecture {
  std::string_view name;                          ///< general.architecture
  std::span<const std::string_view> class_names;  ///< config.json's "architectures"
  base::Result<ModelConfig> (*configure)(const ModelFile& file);
  base::Result<Graph> (*build)(const ModelFile& file, const ModelConfig& config, const BuildOptions& options);
};

/// All architectures of this build.
std::span<const Architecture* const> all_architectures();

/// Errors: unsupported (names the architecture and those supported), corrupt.
base::Result<const Architecture*> find_architecture(const ModelFile& file);

}  // namespace ingle::core
