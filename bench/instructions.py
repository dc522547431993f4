#!/usr/bin/env python3
"""Guards against slower code by counting instructions: they don't depend on what else the machine does.

  bench/instructions.py INGLE COMPILER [--renew]

A layer of each shape below, with random weights, runs a prompt and then single tokens on one thread and the AVX2 path
(valgrind knows no AVX-512) under callgrind. A count per token that is more than 3 % above the one that
bench/instructions.json has for COMPILER ("GNU 12.2.0") fails; one that is as far below asks to be recorded. --renew
records: do that where a change is worth its instructions, and say so in the commit. Exit code 77, "skipped", where
there is no valgrind or nothing is recorded for this compiler.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BASELINES = Path(__file__).with_suffix(".json")
ALLOWED = 0.03
SKIPPED = 77
MODELS = {"smollm2-135m q4_0": 1, "gemma3-270m q8_0": 1, "qwen3-0.6b q4_k_m": 1}  # layers
VOCABULARY, PROMPT, GENERATED = 1024, 16, 4
RUN = "ingle::core::CpuDevice::run(ingle::core::RunArgs const&)"  # one call is one pass over the model


def counts(ingle: Path, model: str, layers: int, folder: Path) -> dict[str, int]:
    """Instructions per token of `prefill` and `decode`."""
    shape, mix = model.split()
    file = folder / "model.gguf"
    environment = os.environ | {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [ingle, "synth", shape, "--mix", mix, "--layers", str(layers), "--vocabulary", str(VOCABULARY)]
    run([*command, "-o", file, "--force"], environment)
    command = [ingle, "__bench", "--quiet", "--threads", "1", "--isa", "avx2"]
    command += ["--prompt", str(PROMPT), "--gen", str(GENERATED), "--", file]
    # Once without valgrind: it proves the instruction set and packs the weights, which is not what is counted.
    run(command, environment)
    tool = ["valgrind", "--tool=callgrind", f"--toggle-collect={RUN}", f"--dump-after={RUN}"]
    run([*tool, f"--callgrind-out-file={folder / 'counts'}", *command], environment)
    passes = [total(file) for file in sorted(folder.glob("counts.*"), key=lambda file: int(file.suffix[1:]))]
    # The first token's prompt, the prompt to warm up and to be counted, then the generation.
    generated = passes[3 : 3 + GENERATED]
    for file in folder.glob("counts*"):
        file.unlink()
    return {"prefill": passes[2] // PROMPT, "decode": sum(generated) // len(generated)}


def total(file: Path) -> int:
    with file.open() as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(("summary:", "totals:")))


def run(command: list, environment: dict) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr[-2000:]}")


def compare(name: str, count: int, recorded: int | None) -> bool:
    """Prints how a count is; False where it is too high."""
    if recorded is None:
        print(f"{name}: {count} instructions a token, none recorded")
        return False
    change = count / recorded - 1
    verdict = "" if abs(change) <= ALLOWED else ": TOO MANY" if change > 0 else ": fewer; --renew records that"
    print(f"{name}: {count} instructions a token, {100 * change:+.2f} % of {recorded}{verdict}")
    return change <= ALLOWED


def main() -> int:
    ingle, compiler = Path(sys.argv[1]).absolute(), sys.argv[2]
    renew = "--renew" in sys.argv[3:]
    recorded = json.loads(BASELINES.read_text())
    if shutil.which("valgrind") is None:
        print("skipped: valgrind is not installed")
        return SKIPPED
    if compiler not in recorded and not renew:
        print(f"skipped: no counts are recorded for {compiler}; --renew records them")
        return SKIPPED
    good, now = True, {}
    with tempfile.TemporaryDirectory() as folder:
        for model, layers in MODELS.items():
            now[model] = counts(ingle, model, layers, Path(folder))
            for phase, count in now[model].items():
                good &= compare(f"{model} {phase}", count, recorded.get(compiler, {}).get(model, {}).get(phase))
    if renew:
        BASELINES.write_text(json.dumps(recorded | {compiler: now}, indent=2) + "\n")
    return 0 if good or renew else 1


if __name__ == "__main__":
    sys.exit(main())
