#!/usr/bin/env python3
"""Makes the goldens of real encoders: what transformers makes of texts of all lengths and of many languages.

    nice .venv/bin/python tests/models/make_real_encoders.py FOLDER

FOLDER is where tools/fetch_test_models leaves models. Texts are embedded one at a time, in float32 with eager attention;
the golden is the mean of the last layer's rows at a length of 1. `tests/data/models/real/index-encoders.json` has the
texts and their tokens.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import transformers

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT / "tests" / "data" / "models" / "real"
MODELS = ["all-minilm-l6-v2"]
SHORT = [
    "a",
    "0",
    "Hello, world!",
    "The quick brown fox jumps over the lazy dog.",
    "A man is eating a piece of bread.",
    "Someone has a meal.",
    "Привет, мир! Как дела сегодня?",
    "今日はいい天気ですね。散歩に行きましょう。",
    "Das Wetter ist heute schön, aber die Straße ist naß.",
    "مرحبا بالعالم",
    "한국어 문장입니다",
    "नमस्ते दुनिया",
    "🙂 emoji and ＦＵＬＬ width",
    "SELECT name FROM people WHERE age >= 18 ORDER BY name;",
    "x" * 120,
    "naïve café — “quoted” text… with\ttabs\nand lines",
]


def texts(tokenizer) -> list[str]:
    """The short ones, and pieces of a licence that have so many tokens, the special ones included."""
    words = (ROOT / "LICENSE").read_text().split()
    made = list(SHORT)
    for length in (16, 33, 64, 65, 128, 200, 256, 384, 511, 512):
        count = 1
        while len(tokenizer(" ".join(words[: count + 1])).input_ids) <= length:
            count += 1
        text = " ".join(words[:count])
        made.append(text + " the" * (length - len(tokenizer(text).input_ids)))
    return made


def main() -> None:
    models = Path(sys.argv[1])
    entries = []
    for name in MODELS:
        tokenizer = transformers.AutoTokenizer.from_pretrained(models / name)
        model = transformers.AutoModel.from_pretrained(
            models / name, dtype=torch.float32, attn_implementation="eager"
        ).eval()
        rows, listed = [], []
        for text in texts(tokenizer):
            tokens = tokenizer(text, truncation=False, padding=False).input_ids
            with torch.no_grad():
                mean = model(input_ids=torch.tensor([tokens])).last_hidden_state[0].mean(0)
            rows.append((mean / mean.norm()).numpy())
            listed.append({"text": text, "tokens": tokens})
        golden = np.stack(rows)
        golden.astype("<f4").tofile(REAL / f"{name}.embeddings")
        entries.append(
            {
                "name": name,
                "file": name,
                "pooling": "mean",
                "embeddings": f"{name}.embeddings",
                "width": golden.shape[1],
                "texts": listed,
            }
        )
        print(name, [len(text["tokens"]) for text in listed])
    lines = ",\n    ".join(json.dumps(entry) for entry in entries)
    about = "Made by tests/models/make_real_encoders.py; embeddings are little-endian float32, [texts][width]."
    (REAL / "index-encoders.json").write_text(
        f'{{\n  "about": {json.dumps(about)},\n  "encoders": [\n    {lines}\n  ]\n}}\n'
    )


if __name__ == "__main__":
    main()
