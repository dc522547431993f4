#!/usr/bin/env python3
"""The gate on quality: how far the fast arithmetic is from the reference path, per model and number format.

  bench/quality.py MODEL.gguf...                        the files as they are
  bench/quality.py MODEL.gguf --formats Q4_0,Q8_0       and with their matrices in other formats (bench/requantize.cpp)

32 windows of 512 tokens of --text (default: all of tests/data/text) run through both paths side by side, by
`ingle eval --kl-against reference`. A table goes to stdout; the exit code is 1 where a limit is missed. --peers FILE
takes what `bench/peers.py kl --json FILE` wrote of the same text: then no KL may be above llama.cpp's, either.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from measure import machine

ROOT = Path(__file__).resolve().parents[1]
SMALL = 400e6  # parameters; below it a model has less to lose its rounding errors in
PERPLEXITY = 0.005  # the most that it may differ, as a share


@dataclass(frozen=True)
class Limit:
    kl: float  # nats a token, mean
    top1: float  # share of tokens


BF16, SMALL_INT8, INT8 = Limit(0.0005, 0.99), Limit(0.006, 0.96), Limit(0.002, 0.975)


def limit_of(result: dict) -> Limit:
    if result["isa"] == "amx":  # its products of many rows are of bf16
        return BF16
    return SMALL_INT8 if result["parameters"] < SMALL else INT8


def misses(result: dict, llama: float | None = None) -> list[str]:
    """What is beyond its limit, in words."""
    limit, found = limit_of(result), []
    if result["kl"] > limit.kl:
        found.append(f"KL above {limit.kl}")
    if llama is not None and result["kl"] > llama:
        found.append("KL above llama.cpp's")
    if result["top1_agreement"] < limit.top1:
        found.append(f"top-1 below {100 * limit.top1:g} %")
    if abs(result["ppl_ratio"] - 1) > PERPLEXITY:
        found.append(f"perplexity differs by more than {100 * PERPLEXITY:g} %")
    return found


def row(model: str, fmt: str, result: dict, llama: float | None) -> str:
    limit = limit_of(result)
    cells = [
        model,
        fmt,
        result["isa"],
        f"{result['kl']:.5f} ({limit.kl})",
        "-" if llama is None else f"{llama:.5f}",
        f"{100 * result['top1_agreement']:.2f} % ({100 * limit.top1:g})",
        f"{result['ppl']:.3f}",
        f"{100 * (result['ppl_ratio'] - 1):+.3f} %",
        "; ".join(misses(result, llama)) or "passes",
    ]
    return f"| {' | '.join(cells)} |"


def evaluate(model: Path, text: Path, options: argparse.Namespace) -> dict:
    command = [str(options.ingle), "eval", str(model), "--text", str(text), "--ctx", str(options.window)]
    command += ["--windows", str(options.windows), "--threads", str(options.threads)]
    command += ["--kl-against", "reference", "--json"]
    for option, value in (("--isa", options.isa), ("--kv-cache", options.kv_cache)):
        command += [option, value] if value else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{model.name}: ingle eval ended with {done.returncode}")
    result = json.loads(done.stdout)
    if result["tokens"] < options.windows * (options.window - 1):
        sys.exit(f"the text has only {result['tokens']} tokens for {model.name}; give a longer --text")
    return result


def llama_divergence(peers: dict, model: Path) -> float | None:
    """The smallest of llama.cpp's builds."""
    results = peers.get("models", {}).get(model.name, {})
    found = [result["kl"] for name, result in results.items() if name.startswith("llama") and "kl" in result]
    return min(found, default=None)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    release = ROOT / "build/release/bin"
    texts = sorted((ROOT / "tests/data/text").glob("*.txt"), reverse=True)
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL", help="GGUF files")
    parser.add_argument("--formats", default="", metavar="A,B", help="also requantised to these")
    parser.add_argument("--text", nargs="+", type=Path, default=texts, metavar="FILE", help="joined; default: ours")
    parser.add_argument("--window", type=int, default=512, help="tokens (default: %(default)s)")
    parser.add_argument("--windows", type=int, default=32, help="how many (default: %(default)s)")
    parser.add_argument("--isa", default="", help="instruction set; default: the best here")
    parser.add_argument("--kv-cache", default="", help="how keys and values are kept; default: as the engine does")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="default: %(default)s")
    parser.add_argument("--ingle", type=Path, default=release / "ingle", help="default: %(default)s")
    parser.add_argument("--requantize", type=Path, default=release / "requantize", help="default: %(default)s")
    parser.add_argument("--peers", type=Path, metavar="FILE", help="what peers.py kl --json wrote")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything here")
    return parser.parse_args()


def main() -> int:
    options = parse_arguments()
    peers = json.loads(options.peers.read_text()) if options.peers else {}
    about = machine()
    print(
        f"{about['date']}, {about['cpu']}; {options.windows} windows of {options.window} tokens. In brackets: limits.\n"
    )
    print("| model | matrices | kernels | KL | llama.cpp's KL | same top token | perplexity | … differs by | |")
    print("|---|---|---|---:|---:|---:|---:|---:|---|", flush=True)
    results, missed = [], False
    with tempfile.TemporaryDirectory() as folder:
        text, other = Path(folder) / "text", Path(folder) / "model.gguf"
        text.write_bytes(b"".join(path.read_bytes() for path in options.text))
        for model in options.models:
            for fmt in ("", *filter(None, options.formats.split(","))):
                if fmt:
                    subprocess.run([options.requantize, model, fmt, other], check=True)
                result = evaluate(other if fmt else model, text, options)
                llama = None if fmt else llama_divergence(peers, model)
                print(row(model.stem, fmt or "as they are", result, llama), flush=True)
                results.append({"model": model.name, "format": fmt, "llama": llama, **result})
                missed |= bool(misses(result, llama))
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "results": results}, indent=2) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
