// bert: the post-norm encoder (Devlin et al. 2018, arXiv 1810.04805), of which sentence embeddings and rerankers are
// made (all-MiniLM, BGE, E5; Reimers and Gurevych 2019, arXiv 1908.10084):
//   x = norm(embed(tokens) + embed(positions) + embed(types))
//   per layer:  x = norm(x + attention(x));  x = norm(x + down(act(up(x))))
// where attention sees the whole text. GGUF says how rows become one vector in pooling_type, sentence-transformers in
// 1_Pooling/config.json; without either it is the mean.
#include <cmath>

#include "core/models/config.h"
#include "core/models/tensors.h"

namespace ingle::core {

using base::Error;
using base::ErrorCode;

namespace {

constexpr TensorName kTopNames[] = {{"token_embd", "embeddings.word_embeddings"},
                                    {"position_embd", "embeddings.position_embeddings"},
                                    {"token_types", "embeddings.token_type_embeddings"},
                                    {"token_embd_norm", "embeddings.LayerNorm"},
                                    {"cls", "pooler.dense"},
                                    {"cls.output", "classifier"}};
constexpr TensorName kLayerNames[] = {{"attn_q", "attention.self.query"},
                                      {"attn_k", "attention.self.key"},
                                      {"attn_v", "attention.self.value"},
                                      {"attn_output", "attention.output.dense"},
                                      {"attn_output_norm", "attention.output.LayerNorm"},
                                      {"ffn_up", "intermediate.dense"},
                                      {"ffn_down", "output.dense"},
                                      {"layer_output_norm", "output.LayerNorm"}};

TensorNames names() {
  return {kTopNames, "encoder.layer.", {std::begin(kLayerNames), std::end(kLayerNames)}, "bert."};
}

// In checkpoints with a head, all but the head is "bert.…".
const Tensor* find(const ModelFile& file, const std::string& name) {
  Graph none;
  return ModelTensors(file, none, names()).find(name);
}

base::Result<Pooling> gguf_pooling(const ConfigReader& reader) {
  switch (const uint32_t type = reader.find_uint("pooling_type", "").value_or(0)) {
    case 0:
    case 1:
      return Pooling::mean;
    case 2:
      return Pooling::cls;
    case 4:
      return Pooling::rank;
    default:
      return Error{ErrorCode::unsupported, "the pooling type " + std::to_string(type) +
                                               " is not supported; supported are 1 (mean), 2 (CLS) and 4 (rank)"};
  }
}

// Each way of pooling is a switch there; several at once would be several vectors after each other.
base::Result<Pooling> json_pooling(const Metadata& metadata) {
  if (const auto* classes = metadata.find_strings("architectures");
      classes != nullptr && !classes->empty() && classes->front() == "BertForSequenceClassification")
    return Pooling::rank;
  for (const auto& [key, value] : metadata.values) {
    const std::string* type = std::get_if<std::string>(&value);
    if (!key.starts_with("modules.") || !key.ends_with(".type") || type == nullptr) continue;
    const std::string name = type->substr(type->rfind('.') + 1);
    if (name != "Transformer" && name != "Pooling" && name != "Normalize")
      return Error{ErrorCode::unsupported, "the module \"" + name +
                                               "\" of modules.json is not supported; supported are Transformer, "
                                               "Pooling and Normalize"};
  }
  std::vector<std::string> modes;
  for (const auto& [key, value] : metadata.values)
    if (const bool* on = std::get_if<bool>(&value); on != nullptr && *on && key.starts_with("pooling.pooling_mode_"))
      modes.push_back(key.substr(std::string_view("pooling.pooling_mode_").size()));
  if (const std::string* mode = metadata.find_string("pooling.pooling_mode")) modes.push_back(*mode);
  if (modes.empty() || (modes.size() == 1 && (modes[0] == "mean_tokens" || modes[0] == "mean"))) return Pooling::mean;
  if (modes.size() == 1 && (modes[0] == "cls_token" || modes[0] == "cls")) return Pooling::cls;
  std::string list;
  for (const std::string& mode : modes) list += (list.empty() ? "" : " + ") + mode;
  return Error{ErrorCode::unsupported,
               "the pooling mode \"" + list + "\" is not supported; supported are mean_tokens and cls_token"};
}

base::Result<Activation> activation(const ConfigReader& reader) {
  const std::string* name = reader.find_string("", "hidden_act");
  if (name == nullptr || *name == "gelu") return Activation::gelu;
  if (*name == "gelu_new" || *name == "gelu_pytorch_tanh") return Activation::gelu_tanh;
  if (*name == "silu" || *name == "swish") return Activation::silu;
  return Error{ErrorCode::unsupported,
               "the activation \"" + *name + "\" is not supported; supported are gelu, gelu_new and silu"};
}

base::Result<ModelConfig> configure(const ModelFile& file) {
  ConfigReader reader(file, "bert");
  INGLE_TRY(ModelConfig config, reader.read_encoder(file, find(file, "token_embd.weight")));
  if (config.kv_heads != config.heads || config.head_dim * config.heads != config.width)
    return Error{ErrorCode::corrupt, "the model's heads do not divide its width"};
  const std::string* positions = reader.find_string("", "position_embedding_type");
  if (positions != nullptr && *positions != "absolute")
    return Error{ErrorCode::unsupported,
                 "the position embeddings \"" + *positions + "\" are not supported; supported are absolute ones"};
  if (const Tensor* types = find(file, "token_types.weight")) {
    if (types->rows() > 64) return Error{ErrorCode::corrupt, "the model has more token types than there can be"};
    config.token_types = static_cast<uint32_t>(types->rows());
  }
  INGLE_TRY(config.activation, activation(reader));
  INGLE_TRY(config.pooling, reader.gguf() ? gguf_pooling(reader) : json_pooling(file.metadata));
  return config;
}

class BertBuilder {
 public:
  BertBuilder(const ModelFile& file, const ModelConfig& config)
      : path_(file.path.string()), config_(config), tensors_(file, graph_, names()) {}

  base::Result<Graph> build() {
    graph_.layers = 1;
    graph_.vocabulary_size = config_.vocabulary_size;
    ValueId x = embedding();
    for (layer_ = 0; layer_ < config_.layers; ++layer_) {
      x = norm(named(graph_.add(x, attention_branch(x)), "attn_sum"), layer_name("attn_output_norm"));
      x = norm(named(graph_.add(x, feed_forward_branch(x)), "ffn_sum"), layer_name("layer_output_norm"));
    }
    if (config_.pooling != Pooling::mean) x = graph_.output_row(x);
    if (config_.pooling == Pooling::rank) x = score(x);
    graph_.embedding = graph_.name(x, "result");
    INGLE_CHECK(tensors_.status());
    return std::move(graph_);
  }

 private:
  std::string layer_name(std::string_view part) const {
    return "blk." + std::to_string(layer_) + "." + std::string(part);
  }
  ValueId named(ValueId value, std::string_view part) { return graph_.name(value, layer_name(part)); }

  ValueId embedding() {
    const auto embed = [&](const char* name, uint32_t rows, EmbedBy by) {
      return graph_.embed(tensors_.matrix(name, RowRange::whole(rows), config_.width), 1.0f, by);
    };
    ValueId x = embed("token_embd.weight", config_.vocabulary_size, EmbedBy::token);
    x = graph_.add(x, embed("position_embd.weight", config_.trained_context, EmbedBy::position));
    if (config_.token_types != 0) x = graph_.add(x, embed("token_types.weight", config_.token_types, EmbedBy::type));
    return norm(graph_.name(x, "embedding"), "token_embd_norm");
  }

  // All layers keep keys and values in the same place: nothing reads them after the layer.
  ValueId attention_branch(ValueId x) {
    AttentionSpec spec;
    spec.heads = spec.kv_heads = config_.heads;
    spec.head_dim = config_.head_dim;
    spec.scale = 1.0f / std::sqrt(static_cast<float>(config_.head_dim));
    spec.bidirectional = true;
    const ValueId q = named(linear(x, layer_name("attn_q"), config_.width, config_.width), "attn_q");
    const ValueId k = named(linear(x, layer_name("attn_k"), config_.width, config_.width), "attn_k");
    const ValueId v = named(linear(x, layer_name("attn_v"), config_.width, config_.width), "attn_v");
    const ValueId heads = named(graph_.attention(q, k, v, spec), "attn_heads");
    return named(linear(heads, layer_name("attn_output"), config_.width, config_.width), "attn_output");
  }

  ValueId feed_forward_branch(ValueId x) {
    const ValueId up = named(linear(x, layer_name("ffn_up"), config_.feed_forward, config_.width), "ffn_up");
    const ValueId act = named(graph_.activate(up, config_.activation), "ffn_activated");
    return named(linear(act, layer_name("ffn_down"), config_.width, config_.feed_forward), "ffn_down");
  }

  // A dense layer with tanh, where there is one, and the classifier's one output.
  ValueId score(ValueId x) {
    if (tensors_.find("cls.weight") != nullptr)
      x = graph_.scale(linear(x, "cls", config_.width, config_.width), 1.0f, 1.0f);
    const Tensor* output = tensors_.find("cls.output.weight");
    if (output != nullptr && output->rows() != 1)
      tensors_.fail(ErrorCode::unsupported, path_ + " tells " + std::to_string(output->rows()) +
                                                " classes apart; supported are rerankers, which give one score");
    return linear(x, "cls.output", 1, config_.width);
  }

  ValueId norm(ValueId x, const std::string& name) {
    const VectorId weight = tensors_.vector(name + ".weight", config_.width);
    const VectorId bias = tensors_.vector(name + ".bias", config_.width);
    return graph_.name(graph_.layer_norm(x, weight, bias, config_.norm_epsilon), name);
  }

  ValueId linear(ValueId x, const std::string& name, uint32_t rows, uint32_t columns) {
    const VectorId bias = tensors_.bias(name + ".bias", RowRange::whole(rows));
    return graph_.matmul(x, tensors_.matrix(name + ".weight", RowRange::whole(rows), columns), bias);
  }

  const std::string path_;
  const ModelConfig& config_;
  Graph graph_;
  ModelTensors tensors_;
  uint32_t layer_ = 0;
};

base::Result<Graph> build(const ModelFile& file, const ModelConfig& config, const BuildOptions& options) {
  if (!options.adapters.empty()) return Error{ErrorCode::unsupported, "adapters of encoders are not supported"};
  return BertBuilder(file, config).build();
}

constexpr std::string_view kClassNames[] = {"BertModel", "BertForSequenceClassification"};

}  // namespace

extern const Architecture bert_record = {"bert", kClassNames, configure, build};

}  // namespace ingle::core
