#!/usr/bin/env python3
"""Published schemas against core/grammar: what random walks through its masks write must be valid by `jsonschema`.

A schema either compiles, and then every reply of its walks must be valid, whether formats are checked or not, or is
refused with the keyword's name. Prints how many do which; fails on the first reply that is not valid.

Usage: check_schemas.py ORACLE [--style indented|open] [--walks N] [--seed N] [--random N | SCHEMA.json…]
           ORACLE is the program of core/grammar/grammar_oracle.cpp. With no schemas: those of tests/data/grammar.
           --random makes so many schemas of its own (random_schemas.py).
       check_schemas.py ORACLE --golden SCHEMAS SUITE
           makes tests/data/grammar/corpus.json and suite.json: SCHEMAS is a folder with SchemaStore's index.json and
           jsondata/ as its package for Python has them, SUITE the folder tests/draft2020-12 of the JSON Schema Test
           Suite. The corpus gets replies of walks, and changed ones, each with the verdict of `jsonschema`.
       check_schemas.py ORACLE --fill
           the same for the schemas of the corpus that have no replies yet, as they compile since.
"""

import argparse
import collections
import json
import pathlib
import random
import re
import subprocess
import sys
from decimal import Decimal

import jsonschema
from random_schemas import random_schema

DATA = pathlib.Path(__file__).resolve().parent.parent / "data" / "grammar"
TALK = {"description", "title", "default", "examples", "example", "$comment", "markdownDescription", "enumDescriptions",
        "markdownEnumDescriptions", "defaultSnippets", "deprecationMessage", "errorMessage", "x-intellij-html-description",
        "x-intellij-enum-metadata"}  # fmt: skip


def exact(value):
    return json.loads(json.dumps(value), parse_float=Decimal)


def validator_of(schema, formats=False):
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    return kind(exact(schema), format_checker=kind.FORMAT_CHECKER if formats else None)


def verdict(validator, text):
    try:
        return validator.is_valid(json.loads(text, parse_float=Decimal))
    except (re.error, RecursionError):
        return None  # a pattern that Python reads otherwise than ECMAScript
    except jsonschema.exceptions._WrappedReferencingError:
        return None


def walks(oracle, schemas, seed, count, style):
    lines = "".join(json.dumps(s) + "\n" for s in schemas)
    command = [oracle, "walk", str(seed), str(count), *([style] if style else [])]
    out = subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.split("\n")[:-1]]


def check(oracle, named, seed, count, style):
    reasons = collections.Counter()
    compiled = texts = stopped = 0
    for (name, schema), answer in zip(named, walks(oracle, [s for _, s in named], seed, count, style), strict=True):
        if "error" in answer:
            reasons[answer["error"].split(" at #")[0].removeprefix("schema: ")] += 1
            continue
        compiled += 1
        stopped += answer["open"]
        validators = [validator_of(schema), validator_of(schema, formats=True)]
        for text in answer["texts"]:
            texts += 1
            if any(verdict(validator, text) is False for validator in validators):
                sys.exit(f"{name}: not valid: {text}\n{json.dumps(schema)}")
    print(f"{compiled} of {len(named)} schemas compile; {texts} replies are valid; {stopped} walks were stopped")
    for reason, number in reasons.most_common():
        print(f"{number:5} {reason}")


def quiet(schema):
    """Without what is only for people, unless it is a property's name."""
    if isinstance(schema, list):
        return [quiet(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for key, value in schema.items():
        if key in TALK and not (isinstance(value, dict) and "type" in value):
            continue
        named = key in ("properties", "patternProperties", "$defs", "definitions", "dependencies")
        if named and isinstance(value, dict):
            out[key] = {k: quiet(v) for k, v in value.items()}
        else:
            out[key] = value if key in ("enum", "const", "required") else quiet(value)
    return out


def changed(value, rng):
    """The value with one part replaced or left out."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(list(value))
        out = {k: changed(v, rng) if k == key else v for k, v in value.items()}
        if rng.random() < 0.3:
            del out[key]
        return out
    if isinstance(value, list) and value and rng.random() < 0.8:
        i = rng.randrange(len(value))
        return value[:i] + [changed(value[i], rng)] + value[i + 1 :]
    return rng.choice([None, True, 0, -1, 3.5, "", "abc", "~" * 70, [], [None], {}, {"zz": 1}])


def make_corpus(oracle, folder):
    by_url = json.loads((folder / "index.json").read_text())["by_url"]
    named = []
    for url, digest in sorted(by_url.items()):
        if not url.startswith("https://json.schemastore.org/"):
            continue
        text = (folder / "jsondata" / f"{digest}.json").read_text(encoding="utf-8")
        schema = quiet(json.loads(text))
        small = json.dumps(schema, ensure_ascii=False)
        if 150 < len(small) < 7000 and not re.search("copyright|registry|npmjs", small, re.I):
            named.append((url.rsplit("/", 1)[1], schema))
    records = [{"name": name, "schema": schema, "valid": [], "invalid": []} for name, schema in named]
    fill(oracle, records)
    return records


def fill(oracle, records):
    rng = random.Random(5)
    for record, answer in zip(records, walks(oracle, [r["schema"] for r in records], 5, 12, ""), strict=True):
        name, schema = record["name"], record["schema"]
        validator = validator_of(schema)
        for text in answer.get("texts", []):
            if verdict(validator, text) is False:
                sys.exit(f"{name}: not valid: {text}")
            if len(text) > 400 or verdict(validator, text) is None:
                continue
            if len(record["valid"]) < 4 and text not in record["valid"]:
                record["valid"].append(text)
            for _ in range(4):
                other = json.dumps(changed(json.loads(text), rng), ensure_ascii=False)
                wrong = verdict(validator, other) is False
                if wrong and len(record["invalid"]) < 6 and other not in record["invalid"]:
                    record["invalid"].append(other)


def make_suite(folder):
    records = []
    for path in sorted(folder.glob("*.json")):
        for group in json.loads(path.read_text(encoding="utf-8")):
            tests = [[json.dumps(t["data"], ensure_ascii=False), t["valid"]] for t in group["tests"]]
            name = f"{path.stem}: {group['description']}"
            records.append({"name": name, "schema": group["schema"], "tests": tests})
    return records


def write(name, records):
    lines = ",\n".join(json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in records)
    (DATA / name).write_text("[\n" + lines + "\n]\n", encoding="utf-8")
    print(f"{name}: {len(records)} records")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("oracle")
    parser.add_argument("--golden", nargs=2, type=pathlib.Path)
    parser.add_argument("--fill", action="store_true")
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--style", default="")
    parser.add_argument("--walks", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    args = parser.parse_args()
    if args.golden:
        write("corpus.json", make_corpus(args.oracle, args.golden[0]))
        write("suite.json", make_suite(args.golden[1]))
        return
    if args.fill:
        records = json.loads((DATA / "corpus.json").read_text(encoding="utf-8"))
        fill(args.oracle, [r for r in records if not r["valid"] and not r["invalid"]])
        write("corpus.json", records)
        return
    if args.random:
        rng = random.Random(args.seed)
        named = [(f"random {i}", random_schema(rng)) for i in range(args.random)]
        check(args.oracle, named, args.seed, args.walks, args.style)
        return
    named = [(path.name, json.loads(path.read_text(encoding="utf-8"))) for path in args.files]
    if not named:
        named = [(r["name"], r["schema"]) for r in json.loads((DATA / "corpus.json").read_text(encoding="utf-8"))]
    check(args.oracle, named, args.seed, args.walks, args.style)


if __name__ == "__main__":
    main()
