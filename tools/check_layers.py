#!/usr/bin/env python3
"""check_layers.py [ROOT]: fails where a C++ file includes what its layer may not use (tools/layers.toml).

A test file beside the code (x_test.cpp) obeys the same rules, except that it may also include any module of its own
folder: conformance tests of a low module may be driven by a higher one.
"""

import re
import sys
import tomllib
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
TEST = re.compile(r"_(test|fuzz|bench)\.cpp$")


def problem(source: Path, target: str, uses: dict, order: dict) -> str | None:
    """Why the file `source` (relative to the root) may not include `target`; None where it may."""
    folder, aim = source.parts[0], Path(target).parts
    if len(aim) < 2 or aim[0] not in uses:
        return f'"{target}" is no path from the root; spell it "folder/.../file.h"'
    if aim[0] != folder:
        return None if aim[0] in uses[folder] else f"{folder}/ may not use {aim[0]}/ ({target})"
    if folder not in order or TEST.search(source.name):
        return None
    modules = order[folder]
    for name in (source.parts[1], aim[1]):
        if name not in modules:
            return f"{folder}/{name} has no place in [order] of tools/layers.toml"
    if modules.index(aim[1]) > modules.index(source.parts[1]):
        return f"{folder}/{source.parts[1]} may not use {folder}/{aim[1]}, which stands below it ({target})"
    return None


def check(root: Path) -> tuple[int, list[str]]:
    """The number of files seen, and the violations as "file:line: why"."""
    with open(root / "tools/layers.toml", "rb") as file:
        rules = tomllib.load(file)
    uses, order = rules["uses"], rules.get("order", {})
    seen, found = 0, []
    for folder in uses:
        for path in sorted((root / folder).rglob("*")):
            source = path.relative_to(root)
            if path.suffix not in (".h", ".cpp", ".inc") or source.parts[:2] == ("tests", "data"):
                continue
            seen += 1
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                why = match and problem(source, match[1], uses, order)
                if why:
                    found.append(f"{source}:{number}: {why}")
    return seen, found


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    seen, found = check(root)
    print("\n".join(found) or f"{seen} files keep their layers")
    return 1 if found or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
