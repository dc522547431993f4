#!/usr/bin/env python3
"""Many clients of a server at once: tokens a second of all, and how long each waits for its first token.

  bench/serving.py MODEL.gguf                              ingle serve, 8 clients, 512 tokens each in, 128 out
  bench/serving.py MODEL.gguf --peer xllamacpp             and llama.cpp's server in turn (PyPI's xllamacpp)
  bench/serving.py MODEL.gguf --clients 200 --tokens 64 --seconds 600 --idle 2000     load, with idle connections

Each client has prompts of its own, of random words, and asks for its next answer when it has one, for --requests
rounds or --seconds. Clients are threads of this process, whose processor time is reported: they share the machine.
A 429 or 503 is waited out as its Retry-After says. Standard library only.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from measure import machine

ROOT = Path(__file__).resolve().parents[1]
WORDS = (ROOT / "tests/data/text/licences.txt").read_text().split()

PEER = """
import sys, time, xllamacpp as x
model, port, threads, slots, context = sys.argv[1], *map(int, sys.argv[2:6])
p = x.CommonParams()
p.model.path, p.n_parallel, p.n_ctx, p.port, p.cont_batching = model, slots, slots * context, port, True
p.cpuparams.n_threads = p.cpuparams_batch.n_threads = threads
p.cache_type_k = p.cache_type_v = x.ggml_type.GGML_TYPE_Q8_0
p.warmup = True
server = x.Server(p)
print("at " + server.listening_address, file=sys.stderr, flush=True)
time.sleep(1e6)
"""


@dataclass
class Tally:
    """What the clients saw; each appends, which needs no lock."""

    first: list = field(default_factory=list)  # seconds to the first token
    whole: list = field(default_factory=list)  # … to the last
    tokens: list = field(default_factory=list)
    refused: list = field(default_factory=list)
    failed: list = field(default_factory=list)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(options: argparse.Namespace, peer: str):
    """The port of a running one, and its process."""
    slots, context = min(options.clients, options.parallel), options.prompt + options.tokens + 128
    if peer:
        command = [
            options.python,
            "-c",
            PEER,
            str(options.model),
            str(free_port()),
            str(options.threads),
            str(slots),
            str(context),
        ]
    else:
        command = [str(options.ingle), "serve", str(options.model), "--port", "0", "--socket", "none"]
        command += ["--ctx", str(context), "--threads", str(options.threads), "--parallel", str(slots), *options.serve]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        try:
            deadline, port = time.monotonic() + 120, None
            while port is None:
                log.seek(0)
                found = re.search(r"at http://127\.0\.0\.1:(\d+)", log.read())
                port = found and int(found[1])
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    sys.exit("the server did not start: " + log.read()[-2000:])
                time.sleep(0.05)
            yield port, process
        finally:
            process.terminate()
            process.wait(timeout=60)


def prompt(options: argparse.Namespace, chooser: random.Random) -> str:
    return " ".join(chooser.choices(WORDS, k=int(options.prompt / options.tokens_per_word)))


def client(options, port: int, number: int, end: float, tally: Tally) -> None:
    chooser = random.Random(options.seed * 100_000 + number)
    for _ in range(options.requests if end == 0 else 1 << 30):
        if end and time.monotonic() >= end:
            return
        body = {
            "model": options.model.stem,
            "prompt": prompt(options, chooser),
            "max_tokens": options.tokens,
            "temperature": 0,
            "stream": True,
            "ignore_eos": True,
        }
        try:
            ask(port, body, tally)
        except OSError as error:
            tally.failed.append(repr(error))


def ask(port: int, body: dict, tally: Tally) -> None:
    began = time.monotonic()
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        if response.status not in (429, 503):
            break
        tally.refused.append(response.status)
        connection.close()
        time.sleep(float(response.getheader("Retry-After") or 1))
    if response.status != 200:
        tally.failed.append(response.read().decode()[:200])
        return
    first, count, done = None, 0, False
    for line in response:
        if not line.startswith(b"data: "):
            continue
        if line.startswith(b"data: [DONE]"):
            done = True
            break
        piece = json.loads(line[6:])
        if piece.get("timings"):
            count = piece["timings"].get("predicted_n", count)
        if first is None and any(choice.get("text") for choice in piece.get("choices", [])):
            first = time.monotonic() - began
    connection.close()
    if not done:
        tally.failed.append("the stream ended early")
        return
    tally.first.append(first if first is not None else time.monotonic() - began)
    tally.whole.append(time.monotonic() - began)
    tally.tokens.append(count or body["max_tokens"])


def resident_mb(process: subprocess.Popen) -> float:
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024


def measure(options: argparse.Namespace, peer: str) -> dict:
    with server(options, peer) as (port, process), contextlib.ExitStack() as stack:
        for _ in range(options.idle):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        warm = Tally()
        client(argparse.Namespace(**{**vars(options), "requests": 1, "seed": options.seed + 1}), port, 0, 0, warm)
        tally, began, cpu = Tally(), time.monotonic(), time.process_time()
        memory = [resident_mb(process)]
        end = began + options.seconds if options.seconds else 0
        threads = [threading.Thread(target=client, args=(options, port, i, end, tally)) for i in range(options.clients)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(1)
            memory.append(resident_mb(process))
        seconds = time.monotonic() - began
        return {
            "server": peer or "ingle",
            "answers": len(tally.tokens),
            "failed": tally.failed,
            "refused": len(tally.refused),
            "seconds": seconds,
            "tokens_per_second": sum(tally.tokens) / seconds,
            "first_median": statistics.median(tally.first),
            "first_worst": max(tally.first),
            "whole_median": statistics.median(tally.whole),
            "whole_worst": max(tally.whole),
            "client_cpu_share": (time.process_time() - cpu) / seconds,
            "memory_mb": [memory[0], memory[len(memory) // 4], memory[-1]],
        }


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a GGUF file")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=1, help="answers for each client (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0, help="instead: so long")
    parser.add_argument("--prompt", type=int, default=512, help="tokens, about (default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=128, help="generated (default: %(default)s)")
    parser.add_argument("--tokens-per-word", type=float, default=1.4, help="of the model's tokenizer and our words")
    parser.add_argument("--idle", type=int, default=0, help="connections that ask for nothing")
    parser.add_argument("--parallel", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1, help="of all servers in turn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peer", default="", choices=["", "xllamacpp"])
    parser.add_argument("--python", default=sys.executable, help="one that has the peer")
    parser.add_argument("--ingle", type=Path, default=ROOT / "build/release/bin/ingle")
    parser.add_argument("--serve", nargs="*", default=[], help="more options of ingle serve")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main() -> int:
    options = parse_arguments()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    about = machine()
    print(
        f"{about['date']}, {about['cpu']}; {options.clients} clients, {options.threads} threads, {os.cpu_count()} CPUs\n"
    )
    print(
        "| server | answers | failed | refused | tokens/s | first token, median (worst) s | answer, median (worst) s |"
        " clients' CPU | memory MB |\n|---|---:|---:|---:|---:|---:|---:|---:|---|",
        flush=True,
    )
    results = []
    for _ in range(options.rounds):
        for peer in ("", options.peer) if options.peer else ("",):
            it = measure(options, peer)
            results.append(it)
            print(
                f"| {it['server']} | {it['answers']} | {len(it['failed'])} | {it['refused']} |"
                f" {it['tokens_per_second']:.1f} | {it['first_median']:.2f} ({it['first_worst']:.2f}) |"
                f" {it['whole_median']:.2f} ({it['whole_worst']:.2f}) | {it['client_cpu_share']:.2f} |"
                f" {', '.join(f'{mb:.0f}' for mb in it['memory_mb'])} |",
                flush=True,
            )
            if it["failed"]:
                print("failed:", it["failed"][:3], file=sys.stderr)
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "results": results}, indent=2) + "\n")
    return 1 if any(it["failed"] for it in results) else 0


if __name__ == "__main__":
    sys.exit(main())
