#!/usr/bin/env python3
"""Many clients of a server at once: tokens a second of all, and how long each waits for its first token.

  bench/serving.py MODEL.gguf                                        ingle serve, 8 clients, 512 tokens each in, 128 out
  bench/serving.py MODEL.gguf --peers llama-server,xllamacpp --rounds 3     and llama.cpp's server in turn

Each client has prompts of its own, of random words, and asks for its next answer when it has one, --requests times.
A 429 or 503 is waited out as its Retry-After says. Peers are installed as peers.py installs engines; one that does not
install or start is named and left out. The clients (tests/server/clients.py) share the machine, so their processor time
is reported. Load and what does not behave: tests/server/test_load.py (make load). Standard library only.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from engines import SERVERS, Installation, InstallError, say
from measure import OURS, machine
from peers import default_cache

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "server"))
import clients  # noqa: E402


class StartError(Exception):
    """A server did not start; the text is the end of its log."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command_of(name: str, options: argparse.Namespace, port: int) -> list[str]:
    """A server of the model with so many slots, threads and tokens for each slot, keys and values in 8 bits."""
    model, threads, slots = str(options.model), str(options.threads), str(options.clients)
    context = options.prompt + options.tokens + 128
    if name == OURS:
        command = [str(options.ingle), "serve", model, "--port", str(port), "--socket", "none", "--ctx", str(context)]
        return [*command, "--threads", threads, "--parallel", slots, *options.serve]
    command = Installation(SERVERS[name], options.cache).command
    whole = str(options.clients * context)
    if SERVERS[name].worker:
        return [*command, model, str(port), threads, slots, whole]
    command += ["-m", model, "--port", str(port), "-t", threads, "-tb", threads, "-np", slots, "-c", whole]
    return [*command, "--cont-batching", "-ctk", "q8_0", "-ctv", "q8_0"]


@contextlib.contextmanager
def server(name: str, options: argparse.Namespace):
    """The port of a running one, and its process."""
    port = free_port()
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command_of(name, options, port), stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 120
            while not is_ready(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise StartError(f"{name} did not start: " + log.read()[-2000:])
                time.sleep(0.05)
            yield port, process
        finally:
            process.terminate()
            process.wait(timeout=60)


def is_ready(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return re.match(rb"HTTP/1\.1 200", connection.recv(4096)) is not None
    except OSError:
        return False


async def client(options: argparse.Namespace, port: int, chooser: random.Random, requests: int) -> list:
    answers = []
    for _ in range(requests):
        body = {
            "model": options.model.stem,
            "prompt": clients.words(chooser, int(options.prompt / options.tokens_per_word)),
            "max_tokens": options.tokens,
            "temperature": 0,
            "stream": True,
            "ignore_eos": True,
        }
        answers.append(await clients.ask(port, body))
    return answers


async def watch(pid: int, memory: list[int]) -> None:
    while True:
        memory.append(sum(map(clients.resident_bytes, [pid, *clients.processes_below(pid)])))
        await asyncio.sleep(0.5)


async def measure(name: str, options: argparse.Namespace, number: int) -> dict:
    with server(name, options) as (port, process):
        await client(options, port, random.Random(f"warm-up {number}"), 1)
        began, cpu, memory = time.monotonic(), time.process_time(), []
        watching = asyncio.ensure_future(watch(process.pid, memory))
        each = (client(options, port, random.Random(f"{number} {i}"), options.requests) for i in range(options.clients))
        answers = [answer for of_one in await asyncio.gather(*each) for answer in of_one]
        seconds = time.monotonic() - began
        watching.cancel()
        whole = [answer for answer in answers if not answer.error]
        if not whole:
            raise StartError(f"{name} answered nothing: {answers[0].error}")
        waits, times = [it.wait for it in whole], [it.last - it.asked for it in whole]
        return {
            "server": name,
            "answers": len(whole),
            "failed": [it.error for it in answers if it.error],
            "refused": sum(it.refusals for it in answers),
            "seconds": seconds,
            "tokens_per_second": sum(it.tokens for it in whole) / seconds,
            "first_median": statistics.median(waits),
            "first_worst": max(waits),
            "whole_median": statistics.median(times),
            "whole_worst": max(times),
            "client_cpu_share": (time.process_time() - cpu) / seconds,
            "memory_mb": max(memory) / 1e6,
        }


def server_names(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in SERVERS:
            raise argparse.ArgumentTypeError(f"no server {name!r}; there are {', '.join(SERVERS)}")
    return names


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a GGUF file")
    parser.add_argument("--peers", type=server_names, default=[], metavar="A,B", help=f"of {', '.join(SERVERS)}")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=1, help="answers for each client (default: %(default)s)")
    parser.add_argument("--prompt", type=int, default=512, help="tokens, about (default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=128, help="generated (default: %(default)s)")
    parser.add_argument("--tokens-per-word", type=float, default=1.4, help="of the model's tokenizer and our words")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1, help="of all servers in turn")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where peers live (default: %(default)s)")
    parser.add_argument("--ingle", type=Path, default=ROOT / "build/release/bin/ingle")
    parser.add_argument("--serve", nargs="*", default=[], help="more options of ingle serve")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def installed(names: list[str], options: argparse.Namespace) -> list[str]:
    ready = []
    for name in names:
        try:
            Installation(SERVERS[name], options.cache).install()
            ready.append(name)
        except InstallError as error:
            say(str(error))
    return ready


def row(it: dict) -> str:
    return (
        f"| {it['server']} | {it['answers']} | {len(it['failed'])} | {it['tokens_per_second']:.1f} |"
        f" {it['first_median']:.2f} ({it['first_worst']:.2f}) | {it['whole_median']:.2f} ({it['whole_worst']:.2f}) |"
        f" {it['client_cpu_share']:.2f} | {it['memory_mb']:.0f} |"
    )


def ratios(results: list[dict]) -> list[str]:
    """Of the medians over the rounds, ours to each peer's."""

    def median(name: str, key: str) -> float:
        return statistics.median(it[key] for it in results if it["server"] == name)

    return [
        f"{name}: ours has {median(OURS, 'tokens_per_second') / median(name, 'tokens_per_second'):.2f} times its tokens/s,"
        f" {median(OURS, 'first_median') / median(name, 'first_median'):.2f} of its median time to the first token"
        for name in dict.fromkeys(it["server"] for it in results)
        if name != OURS
    ]


def main() -> int:
    options = parse_arguments()
    options.cache.mkdir(parents=True, exist_ok=True)
    names = [OURS, *installed(options.peers, options)]
    about = machine()
    print(
        f"{about['date']}, {about['cpu']}, load {about['load_average']:.1f}; {options.clients} clients,"
        f" {options.threads} threads, {os.cpu_count()} CPUs\n\n"
        "| server | answers | failed | tokens/s | first token, median (worst) s | answer, median (worst) s |"
        " clients' CPU | memory MB |\n|---|---:|---:|---:|---:|---:|---:|---:|",
        flush=True,
    )
    results = []
    for number in range(options.rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            try:
                results.append(asyncio.run(measure(name, options, number)))
                print(row(results[-1]), flush=True)
            except StartError as error:
                say(str(error))
                names = [it for it in names if it != name]
    if OURS in names:
        print("", *ratios(results), sep="\n")
    failed = [error for it in results for error in it["failed"]]
    if failed:
        say(f"failed: {failed[:3]}")
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "results": results}, indent=2) + "\n")
    return 1 if failed or OURS not in names else 0


if __name__ == "__main__":
    sys.exit(main())
