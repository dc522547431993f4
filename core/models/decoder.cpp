#include "core/models/decoder.h"

#include <cmath>
#include <set>

#include "core/models/config.h"
#include "core/models/tensors.h"

namespace ingle::core {

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

std::vector<TensorName> layer_names(const DecoderShape& shape) {
  std::vector<TensorName> names{{"ffn_norm", shape.json_ffn_norm}};
  if (shape.fused_gate_up) names.push_back({"ffn_up", "mlp.gate_up_proj"});
  names.insert(names.end(), std::begin(kLayerNames), std::end(kLayerNames));
  return names;
}

class DecoderBuilder {
 public:
  DecoderBuilder(const ModelFile& file, const ModelConfig& config, const BuildOptions& options,
                 const DecoderShape& shape)
      : config_(config),
        options_(options),
        shape_(shape),
        tensors_(file, graph_, {kTopNames, "model.layers.", layer_names(shape), {}}) {}

  base::Result<Graph> build() {
    const uint32_t context = options_.context_length != 0 ? options_.context_length : config_.trained_context;
    rope_ = graph_.add_rope(make_rope(config_.rope, context));
    local_rope_ = config_.window_period != 0 ? graph_.add_rope(make_rope(config_.local_rope, context)) : rope_;
    graph_.layers = config_.layers;
    graph_.vocabulary_size = config_.vocabulary_size;

    const MatrixId embedding = tensors_.matrix("token_embd.weight", whole(config_.vocabulary_size), config_.width);
    ValueId x = graph_.embed(embedding, shape_.scale_embedding ? std::sqrt(static_cast<float>(config_.width)) : 1.0f);
    graph_.name(x, "embedding");
    for (layer_ = 0; layer_ < config_.layers; ++layer_) {
      x = named(graph_.add(x, attention_branch(x)), "attn_sum");
      x = named(graph_.add(x, feed_forward_branch(x)), "output");
    }
    x = norm(graph_.output_row(x), "output_norm");
    const bool tied = tensors_.find("output.weight") == nullptr;
    x = linear(x, tied ? "token_embd" : "output", whole(config_.vocabulary_size), config_.width);
    if (config_.final_softcap != 0.0f) x = graph_.scale(x, 1.0f, config_.final_softcap);
    graph_.logits = graph_.name(x, "logits");
    check_adapters();
    INGLE_CHECK(tensors_.status());
    return std::move(graph_);
  }

 private:
  static constexpr RowRange whole(uint32_t rows) { return RowRange::whole(rows); }

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
      spec.q_norm = norm_weight(layer_name("attn_q_norm.weight"), config_.head_dim);
      spec.k_norm = norm_weight(layer_name("attn_k_norm.weight"), config_.head_dim);
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
    const VectorId weight = norm_weight(name + ".weight", config_.width);
    return graph_.name(graph_.rms_norm(x, weight, config_.norm_epsilon), name);
  }

  VectorId norm_weight(const std::string& name, uint32_t size) {
    return tensors_.vector(name, size, shape_.json_norms_add_one && !tensors_.gguf() ? 1.0f : 0.0f);
  }

  // x * matrix^T + bias (if the file has one) + every adapter's B (A x).
  ValueId linear(ValueId x, const std::string& name, RowRange rows, uint32_t columns) {
    const VectorId bias = tensors_.bias(name + ".bias", rows);
    ValueId y = graph_.matmul(x, tensors_.matrix(name + ".weight", rows, columns), bias);
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
      tensors_.fail(ErrorCode::corrupt,
                    adapter.file->path.string() + ": the adapter of " + name + " does not fit the model");
      return y;
    }
    adapted_.insert(a);
    adapted_.insert(b);
    const auto rank = static_cast<uint32_t>(a->rows());
    const auto alpha = adapter.file->metadata.find_double("adapter.lora.alpha");
    const float factor =
        adapter.scale * (alpha && *alpha != 0 ? static_cast<float>(*alpha) / static_cast<float>(rank) : 1.0f);
    const ValueId t = graph_.matmul(x, graph_.add_matrix(ModelTensors::source_of(*a, whole(rank), columns)));
    return graph_.add(y, graph_.matmul(t, graph_.add_matrix(ModelTensors::source_of(*b, rows, rank)), -1, factor));
  }

  void check_adapters() {
    for (const Adapter& adapter : options_.adapters)
      for (const Tensor& tensor : adapter.file->tensors)
        if (!adapted_.contains(&tensor))
          tensors_.fail(ErrorCode::unsupported, adapter.file->path.string() +
                                                    ": the model has no place for the adapter's tensor " + tensor.name);
  }

  const ModelConfig& config_;
  const BuildOptions& options_;
  const DecoderShape& shape_;
  Graph graph_;
  ModelTensors tensors_;
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
