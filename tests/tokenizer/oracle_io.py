"""Talks to the tokenizer_oracle program (core/tokenizer/tokenizer_oracle.cpp)."""

import struct
import subprocess


def encode_all(program, model, texts, options=()):
    """[(ids, decoded bytes)] for every text (str or bytes)."""
    data = bytearray()
    for text in texts:
        raw = text.encode() if isinstance(text, str) else text
        data += struct.pack("<I", len(raw)) + raw
    done = subprocess.run([program, str(model), *options], input=bytes(data), stdout=subprocess.PIPE, check=True)
    out, at, result = done.stdout, 0, []
    for _ in texts:
        (count,) = struct.unpack_from("<I", out, at)
        ids = list(struct.unpack_from(f"<{count}i", out, at + 4))
        at += 4 + 4 * count
        (size,) = struct.unpack_from("<I", out, at)
        result.append((ids, out[at + 4 : at + 4 + size]))
        at += 4 + size
    return result


def time_all(program, model, texts):
    """What the program prints about loading the model and encoding each text."""
    data = b"".join(struct.pack("<I", len(t)) + t for t in (x.encode() if isinstance(x, str) else x for x in texts))
    return subprocess.run([program, str(model), "time"], input=data, stdout=subprocess.PIPE, check=True).stdout.decode()
