#!/usr/bin/env python3
"""Runs a GGUF file in OpenVINO GenAI for peers.py, with driver.c's commands and output. Times are the pipeline's own
(time to the first token, time per token after it). Run by the environment that peers.py makes.
"""

import json
import resource
import sys
import time

import numpy as np
import openvino
import openvino_genai


def load(path: str, threads: int) -> openvino_genai.LLMPipeline:
    return openvino_genai.LLMPipeline(path, "CPU", INFERENCE_NUM_THREADS=threads)


def run(pipeline: openvino_genai.LLMPipeline, random: np.random.Generator, prompt: int, new_tokens: int):
    """The pipeline's figures for random tokens, new ones each time: it keeps prompts that it has seen."""
    vocabulary = len(pipeline.get_tokenizer().get_vocab())
    ids = openvino.Tensor(random.integers(0, vocabulary, (1, prompt), dtype=np.int64))
    settings = openvino_genai.GenerationConfig()
    settings.max_new_tokens = new_tokens
    settings.ignore_eos = True
    return pipeline.generate(ids, settings).perf_metrics


def bench(path: str, threads: int, repeat: int, prompt: int, gen: int) -> None:
    random = np.random.default_rng(0)
    start = time.perf_counter()
    pipeline = load(path, threads)
    result = {"load_ms": 1e3 * (time.perf_counter() - start), "prefill_s": [], "decode_s": []}
    run(pipeline, random, prompt, 2)
    for _ in range(repeat):
        result["prefill_s"].append(1e-3 * run(pipeline, random, prompt, 1).get_ttft().mean)
        result["decode_s"].append(1e-3 * gen * run(pipeline, random, 1, gen + 1).get_tpot().mean)
    result["peak_rss_bytes"] = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result["system"] = f"openvino {openvino.__version__}"
    print(json.dumps(result))


def main() -> None:
    command, path, threads, *rest = sys.argv[1:]
    if command == "bench":
        bench(path, int(threads), *map(int, rest))
    elif command == "first":
        run(load(path, int(threads)), np.random.default_rng(0), 10, 1)
        print("1", flush=True)
    else:
        sys.exit(f"{command} is not something that OpenVINO can do here")


if __name__ == "__main__":
    main()
