#include "core/models/decoder.h"

#include <cmath>
#include <set>

#include "core/models/config.h"

namespace ingle::core {

using base::Error;
using base::ErrorCode;

namespace {

constexpr TensorName kTopNames[] = {
    {"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"}, {"output", "lm_head"}};
constexpr TensorName kLayerNames[] = {{"attn_norm", "input_layernorm"},
                                      {"attn_q", "self_attn.q_proj"},
                                      {"attn_k", "self_attn.k_proj"},
                                      {"attn_v", "self_attn.v_proj"},
                                      {"attn_qkv", "self_attn.qkv_proj"},
                                      {"attn_output", "self_attn.o_proj"},
                                      {"attn_q_norm", "self_attn.q_norm"},
                                      {"attn_k_norm", "self_attn.k_norm"},
                                      {"post_attention_norm", "post_attention_layernorm"},
                                      {"post_ffw_norm", "post_feedforward_layernorm"},
                                      {"ffn_gate", "mlp.gate_proj"},
                                      {"ffn_up", "mlp.up_proj"},
                                      {"ffn_down", "mlp.down_proj"}};

// The rows of a matrix that a fused one holds.
struct RowRange {
  uint32_t begin = 0, count = 0, total = 0;
};

// Finds tensors by GGUF name in either container, checks shapes, adds adapters. The first error is kept and reported at
// the end; until then sources without data stand in, so that the graph can be built to its end.
class DecoderBuilder {
 public:
  DecoderBuilder(const ModelFile& file, const ModelConfig& config, const BuildOptions& options,
                 const DecoderShape& shape)
      : file_(file), config_(config), options_(options), shape_(shape) {}

  base::Result<Graph> build() {
    const uint32_t context = options_.context_length != 0 ? options_.context_length : config_.trained_context;
    rope_ = graph_.add_rope(make_rope(config_.rope, context));
    local_rope_ = config_.window_period != 0 ? graph_.add_rope(make_rope(config_.local_rope, context)) : rope_;
    graph_.layers = config_.layers;
    graph_.vocabulary_size = config_.vocabulary_size;

    const MatrixId embedding = matrix("token_embd.weight", whole(config_.vocabulary_size), config_.width);
    ValueId x = graph_.embed(embedding, shape_.scale_embedding ? std::sqrt(static_cast<float>(config_.width)) : 1.0f);
    graph_.name(x, "embedding");
    for (layer_ = 0; layer_ < config_.layers; ++layer_) {
      x = named(graph_.add(x, attention_branch(x)), "attn_sum");
      x = named(graph_.add(x, feed_forward_branch(x)), "output");
    }
    x = norm(graph_.output_row(x), "output_norm");
    const bool tied = find("output.weight") == nullptr;
    x = linear(x, tied ? "token_embd" : "output", whole(config_.vocabulary_size), config_.width);
    if (config_.final_softcap != 0.0f) x = graph_.scale(x, 1.0f, config_.final_softcap);
    graph_.logits = graph_.name(x, "logits");
    check_adapters();
    if (!error_.message.empty()) return error_;
    return std::move(graph_);
  }

 private:
  static RowRange whole(uint32_t rows) { return {0, rows, rows}; }

  std::string layer_name(std::string_view part) const {
    return "blk." + std::to_string(layer_) + "." + std::string(part);
  }

  // Values are named as GGUF names the tensors that they come from: "blk.0.attn_q", "output_norm".
  ValueId named(ValueId value, std::string_view part) { return graph_.name(value, layer_name(part)); }

  ValueId attention_branch(ValueId x) {
    const uint32_t q_rows = config_.heads * config_.head_dim, kv_rows = config_.kv_heads * config_.head_dim;
    const ValueId h = norm(x, layer_name("attn_norm"));
    ValueId q, k, v;
    if (shape_.fused_qkv) {
      const uint32_t total = q_rows + 2 * kv_rows;
      q = linear(h, layer_name("attn_qkv"), {0, q_rows, total}, config_.width);
      k = linear(h, layer_name("attn_qkv"), {q_rows, kv_rows, total}, config_.width);
      v = linear(h, layer_name("attn_qkv"), {q_rows + kv_rows, kv_rows, total}, config_.width);
    } else {
      q = linear(h, layer_name("attn_q"), whole(q_rows), config_.width);
      k = linear(h, layer_name("attn_k"), whole(kv_rows), config_.width);
      v = linear(h, layer_name("attn_v"), whole(kv_rows), config_.width);
    }
    named(q, "attn_q");
    named(k, "attn_k");
    named(v, "attn_v");
    const ValueId heads = named(graph_.attention(q, k, v, attention_spec()), "attn_heads");
    const ValueId out = named(linear(heads, layer_name("attn_output"), whole(config_.width), q_rows), "attn_output");
    return shape_.post_norms ? norm(out, layer_name("post_attention_norm")) : out;
  }

  AttentionSpec attention_spec() {
    AttentionSpec spec;
    spec.layer = layer_;
    spec.heads = config_.heads;
    spec.kv_heads = config_.kv_heads;
    spec.head_dim = config_.head_dim;
    const bool windowed = config_.windowed(layer_);
    spec.rope = windowed ? local_rope_ : rope_;
    spec.window = windowed ? config_.window : 0;
    spec.scale = config_.attention_scale != 0.0f ? config_.attention_scale
                                                 : 1.0f / std::sqrt(static_cast<float>(config_.head_dim));
    spec.softcap = config_.attention_softcap;
    if (shape_.qk_norm) {
      spec.q_norm = vector(layer_name("attn_q_norm.weight"), config_.head_dim, shape_.json_norms_add_one);
      spec.k_norm = vector(layer_name("attn_k_norm.weight"), config_.head_dim, shape_.json_norms_add_one);
      spec.norm_epsilon = config_.norm_epsilon;
    }
    return spec;
  }

  ValueId feed_forward_branch(ValueId x) {
    const uint32_t ff = config_.feed_forward;
    const ValueId h = norm(x, layer_name("ffn_norm"));
    ValueId gate, up;
    if (shape_.fused_gate_up) {
      gate = linear(h, layer_name("ffn_up"), {0, ff, 2 * ff}, config_.width);
      up = linear(h, layer_name("ffn_up"), {ff, ff, 2 * ff}, config_.width);
    } else {
      gate = linear(h, layer_name("ffn_gate"), whole(ff), config_.width);
      up = linear(h, layer_name("ffn_up"), whole(ff), config_.width);
    }
    named(gate, "ffn_gate");
    named(up, "ffn_up");
    const ValueId gated = named(graph_.gate(gate, up, shape_.activation), "ffn_gated");
    const ValueId out = named(linear(gated, layer_name("ffn_down"), whole(config_.width), ff), "ffn_down");
    return shape_.post_norms ? norm(out, layer_name("post_ffw_norm")) : out;
  }

  ValueId norm(ValueId x, const std::string& name) {
    const VectorId weight = vector(name + ".weight", config_.width, shape_.json_norms_add_one);
    return graph_.name(graph_.rms_norm(x, weight, config_.norm_epsilon), name);
  }

  // x * matrix^T + bias (if the file has one) + every adapter's B (A x).
  ValueId linear(ValueId x, const std::string& name, RowRange rows, uint32_t columns) {
    const VectorId bias = find(name + ".bias") == nullptr ? -1 : bias_rows(name + ".bias", rows);
    ValueId y = graph_.matmul(x, matrix(name + ".weight", rows, columns), bias);
    for (const Adapter& adapter : options_.adapters) y = add_adapter(y, x, adapter, name, rows, columns);
    return y;
  }

  ValueId add_adapter(ValueId y, ValueId x, const Adapter& adapter, const std::string& name, RowRange rows,
                      uint32_t columns) {
    const Tensor* a = adapter.file->find_tensor(name + ".weight.lora_a");
    const Tensor* b = adapter.file->find_tensor(name + ".weight.lora_b");
    if (a == nullptr && b == nullptr) return y;
    if (a == nullptr || b == nullptr || a->columns() != columns || b->rows() != rows.total ||
        a->rows() != b->columns() || a->rows() == 0 || a->rows() > 4096) {
      fail(ErrorCode::corrupt, adapter.file->path.string() + ": the adapter of " + name + " does not fit the model");
      return y;
    }
    adapted_.insert(a);
    adapted_.insert(b);
    const auto rank = static_cast<uint32_t>(a->rows());
    const auto alpha = adapter.file->metadata.find_double("adapter.lora.alpha");
    const float factor =
        adapter.scale * (alpha && *alpha != 0 ? static_cast<float>(*alpha) / static_cast<float>(rank) : 1.0f);
    const ValueId t = graph_.matmul(x, graph_.add_matrix(source_of(*a, whole(rank), columns)));
    return graph_.add(y, graph_.matmul(t, graph_.add_matrix(source_of(*b, rows, rank)), -1, factor));
  }

  void check_adapters() {
    for (const Adapter& adapter : options_.adapters)
      for (const Tensor& tensor : adapter.file->tensors)
        if (!adapted_.contains(&tensor))
          fail(ErrorCode::unsupported,
               adapter.file->path.string() + ": the model has no place for the adapter's tensor " + tensor.name);
  }

  // The checkpoint's name for a GGUF name, where the container is safetensors.
  std::string container_name(const std::string& name) const {
    if (file_.container == ContainerFormat::gguf) return name;
    const size_t dot = name.rfind('.');
    std::string stem = name.substr(0, dot);
    const std::string suffix = name.substr(dot);
    for (const TensorName& entry : kTopNames)
      if (stem == entry.gguf) return std::string(entry.json) + suffix;
    const size_t part = stem.find('.', 4) + 1;
    std::string result = "model.layers." + stem.substr(4, part - 4);
    stem = stem.substr(part);
    if (stem == "ffn_norm") return result.append(shape_.json_ffn_norm).append(suffix);
    if (stem == "ffn_up" && shape_.fused_gate_up) return result.append("mlp.gate_up_proj").append(suffix);
    for (const TensorName& entry : kLayerNames)
      if (stem == entry.gguf) return result.append(entry.json).append(suffix);
    return name;
  }

  const Tensor* find(const std::string& name) const { return file_.find_tensor(container_name(name)); }

  void fail(ErrorCode code, std::string message) {
    if (error_.message.empty()) error_ = {code, std::move(message)};
  }

  const Tensor* require(const std::string& name, uint64_t rows, uint64_t columns) {
    const Tensor* tensor = find(name);
    if (tensor == nullptr) {
      fail(ErrorCode::corrupt, file_.path.string() + " lacks the tensor " + container_name(name));
    } else if (tensor->columns() != columns || tensor->rows() != rows) {
      fail(ErrorCode::corrupt, file_.path.string() + ": " + tensor->name + " is " + std::to_string(tensor->rows()) +
                                   " x " + std::to_string(tensor->columns()) + "; the model's parameters ask for " +
                                   std::to_string(rows) + " x " + std::to_string(columns));
      tensor = nullptr;
    }
    return tensor;
  }

  static MatrixSource source_of(const Tensor& tensor, RowRange rows, uint32_t columns) {
    return {tensor.name, tensor.format, tensor.data.data() + tensor.format->bytes(uint64_t{rows.begin} * columns),
            rows.count, columns};
  }

  MatrixId matrix(const std::string& name, RowRange rows, uint32_t columns) {
    const Tensor* tensor = require(name, rows.total, columns);
    if (tensor == nullptr) return graph_.add_matrix({name, find_quant("F32"), nullptr, rows.count, columns});
    return graph_.add_matrix(source_of(*tensor, rows, columns));
  }

  std::vector<float> decode_vector(const std::string& name, uint32_t size) {
    std::vector<float> values(size);
    const Tensor* tensor = require(name, 1, size);
    if (tensor != nullptr)
      tensor->format->decode(tensor->data.data(), values.data(), size / tensor->format->block_elements);
    return values;
  }

  VectorId vector(const std::string& name, uint32_t size, bool add_one) {
    std::vector<float> values = decode_vector(name, size);
    if (add_one && file_.container == ContainerFormat::safetensors)
      for (float& value : values) value += 1.0f;
    return graph_.add_vector(std::move(values));
  }

  VectorId bias_rows(const std::string& name, RowRange rows) {
    const std::vector<float> all = decode_vector(name, rows.total);
    return graph_.add_vector({all.begin() + rows.begin, all.begin() + rows.begin + rows.count});
  }

  const ModelFile& file_;
  const ModelConfig& config_;
  const BuildOptions& options_;
  const DecoderShape& shape_;
  Graph graph_;
  Error error_;
  std::set<const Tensor*> adapted_;
  int32_t rope_ = -1, local_rope_ = -1;
  uint32_t layer_ = 0;
};

}  // namespace

base::Result<Graph> build_decoder(const ModelFile& file, const ModelConfig& config, const BuildOptions& options,
                                  const DecoderShape& shape) {
  return DecoderBuilder(file, config, options, shape).build();
}

}  // namespace ingle::core
