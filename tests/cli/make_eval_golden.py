#!/usr/bin/env python3
"""Prints what `ingle eval` must find for a text and a tiny model, computed by transformers (see tests/models for the
packages). test_forms.py holds the numbers. Ids come from the model's own tokenizer.json, by Hugging Face's tokenizers."""

import torch
from harness import MODELS
from test_forms import EVAL_TEXT
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM


def mean_nll(folder, window, bos):
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(EVAL_TEXT, add_special_tokens=False).ids
    model = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32, attn_implementation="eager")
    step = window - len(bos)
    total, count = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(ids) - step + 1, step):
            tokens = torch.tensor([bos + ids[start : start + step]])
            log_p = torch.log_softmax(model(tokens).logits[0].double(), dim=-1)
            total -= log_p[:-1].gather(1, tokens[0, 1:, None]).sum().item()
            count += tokens.shape[1] - 1
    return total / count, count


if __name__ == "__main__":
    print("llama3-hf", mean_nll(MODELS / "llama3-hf", 64, []))
