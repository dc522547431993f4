#!/usr/bin/env python3
"""Random templates, rendered by jinja2 and by core/template; prints where they differ. Run by hand.

Usage: differential.py RENDER_LINES [SECONDS] [SEED]     (RENDER_LINES: built from render_lines.cpp)
"""

import json
import random
import signal
import subprocess
import sys
import time
import warnings

import make_goldens
import snippets

METHODS = [m for m in snippets.METHODS if not m.startswith("_")]
FILTERS = [f for f in snippets.SIMPLE_FILTERS if f != "nosuchfilter"]
NAMES = [
    "s",
    "text",
    "n",
    "f",
    "neg",
    "xs",
    "words",
    "d",
    "nested",
    "people",
    "messages",
    "t",
    "nothing",
    "mixed",
    "zz",
    "a",
    "b",
    "ns",
]


class Writer:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def literal(self):
        return self.pick(
            "1",
            "0",
            "-2",
            "3",
            "2.5",
            "'a'",
            "'b c'",
            "''",
            "' x\\n'",
            "none",
            "true",
            "false",
            "[]",
            "{}",
            "[1, 'a']",
            "(1, 2)",
            "{'a': 1, 'k': [2]}",
            "'é🦜'",
        )

    def expression(self, depth):
        if depth <= 0:
            return self.pick(self.literal(), self.random.choice(NAMES), self.random.choice(NAMES))
        inner = lambda: self.expression(depth - self.random.randint(1, 2))  # noqa: E731
        kind = self.random.randrange(14)
        if kind == 0:
            return f"({inner()}) {self.pick('+', '-', '*', '/', '//', '%', '~', '~', '==', '!=', '<', '>=', 'in', 'not in', 'and', 'or')} ({inner()})"
        if kind in (1, 2):
            return f"({inner()})|{self.random.choice(FILTERS)}"
        if kind == 3:
            return f"({inner()}) is {self.pick('', 'not ')}{self.random.choice(snippets.TESTS[:-5])}"
        if kind == 4:
            return f"({inner()}).{self.random.choice(METHODS)}"
        if kind == 5:
            return f"({inner()})[{self.pick('0', '-1', '1:', ':2', '::-1', '1:3', repr('a'), repr('name'), inner())}]"
        if kind == 6:
            return f"{inner()} if {inner()} else {inner()}"
        if kind == 7:
            return f"[{inner()}, {inner()}]"
        if kind == 8:
            return f"{{'a': {inner()}, {self.literal()}: {inner()}}}"
        if kind == 9:
            return f"({inner()}).{self.pick('a', 'name', 'role', 'content', 'items()', 'keys()', 'values()', 'get(' + inner() + ')', 'b.c')}"
        if kind == 10:
            return self.pick(
                f"not {inner()}",
                f"-({inner()})",
                f"({inner()}) ~ ({inner()}) ~ ({inner()})",
                f"{inner()} < {inner()} < {inner()}",
            )
        if kind == 11:
            return f"range({self.random.randint(0, 5)})"
        if kind == 12:
            return f"({inner()})|{self.pick('map', 'select', 'reject')}('{self.pick('string', 'upper', 'odd', 'int', 'length', 'none', 'defined', 'first')}')|list"
        return f"m({inner()}{self.pick('', ', ' + inner(), ', b=' + inner())})"

    def space(self):
        return self.pick("", "", " ", "\n", "  ", "\n  ", "x", " y ")

    def tag(self, text):
        return "{%" + self.pick("", "", "-", "+") + f" {text} " + self.pick("", "", "-", "+") + "%}"

    def body(self, depth, loop=False):
        return "".join(
            self.space() + self.statement(depth, loop) + self.space() for _ in range(self.random.randint(1, 3))
        )

    def statement(self, depth, loop):
        kind = self.random.randrange(12)
        if depth <= 0 or kind < 4:
            return "{{" + self.pick("", "", "-") + f" {self.expression(2)} " + self.pick("", "-") + "}}"
        if kind == 4:
            return (
                self.tag(f"if {self.expression(2)}")
                + self.body(depth - 1, loop)
                + self.pick("", self.tag("else") + self.body(depth - 1, loop))
                + self.tag("endif")
            )
        if kind in (5, 6):
            target = self.pick("a", "a", "a, b")
            source = self.pick(
                "xs",
                "messages",
                "words",
                "d",
                "d.items()",
                "nested.a",
                "range(3)",
                "[[1, 2], [3, 4]]",
                self.expression(2),
            )
            condition = self.pick("", "", "", f" if {self.expression(1)}")
            extra = self.pick(
                "",
                "{{ loop.index }}",
                "{{ loop.last }}",
                "{{ loop.nextitem }}{{ loop.length }}",
                "{{ loop.changed(a) }}{{ loop.previtem }}",
            )
            return (
                self.tag(f"for {target} in {source}{condition}")
                + extra
                + self.body(depth - 1, True)
                + self.pick("", self.tag("else") + self.body(depth - 1, loop))
                + self.tag("endfor")
            )
        if kind == 7:
            return self.tag(f"set {self.pick('a', 'b', 'a, b', 'ns.x')} = {self.expression(3)}")
        if kind == 8:
            return (
                self.tag(f"set {self.pick('a', 'b')}{self.pick('', ' | upper')}")
                + self.body(depth - 1, loop)
                + self.tag("endset")
            )
        if kind == 9 and loop:
            return self.tag(f"if {self.expression(1)}") + self.tag(self.pick("break", "continue")) + self.tag("endif")
        if kind == 10:
            return self.pick(
                "{# c #}",
                "{#- c -#}",
                self.tag("raw") + "{{ x }} " + self.tag("endraw"),
                self.tag("filter trim") + self.body(depth - 1, loop) + self.tag("endfilter"),
            )
        return self.tag(f"with a = {self.expression(1)}") + self.body(depth - 1, loop) + self.tag("endwith")

    def template(self):
        if self.random.random() < 0.7:  # most large templates end in an error: small ones reach more
            return "".join("{{ " + self.expression(self.pick(1, 2, 2, 3)) + " }}" for _ in range(self.pick(1, 1, 2)))
        macro = (
            self.tag("macro m(a, b=1)") + self.body(1) + self.tag("endmacro")
            if self.random.random() < 0.3
            else "{% macro m(a, b=1) %}<{{ a }}{{ b }}>{% endmacro %}"
        )
        return macro + "{% set ns = namespace(x=0) %}" + self.body(3)


def timed_out(*_):
    raise TimeoutError


def main():
    warnings.simplefilter("ignore", SyntaxWarning)
    program, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 30
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else time.time_ns()
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf8")
    signal.signal(signal.SIGALRM, timed_out)
    writer, end, count, errors, different = Writer(seed), time.time() + seconds, 0, 0, 0
    print("seed", seed)
    while time.time() < end:
        source = writer.template()
        signal.setitimer(signal.ITIMER_REAL, 2)
        try:
            expected = make_goldens.render(source, snippets.SNIPPET_CONTEXT)
        except TimeoutError:
            continue
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if not make_goldens.is_comparable(expected) or (
            expected and ("object at 0x" in expected or len(expected) > 10**6)
        ):
            continue
        process.stdin.write(json.dumps({"t": source, "c": snippets.SNIPPET_CONTEXT, "now": make_goldens.NOW}) + "\n")
        process.stdin.flush()
        reply = json.loads(process.stdout.readline())
        count, errors = count + 1, errors + (expected is None)
        if "cannot be sliced" in reply.get("e", ""):
            continue  # jinja2's constant folding makes some of these undefined; see core/template/README.md
        if reply.get("o") != expected:
            different += 1
            print(f"--- {source!r}\n want {expected!r}\n got  {reply!r}")
    print(f"{count} templates, {errors} of them errors, {different} different")


if __name__ == "__main__":
    main()
