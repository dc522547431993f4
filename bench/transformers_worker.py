#!/usr/bin/env python3
"""Runs a GGUF file in transformers for peers.py, with driver.c's commands and output: bench and first in bfloat16,
logits and vocabulary in float32 (the reference of the KL figures). Run by the environment that peers.py makes.
"""

import json
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "models"))

import gguf
import numpy as np
import torch
from gguf_to_hf import load_gguf, read_config


def random_ids(model, count: int) -> torch.Tensor:
    return torch.randint(0, model.config.vocab_size, (1, count))


def prefill(model, ids: torch.Tensor):
    return model(input_ids=ids, use_cache=True, logits_to_keep=1)


def generate(model, cache, count: int) -> None:
    for _ in range(count):
        cache = model(input_ids=random_ids(model, 1), past_key_values=cache, use_cache=True).past_key_values


def seconds(action) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def bench(path: str, repeat: int, prompt: int, gen: int) -> None:
    start = time.perf_counter()
    model = load_gguf(path, torch.bfloat16, "sdpa")
    load_ms = 1e3 * (time.perf_counter() - start)
    generate(model, prefill(model, random_ids(model, prompt)).past_key_values, 1)
    result = {"prefill_s": [], "decode_s": [], "load_ms": load_ms}
    for _ in range(repeat):
        ids = random_ids(model, prompt)
        result["prefill_s"].append(seconds(lambda ids=ids: prefill(model, ids)))
        result["decode_s"].append(seconds(lambda: generate(model, None, gen)))
    result["peak_rss_bytes"] = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result["system"] = f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, bfloat16"
    print(json.dumps(result))


def first(path: str) -> None:
    model = load_gguf(path, torch.bfloat16, "sdpa")
    print(int(prefill(model, random_ids(model, 10)).logits[0, -1].argmax()), flush=True)


def logits(path: str, window: int) -> None:
    model = load_gguf(path, torch.float32, "sdpa")
    while data := sys.stdin.buffer.read(4 * window):
        ids = torch.from_numpy(np.frombuffer(data, dtype="<i4").astype(np.int64))[None]
        rows = model(input_ids=ids, use_cache=False).logits[0]
        sys.stdout.buffer.write(rows.contiguous().numpy().astype("<f4").tobytes())


def main() -> None:
    command, path, *numbers = sys.argv[1:]
    torch.manual_seed(0)
    if command == "vocabulary":
        print(read_config(gguf.GGUFReader(path)).vocab_size)
        return
    torch.set_num_threads(int(numbers[0]))
    with torch.inference_mode():
        if command == "bench":
            bench(path, *map(int, numbers[1:]))
        elif command == "first":
            first(path)
        elif command == "logits":
            logits(path, int(numbers[1]))
        else:
            sys.exit(f"unknown command {command}")


if __name__ == "__main__":
    main()
