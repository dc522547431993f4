#!/usr/bin/env python3
"""check_gguf.py INGLE: the gguf package reads what `ingle synth` writes, every shape and mix, and agrees on all of it.

Needs the packages gguf and numpy. The files have one layer and a small vocabulary, but each shape's own width.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy

VOCABULARY = 300


def ingle(*words):
    return json.loads(subprocess.run([sys.argv[1], *words], check=True, capture_output=True).stdout)


def check(path, shape, mix, told):
    reader = gguf.GGUFReader(path)
    value = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    shown = ingle("show", path, "--metadata", "--json")["file"]
    assert set(shown["metadata"]) == set(value), set(shown["metadata"]) ^ set(value)
    for key, ours in shown["metadata"].items():
        if isinstance(value[key], list):
            assert ours == f"({len(value[key])} values)", key
        else:
            assert ours == value[key], (key, ours, value[key])
    architecture = value["general.architecture"]
    assert (architecture, value[f"{architecture}.block_count"]) == (shape["architecture"], 1)
    assert value[f"{architecture}.embedding_length"] == shape["width"]
    tokens = value["tokenizer.ggml.tokens"]
    assert len(tokens) == len(set(tokens)) == len(value["tokenizer.ggml.token_type"]) == VOCABULARY
    known = set(tokens)
    assert all("".join(merge.split(" ")) in known for merge in value["tokenizer.ggml.merges"])
    assert value["general.file_type"] == getattr(
        gguf.LlamaFileType, "ALL_F32" if mix == "f32" else f"MOSTLY_{mix.upper()}"
    )
    count = 0
    for tensor in reader.tensors:
        assert tensor.data_offset % 32 == 0, tensor.name
        values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float64)
        assert values.size == tensor.n_elements and numpy.isfinite(values).all(), tensor.name
        if tensor.name == "rope_freqs.weight":
            continue
        count += tensor.n_elements
        norm = "norm" in tensor.name
        expected = 0.1 if norm or tensor.name.endswith("bias") else tensor.shape[0] ** -0.5
        assert abs(values.std() / expected - 1) < 0.2, (tensor.name, values.std(), expected)
        assert abs(values.mean() - norm) < 0.2 * expected, tensor.name
    assert count == told["parameters"]
    assert told["bytes"] == Path(path).stat().st_size
    return len(reader.tensors)


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/model.gguf"
        for shape in ingle("synth", "--list", "--json"):
            for mix in shape["tensor_bytes"]:
                words = ["synth", shape["name"], "-o", path, "--mix", mix, "--layers", "1"]
                told = ingle(*words, "--vocabulary", str(VOCABULARY), "--force", "--json")
                tensors = check(path, shape, mix, told)
                print(f"{shape['name']} {mix}: {tensors} tensors, {told['bytes']} bytes")


if __name__ == "__main__":
    main()
