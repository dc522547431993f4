#!/usr/bin/env python3
"""Makes two LoRA adapters for tests/data/models/llama.gguf and golden logits with their weights merged in by PyTorch.

    .venv/bin/python tests/models/make_lora.py        (after make_tiny.py; adds index-lora.json)

An adapter in GGUF: general.type "adapter", adapter.type "lora", adapter.lora.alpha; for each adapted matrix W [out][in]
two tensors W.lora_a [rank][in] and W.lora_b [out][rank]. The effective weight is W + scale * alpha / rank * (B A). The
rows of llama's Q and K are permuted in the file, and so are the rows of their B (as in llama.cpp's converter).
"""

import argparse

import gguf
import numpy as np
import torch
from golden import Index, logits_of, nmse
from hf_to_gguf import permute_for_pairs
from make_tiny import FOLDER, SMALLEST_EFFECT, build, load, random_tokens, random_weights, variants

PROJECTIONS = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")
PROJECTIONS += ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
ATTENTION_OF_LAYER_1 = [f"model.layers.1.{name}.weight" for name in PROJECTIONS[:2]]
EVERYTHING = [f"model.layers.{layer}.{name}.weight" for layer in range(2) for name in PROJECTIONS] + ["lm_head.weight"]


def make_adapter(weights: dict, names: list[str], rank: int, seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """(A, B) by name, exact in F16."""
    generator = np.random.default_rng(seed)
    adapter = {}
    for name in names:
        rows, columns = weights[name].shape
        a = generator.standard_normal((rank, columns)) * columns**-0.5
        b = generator.standard_normal((rows, rank)) * 0.15
        adapter[name] = (a.astype(np.float16).astype(np.float32), b.astype(np.float16).astype(np.float32))
    return adapter


def write_adapter(file: str, adapter: dict, alpha: float, config, kind: gguf.GGMLQuantizationType) -> None:
    writer = gguf.GGUFWriter(FOLDER / file, "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_name("tiny test adapter")
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for source, (a, b) in adapter.items():
        projection = source.split(".")[-2]
        if projection in heads:
            b = permute_for_pairs(b, heads[projection])
        target = names.get_name(source, try_suffixes=(".weight",))
        writer.add_tensor(f"{target}.lora_a", gguf.quants.quantize(a, kind), raw_dtype=kind)
        writer.add_tensor(f"{target}.lora_b", gguf.quants.quantize(b, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def merged(weights: dict, parts: list[tuple[dict, float]]) -> dict[str, torch.Tensor]:
    """Weights plus factor * B A of every (adapter, factor)."""
    result = {name: weight.double() for name, weight in weights.items()}
    for adapter, factor in parts:
        for name, (a, b) in adapter.items():
            result[name] = result[name] + factor * torch.from_numpy(b).double() @ torch.from_numpy(a).double()
    return {name: weight.float() for name, weight in result.items()}


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    number, base = next((i, v) for i, v in enumerate(variants()) if v.name == "llama")
    weights = random_weights(build(base.config), base.file_type, seed=number)
    tokens = random_tokens(48, seed=500)
    every, every_alpha = make_adapter(weights, EVERYTHING, rank=4, seed=501), 8.0
    few, few_alpha = make_adapter(weights, ATTENTION_OF_LAYER_1, rank=3, seed=502), 6.0
    write_adapter("lora-every.gguf", every, every_alpha, base.config, gguf.GGMLQuantizationType.F16)
    write_adapter("lora-few.gguf", few, few_alpha, base.config, gguf.GGMLQuantizationType.F32)
    factor_of = {"lora-every.gguf": (every, every_alpha / 4), "lora-few.gguf": (few, few_alpha / 3)}
    index = Index(FOLDER, "Made by tests/models/make_lora.py; as index.json, with adapters to apply.")
    for name, uses in (
        ("lora", [("lora-every.gguf", 1.0)]),
        ("lora-half", [("lora-every.gguf", 0.5)]),
        ("lora-two", [("lora-every.gguf", 0.25), ("lora-few.gguf", 1.5)]),
    ):
        parts = [(factor_of[file][0], scale * factor_of[file][1]) for file, scale in uses]
        golden = logits_of(load(base.config, merged(weights, parts)), tokens)
        without = {}
        for i, (file, _) in enumerate(uses):
            rest = logits_of(load(base.config, merged(weights, parts[:i] + parts[i + 1 :])), tokens)
            without[file] = float(f"{nmse(rest, golden):.2g}")
        assert min(without.values()) > SMALLEST_EFFECT, (name, without)
        loras = [{"file": file, "scale": scale} for file, scale in uses]
        index.add(name, "llama.gguf", tokens, golden, context=len(tokens), loras=loras, without=without)
        print(f"{name:10} without: {without}")
    index.write("index-lora.json")


if __name__ == "__main__":
    main()
