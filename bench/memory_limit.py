#!/usr/bin/env python3
"""Runs `ingle bench` where memory is short: inside a memory control group of a given size, and says what came of it.

    sudo bench/memory_limit.py 7592M build/release/cli/ingle qwen7.gguf --ctx 4096 --prompt 512 --depth 4064 --gen 32

Prints one JSON object: what `ingle plan` says in there, what `ingle bench` measures, the group's peak and whether
anything was killed. The group lies within the one that this process is in, and is removed. `--take 1G --after 20` has
another process of the group take that much in the middle of it. Other words go to `ingle bench`.
Version 1 and 2 of control groups; measured with version 1.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
MOUNT = Path("/sys/fs/cgroup")
# Takes memory, touches each page of it over and over.
TAKE = "import sys, time\nb = bytearray(int(sys.argv[1]))\nwhile True:\n b[::4096] = b[::4096]\n time.sleep(0.2)"


def size(text):
    return int(float(text[:-1]) * UNITS[text[-1]]) if text[-1] in UNITS else int(text)


class Group:
    """A memory control group within this process's own."""

    def __init__(self, limit):
        lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
        first = [path for _, controllers, path in lines if "memory" in controllers.split(",")]
        self.first = bool(first)
        parent = MOUNT / "memory" / first[0].strip("/") if first else MOUNT / lines[-1][2].strip("/")
        self.path = parent / f"ingle-{os.getpid()}"
        self.path.mkdir()
        (self.path / ("memory.limit_in_bytes" if self.first else "memory.max")).write_text(str(limit))

    def enter(self):
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def told(self):
        def number(name):
            return int((self.path / name).read_text())

        def field(file, name):
            return int(dict(line.split() for line in (self.path / file).read_text().splitlines())[name])

        if self.first:
            return {
                "limit": number("memory.limit_in_bytes"),
                "peak": number("memory.max_usage_in_bytes"),
                "reclaims": number("memory.failcnt"),
                "killed": field("memory.oom_control", "oom_kill"),
            }
        return {
            "limit": number("memory.max"),
            "peak": number("memory.peak"),
            "reclaims": field("memory.events", "max"),
            "killed": field("memory.events", "oom_kill"),
        }

    def remove(self):
        for _ in range(50):
            try:
                self.path.rmdir()
                return
            except OSError:  # until the last process is gone
                time.sleep(0.1)


def drop_from_cache(model):
    """What is cached already belongs to another group; what the program reads is to count in its own."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for path in [Path(model), *(home / "ingle" / "packed").glob("*.packed")]:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("limit", type=size, help="of the group, as 5G")
    parser.add_argument("ingle")
    parser.add_argument("model")
    parser.add_argument("--take", type=size, default=0)
    parser.add_argument("--after", type=float, default=20)
    parser.add_argument("--ctx", default="4096")
    asked, words = parser.parse_known_args()
    group = Group(asked.limit)
    pipe = subprocess.PIPE

    def start(*command):
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, preexec_fn=group.enter, text=True)

    def ingle(command, *more):
        return start(asked.ingle, command, asked.model, "--json", "--ctx", asked.ctx, *more)

    took = None
    try:
        drop_from_cache(asked.model)
        plan, _ = ingle("plan").communicate()
        began = time.monotonic()
        bench = ingle("bench", "--repeat", "1", *words)
        while bench.poll() is None and time.monotonic() - began < asked.after:
            time.sleep(0.1)
        if asked.take:
            took = start(sys.executable, "-c", TAKE, str(asked.take))
        out, error = bench.communicate()
        told = {"group": group.told(), "plan": json.loads(plan), "exit": bench.returncode}
        told |= {"seconds": round(time.monotonic() - began, 1), "notices": error.strip()}
        if took:
            told["other_process_lived"] = took.poll() is None
        told["bench"] = json.loads(out) if out.startswith("{") else out
        print(json.dumps(told, indent=1))
    finally:
        if took:
            took.kill()
            took.wait()
        group.remove()


if __name__ == "__main__":
    main()
