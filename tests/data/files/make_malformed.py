#!/usr/bin/env python3
"""Writes malformed.txt: model files that must be refused, with the error each must give.

Needs only the standard library and always writes the same bytes. The test core/files/malformed_test.cpp
lays each case out in a folder and opens it. Format, one case after another:

    case NAME CODE OPEN MESSAGE...    CODE: the error's name; OPEN: the path to open; MESSAGE: part of its text
    file PATH HEX                     a file of the case; {00*40} stands for 40 bytes 00

Run: python3 tests/data/files/make_malformed.py > tests/data/files/malformed.txt
With --seeds FOLDER it also writes the GGUF and safetensors files themselves, as seeds for the fuzzers.
"""

import json
import pathlib
import struct
import sys

MAX64 = 2**64 - 1


def u8(v):
    return struct.pack("<B", v)


def u16(v):
    return struct.pack("<H", v)


def u32(v):
    return struct.pack("<I", v)


def u64(v):
    return struct.pack("<Q", v)


def gguf_string(text):
    data = text.encode() if isinstance(text, str) else text
    return u64(len(data)) + data


# GGUF value types.
UINT8, INT8, UINT16, INT16, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64, INT64, FLOAT64 = range(13)
SIZES = {
    UINT8: 1, INT8: 1, UINT16: 2, INT16: 2, UINT32: 4, INT32: 4, FLOAT32: 4, BOOL: 1, UINT64: 8, INT64: 8, FLOAT64: 8,
}  # fmt: skip
NAMES = "uint8 int8 uint16 int16 uint32 int32 float32 bool string array uint64 int64 float64".split()
F32, F16, Q8_0, Q4_K = 0, 1, 8, 12


class Gguf:
    """A GGUF file as labelled pieces, so that a case can replace one of them or cut between two."""

    def __init__(self, keys=(), tensors=(), data=b"", version=3, alignment=32):
        self.pieces = [("magic", b"GGUF"), ("version", u32(version)),
                       ("tensor_count", u64(len(tensors))), ("key_count", u64(len(keys)))]  # fmt: skip
        for key, kind, value in keys:
            self.add_key(key, kind, value)
        for name, dims, kind, offset in tensors:
            self.add_tensor(name, dims, kind, offset)
        size = sum(len(piece) for _, piece in self.pieces)
        self.pieces.append(("padding", b"\0" * (-size % alignment)))
        self.pieces.append(("data", data))

    def add_key(self, key, kind, value):
        label = "key:" + (key if isinstance(key, str) else "bytes")
        data = key.encode() if isinstance(key, str) else key
        self.pieces += [(label + ".length", u64(len(data))), (label + ".name", data), (label + ".type", u32(kind))]
        if kind == ARRAY:
            item_kind, items = value
            self.pieces += [(label + ".item_type", u32(item_kind)), (label + ".count", u64(len(items)))]
            self.pieces.append((label + ".items", b"".join(items)))
        elif kind == STRING:
            data = value.encode() if isinstance(value, str) else value
            self.pieces += [(label + ".value_length", u64(len(data))), (label + ".value", data)]
        else:
            self.pieces.append((label + ".value", value))

    def add_tensor(self, name, dims, kind, offset):
        label = "tensor:" + (name if isinstance(name, str) else "bytes")
        data = name.encode() if isinstance(name, str) else name
        self.pieces += [(label + ".length", u64(len(data))), (label + ".name", data),
                        (label + ".dim_count", u32(len(dims)))]  # fmt: skip
        self.pieces += [(f"{label}.dim{i}", u64(dim)) for i, dim in enumerate(dims)]
        self.pieces += [(label + ".type", u32(kind)), (label + ".offset", u64(offset))]

    def bytes(self):
        return b"".join(piece for _, piece in self.pieces)

    def with_piece(self, label, data):
        assert any(piece_label == label for piece_label, _ in self.pieces), label
        return b"".join(data if piece_label == label else piece for piece_label, piece in self.pieces)

    def offset_after(self, label):
        offset = 0
        for piece_label, piece in self.pieces:
            offset += len(piece)
            if piece_label == label:
                return offset
        raise KeyError(label)


ARCHITECTURE = ("general.architecture", STRING, "llama")
TENSORS = [("a", [4, 2], F32, 0), ("b", [32], Q8_0, 32), ("c", [2, 1, 1, 3], F16, 96)]
DATA = bytes(range(32)) + bytes(34) + bytes(30) + bytes(12)


def base(extra=(), tensors=TENSORS, data=DATA, **options):
    return Gguf([ARCHITECTURE, *extra], tensors, data, **options)


def keys_only(extra):
    return Gguf([ARCHITECTURE, *extra])


ALL_KINDS = [(NAMES[kind], kind, bytes(size)) for kind, size in SIZES.items()] + [
    ("strings", ARRAY, (STRING, [gguf_string("x"), gguf_string(b"\xff")])),
    ("bools", ARRAY, (BOOL, [u8(0), u8(1)])),
    ("shorts", ARRAY, (UINT16, [u16(1), u16(2), u16(3)])),
]

CASES = []


def add(name, code, message, files, open_path="model.gguf"):
    files = {open_path: files} if isinstance(files, bytes) else files
    CASES.append((name, code, open_path, message, files))


def gguf(name, code, message, data):
    add("gguf-" + name, code, message, data)


# ---------------------------------------------------------------------------------------------------- GGUF, one file


def truncated_files():
    """Cut at every boundary between fields. (A unit test cuts at every byte.)"""
    whole = base(ALL_KINDS)
    size, infos_end = len(whole.bytes()), whole.offset_after("tensor:c.offset")
    cuts, offset = {}, 0
    for label, piece in whole.pieces:
        cuts[offset] = "before-" + label
        offset += len(piece)
    for cut, label in cuts.items():
        message = "ends inside" if 4 < cut < infos_end else "past the end"
        if cut <= 4:
            message = "is empty" if cut == 0 else "letters GGUF" if cut < 4 else "ends inside the header"
        gguf(f"truncated-{label.replace(':', '-')}", "corrupt", message, whole.bytes()[:cut])
    gguf("truncated-last-byte", "corrupt", "past the end", whole.bytes()[: size - 1])


def bad_headers():
    whole = base()
    for version, name in [
        (0, "version is 0"),
        (1, "version 1;"),
        (4, "version 4;"),
        (0xFFFFFFFF, "version 4294967295;"),
    ]:
        gguf(f"version-{version}", "corrupt" if version == 0 else "unsupported", name, base(version=version).bytes())
    for version in (2, 3):
        gguf(
            f"big-endian-{version}",
            "unsupported",
            "big-endian",
            whole.with_piece("version", struct.pack(">I", version)),
        )
    for magic in (b"gguf", b"GGUX", b"FUGG", b"\0\0\0\0", b"GGU\xff"):
        gguf("magic-" + magic.hex(), "corrupt", "letters GGUF", whole.with_piece("magic", magic))
    for magic in (b"lmgg", b"fmgg", b"tjgg"):
        gguf("magic-" + magic.decode(), "unsupported", "of before GGUF", whole.with_piece("magic", magic))
    for count in (MAX64, 2**63, 2**63 - 1, 2**59, 2**32, 1000):
        gguf(
            f"tensor-count-{count}",
            "corrupt",
            f"its {count} tensor descriptions",
            whole.with_piece("tensor_count", u64(count)),
        )
    for count in (MAX64, 2**63, 2**63 - 1, 2**60, 2**32, 1000):
        gguf(f"key-count-{count}", "corrupt", f"its {count} metadata keys", whole.with_piece("key_count", u64(count)))
    gguf("tensor-count-one-more", "corrupt", "tensor 3 has an empty name", whole.with_piece("tensor_count", u64(4)))
    gguf("key-count-one-more", "corrupt", "", whole.with_piece("key_count", u64(2)))
    gguf("key-count-one-less", "corrupt", "", whole.with_piece("key_count", u64(0)))


def bad_lengths():
    whole = base(ALL_KINDS)
    lengths = [label for label, _ in whole.pieces if label.endswith("length")]
    for label in ("key:general.architecture.length", "key:general.architecture.value_length", "tensor:a.length"):
        for length in (MAX64, MAX64 - 7, 2**63, 2**63 - 1, 2**32, 100000):
            gguf(f"{label.replace(':', '-')}-{length}", "corrupt", "ends inside", whole.with_piece(label, u64(length)))
    for label in lengths[2:]:
        gguf(f"{label.replace(':', '-')}-max", "corrupt", "ends inside", whole.with_piece(label, u64(MAX64)))
    items = gguf_string("x") + u64(MAX64 - 3) + b"abcd"
    gguf("string-in-array-length", "corrupt", "string 1 of 'strings'", whole.with_piece("key:strings.items", items))


def bad_arrays():
    for kind, size in [*SIZES.items(), (STRING, 8)]:
        whole = keys_only([("list", ARRAY, (kind, [bytes(size)]))])
        wrap = 2**64 // size  # times the item's size is 0 in 64 bits
        for count in {MAX64, min(wrap, MAX64), 2**63, 2**32, 1000}:
            gguf(
                f"array-{NAMES[kind]}-{count}",
                "corrupt",
                "ends inside the",
                whole.with_piece("key:list.count", u64(count)),
            )
    whole = keys_only([("list", ARRAY, (UINT8, [u8(1)]))])
    for kind in (13, 255, 2**32 - 1):
        gguf(f"array-item-type-{kind}", "corrupt", "does not exist", whole.with_piece("key:list.item_type", u32(kind)))
        scalar = keys_only([("one", UINT8, u8(1))])
        gguf(f"value-type-{kind}", "corrupt", "does not exist", scalar.with_piece("key:one.type", u32(kind)))
    nested = u32(ARRAY) + u64(1) + u32(UINT8) + u64(1) + u8(1)
    gguf("array-of-arrays", "unsupported", "array of arrays", keys_only([("list", ARRAY, (ARRAY, [nested]))]).bytes())
    deep = (u32(ARRAY) + u64(1)) * 50
    gguf("array-nested-50", "unsupported", "array of arrays", keys_only([("list", ARRAY, (ARRAY, [deep]))]).bytes())
    for value in (2, 255):
        gguf(f"bool-{value}", "corrupt", "as a truth value", keys_only([("flag", BOOL, u8(value))]).bytes())
        flags = ("flags", ARRAY, (BOOL, [u8(1), u8(value)]))
        gguf(f"bool-in-array-{value}", "corrupt", "as a truth value", keys_only([flags]).bytes())


BAD_UTF8 = [b"\xff", b"\xc0\x80", b"a\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"]


def bad_names():
    for name in BAD_UTF8:
        gguf("key-not-utf8-" + name.hex(), "corrupt", "not UTF-8", keys_only([(name, UINT8, u8(1))]).bytes())
        tensor = [(name, [1], F32, 0)]
        gguf("tensor-not-utf8-" + name.hex(), "corrupt", "not UTF-8", base(tensors=tensor, data=bytes(4)).bytes())
    gguf("key-empty", "corrupt", "empty name", keys_only([("", UINT8, u8(1))]).bytes())
    gguf("tensor-empty", "corrupt", "empty name", base(tensors=[("", [1], F32, 0)], data=bytes(4)).bytes())
    gguf("key-twice", "corrupt", "'k' occurs twice", keys_only([("k", UINT8, u8(1)), ("k", UINT8, u8(1))]).bytes())
    gguf(
        "key-twice-other-type", "corrupt", "occurs twice", keys_only([("k", UINT8, u8(1)), ("k", STRING, "x")]).bytes()
    )
    twice = [("t", [1], F32, 0), ("t", [1], F32, 32)]
    gguf("tensor-twice", "corrupt", "tensor 't' occurs twice", base(tensors=twice, data=bytes(36)).bytes())
    escape = keys_only([("\x1b[2J", UINT8, u8(1)), ("\x1b[2J", UINT8, u8(1))])
    gguf("key-with-escape", "corrupt", r"'\x1b[2J' occurs twice", escape.bytes())


def bad_tensors():
    def one(dims, kind=F32, offset=0, data=bytes(64)):
        return base(tensors=[("t", dims, kind, offset)], data=data)

    for count in (0, 5, 6, 2**31, 2**32 - 1):
        gguf(f"dim-count-{count}", "corrupt", "1 to 4", one([4]).with_piece("tensor:t.dim_count", u32(count)))
    shapes = [[0], [4, 0], [4, 1, 1, 0], [2**32, 2**32], [2**63, 2], [2**62, 4], [2**16] * 4, [MAX64, MAX64],
              [MAX64, 3], [2**33, 2**31]]  # fmt: skip
    for dims in shapes:
        gguf("dims-" + "x".join(map(str, dims)), "corrupt", "zero or overflow", one(dims).bytes())
    for dims in ([2**62], [2**61, 4], [2**63], [2**63 - 1]):
        gguf("size-overflow-" + "x".join(map(str, dims)), "corrupt", "overflow", one(dims).bytes())
    for dims in ([2**61], [2**60, 2], [17], [2**32], [2**40]):
        gguf("size-" + "x".join(map(str, dims)), "corrupt", "past the end", one(dims).bytes())
    for dims, kind in [
        ([33], Q8_0),
        ([31], Q8_0),
        ([1, 32], Q8_0),
        ([32], Q4_K),
        ([128, 2], Q4_K),
        ([2**63 + 1], Q8_0),
    ]:
        gguf(f"row-{kind}-" + "x".join(map(str, dims)), "corrupt", "not a multiple of the", one(dims, kind).bytes())
    unsupported = {4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
                   21: "IQ3_S", 22: "IQ2_S", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M",
                   31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8", 34: "TQ1_0", 35: "TQ2_0", 36: "IQ4_NL_4_4",
                   37: "IQ4_NL_4_8", 38: "IQ4_NL_8_8", 39: "MXFP4", 40: "NVFP4", 41: "Q1_0"}  # fmt: skip
    for kind, name in unsupported.items():
        gguf(
            "type-" + name,
            "unsupported",
            f"has type {name}; supported types: ",
            one([256], kind, data=bytes(512)).bytes(),
        )
    for kind in (42, 255, 2**31, 2**32 - 1):
        gguf(f"type-{kind}", "unsupported", f"has type {kind}, which is unknown", one([256], kind).bytes())
    for offset in (1, 4, 16, 31, 33, MAX64, 2**63 + 1):
        gguf(f"offset-{offset}", "corrupt", "not a multiple of 32", one([4], offset=offset).bytes())
    for offset in (64, 96, 2**32, 2**63, 2**64 - 32, 2**64 - 64):
        gguf(f"offset-{offset}", "corrupt", "past the end", one([4], offset=offset).bytes())
    overlaps = {"same": (0, 0), "partly": (0, 32), "inside": (32, 64), "backwards": (64, 32)}
    for name, (first, second) in overlaps.items():
        tensors = [("a", [32], F32, first), ("b", [16], F32, second)]
        gguf("overlap-" + name, "corrupt", "overlap at byte", base(tensors=tensors, data=bytes(256)).bytes())


def bad_alignments():
    kinds = {0: UINT32, 1: UINT32, 4: UINT32, 12: UINT32, 33: UINT32, 2**32 - 1: UINT32, 2**64 - 8: UINT64}
    for value, kind in kinds.items():
        data = struct.pack("<I" if kind == UINT32 else "<Q", value)
        gguf(
            f"alignment-{value}",
            "corrupt",
            f"general.alignment is {value}",
            base([("general.alignment", kind, data)]).bytes(),
        )
    for value, kind, name in [(u32(2**31), UINT32, "2-31"), (u64(2**63), UINT64, "2-63"), (u64(2**40), UINT64, "2-40")]:
        gguf("alignment-" + name, "corrupt", "", base([("general.alignment", kind, value)]).bytes())
    for kind, value in [(STRING, "32"), (INT32, struct.pack("<i", -32)), (FLOAT32, struct.pack("<f", 32)), (BOOL, u8(1)),
                        (ARRAY, (UINT32, [u32(32)]))]:  # fmt: skip
        whole = base([("general.alignment", kind, value)])
        gguf("alignment-" + NAMES[kind], "corrupt", "general.alignment is not a whole number", whole.bytes())
    offset = [("t", [4], F32, 32)]
    whole = base([("general.alignment", UINT32, u32(64))], tensors=offset, data=bytes(64), alignment=64)
    gguf("alignment-64-offset-32", "corrupt", "not a multiple of 64", whole.bytes())


# ------------------------------------------------------------------------------------------------------- split GGUF


def part(number, count, tensors, extra=(), total=None, kinds=(UINT16, UINT16, INT32), arch="llama"):
    formats = {UINT16: "<H", INT32: "<i", UINT32: "<I", INT8: "<b"}
    keys = [("split.no", kinds[0], struct.pack(formats[kinds[0]], number)),
            ("split.count", kinds[1], struct.pack(formats[kinds[1]], count))]  # fmt: skip
    if total is not None:
        keys.append(("split.tensors.count", kinds[2], struct.pack(formats[kinds[2]], total)))
    infos = [(name, [4], F32, 32 * i) for i, name in enumerate(tensors)]
    return Gguf([("general.architecture", STRING, arch), *keys, *extra], infos, bytes(32 * len(infos))).bytes()


def bad_splits():
    first, second, third = "m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf"
    good = {first: part(0, 3, "a", total=3), second: part(1, 3, "b", total=3), third: part(2, 3, "c", total=3)}

    def split(name, code, message, open_path=first, without=(), **changes):
        files = dict(good)
        files.update({{"first": first, "second": second, "third": third}[key]: data for key, data in changes.items()})
        files = {path: data for path, data in files.items() if path not in without}
        add("split-" + name, code, message, files, open_path)

    split("part-2-missing", "not_found", second, without=[second])
    split("part-1-missing", "not_found", first, second, without=[first])
    split("part-3-missing", "not_found", third, second, without=[third])
    split("cyclic", "corrupt", "named part 2 of 3, but", second=good[first])
    split("cyclic-last", "corrupt", "named part 3 of 3, but", third=good[second])
    split("swapped", "corrupt", "named part 1 of 3, but", first=good[second], second=good[first])
    split("all-the-same", "corrupt", "named part 2 of 3, but", second=good[first], third=good[first])
    split("part-is-whole-model", "corrupt", "named part 2 of 3, but", second=base().bytes())
    split("opened-part-is-whole-model", "corrupt", "has no split.count", second, second=base().bytes())
    split("count-differs", "corrupt", "named part 2 of 3, but", second=part(1, 4, "b", total=3))
    split("tensors-count-differs", "corrupt", "split.tensors.count differs", second=part(1, 3, "b", total=4))
    split("tensors-count-absent-once", "corrupt", "split.tensors.count differs", second=part(1, 3, "b"))
    totals = {"first": part(0, 3, "a", total=9), "second": part(1, 3, "b", total=9), "third": part(2, 3, "c", total=9)}
    split("tensors-count-wrong", "corrupt", "hold 3 tensors, but split.tensors.count is 9", **totals)
    split("tensor-twice", "corrupt", "tensor 'a' occurs twice", second=part(1, 3, "a", total=3))
    split("other-model", "corrupt", "of different models", second=part(1, 3, "b", total=3, arch="qwen2"))
    split("part-truncated", "corrupt", "past the end", second=good[second][:-20])
    split("part-cut-in-header", "corrupt", "ends inside", second=good[second][:50])
    split("part-empty", "corrupt", "letters GGUF", second=b"")
    split("part-not-gguf", "corrupt", "letters GGUF", second=b"hello, world")
    split("part-big-endian", "unsupported", "big-endian", third=b"GGUF\0\0\0\3" + good[third][8:])
    split(
        "number-of-wrong-type", "corrupt", "split.no is not a count", second=Gguf([("split.no", STRING, "1")]).bytes()
    )
    split("number-is-count", "corrupt", "split.no is 3 of 3", third=part(3, 3, "c", total=3))
    split("number-past-count", "corrupt", "split.no is 9 of 3", third=part(9, 3, "c", total=3))
    negative = part(-1, 3, "b", total=3, kinds=(INT8, UINT16, INT32))
    split("number-negative", "corrupt", "split.no is not a count", second=negative)
    split("tensors-count-negative", "corrupt", "split.tensors.count is not a count", second=part(1, 3, "b", total=-1))
    add("split-name-lost", "corrupt", "does not end in -00001-of-00003.gguf", {"model.gguf": good[first]}, "model.gguf")
    for i, name in enumerate(["m_00001-of-00003.gguf", "m-0000x-of-00003.gguf", "m-00001-of-0000x.gguf", "m-00001-to-00003.gguf",
                              "m-00001-of-00003.GGUF", "-00001-of-00003.gguf", "m-0001-of-0003.gguf", "m-+0001-of-00003.gguf"]):  # fmt: skip
        add(f"split-name-{i}", "corrupt", "does not end in -00001-of-00003.gguf", {name: good[first]}, name)
    add("split-name-of-other-count", "corrupt", "named part 1 of 2, but",
        {"m-00001-of-00002.gguf": good[first]}, "m-00001-of-00002.gguf")  # fmt: skip
    add("split-name-zero", "corrupt", "named part 0 of 3, but",
        {"m-00000-of-00003.gguf": good[first]}, "m-00000-of-00003.gguf")  # fmt: skip
    add("split-count-65535", "not_found", "m-00002-of-65535.gguf",
        {"m-00001-of-65535.gguf": part(0, 65535, "a")}, "m-00001-of-65535.gguf")  # fmt: skip
    huge = part(0, 2**32 - 1, "a", kinds=(UINT16, UINT32, INT32))
    add("split-count-huge", "corrupt", "by its split.no and split.count it is", {first: huge}, first)
    add("split-name-without-keys", "corrupt", "has no split.count", {third: base().bytes()}, third)


# ------------------------------------------------------------------------------------------------------- safetensors

CONFIG = b'{"model_type": "llama"}'


def safetensors(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return u64(len(text) if length is None else length) + text + data


def tensor(begin, end, shape, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def st(name, code, message, data):
    add("st-" + name, code, message, {"model.safetensors": data, "config.json": CONFIG}, "model.safetensors")


def bad_safetensors_headers():
    good = safetensors({"a": tensor(0, 16, [2, 2]), "b": tensor(16, 20, [2], "BF16")}, bytes(20))
    size = struct.unpack("<Q", good[:8])[0]
    for cut in (0, 1, 7):
        st(f"truncated-{cut}", "corrupt", "shorter than 8 bytes", good[:cut])
    for cut in (8, 9, 20, 8 + size - 1):
        st(f"truncated-{cut}", "corrupt", "ends inside its header", good[:cut])
    for cut in (8 + size, 8 + size + 16, len(good) - 1):
        st(f"truncated-{cut}", "corrupt", "of data", good[:cut])
    for length in (MAX64, MAX64 - 7, 2**63, 2**32, 100_000_001):
        st(f"length-{length}", "limit_exceeded", "100000000", u64(length) + good[8:])
    for length in (100_000_000, len(good) - 7, 1000):
        st(f"length-{length}", "corrupt", "ends inside its header", u64(length) + good[8:])
    st("length-0", "corrupt", "does not begin with {", u64(0) + good[8:])
    st("length-one-less", "corrupt", "bad JSON", u64(size - 1) + good[8:])
    st("length-one-more", "corrupt", "bad JSON", u64(size + 1) + good[8:])
    st("trailing-data", "corrupt", "after the last tensor", good + b"\0")
    texts = {"array": b"[]", "string": b'"x"', "space-first": b" {}", "nothing": b"", "number": b"1", "nul": b"\0{}",
             "byte-order-mark": b"\xef\xbb\xbf{}"}  # fmt: skip
    for name, text in texts.items():
        st("start-" + name, "corrupt", "does not begin with {", safetensors(text))
    texts = {"open": b"{", "open-key": b'{"a', "no-value": b'{"a":}', "no-colon": b'{"a" {}}', "two-roots": b"{}{}",
             "comma": b"{,}", "single-quotes": b"{'a':1}", "comment": b"{/*x*/}", "not-utf8": b'{"\xff":1}',
             "lone-surrogate": b'{"\\ud800":{}}', "bad-escape": b'{"\\q":{}}', "control": b'{"\n":{}}', "nan": b'{"a":NaN}',
             "objects-300": b'{"a":' * 300, "arrays-300": b'{"a":' + b"[" * 300}  # fmt: skip
    texts["nul-after"] = b'{}\0{"a":1}'
    for name, text in texts.items():
        st("json-" + name, "corrupt", "bad JSON", safetensors(text))


def bad_safetensors_entries():
    def raw(name, message, member, data=bytes(16), code="corrupt"):
        st(name, code, message, safetensors(b'{"a":' + member + b"}", data))

    def entry(dtype=b'"F32"', shape=b"[4]", offsets=b"[0,16]"):
        return b'{"dtype":' + dtype + b',"shape":' + shape + b',"data_offsets":' + offsets + b"}"

    for name, member in [("null", b"null"), ("number", b"1"), ("string", b'"x"'), ("array", b"[]"), ("true", b"true")]:
        raw("tensor-is-" + name, "bad JSON: an unexpected", member)
    raw("no-fields", "lacks one of", b"{}")
    raw("no-dtype", "lacks one of", b'{"shape":[4],"data_offsets":[0,16]}')
    raw("no-shape", "lacks one of", b'{"dtype":"F32","data_offsets":[0,16]}')
    raw("no-offsets", "lacks one of", b'{"dtype":"F32","shape":[4]}')
    raw("two-dtypes", "two dtypes", b'{"dtype":"F32",' + entry()[1:])
    raw("two-shapes", "unexpected array", b'{"shape":[4],' + entry()[1:])
    raw("two-offsets", "unexpected array", b'{"data_offsets":[0,16],' + entry()[1:])
    raw("other-field", "unexpected string", b'{"color":"red",' + entry()[1:])
    raw("other-array", "unexpected array", b'{"strides":[1],' + entry()[1:])
    raw("nested-object", "an object inside", b'{"dtype":{},' + entry()[1:])
    for value in (b"1", b"null", b"[]", b"true", b"-1", b"1.5"):
        raw("dtype-" + value.decode(), "bad JSON", entry(dtype=value))
    for value in (b"F8_E4M3", b"I64", b"U8", b"BOOL", b"F64", b"F4"):
        bits = {b"F8_E4M3": 8, b"I64": 64, b"U8": 8, b"BOOL": 8, b"F64": 64, b"F4": 4}[value]
        shape = b"[%d]" % (128 // bits)
        message = f"has dtype '{value.decode()}'; supported: F32, F16, BF16"
        raw("dtype-" + value.decode(), message, entry(b'"' + value + b'"', shape), code="unsupported")
    for value in (b"", b"f32", b"FLOAT", b"Q4_K", b"F32\\u0000"):
        raw("dtype-unknown-" + value.hex(), "supported: F32", entry(b'"' + value + b'"'), code="unsupported")
    for value in (b"4", b'"4"', b"null", b"{}", b"[-4]", b"[4.0]", b"[4e0]", b"[1e400]", b'["4"]', b"[[4]]", b"[null]", b"[true]",
                  b"[18446744073709551616]", b"[1,1,1,1,1,1,1,1,4]"):  # fmt: skip
        raw("shape-" + value.decode(), "bad JSON", entry(shape=value))
    for value in (
        b"[18446744073709551615,2]",
        b"[4294967296,4294967296]",
        b"[9223372036854775808]",
        b"[576460752303423488]",
    ):
        raw("shape-" + value.decode(), "overflows", entry(shape=value))
    for value in (b"[5]", b"[3]", b"[]", b"[2,3]", b"[0]", b"[4,0]"):
        raw("shape-" + value.decode(), "ask for", entry(shape=value))
    raw("shape-5-dims", "5 dimensions", entry(shape=b"[1,1,1,1,4]"), code="unsupported")
    raw("shape-zero", "has no elements", entry(shape=b"[0]", offsets=b"[0,0]"), data=b"", code="unsupported")
    raw("f4-odd", "ask for", entry(dtype=b'"F4"', shape=b"[3]", offsets=b"[0,1]"), data=bytes(1))
    for value in (b"0", b"[]", b"[0]", b"[0,16,32]", b"[-1,15]", b"[0.0,16.0]", b'["0","16"]', b"[0,1e999]", b"{}", b"[[0,16]]",
                  b"[0,18446744073709551616]"):  # fmt: skip
        raw("offsets-" + value.decode(), "bad JSON", entry(offsets=value))
    raw("offsets-reversed", "ends before it begins", entry(offsets=b"[16,0]"))
    for end in (17, 2**32, 2**63, MAX64):
        raw(f"offsets-end-{end}", "of data", entry(offsets=b"[0,%d]" % end))
    raw("offsets-both-past-end", "of data", entry(offsets=b"[100,116]"))
    raw("offsets-wrap", "of data", entry(offsets=b"[18446744073709551600,18446744073709551615]"))
    raw("offsets-short", "ask for", entry(offsets=b"[0,12]"), data=bytes(12))
    raw("offsets-hole-first", "no tensor owns the data before 'a'", entry(offsets=b"[8,24]"), data=bytes(24))
    many = {"a": tensor(0, 16, [4]), "b": tensor(8, 24, [4])}
    st("overlap-partly", "corrupt", "overlap at byte 8", safetensors(many, bytes(24)))
    many = {"a": tensor(0, 16, [4]), "b": tensor(0, 16, [4])}
    st("overlap-same", "corrupt", "overlap at byte 0", safetensors(many, bytes(16)))
    many = {"b": tensor(20, 36, [4]), "a": tensor(0, 16, [4])}
    st("hole-between", "corrupt", "no tensor owns the data before 'b'", safetensors(many, bytes(36)))
    st("no-tensors-but-data", "corrupt", "after the last tensor", safetensors({}, bytes(4)))
    twice = b'{"a":' + entry() + b',"a":' + entry(offsets=b"[16,32]") + b"}"
    st("tensor-twice", "corrupt", "'a' occurs twice", safetensors(twice, bytes(32)))
    st("tensor-without-name", "corrupt", "name is empty", safetensors({"": tensor(0, 4, [1])}, bytes(4)))
    for name, value in [("array", b"[]"), ("number", b"1"), ("nested", b'{"a":{}}'), ("of-numbers", b'{"a":1}'),
                        ("of-null", b'{"a":null}'), ("of-arrays", b'{"a":[]}')]:  # fmt: skip
        st("metadata-" + name, "corrupt", "bad JSON", safetensors(b'{"__metadata__":' + value + b"}"))
    st("metadata-twice", "corrupt", "__metadata__ occurs twice", safetensors(b'{"__metadata__":{},"__metadata__":{}}'))


def bad_folders():
    good = safetensors({"a": tensor(0, 4, [1])}, bytes(4))
    other = safetensors({"b": tensor(0, 4, [1])}, bytes(4))

    def folder(name, code, message, files, open_path="."):
        add("folder-" + name, code, message, files, open_path)

    def config(name, code, message, text):
        folder("config-" + name, code, message, {"model.safetensors": good, "config.json": text})

    folder("no-config", "not_found", "needs its config.json", {"model.safetensors": good})
    folder("no-config-file", "not_found", "needs its config.json", {"model.safetensors": good}, "model.safetensors")
    folder("only-gguf", "not_found", "give the .gguf file itself", {"model.gguf": base().bytes()})
    folder("no-weights", "not_found", "no .safetensors file", {"config.json": CONFIG})
    folder(
        "usual-weights-cut",
        "corrupt",
        "model.safetensors: corrupt",
        {"config.json": CONFIG, "model.safetensors": good[:-1], "x.safetensors": good},
    )
    folder("only-weights-cut", "corrupt", "x.safetensors: corrupt", {"config.json": CONFIG, "x.safetensors": good[:-1]})
    folder(
        "which-weights",
        "not_found",
        "2 .safetensors files",
        {"config.json": CONFIG, "x.safetensors": good, "y.safetensors": other},
    )
    texts = {"empty": b"", "text": b"hello", "cut": b'{"a": 1', "array": b"[1]", "number": b"1", "null": b"null", "not-utf8": b'{"a": "\xff"}',
             "trailing": b"{} x", "nul": b'{}\0{"a": 1}', "nan": b'{"a": NaN}', "huge-number": b'{"a": 1e999}', "bad-escape": b'{"a": "\\x"}'}  # fmt: skip
    for name, text in texts.items():
        config(name, "corrupt", "config.json", text)
    config("twice", "corrupt", "'a.b' occurs twice", b'{"a.b": 1, "a": {"b": 2}}')
    config("twice-in-array", "corrupt", "'a.1.b.c' occurs twice", b'{"a": [null, {"b.c": 1, "b": {"c": 2}}]}')
    config("large", "limit_exceeded", "config.json has 1048577 bytes", b" " * (2**20 + 1))
    config("deep", "limit_exceeded", "nested deeper", b'{"a":' * 100 + b"1" + b"}" * 100)
    config("deep-arrays", "limit_exceeded", "nested deeper", b'{"a":' + b"[" * 300 + b"]" * 300 + b"}")
    config("long-name", "limit_exceeded", "too long names", b'{"' + b"n" * 1100 + b'": 1}')
    generation = {"model.safetensors": good, "config.json": CONFIG, "generation_config.json": b"{"}
    folder("generation-cut", "corrupt", "generation_config.json", generation)

    def index(name, code, message, text, open_path=".", **files):
        text = text if isinstance(text, bytes) else json.dumps(text).encode()
        contents = {
            "config.json": CONFIG,
            "model.safetensors.index.json": text,
            "x.safetensors": good,
            "y.safetensors": other,
        }
        contents.update({key + ".safetensors": data for key, data in files.items()})
        contents = {path: data for path, data in contents.items() if data is not None}
        folder("index-" + name, code, message, contents, open_path)

    def place(a="x.safetensors", b="y.safetensors", **more):
        return {"weight_map": {"a": a, "b": b, **more}}

    escapes = ["../x.safetensors", "/etc/x.safetensors", "sub/x.safetensors", "..\\x.safetensors", "C:x.safetensors", "", ".",
               "..", "x.bin", ".safetensors", "x.safetensors\0", "x\0.safetensors", "\x1b[2J.safetensors", "\u202e.safetensors", "model.safetensors.index.json",
               "a" * 300 + ".safetensors"]  # fmt: skip
    for i, name in enumerate(escapes):
        index(f"shard-name-{i}", "corrupt", "not the name of a .safetensors file", place(a=name))
    index("shard-missing", "not_found", "z.safetensors of the model is missing", place(a="z.safetensors"))
    index("wrong-shard", "corrupt", "which the index does not say", place("y.safetensors", "x.safetensors"))
    index("same-shard", "corrupt", "'b' is not in 'x.safetensors'", place(b="x.safetensors"))
    index("tensor-missing", "corrupt", "'c' is not in 'x.safetensors'", place(c="x.safetensors"))
    index(
        "tensor-unlisted",
        "corrupt",
        "which the index does not say",
        {"weight_map": {"a": "x.safetensors", "z": "y.safetensors"}},
    )
    index(
        "tensor-in-both",
        "corrupt",
        "which the index does not say",
        place(),
        y=safetensors({"b": tensor(0, 4, [1]), "a": tensor(4, 8, [1])}, bytes(8)),
    )
    index("shard-corrupt", "corrupt", "ends inside its header", place(), y=other[:20])
    index("shard-corrupt-by-file", "corrupt", "ends inside its header", place(), "x.safetensors", y=other[:20])
    index("no-map", "corrupt", "no weight_map", {"metadata": {}})
    index("empty-map", "corrupt", "no weight_map", {"weight_map": {}})
    index("empty-file", "corrupt", "bad JSON", b"")
    index("cut", "corrupt", "bad JSON", b'{"weight_map": {"a": "x.safe')
    for name, text, message in [
        ("array", b"[]", "weight_map is not an object"),
        ("array-of-names", b'["x.safetensors"]', "weight_map is not an object"),
        ("string", b'"x.safetensors"', "weight_map is not an object"),
        ("number", b"1", "something other than names"),
        ("of-arrays", b'{"a":["x.safetensors"]}', "'a' is not given the name"),
        ("of-objects", b'{"a":{"b":"x.safetensors"}}', "'a' is not given the name"),
        ("of-numbers", b'{"a":1}', "something other than names"),
        ("of-null", b'{"a":null}', "something other than names"),
    ]:
        index("map-" + name, "corrupt", message, b'{"weight_map": ' + text + b"}")
    index(
        "map-twice", "corrupt", "weight_map occurs twice", b'{"weight_map": {"a": "x.safetensors"}, "weight_map": {}}'
    )
    index(
        "tensor-twice", "corrupt", "'a' occurs twice", b'{"weight_map": {"a": "x.safetensors", "a": "y.safetensors"}}'
    )
    index("deep", "corrupt", "nested deeper", b'{"metadata": ' + b"[" * 300 + b"]" * 300 + b"}")


def other_formats():
    starts = {"lfs-pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer"),
              "zip": (b"PK\x03\x04" + bytes(30), "zip archive"), "pickle": (b"\x80\x02}q\x00.", "pickle"),
              "html": (b"<!DOCTYPE html><html>", "web page"), "hdf5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
              "html-short": (b"<html><body>404</body></html>", "web page")}  # fmt: skip
    for name, (data, message) in starts.items():
        add("other-" + name, "unsupported", message, data)
    add("other-text", "unsupported", "neither a GGUF nor", b"hello", "model.bin")
    add("other-missing", "not_found", "model.gguf", {"unrelated": b""}, "model.gguf")
    add("other-missing-both", "not_found", "cannot open", {"unrelated": b""}, "x.safetensors")
    add("other-missing-safetensors", "not_found", "x.safetensors", {"config.json": CONFIG}, "x.safetensors")


def write_seeds(folder):
    for kind in ("gguf", "safetensors"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for name, _, _, _, files in CASES:
        for path, data in files.items():
            kind = pathlib.Path(path).suffix[1:]
            if kind in ("gguf", "safetensors"):
                (folder / kind / f"{name}-{path.replace('/', '_')}").write_bytes(data)


def hex_with_runs(data):
    """Hex digits; eight or more equal bytes as {HH*COUNT}."""
    text = ""
    while data:
        run = len(data) - len(data.lstrip(data[:1]))
        text += "{%s*%d}" % (data[:1].hex(), run) if run >= 8 else data[:run].hex()
        data = data[run:]
    return text


def main():
    for make in (truncated_files, bad_headers, bad_lengths, bad_arrays, bad_names, bad_tensors, bad_alignments, bad_splits,
                 bad_safetensors_headers, bad_safetensors_entries, bad_folders, other_formats):  # fmt: skip
        make()
    if sys.argv[1:2] == ["--seeds"]:
        write_seeds(pathlib.Path(sys.argv[2]))
        return
    names = [case[0] for case in CASES]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    print("# Written by make_malformed.py; do not edit.")
    for name, code, open_path, message, files in CASES:
        print(f"case {name.replace(' ', '_')} {code} {open_path} {message}".rstrip())
        for path, data in files.items():
            print(f"file {path} {hex_with_runs(data)}".rstrip())


if __name__ == "__main__":
    main()
