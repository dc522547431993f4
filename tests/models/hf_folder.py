"""Writes a transformers model as a folder: config.json, safetensors (one or sharded), tokenizer.json.

transformers 5 writes RoPE as `rope_parameters`; nearly all published models still have the older `rope_theta` and
`rope_scaling`. `legacy=True` writes that form. transformers reads both, which the caller checks by loading the folder.
"""

import json
from pathlib import Path

import torch
from hf_to_gguf import SPECIAL_TOKENS, vocabulary
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers


def write_tokenizer(folder: Path) -> None:
    tokens, merges = vocabulary()
    ordinary = {token: i for i, token in enumerate(tokens) if token not in SPECIAL_TOKENS}
    tokenizer = Tokenizer(models.BPE(vocab=ordinary, merges=[tuple(merge.split()) for merge in merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS])
    assert all(tokenizer.token_to_id(token) == i for i, token in enumerate(tokens))
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|endoftext|>",
        "eos_token": "<|im_end|>",
        "add_bos_token": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def legacy_config(config: dict) -> dict:
    """The form that transformers before version 5 wrote."""
    rope = config.pop("rope_parameters")
    if "full_attention" in rope:
        config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        rope = rope["full_attention"]
        config.pop("layer_types", None)
        config["sliding_window_pattern"] = 6
    rope = dict(rope)
    config["rope_theta"] = rope.pop("rope_theta")
    kind = rope.pop("rope_type")
    if config["model_type"] == "phi3":
        config["partial_rotary_factor"] = rope.pop("partial_rotary_factor", 1.0)
        rope.pop("original_max_position_embeddings", None)  # phi3 has it at the top level
        config["rope_scaling"] = None if kind == "default" else {"type": kind, **rope}
    else:
        config["rope_scaling"] = None if kind == "default" else {"rope_type": kind, **rope}
    config["torch_dtype"] = config.pop("dtype")
    return config


def write_folder(folder: Path, model: torch.nn.Module, dtype: str, legacy: bool, sharded: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kind = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}[dtype]
    model.to(kind).save_pretrained(folder, max_shard_size="40KB" if sharded else "1GB")
    path = folder / "config.json"
    config = json.loads(path.read_text())
    for noise in ("transformers_version", "use_cache"):
        config.pop(noise, None)
    path.write_text(json.dumps(legacy_config(config) if legacy else config, indent=2) + "\n")
    write_tokenizer(folder)
