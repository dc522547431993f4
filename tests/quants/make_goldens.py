#!/usr/bin/env python3
"""Makes tests/data/quants: what core/quants must decode to, and the errors that its encoders must not exceed.

  NAME.blocks  blocks of random bytes, some with special scales (zero, subnormal, largest, infinite, NaN)
  NAME.f32     their values by the Python package `gguf` (0.19.0), an implementation of its own in numpy
  rows.f32     three rows of 2048 values: normal, Laplace, and weights of a model (a Q8_0 tensor of Qwen2.5-Coder-0.5B)
  rmse.json    by format and row: the root mean square error of ggml's reference quantisers (quantize_row_*_ref of
               ggml-quants.c), compiled from a llama.cpp checkout

Usage: make_goldens.py LLAMA_CPP_SOURCE QWEN.gguf        needs numpy, gguf, gcc
"""

import ctypes
import json
import pathlib
import subprocess
import sys
import tempfile

import gguf
import numpy as np
from gguf import GGML_QUANT_SIZES
from gguf import GGMLQuantizationType as Type
from gguf.quants import dequantize

OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "quants"
FLOATS = [Type.F32, Type.F16, Type.BF16]
# Where a block keeps its binary16 scales.
SCALES = {
    Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q8_0: [0], Type.Q2_K: [80, 82],
    Type.Q3_K: [108], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208], Type.IQ4_NL: [0], Type.IQ4_XS: [0],
}  # fmt: skip
SPECIAL = [0x0000, 0x8000, 0x0001, 0x83FF, 0x7BFF, 0x7C00, 0xFC00, 0x7E00]


def blocks_of(kind, rng):
    elements, size = GGML_QUANT_SIZES[kind]
    count = 1024 if elements == 1 else 24 if elements == 32 else 12
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for offset in SCALES.get(kind, []):
        for i, bits in enumerate(SPECIAL):
            blocks[i, offset : offset + 2] = np.frombuffer(np.uint16(bits).tobytes(), np.uint8)
        scales = (rng.standard_normal(count - 8) * 0.05).astype(np.float16)
        blocks[8:, offset : offset + 2] = scales.view(np.uint8).reshape(-1, 2)
    return blocks


def decode_goldens(rng):
    for kind in FLOATS + list(SCALES):
        blocks = blocks_of(kind, rng)
        with np.errstate(all="ignore"):
            values = dequantize(blocks.reshape(1, -1), kind).ravel()
        (OUT / f"{kind.name}.blocks").write_bytes(blocks.tobytes())
        (OUT / f"{kind.name}.f32").write_bytes(values.astype("<f4").tobytes())


def ggml_library(source):
    ggml = pathlib.Path(source) / "ggml"
    library = pathlib.Path(tempfile.mkdtemp()) / "ggml_quants.so"
    includes = [f"-I{ggml / 'include'}", f"-I{ggml / 'src'}"]
    command = ["gcc", "-O2", "-fPIC", "-shared", "-D_GNU_SOURCE", *includes, "-o", library]
    subprocess.run([*command, ggml / "src" / "ggml-quants.c", "-lm"], check=True)
    return ctypes.CDLL(str(library), mode=1)  # lazy binding: the functions called need nothing else


def model_row(path):
    for tensor in gguf.GGUFReader(path).tensors:
        if tensor.tensor_type == Type.Q8_0 and tensor.name.startswith("blk."):
            return dequantize(tensor.data, tensor.tensor_type).ravel()[:2048]
    raise SystemExit("no Q8_0 tensor")


def rmse_goldens(rng, source, model):
    rows = {"normal": rng.standard_normal(2048) * 0.02, "laplace": rng.laplace(size=2048) * 0.02}
    rows["weights"] = model_row(model)
    rows = {name: np.ascontiguousarray(row, np.float32) for name, row in rows.items()}
    (OUT / "rows.f32").write_bytes(b"".join(row.tobytes() for row in rows.values()))
    library = ggml_library(source)
    errors = {}
    for kind in SCALES:
        elements, size = GGML_QUANT_SIZES[kind]
        name = kind.name.lower() if kind.name.startswith("IQ") else "q" + kind.name[1:]
        quantize = library[f"quantize_row_{name}_ref"]
        errors[kind.name] = {}
        for row_name, row in rows.items():
            blocks = np.zeros(len(row) // elements * size, np.uint8)
            pointer = ctypes.c_void_p
            quantize(row.ctypes.data_as(pointer), blocks.ctypes.data_as(pointer), ctypes.c_int64(len(row)))
            difference = dequantize(blocks.reshape(1, -1), kind).ravel().astype(np.float64) - row
            errors[kind.name][row_name] = float(np.sqrt(np.mean(difference**2)))
    (OUT / "rmse.json").write_text(json.dumps(errors, indent=1) + "\n")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    decode_goldens(np.random.default_rng(20251))
    rmse_goldens(np.random.default_rng(20252), sys.argv[1], sys.argv[2])
