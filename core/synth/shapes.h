// The shapes of well-known models as data: what their published config.json says about sizes, nothing of their weights.
// From a shape come the names and dimensions of its tensors and its metadata, as converters to GGUF write them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/files/gguf_writer.h"

namespace ingle::core {

/// Llama 3's rope scaling; factor 0: none.
struct Llama3Rope {
  float factor = 0.0f, low_frequency_factor = 1.0f, high_frequency_factor = 4.0f;
  uint32_t original_context = 8192;
};

struct Shape {
  std::string_view name;
  std::string_view architecture;  ///< general.architecture
  uint32_t layers = 0, width = 0, heads = 0, kv_heads = 0, head_dim = 0, feed_forward = 0, vocabulary = 0, context = 0;
  float rope_base = 10000.0f, norm_epsilon = 1e-5f;
  bool tied = false;  ///< the embedding is the output matrix as well
  // What the architecture's layers have besides the plain decoder's tensors.
  bool qkv_bias = false, qk_norm = false, post_norms = false;
  bool fused = false;   ///< attn_qkv holds Q, K, V; ffn_up holds gate and up
  uint32_t window = 0;  ///< 0: none
  Llama3Rope llama3{};
};

/// Sorted by architecture, then size; each supported architecture has one.
std::span<const Shape> all_shapes();
/// nullptr where there is none.
const Shape* find_shape(std::string_view name);

/// What a tensor is for: mixes of number formats and random values depend on it.
enum class TensorRole : uint8_t {
  embedding,
  output,
  attention_value,  ///< attn_v, attn_qkv
  network_down,     ///< ffn_down
  matrix,           ///< any other matrix
  norm,
  bias,
  rope_divisors,
};

struct ShapeTensor {
  std::string name;
  std::vector<uint64_t> dims;  ///< as in Tensor: dims[0] is a row's length
  TensorRole role = TensorRole::matrix;
  uint32_t layer = 0;

  uint64_t columns() const { return dims[0]; }
  uint64_t rows() const { return dims.size() > 1 ? dims[1] : 1; }
};

/// All tensors, in the file's order.
std::vector<ShapeTensor> tensors_of(const Shape& shape);
/// The keys "ARCHITECTURE.…".
std::vector<std::pair<std::string, GgufValue>> metadata_of(const Shape& shape);
/// The divisors of Llama 3's rotary frequencies, head_dim / 2 of them, as rope_freqs.weight holds them.
std::vector<float> llama3_divisors(const Shape& shape);
/// How many numbers the model has.
uint64_t parameters_of(const Shape& shape);

}  // namespace ingle::core
