#!/usr/bin/env python3
"""Requantises a GGUF file with llama.cpp's llama_model_quantize, for tests of formats that published files lack.

    bench/peers.py install llama-vnni
    CACHE/llama-vnni/bin/python tests/models/requantise.py IN.gguf OUTFOLDER [FORMAT...]

Run it with the Python of a peer's environment (see bench/README.md): it uses the bindings there, through ctypes. Writes
OUTFOLDER/NAME.FORMAT.gguf; files that are there already are kept. A matrix whose rows don't divide by 256 gets the
fallback that llama.cpp chooses for K-quants (Q5_0, Q5_1, Q8_0 or IQ4_NL).
"""

import argparse
import os
import sys
from pathlib import Path

import llama_cpp

FORMATS = {
    "F32": llama_cpp.LLAMA_FTYPE_ALL_F32,
    "F16": llama_cpp.LLAMA_FTYPE_MOSTLY_F16,
    "BF16": llama_cpp.LLAMA_FTYPE_MOSTLY_BF16,
    "Q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
    "Q4_1": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_1,
    "Q5_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_0,
    "Q5_1": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_1,
    "Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
    "Q2_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q2_K,
    "Q3_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q3_K_M,
    "Q4_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
    "Q5_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_K_M,
    "Q6_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q6_K,
    "IQ4_NL": llama_cpp.LLAMA_FTYPE_MOSTLY_IQ4_NL,
    "IQ4_XS": llama_cpp.LLAMA_FTYPE_MOSTLY_IQ4_XS,
}


def quiet(level, text, data) -> None:
    if level >= 4:  # errors
        sys.stderr.write(text.decode(errors="replace"))


def requantise(source: Path, target: Path, kind: int, threads: int) -> None:
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = kind
    params.nthread = threads
    params.allow_requantize = True
    part = target.with_suffix(".part")
    if llama_cpp.llama_model_quantize(str(source).encode(), str(part).encode(), params) != 0:
        part.unlink(missing_ok=True)
        sys.exit(f"{target.name}: llama_model_quantize failed")
    part.rename(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="IN.gguf")
    parser.add_argument("folder", type=Path, metavar="OUTFOLDER")
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=f"default: all of {', '.join(FORMATS)}")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    unknown = [name for name in options.formats if name not in FORMATS]
    if unknown:
        parser.error(f"no format {unknown[0]!r}; there are {', '.join(FORMATS)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    log = llama_cpp.llama_log_callback(quiet)
    llama_cpp.llama_log_set(log, None)
    for name in options.formats or FORMATS:
        target = options.folder / f"{options.source.stem}.{name}.gguf"
        if not target.exists():
            requantise(options.source, target, FORMATS[name], options.threads)
        print(f"{target} {target.stat().st_size}")


if __name__ == "__main__":
    main()
