#!/usr/bin/env python3
"""Asks jinja2, set up by transformers, what each published template does with a system's message, tools, calls, results.

Usage: make_abilities.py   (needs transformers, jinja2)

Reads  tests/data/template/models/*.jinja
Writes tests/data/template/abilities.json   [name, what it can] for each: letters of "stcar" (system, tools, calls, calls
                                            only with their arguments as text, results), or null where it renders nothing
"""

import json

from make_goldens import DATA, render

TOOL = {
    "type": "function",
    "function": {
        "name": "moonphase",
        "description": "Tells the phase of the moon.",
        "parameters": {"type": "object", "properties": {"night": {"type": "string", "description": "Which"}}},
    },
}


def text_of(source, messages, tools):
    context = {"messages": messages, "tools": tools, "documents": None, "add_generation_prompt": True}
    return render(source, context | {"bos_token": "<bos>", "eos_token": "<eos>"}) or ""


def conversation(arguments):
    function = {"name": "moonphase", "arguments": arguments}
    return [
        {"role": "user", "content": "What is it like?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "abc123def", "type": "function", "function": function}],
        },
        {"role": "tool", "content": "waxing-gibbous", "tool_call_id": "abc123def", "name": "moonphase"},
    ]


def abilities(source):
    user = {"role": "user", "content": "What is it like?"}
    listed = text_of(source, [user], [TOOL])
    if not listed and not text_of(source, [user], None):
        return None
    can = ""
    tools = [TOOL] if "moonphase" in listed else None
    if "speak-in-verse" in text_of(source, [{"role": "system", "content": "speak-in-verse"}, user], tools):
        can += "s"
    can += "t" if tools else ""
    as_object = text_of(source, conversation({"night": "walpurgis"}), tools)
    as_text = text_of(source, conversation('{"night": "walpurgis"}'), tools)
    if "walpurgis" in as_object:
        can += "c"
    elif "walpurgis" in as_text:
        can += "ca"
    if "waxing-gibbous" in (as_text if "a" in can else as_object):
        can += "r"
    return can


def main():
    rows = [[path.stem, abilities(path.read_bytes().decode())] for path in sorted((DATA / "models").glob("*.jinja"))]
    (DATA / "abilities.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


if __name__ == "__main__":
    main()
