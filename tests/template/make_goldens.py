#!/usr/bin/env python3
"""Renders templates and language snippets with Python's jinja2, set up by transformers, for core/template's tests.

Usage: make_goldens.py [--gguf FILE...]   (needs transformers, jinja2; gguf for --gguf)

Reads  tests/data/template/models/*.jinja  (published templates, see SOURCES.md there)
Writes tests/data/template/contexts.json   the contexts each of them is rendered with
       tests/data/template/models.json     for each template and context: FNV-1a 64 and length of the text, or null for
                                           an error; and the text itself for one context of each
       tests/data/template/snippets.json   [template, output] or [template] for an error, rendered with snippet_context
"""

import argparse
import datetime
import functools
import json
import pathlib
import re

from contexts import contexts
from snippets import SNIPPET_CONTEXT, snippets
from transformers.utils.chat_template_utils import _compile_jinja_template

DATA = pathlib.Path(__file__).resolve().parent.parent / "data" / "template"
NOW = 1722006245  # 2024-07-26 15:04:05, taken as local time
SKIP = object()
INT64 = range(-(2**63), 2**63)


@functools.cache
def environment():
    """The one that transformers makes for each template, with a clock that stands still."""
    result = _compile_jinja_template("").environment
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=NOW)
    result.globals["strftime_now"] = moment.strftime
    return result


def render(source, context):
    """The text, or None where Python raises, or SKIP where that is Jinja's own mistake."""
    try:
        text = environment().from_string(source).render(**json.loads(json.dumps(context)))
        text.encode()  # lone surrogates count as an error: UTF-8 cannot carry them
        return text
    except NameError:  # constant folding writes inf and nan as names into the generated Python
        return SKIP
    except UnicodeEncodeError:  # a lone surrogate reached the output
        return None
    except (Exception, RecursionError):  # noqa: BLE001 - whatever it raises is the result
        return None


def fnv(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def is_comparable(text):
    """Not: addresses of objects, complex numbers, and integers beyond 64 bits, which we refuse."""
    if text is None:
        return True
    if text is SKIP or re.search(r"(?i)0x[0-9a-f]{6,}>|bound method|\dj\)", text):
        return False
    return all(int(n) in INT64 for n in re.findall(r"(?<![\w.])-?\d{19,}(?![\w.])", text))


def dump(path, value):
    rows = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in value)
    path.write_text(f"[\n{rows}\n]\n")


def add_gguf(files):
    from gguf import GGUFReader

    for file in files:
        field = GGUFReader(file).fields.get("tokenizer.chat_template")
        if field is not None:
            name = "gguf-" + pathlib.Path(file).stem + ".jinja"
            (DATA / "models" / name).write_bytes(bytes(field.parts[field.data[0]]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gguf", nargs="*", default=[])
    add_gguf(parser.parse_args().gguf)

    cases = contexts()
    dump(DATA / "contexts.json", cases)
    rows, total, errors = [], 0, 0
    for path in sorted((DATA / "models").glob("*.jinja")):
        source = path.read_bytes().decode()
        results, shown = [], None
        for i, case in enumerate(cases):
            text = render(source, case["context"])
            results.append(None if text is None else [fnv(text), len(text.encode())])
            total, errors = total + 1, errors + (text is None)
            if text is not None and (shown is None or case["name"] == "tool-result"):
                shown = [i, text]
        rows.append({"template": path.stem, "results": results, "shown": shown})
    dump(DATA / "models.json", rows)
    print(f"{len(rows)} templates x {len(cases)} contexts: {total} renderings, {errors} of them errors")

    table, seen = [], set()
    for source in snippets():
        if source in seen:
            continue
        seen.add(source)
        text = render(source, SNIPPET_CONTEXT)
        if is_comparable(text) and "\\ud800" not in source:
            table.append([source] if text is None else [source, text])
    dump(DATA / "snippets.json", table)
    (DATA / "snippet_context.json").write_text(json.dumps(SNIPPET_CONTEXT, ensure_ascii=False, indent=1) + "\n")
    print(f"{len(table)} snippets, {sum(len(row) == 1 for row in table)} of them errors")


if __name__ == "__main__":
    main()
