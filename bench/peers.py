#!/usr/bin/env python3
"""Measures Ingle beside other engines: the same file, threads and tokens, alternating, medians and ratios.

  bench/peers.py list                                  the engines, and which are installed
  bench/peers.py install [ENGINE...]                   installs them (minutes each; llama.cpp is built from source)
  bench/peers.py speed MODEL.gguf...                   prefill, decode, memory, load, first token
  bench/peers.py kl MODEL.gguf... --text FILE          KL(reference || engine) and top-1 agreement

Engines are installed into throw-away environments below --cache; one that does not install or run is reported and left
out. Results go to stdout as Markdown and, with --json FILE, to a file with every sample. See bench/README.md.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from engines import ENGINES, SERVERS, Installation, InstallError, say
from measure import OURS, Plan, RunError, machine, measure
from report import kl_markdown, markdown

ROOT = Path(__file__).resolve().parents[1]
TEXT = ROOT / "tests" / "data" / "text" / "licences.txt"


def default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ingle-peers"


def engine_names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in ENGINES and name != OURS:
            raise argparse.ArgumentTypeError(f"no engine {name!r}; there are {', '.join([OURS, *ENGINES])}")
    return names


def model_file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no file {text!r}")
    return path.absolute()  # a link keeps its name: files of the store are named by their content


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--cache", type=Path, default=default_cache(), help="where engines live (default: %(default)s)")
    common.add_argument(
        "--oracle", type=Path, metavar="PYTHON", help="a Python with tests/models/requirements.txt, for `transformers`"
    )
    commands.add_parser("list", parents=[common], help="the engines, and which are installed")
    install = commands.add_parser("install", parents=[common], help="install engines or servers")
    install.add_argument("engines", nargs="*", metavar="ENGINE", help="default: all but servers")
    run = argparse.ArgumentParser(add_help=False, parents=[common])
    run.add_argument("models", nargs="+", type=model_file, metavar="MODEL", help="GGUF files")
    run.add_argument("--engines", type=engine_names, default=[OURS, *ENGINES], metavar="A,B", help="default: all")
    run.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="default: %(default)s")
    run.add_argument("--ingle", type=Path, default=ROOT / "build/release/bin/ingle", help="default: %(default)s")
    run.add_argument("--json", type=Path, metavar="FILE", help="also write everything here")
    run.add_argument("--no-install", action="store_true", help="use only engines that are installed")
    speed = commands.add_parser("speed", parents=[run], help="prefill, decode, memory, load, first token")
    speed.add_argument("--rounds", type=int, default=5, help="times each engine runs (default: %(default)s)")
    speed.add_argument("--repeat", type=int, default=3, help="repeats inside a process (default: %(default)s)")
    speed.add_argument(
        "--timeout", type=float, default=900, metavar="SECONDS", help="of a process (default: %(default)s)"
    )
    kl = commands.add_parser("kl", parents=[run], help="KL(reference || engine) and top-1 agreement")
    kl.add_argument("--text", type=model_file, default=TEXT, metavar="FILE", help="default: %(default)s")
    kl.add_argument("--window", type=int, default=512, help="tokens (default: %(default)s)")
    kl.add_argument("--windows", type=int, default=8, help="how many (default: %(default)s)")
    return parser.parse_args()


def installation_of(name: str, options: argparse.Namespace) -> Installation:
    engine = (ENGINES | SERVERS)[name]
    return Installation(engine, options.cache, options.oracle if engine.is_oracle else None)


def ready(names: list[str], options: argparse.Namespace) -> tuple[dict, dict]:
    """Installations by name, in the order asked for (ours as None), and errors by name."""
    installations, errors = {}, {}
    for name in names:
        if name == OURS:
            if options.ingle.exists():
                installations[name] = None
            else:
                errors[name] = f"{options.ingle} is not there: run make build"
            continue
        installation = installation_of(name, options)
        try:
            if options.no_install and not installation.has_library():
                raise InstallError(f"{name} is not installed")
            installation.install()
            installations[name] = installation
        except InstallError as error:
            errors[name] = str(error)
            say(str(error))
    return installations, errors


def list_engines(options: argparse.Namespace) -> None:
    for name, engine in (ENGINES | SERVERS).items():
        state = "installed" if installation_of(name, options).has_library() else "-"
        print(f"{name:14} {state:10} {engine.about}")


def install_engines(options: argparse.Namespace) -> int:
    failed = 0
    for name in options.engines or list(ENGINES):
        if name not in ENGINES | SERVERS:
            sys.exit(f"no engine {name!r}; there are {', '.join(ENGINES | SERVERS)}")
        try:
            installation_of(name, options).install()
            say(f"{name}: installed")
        except InstallError as error:
            say(str(error))
            failed += 1
    return 1 if failed else 0


def write_results(options: argparse.Namespace, document: dict, text: str) -> None:
    print(text)
    if options.json:
        options.json.write_text(json.dumps(document, indent=2, default=str) + "\n")


def commit() -> str:
    done = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True)
    return done.stdout.strip()


def run_speed(options: argparse.Namespace) -> None:
    installations, errors = ready(options.engines, options)
    document = {"machine": machine(), "commit": commit(), "models": {}}
    for model in options.models:
        plan = Plan(
            model=model,
            threads=options.threads,
            rounds=options.rounds,
            repeat=options.repeat,
            prompts=(512, 2048),
            gen=64,
            timeout=options.timeout,
            ours=options.ingle,
        )
        results = measure(plan, installations)
        document["plan"] = {key: value for key, value in dataclasses.asdict(plan).items() if key != "model"}
        document["about"] = {name: samples.about for name, samples in results.items()}
        summaries = {name: samples.summary() for name, samples in results.items()}
        document["models"][model.name] = summaries | {name: {"error": text} for name, text in errors.items()}
    write_results(options, document, markdown(document))


def windows_of(tokenizer: Installation, model: Path, options: argparse.Namespace) -> list[int]:
    """Ids of all windows, one after another."""
    with options.text.open("rb") as file:
        done = subprocess.run(
            [*tokenizer.command, "tokenize", str(model)], stdin=file, capture_output=True, check=False
        )
    if done.returncode != 0:
        raise RunError(done.stderr.decode(errors="replace").strip()[-300:])
    result = json.loads(done.stdout)
    begin = [result["bos"]] if result["bos"] >= 0 else []
    step = options.window - len(begin)
    parts = [result["tokens"][i * step : (i + 1) * step] for i in range(options.windows)]
    if len(parts[-1]) < step:
        raise RunError(f"{options.text} has only {len(result['tokens'])} tokens: less than {options.windows} windows")
    return [token for part in parts for token in begin + part]


def peer_divergence(installations: dict, reference: Installation, model: Path, options: argparse.Namespace) -> dict:
    engines = {name: it for name, it in installations.items() if it is not None and not it.engine.worker}
    if not engines:
        return {}
    ids = windows_of(next(iter(engines.values())), model, options)
    size = subprocess.run([*reference.command, "vocabulary", str(model)], capture_output=True, text=True, check=True)
    arguments = ["logits", str(model), str(options.threads), str(options.window)]
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(token.to_bytes(4, "little") for token in ids))
        file.flush()
        plan = {
            "reference": [*reference.command, *arguments],
            "engines": {name: [*engine.command, *arguments] for name, engine in engines.items()},
            "ids": file.name,
            "window": options.window,
            "vocabulary": int(size.stdout),
        }
        command = [str(reference.python), str(Path(__file__).parent / "kl.py")]
        done = subprocess.run(command, input=json.dumps(plan), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RunError(f"kl.py ended with {done.returncode}")
    return json.loads(done.stdout)


def our_divergence(model: Path, options: argparse.Namespace) -> dict:
    """Our normal path against our reference path, as `ingle eval` says."""
    command = [str(options.ingle), "eval", str(model), "--text", str(options.text), "--ctx", str(options.window)]
    command += ["--windows", str(options.windows), "--threads", str(options.threads)]
    command += ["--kl-against", "reference", "--json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return {"error": str(error)}
    if done.returncode != 0:
        return {"error": done.stderr.strip()[-300:] or f"ended with {done.returncode}"}
    result = json.loads(done.stdout)
    return {"kl": result["kl"], "top1": result["top1_agreement"], "largest": result["kl_max"], "rows": result["tokens"]}


def run_kl(options: argparse.Namespace) -> None:
    names = [name for name in options.engines if name == OURS or not ENGINES[name].worker]
    installations, errors = ready([*names, "transformers"], options)
    reference = installations.pop("transformers", None)
    if reference is None:
        sys.exit("the reference needs the engine `transformers`; see --oracle")
    document = {"machine": machine(), "commit": commit(), "text": options.text.name, "models": {}}
    document |= {"window": options.window, "windows": options.windows}
    for model in options.models:
        say(f"{model.name}")
        results = {OURS: our_divergence(model, options)} if OURS in installations else {}
        try:
            results |= peer_divergence(installations, reference, model, options)
        except (RunError, subprocess.CalledProcessError) as error:
            results["peers"] = {"error": str(error)}
        document["models"][model.name] = results | {name: {"error": text} for name, text in errors.items()}
    write_results(options, document, kl_markdown(document))


def main() -> int:
    options = parse_arguments()
    options.cache.mkdir(parents=True, exist_ok=True)
    if options.command == "install":
        return install_engines(options)
    {"list": list_engines, "speed": run_speed, "kl": run_kl}[options.command](options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
