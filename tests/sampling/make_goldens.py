#!/usr/bin/env python3
"""Makes tests/data/sampling/goldens.json: distributions that core/sampling must draw from.

Each case: logits, parameters (names of SamplingParams), a history, and the probability of every token that may be drawn,
by the logits processors of transformers, applied in the order that core/sampling/sampler.cpp documents. Also the tokens
that a seed draws, by SplitMix64 and a running sum written here a second time.

Usage: make_goldens.py        needs torch, transformers
"""

import json
import math
import pathlib

import torch
from transformers.generation import logits_process as lp

OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "sampling"


def distribution(logits, history, p):
    scores = torch.tensor([logits], dtype=torch.float32)
    ids = torch.tensor([history], dtype=torch.long)
    chain = []
    if "repeat_penalty" in p:
        chain.append(lp.RepetitionPenaltyLogitsProcessor(p["repeat_penalty"]))
    if "top_k" in p:
        chain.append(lp.TopKLogitsWarper(p["top_k"]))
    if "typical_p" in p:
        chain.append(lp.TypicalLogitsWarper(p["typical_p"]))
    if "top_p" in p:
        chain.append(lp.TopPLogitsWarper(p["top_p"]))
    if "min_p" in p:
        chain.append(lp.MinPLogitsWarper(p["min_p"]))
    if p.get("temperature", 1.0) != 1.0:
        chain.append(lp.TemperatureLogitsWarper(p["temperature"]))
    for processor in chain:
        scores = processor(ids, scores)
    probabilities = torch.softmax(scores.double(), -1)[0]
    return {int(i): float(probabilities[i]) for i in torch.nonzero(probabilities).flatten()}


def splitmix64(seed):
    mask = (1 << 64) - 1
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & mask
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        yield z ^ (z >> 31)


def drawn(logits, temperature, seed, count):
    weights = [math.exp((x - max(logits)) / temperature) for x in logits]
    tokens = []
    for bits, _ in zip(splitmix64(seed), range(count), strict=False):
        target = (bits >> 11) / 2**53 * sum(weights)
        total = 0.0
        for token, weight in enumerate(weights):
            total += weight
            if total > target:
                tokens.append(token)
                break
    return tokens


def main():
    torch.manual_seed(3)
    rows = {
        "peaked": (torch.randn(60) * 3).tolist(),
        "flat": (torch.randn(200) * 0.5).tolist(),
        "one": [9.0, *(torch.randn(30) * 0.3).tolist()],
    }
    parameters = [
        {"temperature": 1.0}, {"temperature": 0.5}, {"temperature": 1.7},
        {"temperature": 1.0, "top_k": 1}, {"temperature": 1.0, "top_k": 7}, {"temperature": 0.8, "top_k": 20},
        {"temperature": 1.0, "top_p": 0.9}, {"temperature": 1.0, "top_p": 0.3}, {"temperature": 1.3, "top_p": 0.99},
        {"temperature": 1.0, "min_p": 0.05}, {"temperature": 0.7, "min_p": 0.3},
        {"temperature": 1.0, "typical_p": 0.5}, {"temperature": 0.9, "typical_p": 0.95},
        {"temperature": 1.0, "typical_p": 0.2},
        {"temperature": 1.0, "repeat_penalty": 1.3, "penalty_last_n": -1},
        {"temperature": 0.6, "repeat_penalty": 2.0, "penalty_last_n": -1, "top_p": 0.8},
        {"temperature": 0.8, "top_k": 30, "typical_p": 0.9, "top_p": 0.9, "min_p": 0.1,
         "repeat_penalty": 1.1, "penalty_last_n": -1},
        {"temperature": 1.5, "top_k": 12, "top_p": 0.7, "min_p": 0.2},
    ]  # fmt: skip
    history = [3, 5, 5, 8, 13, 21, 0, 3]
    cases = []
    for name, row in rows.items():
        row = [float(x) for x in torch.tensor(row, dtype=torch.float32)]
        for p in parameters:
            cases.append({"row": name, "params": p, "probabilities": distribution(row, history, p)})
        rows[name] = row
    draws = {"row": "peaked", "temperature": 0.9, "seed": 42, "tokens": drawn(rows["peaked"], 0.9, 42, 200)}
    OUT.mkdir(parents=True, exist_ok=True)
    golden = {"rows": rows, "history": history, "cases": cases, "draws": draws}
    lines = json.dumps(golden).replace('{"row"', '\n{"row"').replace('"history"', '\n"history"')
    (OUT / "goldens.json").write_text(lines + "\n")


if __name__ == "__main__":
    main()
