"""Random schemas for check_schemas.py: small ones, of few constants and names, so that their parts meet."""

CONSTANTS = ["a", "ab", "abc", "", 1, 2, 1.5, -3, True, False, None, [], [1], {}, {"a": 1}, {"b": "x"}, "2024-01-01"]
NAMES = ["a", "b", "c"]
TYPES = ["object", "object", "string", "integer", "array", ["string", "null"], ["object", "array"], "number"]
DIALECTS = ["https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"]


def leaf(rng):
    return rng.choice([
        True, {}, {"type": rng.choice(["string", "integer", "null", "boolean", "number"])},
        {"const": rng.choice(CONSTANTS)}, {"enum": rng.sample(CONSTANTS, rng.randint(1, 5))},
    ])  # fmt: skip


# Each gives the keywords of a part of a schema; `sub` makes a schema inside.
PARTS = [
    lambda rng, sub: {"type": rng.choice(TYPES)},
    lambda rng, sub: {"type": rng.choice(TYPES)},
    lambda rng, sub: {"enum": rng.sample(CONSTANTS, rng.randint(1, 6))},
    lambda rng, sub: {"not": sub()},
    lambda rng, sub: {"if": sub(), "then": sub()},
    lambda rng, sub: {"if": sub(), "else": sub()},
    lambda rng, sub: {"if": sub(), "then": sub(), "else": sub()},
    lambda rng, sub: {rng.choice(["anyOf", "allOf"]): [sub() for _ in range(rng.randint(1, 3))]},
    lambda rng, sub: {"oneOf": [sub() for _ in range(rng.randint(1, 3))]},
    lambda rng, sub: {"properties": {name: sub() for name in rng.sample(NAMES, rng.randint(1, 3))}},
    lambda rng, sub: {"required": rng.sample(NAMES, rng.randint(1, 2))},
    lambda rng, sub: {"additionalProperties": rng.choice([False, True, sub()])},
    lambda rng, sub: {rng.choice(["minProperties", "maxProperties"]): rng.randint(0, 2)},
    lambda rng, sub: {"dependentRequired": {rng.choice(NAMES): rng.sample(NAMES, rng.randint(0, 2))}},
    lambda rng, sub: {"dependentSchemas": {rng.choice(NAMES): sub()}},
    lambda rng, sub: {rng.choice(["minLength", "maxLength"]): rng.randint(0, 4)},
    lambda rng, sub: {"pattern": rng.choice(["^a", "b$", "^[ab]*$", "c"])},
    lambda rng, sub: {"format": rng.choice(["date", "email", "ipv4", "foo", "regex"])},
    lambda rng, sub: {rng.choice(["minimum", "exclusiveMinimum"]): rng.choice([0, 1, 2, 1.5, -2, 10])},
    lambda rng, sub: {rng.choice(["maximum", "exclusiveMaximum"]): rng.choice([0, 1, 2, 1.5, -2, 10])},
    lambda rng, sub: {"items": sub(), rng.choice(["minItems", "maxItems"]): rng.randint(0, 3)},
    lambda rng, sub: {"uniqueItems": True},
    lambda rng, sub: {"$ref": "#/$defs/" + rng.choice("xy")},
]


def part(rng, depth):
    if depth <= 0 or rng.random() < 0.12:
        return leaf(rng)
    out = {}
    for _ in range(rng.randint(1, 3)):
        out.update(rng.choice(PARTS)(rng, lambda: part(rng, depth - 1)))
    return out


def random_schema(rng):
    whole = part(rng, rng.randint(2, 4))
    whole = dict(whole) if isinstance(whole, dict) else {}
    whole["$defs"] = {"x": part(rng, 2), "y": part(rng, 1)}
    whole["$schema"] = rng.choice(DIALECTS)
    return whole
