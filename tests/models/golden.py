"""Golden logits: computed by transformers, kept as raw little-endian float32 with an index in JSON."""

import json
from pathlib import Path

import numpy as np
import torch


def logits_of(model: torch.nn.Module, tokens: list[int]) -> np.ndarray:
    """All rows of one prefill in float32 with transformers' plain ("eager") attention: [tokens][vocabulary]."""
    with torch.no_grad():
        result = model(input_ids=torch.tensor([tokens]), use_cache=False)
    return result.logits[0].float().numpy()


def nmse(value: np.ndarray, golden: np.ndarray) -> float:
    difference = value.astype(np.float64) - golden
    return float((difference**2).sum() / (golden.astype(np.float64) ** 2).sum())


class Index:
    """`index.json`: which file, which tokens, where the logits are. Entries keep the order in which they were added."""

    def __init__(self, folder: Path, about: str):
        self.folder = folder
        self.document = {"about": about, "goldens": []}

    def add(self, name: str, file: str, tokens: list[int], logits: np.ndarray | str, **more) -> None:
        """`logits` is an array [rows][columns], written to NAME.logits, or the name of an entry that has the same."""
        entry = {"name": name, "file": file, "tokens": tokens}
        if isinstance(logits, str):
            source = next(other for other in self.document["goldens"] if other["name"] == logits)
            entry |= {key: source[key] for key in ("logits", "rows", "vocab")}
        else:
            logits.astype("<f4").tofile(self.folder / f"{name}.logits")
            entry |= {"logits": f"{name}.logits", "rows": logits.shape[0], "vocab": logits.shape[1]}
        self.document["goldens"].append(entry | more)

    def write(self, name: str = "index.json") -> None:
        lines = [json.dumps(entry) for entry in self.document["goldens"]]
        body = ",\n    ".join(lines)
        about = json.dumps(self.document["about"])
        (self.folder / name).write_text(f'{{\n  "about": {about},\n  "goldens": [\n    {body}\n  ]\n}}\n')
