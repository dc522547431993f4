#!/usr/bin/env python3
"""Embeddings beside onnxruntime: the same texts, threads and process life; ratios of time, and how alike vectors are.

    python3 -m venv .venv && .venv/bin/pip install -r bench/embeddings.txt
    .venv/bin/python bench/embeddings.py build/models/all-minilm-l6-v2          needs build/release/bin/embed_worker

Both engines stay loaded and take turns, in an order that turns each round, with a pause in which the other's threads go
to sleep. A round's value is the median of a few calls, the result the median of the rounds. onnxruntime runs the model as
torch exports it in 32-bit floats with all of its own graph optimisations, and as onnxruntime.transformers' optimizer
fuses it for BERT; the faster one of the two counts, shape by shape. It makes the last layer's rows; their mean, which
ours includes, is not in its time. Ratios above 1 mean that ours is faster.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import machine

ROOT = Path(__file__).resolve().parents[1]
SHAPES = {"1 x 16": (1, 16), "1 x 128": (1, 128), "1 x 512": (1, 512), "32 x 128": (32, 128)}
PEERS = {"onnxruntime": "plain.onnx", "onnxruntime, fused": "fused.onnx"}
PAUSE = 0.3  # seconds
VOCABULARY = 30522


def export(model: Path, folder: Path) -> None:
    import torch
    import transformers
    from onnxruntime.transformers import optimizer

    class Rows(torch.nn.Module):
        def __init__(self, bert):
            super().__init__()
            self.bert = bert

        def forward(self, input_ids, attention_mask, token_type_ids):
            return self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state

    bert = transformers.AutoModel.from_pretrained(model, attn_implementation="eager", dtype=torch.float32).eval()
    names = ["input_ids", "attention_mask", "token_type_ids"]
    example = torch.ones(2, 16, dtype=torch.long)
    torch.onnx.export(
        Rows(bert),
        (example, example, example * 0),
        folder / "plain.onnx",
        input_names=names,
        output_names=["rows"],
        dynamic_axes={name: {0: "batch", 1: "length"} for name in [*names, "rows"]},
        opset_version=17,
        dynamo=False,
    )
    heads, width = bert.config.num_attention_heads, bert.config.hidden_size
    plain = str(folder / "plain.onnx")
    fused = optimizer.optimize_model(plain, "bert", num_heads=heads, hidden_size=width, opt_level=0)
    fused.save_model_to_file(str(folder / "fused.onnx"))


def work(model: str, threads: int) -> None:
    """The same lines as embed_worker, by onnxruntime."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    inputs = {i.name for i in session.get_inputs()}
    print(json.dumps({"version": onnxruntime.__version__}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        ids = np.array(asked["texts"], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        feed = {name: value for name, value in feed.items() if name in inputs}
        seconds = []
        for _ in range(asked["repeat"]):
            start = time.perf_counter()
            (rows,) = session.run(None, feed)
            seconds.append(time.perf_counter() - start)
        means = rows.mean(1)
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        print(json.dumps({"seconds": seconds, "embeddings": means.tolist()}), flush=True)


class Worker:
    def __init__(self, command: list):
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.about = self.read()

    def read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args[0]} ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, texts: list, repeat: int) -> dict:
        self.process.stdin.write(json.dumps({"texts": texts, "repeat": repeat}) + "\n")
        self.process.stdin.flush()
        return self.read()


def texts_of(count: int, length: int) -> list:
    """Random words between [CLS] and [SEP]."""
    return [[101, *(random.randrange(1000, VOCABULARY) for _ in range(length - 2)), 102] for _ in range(count)]


def cosine(a: list, b: list) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5


def measure(workers: dict, rounds: int, repeat: int) -> dict:
    """By shape: each worker's values, and the smallest cosine between ours and the plain peer's."""
    results = {}
    for number in range(rounds + 1):  # the first one warms up
        for shape, (count, length) in SHAPES.items():
            result = results.setdefault(shape, {"seconds": {name: [] for name in workers}, "cosine": 1.0})
            texts = texts_of(count, length)
            order = list(workers)
            order = order[number % len(order) :] + order[: number % len(order)]
            found = {}
            for name in order:
                time.sleep(PAUSE)
                answer = workers[name].ask(texts, max(1, repeat // count))
                found[name] = answer["embeddings"]
                if number > 0:
                    result["seconds"][name].append(statistics.median(answer["seconds"]))
            pairs = zip(found["ingle"], found["onnxruntime"], strict=True)
            result["cosine"] = min(result["cosine"], *(cosine(a, b) for a, b in pairs))
    return results


def table(results: dict) -> str:
    lines = [f"{'texts x tokens':<16}{'ingle ms':>10}{'best peer ms':>14}{'ratio':>8}{'lowest cosine':>16}"]
    for shape, result in results.items():
        medians = {name: statistics.median(values) * 1000 for name, values in result["seconds"].items()}
        ours = medians.pop("ingle")
        best = min(medians, key=medians.get)
        lines.append(
            f"{shape:<16}{ours:>10.1f}{medians[best]:>14.1f}{medians[best] / ours:>8.2f}{result['cosine']:>16.6f}  {best}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a folder with safetensors")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=9, help="calls a round; of 32 texts one")
    parser.add_argument("--isa", default="", help="an instruction set of ours instead of the best")
    parser.add_argument("--worker", type=Path, default=ROOT / "build/release/bin/embed_worker")
    parser.add_argument("--json", type=Path, help="keeps every value")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        work(options.peer, options.threads)
        return
    random.seed(1)
    with tempfile.TemporaryDirectory() as folder:
        export(options.model, Path(folder))
        isa = [options.isa] if options.isa else []
        workers = {"ingle": Worker([options.worker, options.model, options.threads, *isa])}
        for name, file in PEERS.items():
            command = [sys.executable, __file__, options.model, "--threads", options.threads]
            workers[name] = Worker([*command, "--peer", Path(folder) / file])
        results = measure(workers, options.rounds, options.repeat)
    about = machine()
    isa = workers["ingle"].about["isa"]
    print(f"{about['date']}, {about['cpu']}; {options.threads} threads, {isa}; load {os.getloadavg()[0]:.1f}")
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
