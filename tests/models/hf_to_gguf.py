"""Writes a transformers model as GGUF, by the conventions of llama.cpp's converter.

What a reader of the format has to know, per architecture:
  llama   rows of Q and K are permuted per head from the two halves that transformers rotates to interleaved pairs;
          Llama 3 scaling becomes a tensor rope_freqs.weight of divisors, one per pair
  qwen2   biases on Q, K and V;  qwen3  norms of Q and K per head
  gemma3  1 is added to every norm weight; the window's pattern (5 local, 1 global) is implied by the architecture
  phi3    Q, K, V fused in attn_qkv, gate and up (in that order) in ffn_up; LongRoPE's divisors are two tensors
Linear and YaRN scaling are metadata (rope.scaling.*). Tensor names come from the `gguf` package, not from us.
Source: llama.cpp's conversion/*.py (MIT), read for the conventions.
"""

import math
from pathlib import Path

import gguf
import numpy as np
import torch

ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "mistral": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
    "gemma3_text": gguf.MODEL_ARCH.GEMMA3,
    "phi3": gguf.MODEL_ARCH.PHI3,
}
FILE_TYPES = {
    "F32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "F16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "BF16": (gguf.GGMLQuantizationType.BF16, gguf.LlamaFileType.MOSTLY_BF16),
    "Q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def byte_characters() -> list[str]:
    """GPT-2's printable stand-ins for the bytes 0..255."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    characters, spare = {}, 256
    for byte in range(256):
        if byte in printable:
            characters[byte] = chr(byte)
        else:
            characters[byte] = chr(spare)
            spare += 1
    return [characters[byte] for byte in range(256)]


def vocabulary() -> tuple[list[str], list[str]]:
    """260 tokens: the bytes, one merge (some loaders refuse a file without any), three special tokens."""
    return [*byte_characters(), "th", *SPECIAL_TOKENS], ["t h"]


def permute_for_pairs(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows (half, pair) of each head become (pair, half): the order in which llama's rotation takes them."""
    rows = weight.shape[0] // heads
    return weight.reshape(heads, 2, rows // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def llama3_divisors(rope: dict, head_dim: int) -> np.ndarray:
    """What each pair's frequency is divided by under Llama 3 scaling (Llama 3.1's reference code)."""
    divisors = []
    original, factor = rope["original_max_position_embeddings"], rope["factor"]
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    for pair in range(head_dim // 2):
        wavelength = 2 * math.pi * rope["rope_theta"] ** (2 * pair / head_dim)
        if wavelength < original / high:
            divisors.append(1.0)
        elif wavelength > original / low:
            divisors.append(factor)
        else:
            smooth = (original / wavelength - low) / (high - low)
            divisors.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(divisors, dtype=np.float32)


def add_tokenizer(writer: gguf.GGUFWriter) -> None:
    tokens, merges = vocabulary()
    normal, control = int(gguf.TokenType.NORMAL), int(gguf.TokenType.CONTROL)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([control if token in SPECIAL_TOKENS else normal for token in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_add_bos_token(False)


def add_parameters(writer: gguf.GGUFWriter, config) -> None:
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    head_dim = getattr(config, "head_dim", None)
    if head_dim and (config.model_type == "gemma3_text" or head_dim * config.num_attention_heads != config.hidden_size):
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if config.model_type in ("llama", "mistral"):
        writer.add_rope_dimension_count(head_dim or config.hidden_size // config.num_attention_heads)
    add_rope(writer, config)
    if config.model_type == "gemma3_text":
        writer.add_sliding_window(config.sliding_window)
        if config.final_logit_softcapping:
            writer.add_final_logit_softcapping(config.final_logit_softcapping)


def add_rope(writer: gguf.GGUFWriter, config) -> None:
    rope = config.rope_parameters
    if config.model_type == "gemma3_text":
        local_base = rope["sliding_attention"]["rope_theta"]
        if local_base != 10000.0:  # files made before the key existed mean 10000
            writer.add_rope_freq_base_swa(local_base)
        rope = rope["full_attention"]
    writer.add_rope_freq_base(rope["rope_theta"])
    if config.model_type == "phi3":
        add_phi3_rope(writer, config)
    elif rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    elif rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        if "beta_fast" in rope:
            writer.add_rope_scaling_yarn_beta_fast(rope["beta_fast"])
            writer.add_rope_scaling_yarn_beta_slow(rope["beta_slow"])


def add_phi3_rope(writer: gguf.GGUFWriter, config) -> None:
    rope = config.rope_parameters
    original = config.original_max_position_embeddings
    head_dim = config.hidden_size // config.num_attention_heads
    writer.add_rope_scaling_orig_ctx_len(original)
    writer.add_rope_dimension_count(int(head_dim * rope.get("partial_rotary_factor", 1.0)))
    writer.add_sliding_window(config.sliding_window or 0)
    if rope["rope_type"] == "longrope":
        scale = config.max_position_embeddings / original
        writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(scale) / math.log(original)))
        writer.add_tensor("rope_factors_long.weight", np.array(rope["long_factor"], dtype=np.float32))
        writer.add_tensor("rope_factors_short.weight", np.array(rope["short_factor"], dtype=np.float32))


def converted(name: str, weight: np.ndarray, config) -> np.ndarray:
    if config.model_type == "gemma3_text" and name.endswith("norm.weight"):
        return weight + 1
    if config.model_type in ("llama", "mistral"):
        if ".q_proj." in name:
            return permute_for_pairs(weight, config.num_attention_heads)
        if ".k_proj." in name:
            return permute_for_pairs(weight, config.num_key_value_heads)
    return weight


def write_gguf(path: Path, model: torch.nn.Module, name: str, file_type: str, encoded: dict | None = None) -> None:
    """Matrices in `file_type`, vectors in F32. The values must be exact in it (see representable).

    `encoded` gives tensors, by their name in the file, as (bytes, format) instead.
    """
    config = model.config
    arch = ARCHITECTURES[config.model_type]
    tensor_type, llama_file_type = FILE_TYPES[file_type]
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[arch])
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(name)
    writer.add_license("Apache-2.0")
    writer.add_description("Random weights for tests")
    writer.add_file_type(llama_file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    add_parameters(writer, config)
    add_tokenizer(writer)
    names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
    for source, tensor in model.state_dict().items():
        if source == "lm_head.weight" and config.tie_word_embeddings:
            continue
        target = names.get_name(source, try_suffixes=(".weight", ".bias"))
        if target in (encoded or {}):
            data, stored = encoded[target]
            writer.add_tensor(target, data, raw_dtype=stored)
            continue
        weight = converted(source, tensor.detach().float().numpy(), config)
        stored = tensor_type if weight.ndim == 2 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(target, gguf.quants.quantize(weight, stored), raw_dtype=stored)
    rope = config.rope_parameters
    if rope.get("rope_type") == "llama3":
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        writer.add_tensor("rope_freqs.weight", llama3_divisors(rope, head_dim))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def representable(weight: np.ndarray, file_type: str) -> np.ndarray:
    """The nearest values that the file's format holds exactly."""
    tensor_type = FILE_TYPES[file_type][0]
    if weight.ndim != 2 or file_type == "F32":
        return weight.astype(np.float32)
    return gguf.quants.dequantize(gguf.quants.quantize(weight.astype(np.float32), tensor_type), tensor_type)
