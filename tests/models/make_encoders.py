#!/usr/bin/env python3
"""Makes tiny random encoders in tests/data/models and what transformers makes of texts with them.

    .venv/bin/python tests/models/make_encoders.py

A variant is a configuration of BERT, a way of pooling and a container: GGUF, or a folder as sentence-transformers has it.
Weights are random from a fixed seed and exact in the file's format. transformers (float32, eager attention) computes the
last layer's rows of one text at a time; the golden is their mean, or the row of the first token, at a length of 1, or
a cross-encoder's score. `index-encoders.json` lists them, with how far off (NMSE) the goldens are without each
ingredient; a variant whose test would not notice is refused.
"""

import copy
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
from golden import nmse
from hf_to_gguf import FILE_TYPES, representable
from tokenizers import BertWordPieceTokenizer

FOLDER = Path(__file__).resolve().parents[1] / "data" / "models"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TOKENS = [
    *SPECIAL,
    *[chr(c) for c in range(ord("a"), ord("z") + 1)],
    *[f"##{chr(c)}" for c in range(97, 123)],
    "!",
    "é",
]
SMALLEST_EFFECT = 1e-4  # the tests' bound is 1e-9


@dataclass
class Variant:
    name: str
    pooling: str
    file_type: str
    changes: dict = field(default_factory=dict)
    folder: bool = False
    essential: tuple[str, ...] = ("positions", "types", "norm_bias", "bidirectional", "activation", "attention_scale")


VARIANTS = [
    Variant("bert-mean", "mean", "F16"),
    Variant("bert-mean-hf", "mean", "F32", folder=True),
    Variant("bert-cls", "cls", "Q8_0", {"num_attention_heads": 2}),  # GGUF has no word for another activation
    Variant("bert-cls-hf", "cls", "BF16", {"num_attention_heads": 2, "hidden_act": "gelu_new"}, folder=True),
    Variant("bert-rank-hf", "rank", "F16", {"num_labels": 1}, folder=True),
]


def build(variant: Variant) -> torch.nn.Module:
    config = transformers.BertConfig(
        **{
            "vocab_size": len(TOKENS),
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "max_position_embeddings": 160,
        }
        | variant.changes
    )
    config._attn_implementation = "eager"
    torch.manual_seed(0)
    if variant.pooling == "rank":
        return transformers.BertForSequenceClassification(config).eval()
    return transformers.BertModel(config, add_pooling_layer=False).eval()


def set_weights(model: torch.nn.Module, file_type: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    for name, parameter in sorted(model.named_parameters()):
        noise = generator.standard_normal(tuple(parameter.shape))
        if "LayerNorm.weight" in name:
            weight = 1 + 0.25 * noise
        elif name.endswith(".bias"):
            weight = 0.5 * noise
        elif "_embeddings" in name:
            weight = noise
        else:
            weight = noise * parameter.shape[1] ** -0.5 * (1.6 if "query" in name or "key" in name else 1)
        if weight.ndim == 1:
            weight = np.clip(np.round(weight * 64), -255, 255) / 64
        parameter.data = torch.from_numpy(representable(weight, file_type).astype(np.float32))


def texts() -> list[dict]:
    """Token ids; `second` is where a second text begins. One is longer than two pages of keys."""
    generator = np.random.default_rng(7)
    lengths = [(1, None), (3, None), (9, 4), (33, None), (64, 30), (65, None), (150, 70), (160, None)]
    made = []
    for length, second in lengths:
        tokens = generator.integers(len(SPECIAL), len(TOKENS), length).tolist()
        tokens[0] = TOKENS.index("[CLS]")
        made.append({"tokens": tokens} | ({"second": second} if second else {}))
    return made


def results(model: torch.nn.Module, pooling: str) -> np.ndarray:
    rows = []
    with torch.no_grad():
        for text in texts():
            tokens = torch.tensor([text["tokens"]])
            types = torch.zeros_like(tokens)
            types[0, text.get("second", tokens.shape[1]) :] = 1
            result = model(input_ids=tokens, token_type_ids=types)
            if pooling == "rank":
                rows.append(result.logits[0])
                continue
            hidden = result.last_hidden_state[0]
            vector = hidden.mean(0) if pooling == "mean" else hidden[0]
            rows.append(vector / vector.norm())
    return torch.stack(rows).numpy()


def body(model: torch.nn.Module) -> torch.nn.Module:
    return getattr(model, "bert", model)


def leave_out(what: str, model: torch.nn.Module) -> None:
    bert = body(model)
    if what == "positions":
        bert.embeddings.position_embeddings.weight.data.zero_()
    elif what == "types":
        bert.embeddings.token_type_embeddings.weight.data.zero_()
    elif what == "norm_bias":
        for name, parameter in bert.named_parameters():
            if name.endswith("LayerNorm.bias"):
                parameter.data.zero_()
    elif what == "activation":
        for layer in bert.encoder.layer:
            layer.intermediate.intermediate_act_fn = torch.nn.SiLU()
    elif what == "attention_scale":
        for layer in bert.encoder.layer:
            layer.attention.self.scaling = 1.0
    elif what == "bidirectional":
        original = bert._create_attention_masks if hasattr(bert, "_create_attention_masks") else None
        assert original is not None, "this version of transformers makes its masks elsewhere"

        def causal(*args, **kwargs):
            embeddings = kwargs.get("embedding_output")
            length = embeddings.shape[1]
            mask = torch.full((length, length), torch.finfo(torch.float32).min).triu(1)[None, None]
            return mask, None

        bert._create_attention_masks = causal


def effects(variant: Variant, model: torch.nn.Module, golden: np.ndarray) -> dict[str, float]:
    found = {}
    for what in variant.essential:
        without = copy.deepcopy(model)
        leave_out(what, without)
        found[what] = float(f"{nmse(results(without, variant.pooling), golden):.2g}")
        assert found[what] > SMALLEST_EFFECT, (variant.name, what, found[what])
    return found


def write_gguf(path: Path, model: torch.nn.Module, variant: Variant) -> None:
    config = model.config
    tensor_type, file_type = FILE_TYPES[variant.file_type]
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(variant.name)
    writer.add_license("Apache-2.0")
    writer.add_description("Random weights for tests")
    writer.add_file_type(file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_layer_norm_eps(config.layer_norm_eps)
    writer.add_causal_attention(False)
    writer.add_pooling_type({"mean": gguf.PoolingType.MEAN, "cls": gguf.PoolingType.CLS}[variant.pooling])
    writer.add_tokenizer_model("bert")
    # Words begin with U+2581 there, and what goes on has no mark.
    writer.add_token_list([t if t in SPECIAL else t[2:] if t.startswith("##") else "\u2581" + t for t in TOKENS])
    kinds = gguf.TokenType
    writer.add_token_types([int(kinds.CONTROL if t in SPECIAL else kinds.NORMAL) for t in TOKENS])
    writer.add_token_type_count(config.type_vocab_size)
    writer.add_pad_token_id(TOKENS.index("[PAD]"))
    writer.add_unk_token_id(TOKENS.index("[UNK]"))
    writer.add_bos_token_id(TOKENS.index("[CLS]"))
    writer.add_uint32("tokenizer.ggml.cls_token_id", TOKENS.index("[CLS]"))
    writer.add_sep_token_id(TOKENS.index("[SEP]"))
    writer.add_mask_token_id(TOKENS.index("[MASK]"))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config.num_hidden_layers)
    for source, tensor in model.named_parameters():
        target = names.get_name(source, try_suffixes=(".weight", ".bias"))
        weight = tensor.detach().numpy()
        # Positions and types are small, and not multiples of a block.
        stored = tensor_type if weight.ndim == 2 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(target, gguf.quants.quantize(weight, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_tokenizer(folder: Path) -> None:
    tokenizer = BertWordPieceTokenizer(vocab={token: i for i, token in enumerate(TOKENS)})
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "model_max_length": 160})


def pairs(folder: Path, model: torch.nn.Module) -> dict:
    """A query and documents as a person writes them, and their scores; the pairs are transformers' own."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    query, documents = "hello world", ["cab!", "a b c hello", "zzz é", "hello world", "the end"]
    scores = []
    with torch.no_grad():
        for document in documents:
            scores.append(float(model(**tokenizer(query, document, return_tensors="pt")).logits[0, 0]))
    return {"query": query, "documents": documents, "scores": scores}


def write_json(path: Path, value) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def write_folder(folder: Path, model: torch.nn.Module, variant: Variant) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    kind = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}[variant.file_type]
    copy.deepcopy(model).to(kind).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    for noise in ("transformers_version", "use_cache"):
        config.pop(noise, None)
    write_json(folder / "config.json", config)
    write_tokenizer(folder)
    if variant.pooling == "rank":
        return
    module = "sentence_transformers.models."
    parts = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    write_json(
        folder / "modules.json",
        [{"idx": i, "name": str(i), "path": path, "type": module + kind} for i, (path, kind) in enumerate(parts)],
    )
    write_json(
        folder / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": 64,
            "pooling_mode_cls_token": variant.pooling == "cls",
            "pooling_mode_mean_tokens": variant.pooling == "mean",
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
    )


def main() -> None:
    entries = []
    for seed, variant in enumerate(VARIANTS):
        model = build(variant)
        set_weights(model, variant.file_type, 50 + seed)
        golden = results(model, variant.pooling)
        file = variant.name if variant.folder else f"{variant.name}.gguf"
        (write_folder if variant.folder else write_gguf)(FOLDER / file, model, variant)
        golden.astype("<f4").tofile(FOLDER / f"{variant.name}.embeddings")
        entries.append(
            {
                "name": variant.name,
                "file": file,
                "pooling": variant.pooling,
                "embeddings": f"{variant.name}.embeddings",
                "width": golden.shape[1],
                "without": effects(variant, model, golden),
                "texts": texts(),
            }
            | ({"pairs": pairs(FOLDER / file, model)} if variant.pooling == "rank" else {})
        )
        print(variant.name, entries[-1]["without"])
    lines = ",\n    ".join(json.dumps(entry) for entry in entries)
    about = "Made by tests/models/make_encoders.py; embeddings are little-endian float32, [texts][width]."
    (FOLDER / "index-encoders.json").write_text(
        f'{{\n  "about": {json.dumps(about)},\n  "encoders": [\n    {lines}\n  ]\n}}\n'
    )


if __name__ == "__main__":
    main()
