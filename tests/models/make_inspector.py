#!/usr/bin/env python3
"""What goes on inside of the tiny models, by transformers: the logit lens and the attention weights of some tokens.

    .venv/bin/python tests/models/make_inspector.py               (writes tests/data/models/index-inspector.json)

Of the last token of each text: after the embedding and after each layer, what the last norm and the output matrix make
of the residual stream; and of each layer and head, the weights over all positions.
"""

import json
from pathlib import Path

import numpy as np
import torch
import transformers
from gguf_to_hf import load_gguf
from make_tiny import cap_attention

FOLDER = Path(__file__).resolve().parents[1] / "data" / "models"
NAMES = ["llama", "qwen2", "qwen3", "gemma3", "mistral-window", "gemma3-softcap"]
TOP = 3


def rounded(values: np.ndarray) -> list:
    return json.loads(
        json.dumps(values.astype(np.float64).tolist()), parse_float=lambda text: float(f"{float(text):.7g}")
    )


def load(path: Path) -> torch.nn.Module:
    if path.suffix == ".gguf":
        return load_gguf(str(path))
    return transformers.AutoModelForCausalLM.from_pretrained(
        path, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def lens(model: torch.nn.Module, residual: torch.Tensor, chosen: int) -> dict:
    logits = model.lm_head(model.model.norm(residual))
    cap = getattr(model.config, "final_logit_softcapping", None)
    if cap:
        logits = cap * torch.tanh(logits / cap)
    probabilities = torch.softmax(logits.double(), -1).numpy()
    best = np.lexsort((np.arange(len(probabilities)), -probabilities))
    return {
        "top": best[:TOP].tolist(),
        "probabilities": rounded(probabilities[best[:TOP]]),
        "chosen": float(f"{probabilities[chosen]:.7g}"),
        "rank": int(np.where(best == chosen)[0][0]),
        "entropy": float(f"{-(probabilities * np.log2(probabilities)).sum():.7g}"),
    }


def last_residual(model: torch.nn.Module, into: list) -> torch.utils.hooks.RemovableHandle:
    """transformers' hidden_states end with the normalised one, so the last layer's own is caught on its way."""

    def catch(_, __, output):
        into.append(output[0] if isinstance(output, tuple) else output)

    return model.model.layers[-1].register_forward_hook(catch)


def main() -> None:
    index = {entry["name"]: entry for entry in json.loads((FOLDER / "index.json").read_text())["goldens"]}
    lines = []
    for name in NAMES:
        entry = index[name]
        model = cap_attention(load(FOLDER / entry["file"]))
        residuals = []
        hook = last_residual(model, residuals)
        with torch.no_grad():
            result = model(
                input_ids=torch.tensor([entry["tokens"]]),
                use_cache=False,
                output_hidden_states=True,
                output_attentions=True,
            )
            hook.remove()
            chosen = int(result.logits[0, -1].argmax())
            streams = [*result.hidden_states[:-1], residuals[0]]
            layers = [lens(model, stream[0, -1], chosen) for stream in streams]
        attention = [rounded(weights[0, :, -1].numpy()) for weights in result.attentions]
        lines.append(json.dumps({"name": name, "chosen": chosen, "lens": layers, "attention": attention}))
    about = f"transformers {transformers.__version__}, float32, eager attention: tests/models/make_inspector.py"
    body = ",\n    ".join(lines)
    (FOLDER / "index-inspector.json").write_text(
        f'{{\n  "about": {json.dumps(about)},\n  "models": [\n    {body}\n  ]\n}}\n'
    )


main()
