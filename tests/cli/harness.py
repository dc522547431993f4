"""Runs the real program in an environment of its own: nothing of the person's settings, models or network gets in."""

import fcntl
import functools
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import tempfile
import termios
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
MODELS = DATA / "models"
INGLE = os.environ.get("INGLE_BINARY", str(ROOT / "build" / "release" / "bin" / "ingle"))
TINY = str(MODELS / "llama.gguf")
SANITIZED = re.search(b"__[at]san_init", Path(INGLE).read_bytes()) is not None  # and many times slower
TIMEOUT = 120


def real_model(name):
    """The path of a fetched model, or None; tools/fetch_test_models fills the folder."""
    folder = Path(os.environ.get("INGLE_TEST_MODELS") or "/nonexistent")
    return next((str(path) for path in (folder / f"{name}.gguf", folder / name) if path.exists()), None)


def gguf_places(gguf):
    """Where a GGUF file's metadata ends, and where the descriptions of its tensors do."""
    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
    text, array = 8, 9

    def number(form, at):
        return struct.unpack_from(form, gguf, at)[0]

    def skip(kind, at):
        if kind == text:
            return at + 8 + number("<Q", at)
        if kind != array:
            return at + sizes[kind]
        item, count = number("<I", at), number("<Q", at + 4)
        at += 12
        for _ in range(count):
            at = skip(item, at)
        return at

    at = 24
    for _ in range(number("<Q", 16)):
        at = skip(text, at)
        at = skip(number("<I", at), at + 4)
    metadata = at
    for _ in range(number("<Q", 8)):
        at = skip(text, at)
        at += 4 + 8 * number("<I", at) + 12
    return metadata, at


def without_tensors(gguf):
    """A GGUF file's header and metadata with no tensors after them: a vocabulary-only file."""
    return gguf[:8] + struct.pack("<Q", 0) + gguf[16 : gguf_places(gguf)[0]]


@functools.cache
def proven():
    """What the program finds out of this machine at its first start, or None: all tests together wait for it once."""
    with tempfile.TemporaryDirectory(prefix="ingle-proof-") as folder:
        environment = {"HOME": folder, "XDG_CACHE_HOME": folder, "PATH": os.environ.get("PATH", "/usr/bin:/bin")}
        subprocess.run([INGLE, "doctor"], env=environment, capture_output=True, timeout=TIMEOUT)
        file = Path(folder) / "ingle" / "instruction-sets.json"
        return file.read_text() if file.exists() else None


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ingle-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.folder / "home"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "LC_ALL": "C.UTF-8",
            "LSAN_OPTIONS": f"suppressions={Path(__file__).with_name('lsan.supp')}:print_suppressions=0",
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LLVM_PROFILE_FILE"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        if proof := proven():
            self.write("cache/ingle/instruction-sets.json", proof)

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def write_config(self, text):
        return self.write("config/ingle/config.toml", text)

    def ingle(self, *words, stdin=b"", env=None, **options):
        """The finished process, with bytes in stdout and stderr."""
        if isinstance(stdin, str):
            stdin = stdin.encode()
        return subprocess.run(
            [INGLE, *words],
            input=stdin,
            capture_output=True,
            env={**self.environment, **(env or {})},
            timeout=TIMEOUT,
            check=False,
            **options,
        )

    def need_no_sanitizer(self, planned):
        """Skips where a sanitizer takes memory of its own, which no plan knows; `planned` is what `plan` says."""
        if planned["memory"]["process_bytes"] > 24 << 20:
            self.skipTest("a sanitizer's memory is not planned")

    def ok(self, *words, **options):
        """Standard output of a run that must succeed."""
        done = self.ingle(*words, **options)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
        return done.stdout

    def ok_json(self, *words, **options):
        return json.loads(self.ok(words[0], "--json", *words[1:], **options))

    def fails(self, code, says, *words, **options):
        """One line on stderr that says `says`, nothing on stdout, and this exit code; and the same as JSON."""
        done = self.ingle(*words, **options)
        error = done.stderr.decode()
        self.assertEqual(done.returncode, code, error)
        self.assertEqual(done.stdout, b"")
        lines = [line for line in error.splitlines() if not line.startswith("ingle: this model has no chat template")]
        self.assertEqual(len(lines), 1, error)
        self.assertTrue(lines[0].startswith("ingle: "), error)
        self.assertIn(says, lines[0])
        return lines[0]

    def store_files(self):
        """Models and leftovers in the store."""
        root = self.folder / "data" / "ingle"
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file() and p.parent.name != "locks")


class TerminalTest(ProgramTest):
    """Runs the program on a pseudo-terminal, as a person has one."""

    def start(self, *words):
        master, slave = pty.openpty()
        env = {**self.environment, "TERM": "xterm"}
        self.process = subprocess.Popen(
            [INGLE, *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that typing Ctrl-C is a signal
        )
        os.close(slave)
        self.master = master
        self.screen = b""
        self.addCleanup(self.stop, self.process, master)

    def stop(self, process, master):
        process.kill()
        process.wait(TIMEOUT)
        os.close(master)

    def expect(self, text):
        """Waits until `text` appears after what was expected before."""
        end = time.monotonic() + TIMEOUT
        while text.encode() not in self.screen:
            ready, _, _ = select.select([self.master], [], [], max(end - time.monotonic(), 0))
            self.assertTrue(ready, f"no {text!r} in {self.screen!r}")
            try:
                self.screen += os.read(self.master, 65536)
            except OSError:
                self.fail(f"the program ended; no {text!r} in {self.screen!r}")
        before, self.screen = self.screen.split(text.encode(), 1)
        return before

    def type(self, text):
        os.write(self.master, text.encode())

    def ends_with(self, code):
        end = time.monotonic() + TIMEOUT
        while self.process.poll() is None and time.monotonic() < end:
            ready, _, _ = select.select([self.master], [], [], 0.05)
            if ready:
                try:
                    os.read(self.master, 65536)
                except OSError:
                    break
        self.assertEqual(self.process.wait(TIMEOUT), code)
