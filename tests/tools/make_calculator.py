#!/usr/bin/env python3
"""Makes tests/data/tools/calculator.json: expressions, and what the calculator must say of each.

Independent of assistant/tools: Python's own parser gives the order of operations (^ becomes **), fractions.Fraction the
exact numbers, mpmath with 120 digits the others, decimal the 30 digits that are shown.

Usage: make_calculator.py        needs mpmath
"""

import ast
import decimal
import json
import math
import pathlib
import random
from fractions import Fraction

import mpmath
from mpmath import mpf

OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "tools" / "calculator.json"
SHOWN = 30
mpmath.mp.dps = 120
decimal.getcontext().prec = 400


def real(x):
    return mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else x


def exact(*values):
    return all(isinstance(x, Fraction) for x in values)


def integer_root(n, degree):
    low, high = 0, 1 << (n.bit_length() // degree + 1)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**degree < n else (low, middle)
    return low if low**degree == n else None


def root(x, degree):
    if exact(x) and x >= 0:
        parts = [integer_root(n, degree) for n in (x.numerator, x.denominator)]
        if None not in parts:
            return Fraction(*parts)
    return mpmath.root(real(x), degree)


def power(a, b):
    if (
        exact(a, b)
        and b.denominator == 1
        and abs(b) * max(a.numerator.bit_length(), a.denominator.bit_length()) < 40000
    ):
        return a ** int(b)
    if exact(a, b) and b.denominator != 1:
        base = root(a, b.denominator)
        if exact(base):
            return base**b.numerator
    return mpmath.power(real(a), real(b))


def divide(a, b):
    return a / b if exact(a, b) else real(a) / real(b)


def floor(x):
    return Fraction(math.floor(x)) if exact(x) else mpmath.floor(x)


def modulo(a, b):
    return a - b * floor(divide(a, b)) if exact(a, b) else real(a) - real(b) * mpmath.floor(real(a) / real(b))


def half_up(x, digits=Fraction(0)):
    scale = Fraction(10) ** int(digits)
    sign, size = (-1 if x < 0 else 1), abs(x)
    if exact(x):
        return sign * floor(size * scale + Fraction(1, 2)) / scale
    return sign * mpmath.floor(size * real(scale) + mpf("0.5")) / real(scale)


def logarithm(x, base):
    value = mpmath.log(real(x)) / mpmath.log(real(base))
    whole = int(mpmath.nint(value))
    if exact(x, base) and base**whole == x:
        return Fraction(whole)
    return value


def through(function, fixed=None, result=None):
    """mpmath's function, with one point where the value is exact."""
    return lambda x: Fraction(result) if exact(x) and x == fixed else function(real(x))


def total(*xs):
    return sum(xs) if exact(*xs) else mpmath.fsum(map(real, xs))


FUNCTIONS = {
    "sqrt": lambda x: root(x, 2),
    "cbrt": lambda x: root(x, 3) if x >= 0 else -root(-x, 3),
    "abs": abs,
    "exp": through(mpmath.exp, 0, 1),
    "ln": through(mpmath.log, 1, 0),
    "log10": lambda x: logarithm(x, Fraction(10)),
    "log2": lambda x: logarithm(x, Fraction(2)),
    "log": logarithm,
    "sin": through(mpmath.sin, 0, 0),
    "cos": through(mpmath.cos, 0, 1),
    "tan": through(mpmath.tan, 0, 0),
    "asin": through(mpmath.asin, 0, 0),
    "acos": through(mpmath.acos, 1, 0),
    "atan": through(mpmath.atan, 0, 0),
    "deg": through(mpmath.degrees, 0, 0),
    "rad": through(mpmath.radians, 0, 0),
    "floor": floor,
    "ceil": lambda x: -floor(-x),
    "trunc": lambda x: floor(x) if x >= 0 else -floor(-x),
    "round": half_up,
    "min": lambda *xs: min(xs, key=real),
    "max": lambda *xs: max(xs, key=real),
    "sum": total,
    "mean": lambda *xs: divide(total(*xs), Fraction(len(xs))),
    "gcd": lambda *xs: Fraction(math.gcd(*(int(x) for x in xs))),
    "lcm": lambda *xs: Fraction(math.lcm(*(int(x) for x in xs))),
    "factorial": lambda x: Fraction(math.factorial(int(x))),
}
CONSTANTS = {"pi": lambda: +mpmath.pi, "e": lambda: +mpmath.e, "tau": lambda: 2 * mpmath.pi}
BINARY = {
    ast.Add: lambda a, b: a + b if exact(a, b) else real(a) + real(b),
    ast.Sub: lambda a, b: a - b if exact(a, b) else real(a) - real(b),
    ast.Mult: lambda a, b: a * b if exact(a, b) else real(a) * real(b),
    ast.Div: divide,
    ast.Mod: modulo,
    ast.Pow: power,
}


class TooLarge(Exception):
    pass


def bounded(x):
    """What stays clear of the calculator's limits, and of digits that cancel out. Long fractions are rounded."""
    if exact(x):
        sizes = x.numerator.bit_length() / 10000, x.denominator.bit_length() / 1024
        if 0.9 < max(sizes) < 1.1:
            raise TooLarge
        return x if max(sizes) < 1 else real(x)
    if isinstance(x, mpmath.mpc) or (x != 0 and abs(mpmath.log10(abs(x))) > 300):
        raise TooLarge
    return x


def value(node, source):
    if isinstance(node, ast.Expression):
        return value(node.body, source)
    if isinstance(node, ast.Constant):
        return bounded(Fraction(ast.get_source_segment(source, node)))
    if isinstance(node, ast.Name):
        return CONSTANTS[node.id]()
    if isinstance(node, ast.UnaryOp):
        inner = value(node.operand, source)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.Call):
        arguments = [value(x, source) for x in node.args]
        if node.func.id in ("sin", "cos", "tan") and abs(arguments[0]) > 1e25:
            raise TooLarge
        return bounded(FUNCTIONS[node.func.id](*arguments))
    left, right = value(node.left, source), value(node.right, source)
    if isinstance(node.op, ast.Pow) and abs(real(right)) * abs(mpmath.log(abs(real(left)) + 1)) > 7000:
        raise TooLarge
    return bounded(BINARY[type(node.op)](left, right))


def show(x):
    """The text and whether it is exact."""
    if exact(x) and x.denominator == 1:
        return str(x.numerator), True
    if exact(x):
        full = decimal.Decimal(x.numerator) / decimal.Decimal(x.denominator)
        ended = Fraction(full) == x and len(full.normalize().as_tuple().digits) <= SHOWN
    else:
        full, ended = decimal.Decimal(mpmath.nstr(x, 110, min_fixed=0, max_fixed=0)), False
    if full == 0:
        return "0", ended
    with decimal.localcontext() as context:
        context.prec, context.rounding = SHOWN, decimal.ROUND_HALF_UP
        short = (+full).normalize(decimal.Context(prec=400))
    order = short.adjusted()
    if -6 <= order < SHOWN:
        return f"{short:f}", ended
    digits = "".join(map(str, short.as_tuple().digits))
    sign = "-" if short < 0 else ""
    return sign + digits[0] + ("." + digits[1:] if len(digits) > 1 else "") + f"e{order}", ended


def random_literal(rng):
    kind = rng.random()
    if kind < 0.55:
        return str(rng.randint(0, 30))
    if kind < 0.75:
        return f"{rng.randint(0, 999)}.{rng.randint(0, 9999):04d}"
    if kind < 0.85:
        return f"{rng.randint(1, 99)}e{rng.randint(-9, 9)}"
    if kind < 0.92:
        return str(rng.randint(10**6, 10**18))
    return rng.choice(["pi", "e", "tau", ".5", "3."])


def random_text(rng, depth):
    """An expression as the calculator reads it, and as Python does; brackets only now and then."""
    if depth == 0 or rng.random() < 0.1:
        text = random_literal(rng)
        return text, text
    kind = rng.random()
    if kind < 0.12:
        mark = rng.choice(["-", "-", "+"])
        inner = random_text(rng, depth - 1)
        return mark + inner[0], mark + inner[1]
    if kind < 0.2:
        n = rng.randint(0, 40)
        return f"{n}!", f"factorial({n})"
    if kind < 0.4:
        name = rng.choice([name for name in FUNCTIONS if name != "factorial"])
        count = {"log": 2, "round": rng.randint(1, 2)}.get(name, 1)
        if name in ("min", "max", "sum", "mean", "gcd", "lcm"):
            count = rng.randint(1, 4)
        parts = [random_text(rng, depth - 2 if depth > 1 else 0) for _ in range(count)]
        if name in ("gcd", "lcm"):
            parts = [(n, n) for n in (str(rng.randint(-500, 100000)) for _ in range(count))]
        if name == "round" and count == 2:
            n = str(rng.randint(-3, 12))
            parts[1] = (n, n)
        return tuple(f"{name}({', '.join(p[i] for p in parts)})" for i in (0, 1))
    mark = rng.choice(["+", "-", "*", "/", "%", "^", "**", "+", "-", "*", "/", "^"])
    left, right = random_text(rng, depth - 1), random_text(rng, depth - 1)
    if rng.random() < 0.3:
        left = tuple(f"({x})" for x in left)
    if rng.random() < 0.3 or (mark == "%" and right[0][0] in "+-"):
        right = tuple(f"({x})" for x in right)
    space = rng.choice(["", " "])
    spoken = {"*": "*×·⋅", "/": "/÷", "-": "-−"}.get(mark, "")
    shown = rng.choice(spoken) if spoken and rng.random() < 0.3 else mark
    return left[0] + space + shown + space + right[0], left[1] + ("**" if mark == "^" else mark) + right[1]


BY_HAND = """
0.1 + 0.2 | 2^200 | 1000! | 2^5000 | 2^-900 | 2^-1200 | 100!/98! | 1/3 | 2/3 | 1/3*3 | 1/7+6/7 | -2^2 | (-2)^2 | 2^-1
2^-2^2 | 2^3^2 | -2^-2 | --3 | 2--3 | -3! | 2^3! | 3!^2 | (3!)! | 7 % 3 | (-7) % 3 | -7 % 3 | 7 % (-3) | 7.5 % 2
2*7 % 3 | 10/4*2 | 10-4-3 | 1e400*1e-400 | 1e-7 | 0.000001 | 0.0000015 | 123456789.123456789 | 1/1024 | 1/2^30
1/2^100 | 1/2^101 | 5e-250 | sqrt(16) | sqrt(2) | sqrt(2)^2 | sqrt(1/4) | sqrt(10^200) | sqrt(10^201) | sqrt(1e-40)
sqrt(0) | cbrt(27) | cbrt(-8) | cbrt(10) | cbrt(0.001) | 8^(1/3) | 4^0.5 | 4^1.5 | 32^0.2 | 27^(-2/3) | 2^0.5 | 2^-0.5
10^0.5 | 0^0 | 0^5 | 5^0 | (-1)^1001 | (-2)^-3 | exp(1) | exp(0) | exp(-100) | exp(100) | ln(2) | ln(1) | ln(10^50)
ln(1e-50) | ln(1.00000000000001) | ln(1.000000000000000000000000000000000000001) | ln(0.9999999999999999999999999999)
log10(1000) | log10(0.001) | log10(2) | log2(1024) | log2(10) | log2(1/8) | log(8, 2) | log(81, 3) | log(8, 4)
log(1/9, 3) | log(2, 10) | log(0.25, 0.5) | sin(1) | sin(1000) | sin(1e20) | sin(1e-50) | cos(1) | cos(1e15) | tan(1)
tan(100) | asin(1) | asin(0.5) | asin(-1) | acos(0) | acos(0.5) | acos(-1) | acos(0.99999999999999999999)
asin(0.99999999) | atan(1) | atan(1e40) | atan(-0.3) | atan(1e-45) | asin(1e-45) | sin(rad(30)) | cos(rad(60))
deg(pi) | rad(180) | deg(atan(1)) | pi | e | tau | e^pi | pi^e | tau/pi | 1.5e3 | 1E3 | 2.5E-3 | 5. | floor(2.7)
floor(-2.7) | ceil(2.1) | ceil(-2.1) | trunc(2.7) | trunc(-2.7) | round(2.5) | round(-2.5) | round(2.4999)
round(3.14159, 2) | round(1234, -2) | round(-1250, -2) | round(1.005, 2) | round(pi, 5) | floor(pi*1000) | floor(10/3)
floor(-10/3) | abs(-5/2) | min(3, 1, 2) | max(3, 1, 2) | max(pi, 22/7) | min(sqrt(2), 1.5) | sum(1, 2, 3.5)
mean(1, 2, 4) | mean(1, 2, 3, 4) | sum(pi, 1) | gcd(12, 18) | gcd(0, 5) | gcd(-12, 18, 27) | lcm(4, 6) | lcm(4, 6, 10)
lcm(0, 3) | lcm(-4, 6) | 170! | 20! / (10! * 10!) | 99999999999999999999 * 99999999999999999999
1/99999999999999999999 | 12345678901234567890.5 | 1/3 + 1/6 | 0.1*3 | 1.1*1.1 | 3*1.1 | 1000000 * 1.05^10
250000 * (0.04/12) / (1 - (1 + 0.04/12)^-360) | 72 * 1.8 + 32 | (98.6 - 32) * 5/9 | 1.0000001^200 | 0.5^100 | 1.5^-300
7^77 % 13 | 2^64 - 1 | 10^30 | 10^29/3 | 10^30/3 | 10^31/7 | 2e-6/3 | 2e-7/3 | 1999999999999999999999999999999.5
0.9999999999999999999999999999995 | 0.12345678901234567890123456789012345 | 9.9999999999999999999999999999999
5/10^31 + 1
"""


def main():
    rng = random.Random(7)
    cases, seen = [], set()

    def take(text, python):
        try:
            x = value(ast.parse(python.strip(), mode="eval"), python.strip())
        except (TooLarge, ZeroDivisionError, ValueError, OverflowError, TypeError):
            return False
        shown, whole = show(x)
        if text in seen or len(shown) > 3100:
            return False
        seen.add(text)
        cases.append({"expression": text, "result": shown, "exact": whole})
        return True

    known = {
        "3!^2": "factorial(3)**2",
        "2^3!": "2**factorial(3)",
        "-3!": "-factorial(3)",
        "(3!)!": "factorial(factorial(3))",
    }
    for text in BY_HAND.replace("\n", "|").split("|"):
        text = text.strip()
        if not text:
            continue
        python = known.get(text)
        if python is None:
            words = text.replace("^", "**").split("!")
            for i, word in enumerate(words[:-1]):  # digits before "!"
                start = len(word.rstrip("0123456789"))
                words[i] = f"{word[:start]}factorial({word[start:]})"
            python = "".join(words)
        if not take(text, python):
            print("left out:", text)
    count = len(cases)
    while len(cases) < count + 400:
        take(*random_text(rng, rng.randint(1, 4)))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    made = f"Python's fractions and decimal, mpmath {mpmath.__version__}"
    OUT.write_text(f'{{"made_by": "tests/tools/make_calculator.py: {made}", "cases": [\n{lines}\n]}}\n')
    print(len(cases), "cases,", sum(case["exact"] for case in cases), "of them exact")


if __name__ == "__main__":
    main()
