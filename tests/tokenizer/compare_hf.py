#!/usr/bin/env python3
"""Compares our tokenizers with Hugging Face's `tokenizers` (and sentencepiece), id by id.

compare_hf.py --program build/dev/bin/tokenizer_oracle [--count 20000] [--json FOLDER]... [--gguf FILE=FOLDER]...
    Every named pre-tokenizer, SentencePiece and WordPiece with vocabularies trained here; each FOLDER with a
    tokenizer.json as it is; each GGUF FILE against the tokenizer.json in FOLDER ("FILE=smollm": against its own
    vocabulary with that pre-tokenizer). Exit code 1 where anything differs.
compare_hf.py --golden tests/data/tokenizer
    Writes the goldens that core/tokenizer's tests read.
Needs: tokenizers sentencepiece gguf. The program is the CMake target tokenizer_oracle.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import make_models as make
from oracle_io import encode_all
from strings import generate
from tokenizers import Tokenizer

FAILED = []


def compare(name, program, model, texts, want, options=(), decode=None):
    """`want(text)` gives the expected ids, `decode(ids)` the text of ids."""
    got = encode_all(program, model, texts, options)
    bad = [(t, ids, want(t)) for t, (ids, _) in zip(texts, got) if ids != want(t)]
    same = sum(decoded == t.encode() for t, (_, decoded) in zip(texts, got))
    unlike = [
        (t, d, decode(ids)) for t, (ids, d) in zip(texts, got) if decode and d.decode(errors="replace") != decode(ids)
    ]
    decoded = f"; decoded: {len(unlike)} differ" if decode else ""
    print(f"{name:28} {len(texts):6} strings {len(bad):5} differ; {same} come back as they were{decoded}", flush=True)
    for text, ours, theirs in bad[:3]:
        print(f"    {ascii(text[:100])}\n        ours   {ours[:24]}\n        theirs {theirs[:24]}")
    for text, ours, theirs in unlike[:3]:
        print(f"    {ascii(text[:100])}\n        ours   {ours[:100]}\n        theirs {theirs[:100].encode()}")
    if bad or unlike:
        FAILED.append(name)


def hf_ids(hf, special=False, add=False):
    """Encodes as the program does: special tokens found only if wanted, added only if wanted."""
    cache = {}

    def want(text):
        if text not in cache:
            hf.encode_special_tokens = not special
            cache[text] = hf.encode(text, add_special_tokens=add).ids
        return cache[text]

    return want


def hf_text(hf):
    """What ids decode to, special tokens shown."""
    return lambda ids: hf.decode(ids, skip_special_tokens=False)


def compare_trained(program, texts, folder):
    tokens, merges = make.train_bytes(6000, make.CORPUS)
    for name in make.BYTE_LEVEL:
        path = make.write_gguf(folder / f"{name}.gguf", "gpt2", tokens, [1] * len(tokens), pre=name, merges=merges)
        hf = make.hf_bytes(name, tokens, merges)
        compare(f"gguf {name}", program, path, texts, hf_ids(hf), decode=hf_text(hf))
        if name != "default":  # its expressions are nobody's tokenizer.json
            hf.save(str(folder / "tokenizer.json"))
            compare(f"json {name}", program, folder, texts[:3000], hf_ids(hf))
    for prefix in (True, False):
        spm = make.train_sentencepiece(4000, make.CORPUS, prefix)
        tokens, types, scores = make.sentencepiece_tables(spm)
        path = make.write_gguf(
            folder / f"spm{prefix}.gguf",
            "llama",
            tokens,
            types,
            scores=scores,
            add_space_prefix=prefix,
            bos_token_id=1,
            eos_token_id=2,
            unknown_token_id=0,
        )
        plain = [t for t in texts if "\0" not in t]  # sentencepiece ends a text there
        compare(f"gguf spm prefix={prefix}", program, path, plain, spm.encode)
        hf = make.hf_sentencepiece(spm, prefix)
        hf.save(str(folder / "tokenizer.json"))
        compare(f"json spm prefix={prefix}", program, folder, texts, hf_ids(hf), decode=hf_text(hf))
        compare(
            f"json spm special={prefix}",
            program,
            folder,
            texts,
            hf_ids(hf, True, True),
            ("special", "add"),
            hf_text(hf),
        )
    for lower in (True, False):
        hf = make.train_wordpiece(16000, make.CORPUS, lower)
        tokens, types = make.wordpiece_gguf_tokens(hf)
        path = make.write_gguf(
            folder / f"bert{lower}.gguf",
            "bert",
            tokens,
            types,
            unknown_token_id=1,
            cls_token_id=2,
            seperator_token_id=3,
            **({} if lower else {"normalizer.lowercase": False}),
        )
        compare(f"gguf bert lower={lower}", program, path, texts, hf_ids(hf, False, True), ("add",))
        hf.save(str(folder / "tokenizer.json"))
        compare(
            f"json bert lower={lower}", program, folder, texts, hf_ids(hf, True, True), ("special", "add"), hf_text(hf)
        )


def gguf_as_hf(path, name):
    import gguf

    fields = gguf.GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    return make.hf_bytes(name, tokens, merges)


def load_hf(folder):
    return Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))


def write_goldens(out):
    """One small vocabulary for all byte-level rules, and the ids of a few hundred strings for each."""
    out.mkdir(parents=True, exist_ok=True)

    def dump(name, value):
        text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
        (out / name).write_text(text.replace("],[", "],\n[") + "\n", encoding="utf-8")

    def ids(hf, special=False, add=False):
        want = hf_ids(hf, special, add)
        return [want(t) for t in texts]

    made = generate(4000, seed=5)
    fixed = [t for t in made[:130] if len(t.encode()) <= 40]
    texts = [*fixed, "the quick SELECT return char", *[t for t in made[130:] if 12 <= len(t.encode()) <= 80][:230]]
    dump("strings.json", texts)
    tokens, merges = make.train_bytes(1500, make.CORPUS)
    dump("bytes.vocab.json", {"tokens": tokens, "merges": [" ".join(m) for m in merges]})
    for name in make.BYTE_LEVEL:
        dump(f"{name}.ids.json", ids(make.hf_bytes(name, tokens, merges)))
    spm = make.train_sentencepiece(1200, make.CORPUS, True)
    tokens, types, scores = make.sentencepiece_tables(spm)
    dump("spm.vocab.json", {"tokens": tokens, "types": types, "scores": [float(s) for s in scores]})
    dump("spm.ids.json", [spm.encode(t.replace("\0", "")) for t in texts])
    for name, hf in [
        ("llama", make.hf_sentencepiece(spm, True)),
        ("bert", make.train_wordpiece(1200, make.CORPUS)),
        ("qwen2", make.hf_bytes("qwen2", *make.train_bytes(700, make.CORPUS))),
    ]:
        folder = out / f"{name}.hf"
        folder.mkdir(exist_ok=True)
        hf.save(str(folder / "tokenizer.json"), pretty=False)
        dump(f"{name}.hf/ids.json", ids(hf, True, True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--json", action="append", default=[], metavar="FOLDER")
    parser.add_argument("--gguf", action="append", default=[], metavar="FILE=FOLDER")
    parser.add_argument("--no-trained", action="store_true", help="only the given files")
    parser.add_argument("--golden", type=Path)
    args = parser.parse_args()
    if args.golden:
        write_goldens(args.golden)
        return 0
    texts = generate(args.count)
    if not args.no_trained:
        with tempfile.TemporaryDirectory() as folder:
            compare_trained(args.program, texts, Path(folder))
    for folder in args.json:
        hf = load_hf(folder)
        name = "json " + Path(folder).resolve().parts[-3 if Path(folder).name == "models" else -1]
        compare(name, args.program, folder, texts, hf_ids(hf), decode=hf_text(hf))
        compare(name + " special", args.program, folder, texts[:5000], hf_ids(hf, True), ("special",), hf_text(hf))
    for pair in args.gguf:
        path, other = pair.rsplit("=", 1)
        hf = gguf_as_hf(path, other) if other in make.BYTE_LEVEL else load_hf(other)
        compare("gguf " + Path(path).stem, args.program, path, texts, hf_ids(hf), decode=hf_text(hf))
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
