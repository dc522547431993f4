#!/usr/bin/env python3
"""Golden logits of real models: transformers in float32 on the weights of the GGUF file, decoded by the `gguf` package.

    nice -n 10 .venv/bin/python tests/models/make_real_goldens.py FOLDER       (writes tests/data/models/real)

FOLDER holds the files named below; those that are missing keep their old golden. A row of logits is 200 KB to 1 MB, so
every STRIDE-th id of it is kept, and the id of the largest of all. The files are known by their SHA-256.
"""

import argparse
import hashlib
import json
import time
from pathlib import Path

import numpy as np
from gguf_to_hf import load_gguf
from golden import Index, logits_of

FOLDER = Path(__file__).resolve().parents[1] / "data" / "models" / "real"
TEXT = """The heath was quiet at first light; a thin smoke rose from the chimney, and somewhere a dog barked twice.

def area(radius: float) -> float:
    return 3.14159 * radius ** 2  # Größe in m²"""
# TEXT in each vocabulary, by llama.cpp's tokenizer; only the ids matter.
# fmt: off
SMOLLM = [
    504, 384, 679, 436, 8354, 418, 808, 1420, 43, 253, 5607, 7864, 8739, 429, 260, 31161, 28, 284, 10105, 253, 2767,
    13113, 277, 6757, 30, 198, 198, 1604, 1557, 24, 24440, 42, 6458, 25, 4722, 6458, 42, 472, 1003, 216, 35, 30, 33,
    36, 33, 37, 41, 1672, 13661, 1903, 216, 34, 216, 907, 9171, 7466, 34878, 85, 281, 283, 19133]
GEMMA = [
    2, 818, 147752, 691, 12010, 657, 1171, 2214, 236793, 496, 11202, 16947, 11076, 699, 506, 70263, 236764, 532,
    16581, 496, 4799, 33931, 524, 10911, 236761, 108, 2063, 2433, 236769, 12485, 236787, 6803, 236768, 3921, 6803,
    236787, 107, 140, 2060, 236743, 236800, 236761, 236770, 236812, 236770, 236810, 236819, 808, 12425, 5213,
    236743, 236778, 138, 236865, 112880, 528, 520, 238131]
QWEN = [
    785, 566, 587, 572, 11340, 518, 1156, 3100, 26, 264, 15430, 16205, 16009, 504, 279, 89051, 11, 323, 14696, 264,
    5562, 293, 42061, 10917, 382, 750, 3082, 61022, 25, 2224, 8, 1464, 2224, 510, 262, 470, 220, 18, 13, 16, 19, 16,
    20, 24, 353, 10578, 3070, 220, 17, 220, 671, 137208, 304, 296, 29456]
# fmt: on
MODELS = {  # file: tokens, stride
    "smollm2-135m": (SMOLLM, 97),
    "gemma3-270m": (GEMMA, 509),
    "qwen2.5-coder-0.5b": (QWEN, 307),
    "qwen2.5-coder-1.5b": (QWEN, 307),
}


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def old_entries() -> dict:
    path = FOLDER / "index.json"
    return {entry["name"]: entry for entry in json.loads(path.read_text())["goldens"]} if path.exists() else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the GGUF files are")
    parser.add_argument("names", nargs="*", help="only these (default: all that are there)")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = old_entries()
    index = Index(FOLDER, "Made by tests/models/make_real_goldens.py; column i is the logit of id i * stride.")
    for name, (tokens, stride) in MODELS.items():
        path = options.folder / f"{name}.gguf"
        if not path.exists() or (options.names and name not in options.names):
            if name in kept:
                index.document["goldens"].append(kept[name])
            continue
        start = time.monotonic()
        logits = logits_of(load_gguf(str(path)), tokens)
        top = np.argmax(logits, axis=1).tolist()
        kept_logits = np.ascontiguousarray(logits[:, ::stride])
        index.add(name, path.name, tokens, kept_logits, stride=stride, top=top, sha256=sha256(path), text=TEXT)
        print(f"{name}: {logits.shape}, {time.monotonic() - start:.0f} s")
    index.write()


if __name__ == "__main__":
    main()
