"""Reads a GGUF file into a transformers model: every tensor decoded by the `gguf` package, the configuration from the
metadata, the converter's changes (see hf_to_gguf) undone. For the architectures llama, qwen2, qwen3 and gemma3.
"""

import gguf
import numpy as np
import torch
import transformers

CONFIGS = {
    "llama": transformers.LlamaConfig,
    "qwen2": transformers.Qwen2Config,
    "qwen3": transformers.Qwen3Config,
    "gemma3": transformers.Gemma3TextConfig,
}


def undo_permutation(weight: np.ndarray, heads: int) -> np.ndarray:
    rows = weight.shape[0] // heads
    return weight.reshape(heads, rows // 2, 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def read_config(reader: gguf.GGUFReader) -> transformers.PretrainedConfig:
    metadata = {name: field.contents() for name, field in reader.fields.items()}
    arch = metadata["general.architecture"]
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    for unknown in (f"{arch}.rope.scaling.type", f"{arch}.rope.scaling.factor"):
        assert unknown not in metadata, f"{unknown} is not handled here"
    hidden, heads = metadata[f"{arch}.embedding_length"], metadata[f"{arch}.attention.head_count"]
    head_dim = metadata.get(f"{arch}.attention.key_length", hidden // heads)
    base = metadata[f"{arch}.rope.freq_base"]
    assert "rope_freqs.weight" not in tensors, "rope_freqs is not handled here"
    rope = {"rope_type": "default", "rope_theta": base}
    more = {}
    if arch == "gemma3":
        local = metadata.get("gemma3.rope.freq_base_swa", 10000.0)
        rope = {"full_attention": rope, "sliding_attention": {"rope_type": "default", "rope_theta": local}}
        more["sliding_window"] = metadata["gemma3.attention.sliding_window"]
        more["query_pre_attn_scalar"] = head_dim
        more["final_logit_softcapping"] = metadata.get("gemma3.final_logit_softcapping")
    return CONFIGS[arch](
        vocab_size=int(tensors["token_embd.weight"].shape[1]),
        hidden_size=hidden,
        intermediate_size=metadata[f"{arch}.feed_forward_length"],
        num_hidden_layers=metadata[f"{arch}.block_count"],
        num_attention_heads=heads,
        num_key_value_heads=metadata[f"{arch}.attention.head_count_kv"],
        head_dim=head_dim,
        max_position_embeddings=metadata[f"{arch}.context_length"],
        rms_norm_eps=metadata[f"{arch}.attention.layer_norm_rms_epsilon"],
        rope_parameters=rope,
        tie_word_embeddings="output.weight" not in tensors,
        **more,
    )


def read_weights(reader: gguf.GGUFReader, config: transformers.PretrainedConfig, names: list[str]) -> dict:
    """`names` are the model's parameters; each must be in the file."""
    arch = reader.fields["general.architecture"].contents()
    kind = next(key for key, value in gguf.MODEL_ARCH_NAMES.items() if value == arch)
    table = gguf.get_tensor_name_map(kind, config.num_hidden_layers)
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    weights = {}
    for name in names:
        tensor = tensors.pop(table.get_name(name, try_suffixes=(".weight", ".bias")))
        weight = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        projection = name.split(".")[-2]
        if arch == "llama" and projection in heads:
            weight = undo_permutation(weight, heads[projection])
        if arch == "gemma3" and name.endswith("norm.weight"):
            weight = weight - 1
        weights[name] = torch.from_numpy(np.ascontiguousarray(weight))
    assert not tensors, f"tensors that the model has no place for: {sorted(tensors)}"
    return weights


def load_gguf(path: str, dtype: torch.dtype = torch.float32, attention: str = "eager") -> torch.nn.Module:
    """The file's model with plain attention, decoded to `dtype`."""
    reader = gguf.GGUFReader(path)
    config = read_config(reader)
    config._attn_implementation = attention
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=dtype)
    names = [name for name in model.state_dict() if not (name == "lm_head.weight" and config.tie_word_embeddings)]
    weights = {name: weight.to(dtype) for name, weight in read_weights(reader, config, names).items()}
    missing, unexpected = model.load_state_dict(weights, strict=False, assign=True)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()
    rebuild_buffers(model, config)
    return model.eval()


def rebuild_buffers(model: torch.nn.Module, config: transformers.PretrainedConfig) -> None:
    """What is computed and not loaded: RoPE's frequencies, Gemma's embedding scale."""
    kind = type(model.model.rotary_emb)
    model.model.rotary_emb = kind(config=config)
    if hasattr(model.model.embed_tokens, "embed_scale"):
        model.model.embed_tokens.embed_scale = torch.tensor(config.hidden_size**0.5)
    left = [name for name, tensor in [*model.named_parameters(), *model.named_buffers()] if tensor.is_meta]
    assert not left, f"not loaded: {left}"
