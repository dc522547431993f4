#!/usr/bin/env python3
"""How long the first token takes after a restart of the server, with and without prefixes that it kept on disk.

  bench/restart.py MODEL.gguf [--prompt 1024] [--rounds 5] [--drop]

Each round asks a text of random words and then, of a new process each time, the same text with another end: without kept
prefixes (--no-store), at once after the start, and after eight idle seconds, in which prefixes and weights are read.
--drop empties the system's caches of files before each start, as after one of the machine (needs root). Seconds until
the server was ready are told besides. Standard library only; see serving.py for how a server is started.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from measure import OURS, machine
from serving import ROOT, clients, server

IDLE = 8  # seconds
CASES = {"nothing kept": (["--no-store"], 0), "kept, at once": ([], 0), f"kept, {IDLE} s later": ([], IDLE)}


def drop_caches() -> None:
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")


def first_token(options: argparse.Namespace, serve: list[str], text: str, idle: float) -> tuple[float, float]:
    """Milliseconds from the question to the first token, and seconds from the start until the server was ready."""
    if options.drop:
        drop_caches()
    options.serve = serve
    began = time.monotonic()
    with server(OURS, options) as (port, _):
        ready = time.monotonic() - began
        time.sleep(idle)
        body = {"prompt": text, "max_tokens": options.tokens, "temperature": 0, "stream": True, "ignore_eos": True}
        answer = asyncio.run(clients.ask(port, body))
    if answer.error:
        raise SystemExit(answer.error)
    return answer.wait * 1000, ready


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a GGUF file")
    parser.add_argument("--prompt", type=int, default=1024, help="tokens, about (default: %(default)s)")
    parser.add_argument("--tokens-per-word", type=float, default=1.4, help="of the model's tokenizer and our words")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--drop", action="store_true", help="empty the system's caches before each start")
    parser.add_argument("--ingle", type=Path, default=ROOT / "build/release/bin/ingle")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    options.clients, options.tokens = 1, 8
    about = machine()
    print(f"{about['date']}, {about['cpu']}, load {about['load_average']:.1f}, {options.threads} threads\n")
    found = {case: [] for case in CASES}
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        first_token(options, ["--no-store"], "Hello", 0)  # writes the packed weights
        for number in range(options.rounds):
            chooser = random.Random(number)
            text = clients.words(chooser, int(options.prompt / options.tokens_per_word))
            first_token(options, [], text, 0)
            for case, (serve, idle) in CASES.items():
                end = " " + clients.words(chooser, 12)
                found[case].append(first_token(options, serve, text + end, idle))
    print("| | first token, median (least to most) ms | ready, median s |\n|---|---:|---:|")
    for case, times in found.items():
        waits, ready = [wait for wait, _ in times], [ready for _, ready in times]
        spread = f"{statistics.median(waits):.0f} ({min(waits):.0f} to {max(waits):.0f})"
        print(f"| {case} | {spread} | {statistics.median(ready):.2f} |")
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "results": found}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
