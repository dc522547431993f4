"""Runs engines on one file and collects what they measure: each round runs each engine once, in its own process.

Within a round every engine gets the same file, threads and numbers of tokens; the order turns by one each round, so no
engine always runs on the machine that another has just warmed. A round's value is the median of the process's own
repeats; the result is the median of the rounds, and the spread is (largest - smallest) / median.
"""

import json
import os
import platform
import select
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from engines import Installation, say

OURS = "ingle"
FIRST_TEXT = "The quick brown fox jumps over the lazy dog."  # 10 tokens in the vocabularies we measure
METRICS = {  # key: heading, unit, larger is better
    "prefill_512": ("prefill 512", "tokens/s", True),
    "prefill_2048": ("prefill 2048", "tokens/s", True),
    "decode_64": ("decode 64", "tokens/s", True),
    "peak_rss_mb": ("peak memory", "MB", False),
    "load_ms": ("load", "ms", False),
    "first_token_ms": ("first token", "ms", False),
}


@dataclass
class Plan:
    model: Path
    threads: int
    rounds: int
    repeat: int
    prompts: tuple[int, ...]
    gen: int
    timeout: float
    ours: Path


@dataclass
class Samples:
    """One engine's values by metric, one per round; `error` where it does not run this model."""

    values: dict[str, list[float]] = field(default_factory=dict)
    error: str = ""
    about: str = ""

    def add(self, metric: str, value: float) -> None:
        self.values.setdefault(metric, []).append(value)

    def summary(self) -> dict:
        result = {}
        for metric, values in self.values.items():
            median = statistics.median(values)
            spread = (max(values) - min(values)) / median if median else 0.0
            result[metric] = {"median": median, "spread": spread, "rounds": values}
        return {"error": self.error} if self.error else result


class RunError(Exception):
    """A process failed; the text is its last line on stderr."""


def run_json(command: list[str], plan: Plan) -> dict:
    environment = os.environ | {"OMP_NUM_THREADS": str(plan.threads)}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=plan.timeout, env=environment)
    except subprocess.TimeoutExpired as error:
        raise RunError(f"took more than {plan.timeout:.0f} s") from error
    except OSError as error:
        raise RunError(str(error)) from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        raise RunError(lines[-1][:300])
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise RunError(f"printed no JSON: {done.stdout[-200:]!r}") from error


def first_output_ms(command: list[str], plan: Plan) -> float:
    """From the start of the process to its first byte on stdout."""
    environment = os.environ | {"OMP_NUM_THREADS": str(plan.threads)}
    start = time.monotonic()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        close_fds=False,
    ) as process:
        ready, _, _ = select.select([process.stdout], [], [], plan.timeout)
        elapsed = time.monotonic() - start
        head = os.read(process.stdout.fileno(), 1) if ready else b""
        if not ready:
            process.kill()
        _, errors = process.communicate()
    if not head:
        lines = errors.decode(errors="replace").strip().splitlines() or ["printed nothing"]
        raise RunError(lines[-1][:300])
    return 1e3 * elapsed


def measure_ours(plan: Plan, samples: Samples) -> None:
    threads = ["--threads", str(plan.threads)]
    for prompt in plan.prompts:
        command = [str(plan.ours), "bench", str(plan.model), "--prompt", str(prompt), "--gen", str(plan.gen)]
        result = run_json([*command, *threads, "--repeat", str(plan.repeat), "--json"], plan)
        samples.add(f"prefill_{prompt}", result["prefill_tps"])
        if prompt == plan.prompts[0]:
            samples.add(f"decode_{plan.gen}", result["decode_tps"])
            samples.add("load_ms", result["load_ms"])
        samples.about = f"isa {result.get('isa', '?')}"
        if prompt == plan.prompts[-1]:
            samples.add("peak_rss_mb", result["peak_rss_bytes"] / 1e6)
    command = [str(plan.ours), "run", str(plan.model), "--raw", "--temp", "0", "-n", "1", *threads, FIRST_TEXT]
    samples.add("first_token_ms", first_output_ms(command, plan))


def measure_peer(plan: Plan, installation: Installation, samples: Samples) -> None:
    for prompt in plan.prompts:
        numbers = [str(number) for number in (plan.threads, plan.repeat, prompt, plan.gen)]
        result = run_json([*installation.command, "bench", str(plan.model), *numbers], plan)
        samples.add(f"prefill_{prompt}", prompt / statistics.median(result["prefill_s"]))
        if prompt == plan.prompts[0]:
            samples.add(f"decode_{plan.gen}", plan.gen / statistics.median(result["decode_s"]))
            samples.add("load_ms", result["load_ms"])
        samples.about = result.get("system", "").strip()
        if prompt == plan.prompts[-1]:
            samples.add("peak_rss_mb", result["peak_rss_bytes"] / 1e6)
    command = [*installation.command, "first", str(plan.model), str(plan.threads), FIRST_TEXT]
    samples.add("first_token_ms", first_output_ms(command, plan))


def measure(plan: Plan, installations: dict[str, Installation | None]) -> dict[str, Samples]:
    """`installations` by name; ours has None. Engines that fail once are left out of the later rounds."""
    results = {name: Samples() for name in installations}
    names = list(installations)
    for number in range(plan.rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            samples = results[name]
            if samples.error:
                continue
            start = time.monotonic()
            try:
                if installations[name] is None:
                    measure_ours(plan, samples)
                else:
                    measure_peer(plan, installations[name], samples)
            except (RunError, KeyError) as error:
                samples.error = str(error)
                say(f"  {name}: {error}")
            say(f"  {plan.model.name} round {number + 1}/{plan.rounds} {name}: {time.monotonic() - start:.0f} s")
    return results


def machine() -> dict:
    """What a figure is worth nothing without."""
    fields = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = set(fields.get("flags", "").split())
    wanted = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8", "amx_bf16")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": f"{fields.get('model name', platform.machine())} ({fields.get('cpu family')}/{fields.get('model')})",
        "cores": os.cpu_count(),
        "features": [flag for flag in wanted if flag in flags],
        "memory_gb": round(memory / 1e9, 1),
        "kernel": platform.release(),
        "load_average": os.getloadavg()[0],
    }
