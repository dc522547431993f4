#!/usr/bin/env python3
"""How far an engine's probabilities are from exact arithmetic on the same weights: KL(reference || engine).

The reference is transformers in float32 on the tensors of the file as the `gguf` package decodes them. Windows do not
overlap: the beginning-of-sequence token where the model wants one, then text. Every row but a window's last is compared,
as `ingle eval --kl-against reference` does for ours. The ids come from the peer's tokenizer: both sides see the same.

peers.py runs this file with the Python of the reference's environment (numpy): a JSON specification on stdin, the
result on stdout. {"reference": COMMAND, "engines": {NAME: COMMAND}, "ids": FILE, "window": 512, "vocabulary": N}
"""

import json
import subprocess
import sys
from collections.abc import Iterator

import numpy as np

SLICE = 64  # rows at a time: vocabularies are large


def start(command: list[str], ids: str) -> subprocess.Popen:
    """A process that takes int32 ids and gives float32 logits of every row, in the order of the ids."""
    with open(ids, "rb") as file:
        return subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE)


def windows_of(process: subprocess.Popen, rows: int, vocabulary: int) -> Iterator[np.ndarray]:
    size = rows * vocabulary * 4
    while len(data := process.stdout.read(size)) == size:
        yield np.frombuffer(data, dtype="<f4").reshape(rows, vocabulary)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


class Divergence:
    """Mean KL in nats, top-1 agreement and the worst row."""

    def __init__(self):
        self.rows, self.kl, self.same_top, self.largest = 0, 0.0, 0, 0.0

    def add(self, reference: np.ndarray, engine: np.ndarray) -> None:
        for at in range(0, reference.shape[0], SLICE):
            p, q = log_softmax(reference[at : at + SLICE]), log_softmax(engine[at : at + SLICE])
            kl = (np.exp(p) * (p - q)).sum(axis=1)
            self.rows += len(kl)
            self.kl += float(kl.sum())
            self.largest = max(self.largest, float(kl.max()))
            self.same_top += int((p.argmax(axis=1) == q.argmax(axis=1)).sum())

    def summary(self) -> dict:
        if not self.rows:
            return {"error": "gave no logits"}
        return {
            "kl": self.kl / self.rows,
            "top1": self.same_top / self.rows,
            "largest": self.largest,
            "rows": self.rows,
        }


def main() -> None:
    plan = json.load(sys.stdin)
    rows, vocabulary = plan["window"], plan["vocabulary"]
    reference = start(plan["reference"], plan["ids"])
    engines = {name: start(command, plan["ids"]) for name, command in plan["engines"].items()}
    streams = {name: windows_of(process, rows, vocabulary) for name, process in engines.items()}
    results = {name: Divergence() for name in engines}
    for number, expected in enumerate(windows_of(reference, rows, vocabulary)):
        for name, stream in streams.items():
            if (actual := next(stream, None)) is not None:
                results[name].add(expected[:-1], actual[:-1])
        print(f"  window {number + 1}", file=sys.stderr, flush=True)
    for process in (reference, *engines.values()):
        process.stdout.close()
        process.wait()
    print(json.dumps({name: divergence.summary() for name, divergence in results.items()}))


if __name__ == "__main__":
    main()
