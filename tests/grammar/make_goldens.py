#!/usr/bin/env python3
"""Makes tests/data/grammar/regex.json and schemas.json: what core/grammar must take and must not take.

regex.json: for each pattern all texts over a small alphabet up to a length, and those of them that Python's `re` matches
(whole, and somewhere). schemas.json: for each schema the texts that must be taken, each valid by `jsonschema`, and
invalid ones that must not: those of a pool of instances that `jsonschema` refuses.

Usage: make_goldens.py        needs jsonschema, with its format checkers (rfc3339-validator, fqdn, idna,
                              rfc3986-validator, isoduration)
"""

import itertools
import json
import pathlib
import re
from decimal import Decimal

import jsonschema
from cases import POOL, REGEXES, SCHEMAS

OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "grammar"


def regexes():
    out = []
    for pattern, alphabet, length, finite in REGEXES:
        compiled = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
        texts = ["".join(t) for n in range(length + 1) for t in itertools.product(alphabet, repeat=n)]
        out.append({
            "pattern": pattern, "alphabet": alphabet, "length": length, "finite": finite,
            "whole": [t for t in texts if compiled.fullmatch(t)],
            "search": [t for t in texts if compiled.search(t)],
        })  # fmt: skip
    return out


def is_valid(validator, text):
    return validator.is_valid(json.loads(text, parse_float=Decimal))


def schemas():
    out = []
    for schema, must in SCHEMAS:
        exact = json.loads(json.dumps(schema), parse_float=Decimal)
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(
            exact, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)  # fmt: skip
        for text in must:
            assert is_valid(validator, text), (schema, text)
        pool = set(POOL)
        # Near misses: what must be taken, with one character changed or left out, where that is JSON still.
        for text in must:
            for i in range(len(text)):
                for other in ("", "0", "9", "a", "-", '"', "]", ", 1"):
                    pool.add(text[:i] + other + text[i + 1 :])
        invalid = []
        for text in sorted(pool):
            try:
                if not is_valid(validator, text):
                    invalid.append(text)
            except (json.JSONDecodeError, ArithmeticError):
                pass
        step = max(1, len(invalid) // 40)
        out.append({"schema": schema, "must": must, "must_not": invalid[::step]})
    return out


def write(name, records):
    lines = ",\n".join(json.dumps(r, ensure_ascii=False) for r in records)
    (OUT / name).write_text("[\n" + lines + "\n]\n", encoding="utf-8")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    write("regex.json", regexes())
    write("schemas.json", schemas())


if __name__ == "__main__":
    main()
