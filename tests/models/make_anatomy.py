#!/usr/bin/env python3
"""What the tensors of the tiny models are like and how far those of two files are apart, by NumPy and gguf's decoders.

.venv/bin/python tests/models/make_anatomy.py               (writes tests/data/models/index-anatomy.json)
"""

import json
from pathlib import Path

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize
from safetensors import safe_open

FOLDER = Path(__file__).resolve().parents[1] / "data" / "models"
BINS = 128
# Different weights in the same shape; the same model in the other container, RoPE's rows in the other order.
PAIRS = [("phi3.gguf", "phi3-window.gguf"), ("llama3.gguf", "llama3-hf"), ("qwen2.gguf", "qwen2-hf")]
HF_NAMES = {
    "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip


def decoded(path: Path) -> dict[str, np.ndarray]:
    if path.is_dir():
        tensors = {}
        for part in sorted(path.glob("*.safetensors")):
            with safe_open(part, framework="pt") as file:
                tensors |= {name: file.get_tensor(name).float().numpy() for name in file.keys()}
        return tensors
    return {t.name: dequantize(t.data, t.tensor_type).astype(np.float32) for t in GGUFReader(path).tensors}


def statistics(values: np.ndarray) -> dict:
    x = values.ravel().astype(np.float64)
    counts, _ = np.histogram(x, bins=BINS, range=(x.min(), x.max()))
    return {
        "elements": x.size,
        "zeros": int((x == 0).sum()),
        "min": x.min(),
        "max": x.max(),
        "mean": x.mean(),
        "deviation": x.std(),
        "histogram": counts.tolist(),
    }


def hf_name(name: str) -> str:
    stem, _, suffix = name.rpartition(".")
    if stem.startswith("blk."):
        _, layer, part = stem.split(".")
        return f"model.layers.{layer}.{HF_NAMES[part]}.{suffix}"
    return f"{HF_NAMES.get(stem, stem)}.{suffix}"


def in_gguf_order(name: str, values: np.ndarray, head_dim: int) -> np.ndarray:
    """Converters of Llama put the two halves of each head's rows in turn."""
    if ".attn_q." not in name and ".attn_k." not in name:
        return values
    heads = values.reshape(-1, 2, head_dim // 2, *values.shape[1:])
    return heads.swapaxes(1, 2).reshape(values.shape)


def error(a: np.ndarray, b: np.ndarray) -> dict:
    a, b = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    return {
        "elements": a.size,
        "nmse": ((a - b) ** 2).sum() / (b**2).sum(),
        "rms": np.sqrt(((a - b) ** 2).mean()),
        "max_error": np.abs(a - b).max(),
        "cosine": a @ b / np.linalg.norm(a) / np.linalg.norm(b),
    }


def compare(model: str, reference: str) -> dict:
    a, b = decoded(FOLDER / model), decoded(FOLDER / reference)
    pairs = []
    for name, values in a.items():
        other = hf_name(name) if reference.endswith("-hf") else name
        if other not in b:
            continue
        expected = b[other]
        if model.startswith("llama") and reference.endswith("-hf"):
            config = json.loads((FOLDER / reference / "config.json").read_text())
            head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
            expected = in_gguf_order(name, expected, head_dim)
        pairs.append({"tensor": name, "reference": other, **error(values, expected)})
    return {"model": model, "reference": reference, "pairs": pairs}


def main() -> None:
    index = {
        "about": "Made by tests/models/make_anatomy.py.",
        "statistics": {name: statistics(values) for name, values in decoded(FOLDER / "formats.gguf").items()},
        "comparisons": [compare(*pair) for pair in PAIRS],
    }
    text = json.dumps(index, default=float)
    (FOLDER / "index-anatomy.json").write_text(text + "\n")


main()
