#!/usr/bin/env python3
"""check_llama_cpp.py INGLE [SHAPE…]: llama.cpp loads what `ingle synth` writes, and its quantiser chooses the formats of our mixes.

Needs the package llama_cpp_python (tried with 0.3.36). For one shape of each architecture: an F16 file goes through
llama_model_quantize for each mix, and the tensors' types are compared with those of the file that Ingle writes in that
mix. Then llama.cpp runs that one on a few tokens.
"""

import json
import struct
import subprocess
import sys
import tempfile

import llama_cpp
import numpy

LAYERS = {"smollm2-135m": 9, "gemma3-270m": 9, "qwen2.5-0.5b": 9, "qwen3-0.6b": 9, "phi-3-mini": 4}
VOCABULARY = "1000"


def ingle(*words):
    return json.loads(subprocess.run([sys.argv[1], *words, "--json"], check=True, capture_output=True).stdout)


def tensor_types(path):
    """name -> (type, dims), read from the file by the format's definition."""
    data = open(path, "rb").read(1 << 20)
    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
    at = 24

    def number(form):
        nonlocal at
        value = struct.unpack_from(form, data, at)[0]
        at += struct.calcsize(form)
        return value

    def text():
        nonlocal at
        size = number("<Q")
        at += size
        return data[at - size : at].decode()

    def skip(kind):
        nonlocal at
        if kind == 8:
            text()
        elif kind == 9:
            item, count = number("<I"), number("<Q")
            for _ in range(count):
                skip(item)
        else:
            at += sizes[kind]

    tensors, keys = struct.unpack_from("<QQ", data, 8)
    for _ in range(keys):
        text()
        skip(number("<I"))
    found = {}
    for _ in range(tensors):
        name = text()
        dims = tuple(number("<Q") for _ in range(number("<I")))
        found[name] = (number("<I"), dims)
        number("<Q")
    return found


def compare_mix(folder, shape, mix, file_type):
    words = ["--layers", str(LAYERS[shape]), "--vocabulary", VOCABULARY, "--force"]
    ours, theirs, plain = (f"{folder}/{name}.gguf" for name in ("ours", "theirs", "plain"))
    ingle("synth", shape, "-o", ours, "--mix", mix, *words)
    ingle("synth", shape, "-o", plain, "--mix", "f32" if mix in ("f16", "bf16") else "f16", *words)
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = file_type
    parameters.nthread = 2
    parameters.allow_requantize = True
    assert llama_cpp.llama_model_quantize(plain.encode(), theirs.encode(), parameters) == 0
    a, b = tensor_types(ours), tensor_types(theirs)
    different = {name: (a.get(name), b.get(name)) for name in {*a, *b} if a.get(name) != b.get(name)}
    return ours, len(a), different


def run(path):
    model = llama_cpp.Llama(path, n_ctx=64, n_threads=2, verbose=False, logits_all=True)
    ids = model.tokenize(b"hello there")
    model.eval(ids)
    logits = numpy.array(model.scores[: len(ids)])
    assert numpy.isfinite(logits).all() and logits.std() > 0.1
    return len(ids), float(logits.std())


def main():
    wrong = 0
    mixes = {"q4_0": 2, "q4_1": 3, "q4_k_m": 15, "q5_k_m": 17, "q6_k": 18, "q8_0": 7, "f16": 1, "bf16": 32}
    with tempfile.TemporaryDirectory() as folder:
        for shape in sys.argv[2:] or LAYERS:
            for mix, file_type in mixes.items():
                path, count, different = compare_mix(folder, shape, mix, file_type)
                tokens, deviation = run(path)
                wrong += len(different)
                print(
                    f"{shape} {mix}: {count} tensors, {len(different)} differ; "
                    f"{tokens} tokens, logits deviate by {deviation:.2f}",
                    flush=True,
                )
                for name, (ours, theirs) in sorted(different.items()):
                    print(f"  {name}: {ours} here, {theirs} there")
    sys.exit(wrong != 0)


if __name__ == "__main__":
    main()
