// The pre-norm decoder with grouped-query attention and a gated feed-forward network, which most architectures are with
// different data (Vaswani et al. 2017 as LLaMA arranged it, arXiv 2302.13971):
//   x = embed(tokens)
//   per layer:  x += [post norm](attention(norm(x)));  x += [post norm](down(act(gate(norm(x))) * up(norm(x))))
//   logits = output(norm(x))
#pragma once

#include <string_view>

#include "core/models/model.h"

namespace ingle::core {

struct DecoderShape {
  Activation activation = Activation::silu;
  bool qk_norm = false;             ///< each query and key head is normalised
  bool post_norms = false;          ///< attention's and the network's outputs are normalised
  bool fused_qkv = false;           ///< attn_qkv holds q, k, v
  bool fused_gate_up = false;       ///< ffn_up holds gate, up
  bool scale_embedding = false;     ///< by sqrt(width)
  bool json_norms_add_one = false;  ///< checkpoints hold norm weights less 1 (GGUF's have it added)
  std::string_view json_ffn_norm = "post_attention_layernorm";
};

base::Result<Graph> build_decoder(const ModelFile& file, const ModelConfig& config, const BuildOptions& options,
                                  const DecoderShape& shape);

}  // namespace ingle::core
