#include "core/anatomy/anatomy.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/models/model.h"

namespace ingle::core {
namespace {

using base::Json;

constexpr std::string_view kOpNames[] = {"embed", "rms_norm", "layer_norm", "matmul", "attention",
                                         "add",   "gate",     "activate",   "scale",  "output_rows"};
constexpr std::string_view kActivationNames[] = {"silu", "gelu", "gelu_tanh"};

template <typename Kind, size_t count>
std::string_view name_of(const std::string_view (&names)[count], Kind kind) {
  return names[static_cast<size_t>(kind)];
}

Json describe_tensors(const ModelFile& file) {
  Json tensors = Json::array();
  for (const Tensor& tensor : file.tensors) {
    Json dims = Json::array();
    for (uint32_t i = 0; i < std::max(tensor.dim_count, 1u); ++i) dims.push_back(tensor.dims[i]);
    tensors.push_back({{"name", tensor.name},
                       {"format", tensor.format->name},
                       {"dims", std::move(dims)},
                       {"elements", tensor.elements()},
                       {"bytes", tensor.data.size()}});
  }
  return tensors;
}

Json describe_formats(const ModelFile& file) {
  Json formats = Json::array();
  for (const FormatShare& share : format_shares(file))
    formats.push_back(
        {{"name", share.name}, {"tensors", share.tensors}, {"elements", share.elements}, {"bytes", share.bytes}});
  return formats;
}

Json describe_config(const ModelConfig& config) {
  return {{"width", config.width},
          {"layers", config.layers},
          {"heads", config.heads},
          {"kv_heads", config.kv_heads},
          {"head_dim", config.head_dim},
          {"feed_forward", config.feed_forward},
          {"vocabulary_size", config.vocabulary_size},
          {"trained_context", config.trained_context},
          {"window", config.window},
          {"norm_epsilon", config.norm_epsilon},
          {"rope_base", config.rope.base}};
}

/// A graph's operations, told layer by layer.
class Operations {
 public:
  explicit Operations(const Graph& graph) : graph_(graph), names_(graph.widths.size()) {
    // Of two names of a value, the layer's ("blk.…" is the first in order).
    for (const auto& [name, value] : graph.names)
      if (std::string& known = names_[static_cast<size_t>(value)]; known.empty()) known = name;
  }

  Json blocks() {
    Json blocks = Json::array();
    size_t last = 0;  // the last operation that belongs to a layer by its name
    for (size_t i = 0; i < graph_.ops.size(); ++i)
      if (layer_of(i) >= 0) last = i;
    int64_t layer = -1;
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      const int64_t named = layer_of(i);
      const bool output = layer >= 0 && i > last;
      if (blocks.empty() || (named >= 0 && named != layer) || (output && blocks.back()["kind"] != "output")) {
        finish(blocks);
        blocks.push_back(output       ? Json{{"kind", "output"}}
                         : named >= 0 ? Json{{"kind", "layer"}, {"layer", named}}
                                      : Json{{"kind", "input"}});
        first_ = graph_.ops[i].output;
      }
      if (named >= 0) layer = named;
      blocks.back()["ops"].push_back(operation(graph_.ops[i]));
    }
    finish(blocks);
    return blocks;
  }

 private:
  /// "blk.12.attn_q" -> 12; -1: of no layer, or without a name.
  int64_t layer_of(size_t op) const {
    constexpr std::string_view kLayer = "blk.";
    const std::string_view name = names_[static_cast<size_t>(graph_.ops[op].output)];
    if (!name.starts_with(kLayer)) return -1;
    int64_t layer = -1;
    std::from_chars(name.data() + kLayer.size(), name.data() + name.size(), layer);
    return layer;
  }

  Json operation(const Op& op) const {
    Json json = {{"id", op.output},
                 {"op", name_of(kOpNames, op.kind)},
                 {"name", names_[static_cast<size_t>(op.output)]},
                 {"width", graph_.widths[static_cast<size_t>(op.output)]},
                 {"inputs", op.inputs},
                 {"weights", weights(op)}};
    if (op.kind == OpKind::attention) json["attention"] = attention(op.attention);
    if (op.kind == OpKind::gate || op.kind == OpKind::activate)
      json["activation"] = name_of(kActivationNames, op.activation);
    if (op.factor != 1.0f) json["factor"] = op.factor;
    if (op.cap != 0.0f) json["cap"] = op.cap;
    return json;
  }

  Json weights(const Op& op) const {
    Json weights = Json::array();
    const auto add = [&](const char* role, const std::string& tensor) {
      weights.push_back({{"role", role}, {"tensor", tensor}});
    };
    const auto add_vector = [&](const char* role, VectorId vector) {
      if (vector >= 0) add(role, graph_.vector_names[static_cast<size_t>(vector)]);
    };
    if (op.matrix >= 0) add("matrix", graph_.matrices[static_cast<size_t>(op.matrix)].name);
    add_vector(op.kind == OpKind::matmul ? "bias" : "vector", op.vector);
    add_vector("bias", op.bias);
    if (op.kind == OpKind::attention) {
      add_vector("q_norm", op.attention.q_norm);
      add_vector("k_norm", op.attention.k_norm);
    }
    return weights;
  }

  static Json attention(const AttentionSpec& spec) {
    return {{"heads", spec.heads},
            {"kv_heads", spec.kv_heads},
            {"head_dim", spec.head_dim},
            {"window", spec.window},
            {"softcap", spec.softcap},
            {"rope", spec.rope >= 0},
            {"bidirectional", spec.bidirectional}};
  }

  /// Of a layer: which is the first that computes the same, whatever its weights are called.
  void finish(Json& blocks) {
    if (blocks.empty() || blocks.back()["kind"] != "layer") return;
    Json computes = blocks.back()["ops"];
    for (Json& op : computes) {
      op.erase("name");
      op["id"] = op["id"].get<int64_t>() - first_;
      for (Json& input : op["inputs"]) input = input.get<int64_t>() - first_;
      for (Json& weight : op["weights"]) weight.erase("tensor");
    }
    Json& layer = blocks.back();
    layer["like"] = alike_.try_emplace(computes.dump(), layer["layer"]).first->second;
  }

  const Graph& graph_;
  std::vector<std::string> names_;     ///< by value
  std::map<std::string, Json> alike_;  ///< the first layer by what it computes
  ValueId first_ = 0;                  ///< value of the block
};

}  // namespace

const std::string* architecture_name(const ModelFile& file) {
  const std::string* name = file.metadata.find_string("general.architecture");
  return name != nullptr ? name : file.metadata.find_string("model_type");
}

std::vector<FormatShare> format_shares(const ModelFile& file) {
  std::map<std::string_view, FormatShare> by_name;
  for (const Tensor& tensor : file.tensors) {
    FormatShare& share = by_name.try_emplace(tensor.format->name, FormatShare{tensor.format->name}).first->second;
    ++share.tensors;
    share.elements += tensor.elements();
    share.bytes += tensor.data.size();
  }
  std::vector<FormatShare> shares;
  for (const auto& [name, share] : by_name) shares.push_back(share);
  std::ranges::sort(shares, [](const FormatShare& a, const FormatShare& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.name < b.name;
  });
  return shares;
}

Json describe_anatomy(const ModelFile& file) {
  const std::string* called = architecture_name(file);
  Json json = {{"container", file.container == ContainerFormat::gguf ? "gguf" : "safetensors"},
               {"architecture", called != nullptr ? *called : ""},
               {"parameters", file.parameters()},
               {"tensor_bytes", file.tensor_bytes()},
               {"formats", describe_formats(file)},
               {"tensors", describe_tensors(file)},
               {"blocks", Json::array()}};
  const auto describe_graph = [&]() -> base::Status {
    INGLE_TRY(const Architecture* architecture, find_architecture(file));
    INGLE_TRY(const ModelConfig config, architecture->configure(file));
    INGLE_TRY(const Graph graph, architecture->build(file, config, {}));
    json["config"] = describe_config(config);
    json["blocks"] = Operations(graph).blocks();
    return {};
  };
  if (const base::Status told = describe_graph(); !told.ok()) json["reason"] = told.error().message;
  return json;
}

}  // namespace ingle::core
