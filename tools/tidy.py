"""tidy CLANG_TIDY BUILD FILE…: clang-tidy over sources, as BUILD/compile_commands.json compiles them.

A file that has passed is not looked at again until something in it, in what it includes, in the checks or in the program
changes: what passed is kept by its hash in the person's cache folder, for all clones.
"""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ingle" / "tidy"


def compiler_words(command):
    """The compiler and what it is told, without a launcher before it, and without where the object goes."""
    words = shlex.split(command)
    words = words[next(i for i, word in enumerate(words) if "clang++" in word) :]
    at = words.index("-o")
    return words[:at] + words[at + 2 :]


def key_of(program, entry, settings):
    """A hash of all that decides what clang-tidy says of a file; None: it can't be compiled."""
    words = compiler_words(entry["command"])
    told = subprocess.run([*words, "-E", "-C", "-P"], cwd=entry["directory"], capture_output=True)
    if told.returncode != 0:
        return None
    hashed = hashlib.sha256()
    options = [word for word in words if not word.startswith(("-I", "/"))]
    for part in (program, settings, " ".join(options).encode(), Path(entry["file"]).read_bytes(), told.stdout):
        hashed.update(len(part).to_bytes(8, "little") + part)
    return hashed.hexdigest()


def main():
    tidy, build, *files = sys.argv[1:]
    entries = {e["file"]: e for e in json.loads((Path(build) / "compile_commands.json").read_bytes())}
    program = subprocess.run([tidy, "--version"], capture_output=True, check=True).stdout
    settings = Path(".clang-tidy").read_bytes()
    CACHE.mkdir(parents=True, exist_ok=True)

    def look(file):
        entry = entries.get(str(Path(file).resolve()))
        key = entry and key_of(program, entry, settings)
        if key and (CACHE / key).exists():
            return True, ""
        ran = subprocess.run(
            [tidy, "-p", build, "--quiet", "--warnings-as-errors=*", file], capture_output=True, text=True
        )
        if ran.returncode == 0 and key:
            (CACHE / key).touch()
        return False, ran.stdout + ran.stderr if ran.returncode != 0 else ""

    failed = known = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for was_known, problem in pool.map(look, files):
            known += was_known
            if problem:
                failed += 1
                print(problem)
    print(f"clang-tidy: {len(files)} files, {known} of them as they were when they passed, {failed} with problems")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
