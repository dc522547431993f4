"""Tokenizers to compare: small trained vocabularies, as Hugging Face objects and as vocabulary-only GGUF files."""

import io
import json
from pathlib import Path

import gguf
import sentencepiece
from strings import CODE, SENTENCES, generate
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = generate(6000, seed=77)
COMMON = set("".join(SENTENCES + CODE)) | {chr(c) for c in range(32, 127)}

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace("{1,3}", "")
QWEN35 = QWEN2.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(r" ?[^\s\p{L}\p{N}]", r" ?[^\s\p{L}\p{M}\p{N}]")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
ENDING = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
TEKKEN = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*|\p{{N}}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
GPT4O = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{ENDING}|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{ENDING}|\p{{N}}{{1,3}}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
DEEPSEEK3 = (
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
    "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
)
CJK = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
KANA = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
DEEPSEEK_LETTERS = (Path(__file__).parent / "deepseek_letters.txt").read_text(encoding="utf-8").strip()
DEEPSEEK_MARKS = "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def byte_level(regex=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=regex)


def digits(each=True):
    return pre_tokenizers.Digits(individual_digits=each)


# name: (steps, NFC, ignore_merges). The steps are the pre_tokenizer of the models' own tokenizer.json; for "default",
# llama.cpp's expressions, which no published tokenizer.json has.
BYTE_LEVEL = {
    "gpt-2": ([byte_level(True)], False, False),
    "smollm": ([digits(), byte_level(True)], False, False),
    "starcoder": ([digits(), byte_level(True)], False, False),
    "refact": ([digits(), byte_level(True)], False, False),
    "command-r": ([digits(), byte_level(True)], True, False),
    "mpt": ([byte_level(True)], True, False),
    "llama-bpe": ([split(LLAMA3), byte_level()], False, True),
    "dbrx": ([split(LLAMA3), byte_level()], False, False),
    "qwen2": ([split(QWEN2), byte_level()], True, False),
    "stablelm2": ([split(QWEN2), byte_level()], False, False),
    "qwen35": ([split(QWEN35), byte_level()], True, False),
    "deepseek-llm": (
        [
            split("[\r\n]"),
            split(DEEPSEEK_LETTERS),
            split(DEEPSEEK_MARKS),
            split(r"\s+$"),
            split(CJK),
            digits(),
            byte_level(),
        ],
        False,
        False,
    ),
    "deepseek-coder": (
        [split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split(CJK), digits(), byte_level()],
        False,
        False,
    ),
    "deepseek-v3": ([split(r"\p{N}{1,3}"), split(KANA), split(DEEPSEEK3), byte_level()], False, False),
    "falcon": (
        [pre_tokenizers.Punctuation("contiguous"), byte_level(True), digits(False), split("[0-9][0-9][0-9]")],
        False,
        False,
    ),
    "tekken": ([split(TEKKEN), byte_level()], False, True),
    "gpt-4o": ([split(GPT4O), byte_level()], False, False),
    "default": (
        [split(r"[\p{P}\$\+<=>\^~\|]+"), split(GPT2), split(r"\p{N}+"), split("[0-9][0-9][0-9]"), byte_level()],
        False,
        False,
    ),
}


def train_bytes(size, corpus):
    """(tokens, merges) trained without any cuts, so that ids depend on every cut that a pre-tokenizer makes."""
    hf = Tokenizer(models.BPE())
    hf.pre_tokenizer = byte_level()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
        max_token_length=12,
    )
    # One call a line: without cuts, a line is one word, and long ones only repeat pairs.
    hf.train_from_iterator([text[:200] for text in corpus], trainer)
    state = json.loads(hf.to_str())["model"]
    tokens = [t for t, _ in sorted(state["vocab"].items(), key=lambda item: item[1])]
    merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in state["merges"]]
    # Words that no merges lead to: only where merges are ignored for whole words does a text become them.
    words = ("Ġquick", "Ġreturn", "Ġuser", "SELECT", "Ġhilo", "Ġchar")
    tokens += [t for t in words if t not in tokens]
    return tokens, merges


def hf_bytes(name, tokens, merges):
    steps, nfc, ignore_merges = BYTE_LEVEL[name]
    hf = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges, ignore_merges=ignore_merges))
    if nfc:
        hf.normalizer = normalizers.NFC()
    hf.pre_tokenizer = pre_tokenizers.Sequence(steps)
    hf.decoder = decoders.ByteLevel()
    return hf


def write_gguf(path, model, tokens, types, pre=None, merges=None, scores=None, **keys):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model(model)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    if pre is not None:
        writer.add_tokenizer_pre(pre)
    if merges is not None:
        writer.add_token_merges([" ".join(m) for m in merges])
    if scores is not None:
        writer.add_token_scores(scores)
    for key, value in keys.items():
        key = "tokenizer.ggml." + key
        if isinstance(value, bool):
            writer.add_bool(key, value)
        else:
            writer.add_uint32(key, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def train_sentencepiece(size, corpus, prefix):
    """A sentencepiece processor: BPE with byte fallback and no normalisation, as Llama 2's (prefix) and Gemma's (not)."""
    model = io.BytesIO()
    # Its characters must fit into the vocabulary, so only the text's common ones are shown to it.
    common = ("".join(c for c in text if c in COMMON) for text in [*SENTENCES * 20, *CODE * 20, *corpus])
    lines = (line for text in common for line in text.split("\n") if line)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines,
        model_writer=model,
        vocab_size=size,
        model_type="bpe",
        byte_fallback=True,
        normalization_rule_name="identity",
        add_dummy_prefix=prefix,
        remove_extra_whitespaces=False,
        character_coverage=0.98,
        split_digits=True,
        allow_whitespace_only_pieces=True,
        num_threads=1,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def sentencepiece_tables(processor):
    """(tokens, types, scores) for GGUF."""
    tokens, types, scores = [], [], []
    for i in range(processor.vocab_size()):
        tokens.append(processor.id_to_piece(i))
        scores.append(processor.get_score(i))
        types.append(
            2 if processor.is_unknown(i) else 3 if processor.is_control(i) else 6 if processor.is_byte(i) else 1
        )
    return tokens, types, scores


def hf_sentencepiece(processor, prefix):
    """The same vocabulary as transformers converts it: merges in the order of the scores of what they make."""
    tokens, types, scores = sentencepiece_tables(processor)
    vocab = {t: i for i, t in enumerate(tokens)}
    merges = []
    for token, score, kind in zip(tokens, scores, types):
        if kind != 1:
            continue
        pairs = [(token[:i], token[i:]) for i in range(1, len(token)) if token[:i] in vocab and token[i:] in vocab]
        merges += [(pair, score) for pair in sorted(pairs, key=lambda p: (vocab[p[0]], vocab[p[1]]))]
    merges.sort(key=lambda item: item[1], reverse=True)
    hf = Tokenizer(
        models.BPE(vocab, [pair for pair, _ in merges], unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    steps = [normalizers.Prepend("▁")] if prefix else []
    hf.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    tail = [decoders.Strip(" ", 1, 0)] if prefix else []
    hf.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *tail])
    hf.add_special_tokens(["<unk>", "<s>", "</s>"])
    hf.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", vocab["<s>"])])
    return hf


def train_wordpiece(size, corpus, lower=True):
    hf = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    hf.normalizer = normalizers.BertNormalizer(lowercase=lower, strip_accents=None)
    hf.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=special, show_progress=False, limit_alphabet=size // 2
    )
    # GGUF writes U+2581 for a word's start, so a vocabulary with that character in it cannot be told apart there.
    hf.train_from_iterator((text.replace("▁", "") for text in corpus), trainer)
    hf.decoder = decoders.WordPiece(cleanup=False)
    ids = {t: hf.token_to_id(t) for t in special}
    hf.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    )
    return hf


def wordpiece_gguf_tokens(hf):
    """The vocabulary as GGUF spells it: U+2581 at a word's start instead of ## inside."""
    tokens, types = [], []
    for i in range(hf.get_vocab_size()):
        token = hf.id_to_token(i)
        special = token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
        types.append(3 if special else 1)
        tokens.append(token if special else token[2:] if token.startswith("##") else "▁" + token)
    return tokens, types
