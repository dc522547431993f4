#!/usr/bin/env python3
"""Makes tests/data/models/formats.gguf: one tiny llama with matrices in all fifteen formats, and its logits.

    bench/peers.py install llama-vnni
    .venv/bin/python tests/models/make_formats.py --ggml PATH/TO/libggml-base.so      (adds index-formats.json)

llama.cpp's own code encodes the matrices (ggml_quantize_chunk, through ctypes). The `gguf` package decodes them again
for transformers, which computes the logits: two implementations that are not ours.
"""

import argparse
import ctypes

import gguf
import hf_to_gguf
import numpy as np
import torch
import transformers
from golden import Index, logits_of
from make_tiny import FOLDER, Variant, build, common, load, random_tokens, random_weights, rope

FORMATS = {  # K-quants need rows of a multiple of 256 numbers: not attn_output (64) and ffn_down (64)
    "token_embd": "Q6_K",
    "blk.0.attn_q": "Q2_K",
    "blk.0.attn_k": "Q3_K",
    "blk.0.attn_v": "Q5_K",
    "blk.0.attn_output": "Q4_0",
    "blk.0.ffn_gate": "IQ4_XS",
    "blk.0.ffn_up": "Q6_K",
    "blk.0.ffn_down": "Q4_1",
    "blk.1.attn_q": "Q4_K",
    "blk.1.attn_k": "Q8_0",
    "blk.1.attn_v": "BF16",
    "blk.1.attn_output": "Q5_0",
    "blk.1.ffn_gate": "F16",
    "blk.1.ffn_up": "IQ4_NL",
    "blk.1.ffn_down": "Q5_1",
}


class Encoder:
    """llama.cpp's encoders."""

    def __init__(self, library: str):
        self.ggml = ctypes.CDLL(library)
        self.ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
        pointer, number = ctypes.c_void_p, ctypes.c_int64
        self.ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, pointer, pointer, number, number, number, pointer]

    def encode(self, weight: np.ndarray, kind: gguf.GGMLQuantizationType) -> np.ndarray:
        weight = np.ascontiguousarray(weight, dtype=np.float32)
        rows, columns = weight.shape
        data = np.zeros(gguf.quant_shape_to_byte_shape(weight.shape, kind), dtype=np.uint8)
        size = self.ggml.ggml_quantize_chunk(int(kind), weight.ctypes.data, data.ctypes.data, 0, rows, columns, None)
        assert size == data.nbytes, (kind, size, data.nbytes)
        return data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ggml", required=True, metavar="LIBRARY", help="libggml-base.so of a llama.cpp build")
    encoder = Encoder(parser.parse_args().ggml)
    torch.set_num_threads(1)
    sizes = {"hidden_size": 256, "intermediate_size": 64, "head_dim": 32, "num_attention_heads": 2}
    sizes |= {"num_key_value_heads": 1, "tie_word_embeddings": True}
    variant = Variant("formats", transformers.LlamaConfig(**common(rope_parameters=rope(), **sizes)), "F32", 40)
    weights = random_weights(build(variant.config), "F32", seed=600)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, variant.config.num_hidden_layers)
    encoded = {}
    for name, weight in weights.items():
        target = names.get_name(name, try_suffixes=(".weight",)).removesuffix(".weight")
        if target in FORMATS:
            kind = gguf.GGMLQuantizationType[FORMATS[target]]
            # Q and K are encoded as they are stored: permuted. A permutation of rows does not change a row's code.
            stored = hf_to_gguf.converted(name, weight.numpy(), variant.config)
            encoded[f"{target}.weight"] = (encoder.encode(stored, kind), kind)
            codes = encoder.encode(weight.numpy(), kind)
            weights[name] = torch.from_numpy(gguf.quants.dequantize(codes, kind).astype(np.float32))
    assert len(encoded) == len(FORMATS)
    model = load(variant.config, weights)
    hf_to_gguf.write_gguf(FOLDER / "formats.gguf", model, "tiny test model of all formats", "F32", encoded)
    tokens = random_tokens(variant.length, seed=600)
    index = Index(FOLDER, "Made by tests/models/make_formats.py; as index.json.")
    index.add("formats", "formats.gguf", tokens, logits_of(model, tokens), context=len(tokens), formats=FORMATS)
    index.write("index-formats.json")


if __name__ == "__main__":
    main()
