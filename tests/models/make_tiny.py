#!/usr/bin/env python3
"""Makes tests/data/models: tiny random models of every architecture and the logits that transformers computes for them.

    python3 -m venv .venv && .venv/bin/pip install -r tests/models/requirements.txt
    .venv/bin/python tests/models/make_tiny.py

A variant is a transformers configuration, a file type and a length. Weights are random from a fixed seed and rounded to
what the file holds exactly; transformers (float32, eager attention) then computes the logits of every position in one
prefill. Each variant also names what must not be left out of it; the script computes the logits without it and records
how far off they are (NMSE) under "without", refusing a variant whose test would not notice.

LongRoPE: transformers takes the long divisors for all positions once a sequence is longer than the original length. An
engine that works token by token has to decide earlier; as in llama.cpp, "context" (the context length to run with)
decides: long where it is above the original length, short elsewhere. There is a golden for each.
Where llama.cpp (in llama-cpp-python 0.3.36) differs, we follow transformers: llama.cpp ignores phi3's sliding
window (phi3-window) and, in all but two architectures, YaRN's beta_fast and beta_slow (qwen3-yarn). The other files
were run through it too and agree up to its 16-bit arithmetic.
Gemma 3's configuration has attn_logit_softcapping as Gemma 2's does, and its attention function can do it, but
transformers' layers don't hand it over (no published Gemma 3 sets it). For gemma3-softcap we do: see cap_attention.
"""

import argparse
import copy
import functools
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import transformers
from golden import Index, logits_of, nmse
from hf_folder import write_folder
from hf_to_gguf import SPECIAL_TOKENS, representable, write_gguf

FOLDER = Path(__file__).resolve().parents[1] / "data" / "models"
VOCABULARY = 256 + 1 + len(SPECIAL_TOKENS)
SMALLEST_EFFECT = 1e-3  # NMSE; the tests' bound is 1e-6


@dataclass
class Variant:
    name: str
    config: transformers.PretrainedConfig
    file_type: str
    length: int
    essential: tuple[str, ...] = ()  # keys of DROPS
    short_length: int = 0  # a second golden, LongRoPE's short divisors
    folder: str = ""  # also as safetensors: "legacy", "new" or "sharded" (and new); see hf_folder
    gguf: bool = True


def common(**changes) -> dict:
    base = {
        "vocab_size": VOCABULARY,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 128,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "bos_token_id": VOCABULARY - 3,
        "eos_token_id": VOCABULARY - 1,
        "pad_token_id": None,
    }
    return base | changes


def rope(kind: str = "default", theta: float = 10000.0, **more) -> dict:
    return {"rope_type": kind, "rope_theta": theta, **more}


def variants() -> list[Variant]:
    t = transformers
    llama3 = rope("llama3", 500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0)
    llama3["original_max_position_embeddings"] = 32
    yarn = {"factor": 4.0, "original_max_position_embeddings": 32}
    small = {"hidden_size": 32, "head_dim": 16, "intermediate_size": 64}  # heads * head_dim = 64 != 32
    narrow = {"hidden_size": 32, "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 80}
    gemma = small | {
        "intermediate_size": 48,
        "num_hidden_layers": 7,
        "num_key_value_heads": 1,
        "tie_word_embeddings": True,
        "sliding_window": 8,
    }
    gemma |= {"query_pre_attn_scalar": 16, "rms_norm_eps": 1e-6}
    upper_window = narrow | {"use_sliding_window": True, "sliding_window": 6, "max_window_layers": 1}
    upper_window |= {"tie_word_embeddings": True}
    longrope = rope("longrope", partial_rotary_factor=0.75, original_max_position_embeddings=32)
    longrope |= {"short_factor": [1.0, 1.05, 1.1, 1.3, 1.6, 2.0], "long_factor": [1.1, 1.5, 2.5, 4.0, 7.0, 11.0]}
    gemma_rope = {"sliding_attention": rope(), "full_attention": rope(theta=1e6)}
    gemma_few = gemma | {"num_hidden_layers": 3, "sliding_window_pattern": 3, "query_pre_attn_scalar": 40}
    gemma_scaled = {"sliding_attention": rope(theta=5000.0), "full_attention": rope("linear", 1e6, factor=8.0)}
    return [
        Variant("llama", t.LlamaConfig(**common(rope_parameters=rope())), "F16", 64, ("rotation",)),
        Variant(
            "llama3",
            t.LlamaConfig(**common(rope_parameters=llama3, **narrow)),
            "F16",
            64,
            ("rope_scaling",),
            folder="legacy",
        ),
        Variant(
            "llama-linear",
            t.LlamaConfig(**common(rope_parameters=rope("linear", factor=4.0), **small)),
            "BF16",
            64,
            ("rope_scaling",),
        ),
        Variant(
            "llama-tied", t.LlamaConfig(**common(rope_parameters=rope(theta=1e5), tie_word_embeddings=True)), "Q8_0", 48
        ),
        Variant(
            "mistral",
            t.MistralConfig(
                **common(rope_parameters=rope(theta=1e6), sliding_window=None, **(narrow | {"head_dim": 24}))
            ),
            "F32",
            40,
            ("rotation",),
        ),
        Variant(  # as Mistral 7B v0.1; GGUF cannot say it
            "mistral-window",
            t.MistralConfig(**common(rope_parameters=rope(), sliding_window=12, **narrow)),
            "BF16",
            40,
            ("window",),
            folder="legacy",
            gguf=False,
        ),
        Variant(
            "qwen2",
            t.Qwen2Config(**common(rope_parameters=rope(theta=1e6), tie_word_embeddings=True)),
            "BF16",
            56,
            ("bias", "k_bias", "v_bias", "rope_base"),
            folder="sharded",
        ),
        Variant(
            "qwen2-yarn",
            t.Qwen2Config(**common(rope_parameters=rope("yarn", 1e6, **yarn), **narrow)),
            "F16",
            72,
            ("rope_scaling", "attention_factor", "bias"),
        ),
        Variant(
            "qwen3",
            t.Qwen3Config(**common(rope_parameters=rope(theta=1e6), **small)),
            "BF16",
            40,
            ("qk_norm",),
            folder="new",
        ),
        Variant(
            "qwen3-yarn",
            t.Qwen3Config(
                **common(
                    rope_parameters=rope("yarn", beta_fast=4.0, beta_slow=0.25, **yarn),
                    tie_word_embeddings=True,
                    **small,
                )
            ),
            "F16",
            72,
            ("rope_scaling", "beta", "qk_norm"),
        ),
        Variant(
            "gemma3",
            t.Gemma3TextConfig(**common(rope_parameters=gemma_rope, **gemma)),
            "BF16",
            64,
            ("window", "qk_norm", "local_base", "pattern", "post_norms", "embedding_scale", "activation"),
        ),
        Variant(
            "gemma3-scaled",
            t.Gemma3TextConfig(**common(rope_parameters=gemma_scaled, final_logit_softcapping=3.0, **gemma)),
            "F16",
            64,
            ("window", "softcap", "rope_scaling", "local_base"),
            folder="legacy",
        ),
        Variant(
            "phi3",
            t.Phi3Config(**common(rope_parameters=rope(), original_max_position_embeddings=128, **narrow)),
            "F16",
            40,
            ("fused_order",),
        ),
        Variant(
            "phi3-window",
            t.Phi3Config(
                **common(rope_parameters=rope(), original_max_position_embeddings=128, sliding_window=12, **narrow)
            ),
            "BF16",
            64,
            ("window",),
        ),
        Variant(
            "phi3-longrope",
            t.Phi3Config(
                **common(
                    rope_parameters=longrope,
                    partial_rotary_factor=0.75,
                    original_max_position_embeddings=32,
                    tie_word_embeddings=True,
                    **narrow,
                )
            ),
            "F16",
            64,
            ("rope_scaling", "attention_factor", "partial_rotation"),
            short_length=24,
            folder="legacy",
        ),
        Variant(  # a scale of attention that is not its heads' width; GGUF cannot say it
            "gemma3-softcap",
            t.Gemma3TextConfig(
                **common(
                    rope_parameters=gemma_rope, attn_logit_softcapping=2.0, final_logit_softcapping=2.0, **gemma_few
                )
            ),
            "BF16",
            32,
            ("attention_softcap", "softcap", "attention_scale", "pattern", "window"),
            folder="new",
            gguf=False,
        ),
        Variant(  # a window in the upper layers only; GGUF cannot say it
            "qwen2-window",
            t.Qwen2Config(**common(rope_parameters=rope(theta=1e6), **upper_window)),
            "F16",
            24,
            ("window", "pattern"),
            folder="legacy",
            gguf=False,
        ),
        Variant(
            "qwen3-window",
            t.Qwen3Config(**common(rope_parameters=rope(theta=1e6), head_dim=16, **upper_window)),
            "F16",
            24,
            ("window", "pattern"),
            folder="new",
            gguf=False,
        ),
    ]


def cap_attention(model: torch.nn.Module) -> torch.nn.Module:
    """Hands Gemma 3's attn_logit_softcapping to its attention function, as Gemma 2's layers do."""
    cap = getattr(model.config, "attn_logit_softcapping", None)
    if cap is not None:
        for layer in model.model.layers:
            layer.self_attn.register_forward_pre_hook(
                lambda module, args, kwargs: (args, kwargs | {"softcap": cap}), with_kwargs=True
            )
    return model


def build(config: transformers.PretrainedConfig) -> torch.nn.Module:
    config = copy.deepcopy(config)
    config._attn_implementation = "eager"
    torch.manual_seed(0)
    return cap_attention(transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval())


def random_weights(model: torch.nn.Module, file_type: str, seed: int) -> dict[str, torch.Tensor]:
    """Scaled so that attention is neither flat nor one-hot and the logits have a spread of a few units."""
    generator = np.random.default_rng(seed)
    gemma = model.config.model_type == "gemma3_text"
    weights = {}
    for name, parameter in sorted(model.state_dict().items()):
        shape = tuple(parameter.shape)
        noise = generator.standard_normal(shape)
        if name == "lm_head.weight" and model.config.tie_word_embeddings:
            continue
        if name.endswith("norm.weight"):
            weight = 0.25 * noise + (0 if gemma else 1)
        elif name.endswith(".bias"):
            weight = noise
        elif "embed_tokens" in name:
            weight = noise * (shape[1] ** -0.5 if gemma or model.config.tie_word_embeddings else 1)
        else:
            gain = 1.6 if any(key in name for key in ("q_proj", "k_proj", "qkv_proj")) else 1.0
            weight = gain * noise * shape[1] ** -0.5
        if weight.ndim == 1:  # exact in F16 and BF16 too, for the folders, and so is gemma's weight + 1
            weight = np.clip(np.round(weight * 64), -255, 255) / 64
        weights[name] = torch.from_numpy(representable(weight, file_type).reshape(shape))
    return weights


def load(config: transformers.PretrainedConfig, weights: dict[str, torch.Tensor]) -> torch.nn.Module:
    model = build(config)
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()
    return model


def random_tokens(length: int, seed: int) -> list[int]:
    return np.random.default_rng(1000 + seed).integers(0, VOCABULARY, length).tolist()


# What a careless engine leaves out. Each changes the configuration or the model it made.


def drop_rope_scaling(config) -> None:
    parameters = config.rope_parameters
    parameters = parameters.get("full_attention", parameters)
    parameters["rope_type"] = "default"


def drop_attention_factor(config) -> None:
    config.rope_parameters["attention_factor"] = 1.0


def drop_beta(config) -> None:
    del config.rope_parameters["beta_fast"], config.rope_parameters["beta_slow"]


def drop_rope_base(config) -> None:
    config.rope_parameters["rope_theta"] = 10000.0


def drop_local_base(config) -> None:
    config.rope_parameters["sliding_attention"]["rope_theta"] = config.rope_parameters["full_attention"]["rope_theta"]


def drop_partial_rotation(config) -> None:
    for key in ("short_factor", "long_factor"):
        config.rope_parameters[key] = [*config.rope_parameters[key], 1.0, 1.0]
    config.rope_parameters["partial_rotary_factor"] = 1.0
    config.partial_rotary_factor = 1.0


def drop_window(config) -> None:
    config.sliding_window = 4096 if getattr(config, "layer_types", None) else None


def drop_pattern(config) -> None:
    config.layer_types = ["sliding_attention"] * config.num_hidden_layers


def drop_softcap(config) -> None:
    config.final_logit_softcapping = None


def drop_attention_softcap(config) -> None:
    config.attn_logit_softcapping = None


def drop_attention_scale(config) -> None:
    config.query_pre_attn_scalar = config.head_dim


def drop_activation(config) -> None:
    config.hidden_activation = "silu"


def drop_qk_norm(model: torch.nn.Module) -> None:
    for layer in model.model.layers:
        layer.self_attn.q_norm = layer.self_attn.k_norm = torch.nn.Identity()


def drop_bias_of(projection: str, model: torch.nn.Module) -> None:
    for name, parameter in model.named_parameters():
        if name.endswith(f"{projection}.bias"):
            parameter.data.zero_()


def drop_post_norms(model: torch.nn.Module) -> None:
    for layer in model.model.layers:
        layer.post_attention_layernorm = layer.post_feedforward_layernorm = torch.nn.Identity()


def drop_embedding_scale(model: torch.nn.Module) -> None:
    model.model.embed_tokens.embed_scale.fill_(1.0)


def drop_fused_order(model: torch.nn.Module) -> None:
    for layer in model.model.layers:
        gate_up = layer.mlp.gate_up_proj.weight.data
        layer.mlp.gate_up_proj.weight.data = torch.cat(gate_up.chunk(2)[::-1])


def drop_rotation(model: torch.nn.Module) -> None:
    model.model.rotary_emb.inv_freq.zero_()


CONFIG_DROPS = {
    "rope_scaling": drop_rope_scaling,
    "attention_factor": drop_attention_factor,
    "beta": drop_beta,
    "rope_base": drop_rope_base,
    "local_base": drop_local_base,
    "partial_rotation": drop_partial_rotation,
    "window": drop_window,
    "pattern": drop_pattern,
    "softcap": drop_softcap,
    "attention_softcap": drop_attention_softcap,
    "attention_scale": drop_attention_scale,
    "activation": drop_activation,
}
MODEL_DROPS = {
    "qk_norm": drop_qk_norm,
    "bias": functools.partial(drop_bias_of, "q_proj"),
    "k_bias": functools.partial(drop_bias_of, "k_proj"),
    "v_bias": functools.partial(drop_bias_of, "v_proj"),
    "fused_order": drop_fused_order,
    "rotation": drop_rotation,
    "post_norms": drop_post_norms,
    "embedding_scale": drop_embedding_scale,
}


def effect_of_dropping(what: str, variant: Variant, weights, tokens: list[int], golden: np.ndarray) -> float:
    config = copy.deepcopy(variant.config)
    if what in CONFIG_DROPS:
        CONFIG_DROPS[what](config)
    model = load(config, weights)
    if what in MODEL_DROPS:
        MODEL_DROPS[what](model)
    effect = nmse(logits_of(model, tokens), golden)
    assert effect > SMALLEST_EFFECT, f"{variant.name}: a test would not notice a missing {what} ({effect:.1e})"
    return float(f"{effect:.2g}")


def write_variant(variant: Variant, number: int, index: Index) -> None:
    weights = random_weights(build(variant.config), variant.file_type, seed=number)
    model = load(variant.config, weights)
    tokens = random_tokens(variant.length, seed=number)
    golden = logits_of(model, tokens)
    without = {what: effect_of_dropping(what, variant, weights, tokens, golden) for what in variant.essential}
    print(f"{variant.name:16} std of logits {golden.std():5.2f}  {without}")
    more = {"context": len(tokens), "file_type": variant.file_type, "without": without}
    file = f"{variant.name}.gguf" if variant.gguf else f"{variant.name}-hf"
    if variant.gguf:
        write_gguf(FOLDER / file, model, f"tiny test model {number}", variant.file_type)
    index.add(variant.name, file, tokens, golden, **more)
    short = tokens[: variant.short_length]
    if short:
        index.add(f"{variant.name}-short", file, short, logits_of(model, short), context=len(short))
    if variant.folder:
        write_checked_folder(variant, model, tokens, golden)
        if variant.gguf:
            index.add(f"{variant.name}-hf", f"{variant.name}-hf", tokens, variant.name, **more)


def write_checked_folder(variant: Variant, model: torch.nn.Module, tokens: list[int], golden: np.ndarray) -> None:
    folder = FOLDER / f"{variant.name}-hf"
    shutil.rmtree(folder, ignore_errors=True)
    write_folder(folder, model, variant.file_type, variant.folder == "legacy", variant.folder == "sharded")
    again = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    cap_attention(again)
    error = nmse(logits_of(again, tokens), golden)
    assert error < 1e-12, f"{folder.name} reads back as another model ({error:.1e})"


def main() -> None:
    transformers.utils.logging.disable_progress_bar()
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    index = Index(FOLDER, "Made by tests/models/make_tiny.py; logits are little-endian float32, [rows][vocab].")
    for number, variant in enumerate(variants()):
        write_variant(variant, number, index)
    index.write()


if __name__ == "__main__":
    main()
