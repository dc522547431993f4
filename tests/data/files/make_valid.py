#!/usr/bin/env python3
"""Writes the valid model files of this folder and valid.json, what other readers find in them.

The files come from the writers of the packages gguf, safetensors and transformers; the expected values from
gguf.GGUFReader, safetensors.safe_open and Python's json. Packages: gguf, safetensors, torch, transformers.

Run: python3 tests/data/files/make_valid.py
"""

import json
import pathlib
import shutil

import gguf
import numpy as np
import torch
from gguf import GGUFReader, GGUFValueType, GGUFWriter
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

HERE = pathlib.Path(__file__).parent
UNSIGNED = {GGUFValueType.UINT8, GGUFValueType.UINT16, GGUFValueType.UINT32, GGUFValueType.UINT64}
SIGNED = {GGUFValueType.INT8, GGUFValueType.INT16, GGUFValueType.INT32, GGUFValueType.INT64}
FLOATS = {GGUFValueType.FLOAT32, GGUFValueType.FLOAT64}


def write_everything(path, version=3):
    random = np.random.default_rng(1)
    writer = GGUFWriter(path, "llama")
    writer.add_custom_alignment(64)
    edges = {"uint8": 255, "uint16": 65535, "uint32": 2**32 - 1, "uint64": 2**64 - 1, "int8": -128, "int16": -(2**15),
             "int32": -(2**31), "int64": -(2**63), "float32": 0.1, "float64": 0.1, "bool": True}  # fmt: skip
    for name, value in edges.items():
        getattr(writer, "add_" + name)("edge." + name, value)
        kind = GGUFValueType[name.upper()]
        writer.add_key_value("list." + name, [value, type(value)(0), value], GGUFValueType.ARRAY, kind)
    writer.add_string("text", "Grüße, 世界 🌍")
    writer.add_string("text.empty_is_written_as", "")
    writer.add_array("list.string", ["a", "", "ß", "line\nbreak"])
    writer.add_array("list.bytes", [b"\xff\xfe", b"\x00", b"ok"])
    for name, shape in {"one": (5,), "matrix": (3, 64), "cube": (2, 3, 4), "four": (2, 1, 3, 32)}.items():
        values = random.standard_normal(shape).astype(np.float32)
        writer.add_tensor(name + ".f32", values)
        writer.add_tensor(name + ".f16", values.astype(np.float16))
        if shape[-1] % 32 == 0:
            for kind in (
                gguf.GGMLQuantizationType.Q8_0,
                gguf.GGMLQuantizationType.Q4_0,
                gguf.GGMLQuantizationType.BF16,
            ):
                writer.add_tensor(f"{name}.{kind.name.lower()}", gguf.quants.quantize(values, kind), raw_dtype=kind)
    write(writer)
    if version != 3:  # the package writes version 3 only; on little-endian machines the two differ in this number
        data = bytearray(path.read_bytes())
        data[4] = version
        path.write_bytes(data)


def write_vocabulary(path):
    writer = GGUFWriter(path, "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([b"<s>", b"a", b"\xc4\xa0b"])
    writer.add_token_scores([0.0, -1.5, -2.25])
    writer.add_token_types([3, 1, 1])
    write(writer)


def write_split(path):
    writer = GGUFWriter(path, "llama", split_max_tensors=2)
    writer.add_block_count(7)
    for i in range(5):
        writer.add_tensor(f"blk.{i}.weight", np.full((2, 4), i, dtype=np.float32))
    write(writer)


def write(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_single_safetensors(folder):
    folder.mkdir()
    torch.manual_seed(1)
    values = torch.randn(3, 4, 2)
    tensors = {"f32": values, "f16": values.half(), "bf16": values.bfloat16(), "scalar": torch.tensor(1.5),
               "model.rotary_emb.inv_freq": torch.arange(4, dtype=torch.float64)}  # fmt: skip
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = {"model_type": "llama", "rope_scaling": {"factor": 8.0, "long": [1.0, 2, 3.5], "deep": {"x": [[1, 2], [3]]}},
              "eos": [1, 2], "bias": [-1, 2], "none": None, "flag": False, "flags": [True, False], "big": 2**64 - 1,
              "least": -(2**63), "names": ["a", "ß"], "mixed": [1, "a", None, {"y": 1.5}], "empty": [], "nothing": {},
              "float": 1e-05, "beyond": 2**64, "text": "Grüße \U0001f30d \u0000"}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    (folder / "generation_config.json").write_text(json.dumps({"temperature": 0.7, "eos_token_id": [2, 3]}))


def write_sharded_safetensors(folder):
    torch.manual_seed(1)
    config = LlamaConfig(vocab_size=24, hidden_size=8, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
                         num_key_value_heads=1, tie_word_embeddings=False)  # fmt: skip
    LlamaForCausalLM(config).bfloat16().save_pretrained(folder, max_shard_size="1KB")


def gguf_value(field):
    is_array = field.types[0] == GGUFValueType.ARRAY
    kind = field.types[-1]
    name = "bool" if kind == GGUFValueType.BOOL else "int" if kind in SIGNED else "uint" if kind in UNSIGNED else None
    name = name or ("float" if kind in FLOATS else "string")
    items = [field.parts[i].tobytes().hex() if name == "string" else field.parts[i][0].item() for i in field.data]
    return {"type": name + ("s" if is_array else ""), "value": items if is_array else items[0]}


def expect_gguf(paths):
    metadata, tensors = {}, []
    for number, path in enumerate(paths):
        reader = GGUFReader(path)
        if number == 0:
            metadata = {key: gguf_value(field) for key, field in reader.fields.items() if not key.startswith("GGUF.")}
        for tensor in reader.tensors:
            tensors.append({"name": tensor.name, "format": tensor.tensor_type.name, "data": tensor.data.tobytes().hex(),
                            "dims": [int(dim) for dim in tensor.shape]})  # fmt: skip
    return {"metadata": metadata, "tensors": tensors}


def flatten(prefix, value, out):
    """JSON by path, as core/files/json_config.h words it."""

    def kind(v):
        if isinstance(v, bool):
            return "bool"
        if isinstance(v, str):
            return "string"
        if isinstance(v, int) and -(2**63) <= v < 2**64:
            return "int" if v < 0 else "uint"
        return "float" if isinstance(v, (int, float)) else None

    def stored(v):
        return v.encode().hex() if isinstance(v, str) else float(v) if kind(v) == "float" else v

    if isinstance(value, dict):
        for key, member in value.items():
            flatten(f"{prefix}.{key}" if prefix else key, member, out)
    elif isinstance(value, list):
        kinds = {kind(item) for item in value} or {"uint"}
        if kinds <= {"uint", "int", "float"}:
            kinds = {"float"} if "float" in kinds else {"int"} if "int" in kinds else {"uint"}
        if len(kinds) == 1 and None not in kinds:
            out[prefix] = {"type": kinds.pop() + "s", "value": [stored(item) for item in value]}
        else:
            for i, item in enumerate(value):
                flatten(f"{prefix}.{i}", item, out)
    elif value is not None:
        out[prefix] = {"type": kind(value), "value": stored(value)}
    return out


def expect_safetensors(folder):
    metadata = flatten("", json.loads((folder / "config.json").read_text()), {})
    generation = flatten("", json.loads((folder / "generation_config.json").read_text()), {})
    metadata.update({"generation." + key: value for key, value in generation.items()})
    tensors = []
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            for name in file.keys():
                tensor = file.get_tensor(name)
                if name.endswith("inv_freq"):
                    continue
                kind = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}[tensor.dtype]
                data = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes().hex()
                tensors.append({"name": name, "format": kind, "dims": list(tensor.shape)[::-1], "data": data})
    return {"metadata": metadata, "tensors": tensors}


def main():
    for folder in ("single", "sharded"):
        shutil.rmtree(HERE / folder, ignore_errors=True)
    write_everything(HERE / "everything.gguf")
    write_everything(HERE / "version2.gguf", version=2)
    write_vocabulary(HERE / "vocabulary.gguf")
    write_split(HERE / "split.gguf")
    write_single_safetensors(HERE / "single")
    write_sharded_safetensors(HERE / "sharded")
    expected = {name: expect_gguf([HERE / name]) for name in ("everything.gguf", "version2.gguf", "vocabulary.gguf")}
    parts = sorted(HERE.glob("split-*-of-*.gguf"))
    for part in parts:  # each opens them all
        expected[part.name] = expect_gguf(parts)
    for folder in ("single", "sharded"):
        expected[folder] = expect_safetensors(HERE / folder)
    (HERE / "valid.json").write_text(
        json.dumps(expected, separators=(",", ":")).replace('"tensors"', '\n"tensors"') + "\n"
    )


if __name__ == "__main__":
    main()
