#include "core/synth/shapes.h"

#include <algorithm>
#include <cmath>

namespace ingle::core {
namespace {

// Sources: config.json of huggingface.co/google/gemma-3-270m and -1b-it, HuggingFaceTB/SmolLM2-135M and -1.7B,
// meta-llama/Llama-3.2-1B and -3B, Llama-2-7b-hf, Llama-3.1-8B, microsoft/Phi-3-mini-4k-instruct,
// Qwen/Qwen2.5-0.5B-Instruct and its sisters, Qwen/Qwen3-0.6B, -1.7B and -4B. synth_test.cpp compares four of them with
// files that others converted from these models.
constexpr Shape kShapes[] = {
    {.name = "gemma3-270m",
     .architecture = "gemma3",
     .layers = 18,
     .width = 640,
     .heads = 4,
     .kv_heads = 1,
     .head_dim = 256,
     .feed_forward = 2048,
     .vocabulary = 262144,
     .context = 32768,
     .rope_base = 1e6f,
     .norm_epsilon = 1e-6f,
     .tied = true,
     .qk_norm = true,
     .post_norms = true,
     .window = 512},
    {.name = "gemma3-1b",
     .architecture = "gemma3",
     .layers = 26,
     .width = 1152,
     .heads = 4,
     .kv_heads = 1,
     .head_dim = 256,
     .feed_forward = 6912,
     .vocabulary = 262144,
     .context = 32768,
     .rope_base = 1e6f,
     .norm_epsilon = 1e-6f,
     .tied = true,
     .qk_norm = true,
     .post_norms = true,
     .window = 512},
    {.name = "smollm2-135m",
     .architecture = "llama",
     .layers = 30,
     .width = 576,
     .heads = 9,
     .kv_heads = 3,
     .head_dim = 64,
     .feed_forward = 1536,
     .vocabulary = 49152,
     .context = 8192,
     .rope_base = 1e5f,
     .tied = true},
    {.name = "llama-3.2-1b",
     .architecture = "llama",
     .layers = 16,
     .width = 2048,
     .heads = 32,
     .kv_heads = 8,
     .head_dim = 64,
     .feed_forward = 8192,
     .vocabulary = 128256,
     .context = 131072,
     .rope_base = 5e5f,
     .tied = true,
     .llama3 = {.factor = 32.0f}},
    {.name = "smollm2-1.7b",
     .architecture = "llama",
     .layers = 24,
     .width = 2048,
     .heads = 32,
     .kv_heads = 32,
     .head_dim = 64,
     .feed_forward = 8192,
     .vocabulary = 49152,
     .context = 8192,
     .rope_base = 1.3e5f,
     .tied = true},
    {.name = "llama-3.2-3b",
     .architecture = "llama",
     .layers = 28,
     .width = 3072,
     .heads = 24,
     .kv_heads = 8,
     .head_dim = 128,
     .feed_forward = 8192,
     .vocabulary = 128256,
     .context = 131072,
     .rope_base = 5e5f,
     .tied = true,
     .llama3 = {.factor = 32.0f}},
    {.name = "llama-2-7b",
     .architecture = "llama",
     .layers = 32,
     .width = 4096,
     .heads = 32,
     .kv_heads = 32,
     .head_dim = 128,
     .feed_forward = 11008,
     .vocabulary = 32000,
     .context = 4096},
    {.name = "llama-3.1-8b",
     .architecture = "llama",
     .layers = 32,
     .width = 4096,
     .heads = 32,
     .kv_heads = 8,
     .head_dim = 128,
     .feed_forward = 14336,
     .vocabulary = 128256,
     .context = 131072,
     .rope_base = 5e5f,
     .llama3 = {.factor = 8.0f}},
    {.name = "phi-3-mini",
     .architecture = "phi3",
     .layers = 32,
     .width = 3072,
     .heads = 32,
     .kv_heads = 32,
     .head_dim = 96,
     .feed_forward = 8192,
     .vocabulary = 32064,
     .context = 4096,
     .fused = true,
     .window = 2047},
    {.name = "qwen2.5-0.5b",
     .architecture = "qwen2",
     .layers = 24,
     .width = 896,
     .heads = 14,
     .kv_heads = 2,
     .head_dim = 64,
     .feed_forward = 4864,
     .vocabulary = 151936,
     .context = 32768,
     .rope_base = 1e6f,
     .norm_epsilon = 1e-6f,
     .tied = true,
     .qkv_bias = true},
    {.name = "qwen2.5-1.5b",
     .architecture = "qwen2",
     .layers = 28,
     .width = 1536,
     .heads = 12,
     .kv_heads = 2,
     .head_dim = 128,
     .feed_forward = 8960,
     .vocabulary = 151936,
     .context = 32768,
     .rope_base = 1e6f,
     .norm_epsilon = 1e-6f,
     .tied = true,
     .qkv_bias = true},
    {.name = "qwen2.5-7b",
     .architecture = "qwen2",
     .layers = 28,
     .width = 3584,
     .heads = 28,
     .kv_heads = 4,
     .head_dim = 128,
     .feed_forward = 18944,
     .vocabulary = 152064,
     .context = 32768,
     .rope_base = 1e6f,
     .norm_epsilon = 1e-6f,
     .qkv_bias = true},
    {.name = "qwen3-0.6b",
     .architecture = "qwen3",
     .layers = 28,
     .width = 1024,
     .heads = 16,
     .kv_heads = 8,
     .head_dim = 128,
     .feed_forward = 3072,
     .vocabulary = 151936,
     .context = 40960,
     .rope_base = 1e6f,
     .norm_epsilon = 1e-6f,
     .tied = true,
     .qk_norm = true},
    {.name = "qwen3-1.7b",
     .architecture = "qwen3",
     .layers = 28,
     .width = 2048,
     .heads = 16,
     .kv_heads = 8,
     .head_dim = 128,
     .feed_forward = 6144,
     .vocabulary = 151936,
     .context = 40960,
     .rope_base = 1e6f,
     .norm_epsilon = 1e-6f,
     .tied = true,
     .qk_norm = true},
    {.name = "qwen3-4b",
     .architecture = "qwen3",
     .layers = 36,
     .width = 2560,
     .heads = 32,
     .kv_heads = 8,
     .head_dim = 128,
     .feed_forward = 9728,
     .vocabulary = 151936,
     .context = 40960,
     .rope_base = 1e6f,
     .norm_epsilon = 1e-6f,
     .tied = true,
     .qk_norm = true},
};

class TensorList {
 public:
  explicit TensorList(const Shape& shape) : shape_(shape) {}

  std::vector<ShapeTensor> make() {
    const uint64_t width = shape_.width, vocabulary = shape_.vocabulary;
    add("token_embd.weight", {width, vocabulary}, TensorRole::embedding);
    if (shape_.llama3.factor != 0.0f) add("rope_freqs.weight", {shape_.head_dim / 2}, TensorRole::rope_divisors);
    for (layer_ = 0; layer_ < shape_.layers; ++layer_) {
      prefix_ = "blk." + std::to_string(layer_) + ".";
      add_attention();
      add_network();
    }
    prefix_.clear();
    layer_ = 0;
    add("output_norm.weight", {width}, TensorRole::norm);
    if (!shape_.tied) add("output.weight", {width, vocabulary}, TensorRole::output);
    return std::move(tensors_);
  }

 private:
  void add(const std::string& name, std::vector<uint64_t> dims, TensorRole role) {
    tensors_.push_back({prefix_ + name, std::move(dims), role, layer_});
  }

  void add_projection(const std::string& name, uint64_t columns, uint64_t rows, TensorRole role, bool bias) {
    add(name + ".weight", {columns, rows}, role);
    if (bias) add(name + ".bias", {rows}, TensorRole::bias);
  }

  void add_attention() {
    const uint64_t width = shape_.width, q_rows = uint64_t{shape_.heads} * shape_.head_dim,
                   kv_rows = uint64_t{shape_.kv_heads} * shape_.head_dim;
    add("attn_norm.weight", {width}, TensorRole::norm);
    if (shape_.fused) {
      add_projection("attn_qkv", width, q_rows + 2 * kv_rows, TensorRole::attention_value, shape_.qkv_bias);
    } else {
      add_projection("attn_q", width, q_rows, TensorRole::matrix, shape_.qkv_bias);
      add_projection("attn_k", width, kv_rows, TensorRole::matrix, shape_.qkv_bias);
      add_projection("attn_v", width, kv_rows, TensorRole::attention_value, shape_.qkv_bias);
    }
    if (shape_.qk_norm) {
      add("attn_q_norm.weight", {shape_.head_dim}, TensorRole::norm);
      add("attn_k_norm.weight", {shape_.head_dim}, TensorRole::norm);
    }
    add_projection("attn_output", q_rows, width, TensorRole::matrix, false);
    if (shape_.post_norms) add("post_attention_norm.weight", {width}, TensorRole::norm);
  }

  void add_network() {
    const uint64_t width = shape_.width, inner = shape_.feed_forward;
    add("ffn_norm.weight", {width}, TensorRole::norm);
    if (!shape_.fused) add("ffn_gate.weight", {width, inner}, TensorRole::matrix);
    add("ffn_up.weight", {width, shape_.fused ? 2 * inner : inner}, TensorRole::matrix);
    add("ffn_down.weight", {inner, width}, TensorRole::network_down);
    if (shape_.post_norms) add("post_ffw_norm.weight", {width}, TensorRole::norm);
  }

  const Shape& shape_;
  std::vector<ShapeTensor> tensors_;
  std::string prefix_;
  uint32_t layer_ = 0;
};

}  // namespace

std::span<const Shape> all_shapes() {
  return kShapes;
}

const Shape* find_shape(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kShapes), std::end(kShapes), [&](const Shape& shape) { return shape.name == name; });
  return found == std::end(kShapes) ? nullptr : found;
}

std::vector<ShapeTensor> tensors_of(const Shape& shape) {
  return TensorList(shape).make();
}

std::vector<std::pair<std::string, GgufValue>> metadata_of(const Shape& shape) {
  std::vector<std::pair<std::string, GgufValue>> out;
  const auto add = [&](const char* key, GgufValue value) {
    out.emplace_back(std::string(shape.architecture) + "." + key, std::move(value));
  };
  add("block_count", shape.layers);
  add("context_length", shape.context);
  add("embedding_length", shape.width);
  add("feed_forward_length", shape.feed_forward);
  add("attention.head_count", shape.heads);
  add("attention.head_count_kv", shape.kv_heads);
  if (shape.head_dim * shape.heads != shape.width) {
    add("attention.key_length", shape.head_dim);
    add("attention.value_length", shape.head_dim);
  }
  add("attention.layer_norm_rms_epsilon", shape.norm_epsilon);
  if (shape.window != 0) add("attention.sliding_window", shape.window);
  add("rope.freq_base", shape.rope_base);
  add("rope.dimension_count", shape.head_dim);
  add("vocab_size", shape.vocabulary);
  return out;
}

std::vector<float> llama3_divisors(const Shape& shape) {
  const Llama3Rope& rope = shape.llama3;
  const double longest = rope.original_context / double{rope.low_frequency_factor};
  const double shortest = rope.original_context / double{rope.high_frequency_factor};
  std::vector<float> out;
  for (uint32_t i = 0; i < shape.head_dim / 2; ++i) {
    const double wavelength = 2 * 3.14159265358979323846 * std::pow(double{shape.rope_base}, 2.0 * i / shape.head_dim);
    double divisor = 1.0;
    if (wavelength > longest) {
      divisor = double{rope.factor};
    } else if (wavelength >= shortest) {
      const double smooth = (rope.original_context / wavelength - double{rope.low_frequency_factor}) /
                            (double{rope.high_frequency_factor} - double{rope.low_frequency_factor});
      divisor = 1.0 / ((1.0 - smooth) / double{rope.factor} + smooth);
    }
    out.push_back(static_cast<float>(divisor));
  }
  return out;
}

uint64_t parameters_of(const Shape& shape) {
  uint64_t sum = 0;
  for (const ShapeTensor& tensor : tensors_of(shape))
    if (tensor.role != TensorRole::rope_divisors) sum += tensor.columns() * tensor.rows();
  return sum;
}

}  // namespace ingle::core
