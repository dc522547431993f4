"""What `make install` puts where: the program, its man page, and completions where each shell looks for them."""

import os
import shutil
import stat
import subprocess
import unittest
from pathlib import Path

from harness import TIMEOUT, ProgramTest

BUILD = os.environ.get("INGLE_BUILD", "")
PAGES = {
    "share/man/man1/ingle.1": ["man"],
    "share/bash-completion/completions/ingle": ["completion", "bash"],
    "share/zsh/site-functions/_ingle": ["completion", "zsh"],
    "share/fish/vendor_completions.d/ingle.fish": ["completion", "fish"],
}
UNITS = ["lib/systemd/system/ingle.service", "lib/systemd/user/ingle.service", "lib/sysusers.d/ingle.conf"]


@unittest.skipUnless(BUILD and shutil.which("cmake"), "not run by ctest")
class Install(ProgramTest):
    def install(self, *words, **env):
        done = subprocess.run(
            ["cmake", "--install", BUILD, *words],
            capture_output=True,
            env={**self.environment, **env},
            timeout=TIMEOUT,
            umask=0o022,
        )
        self.assertEqual(done.returncode, 0, done.stderr.decode())

    def files_under(self, folder):
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())

    def check(self, root, prefix):
        self.assertEqual(self.files_under(root), sorted(["bin/ingle", *PAGES, *UNITS]))
        for path in UNITS:
            self.assertEqual(stat.S_IMODE((root / path).stat().st_mode), 0o644, path)
            self.assertNotIn("@INGLE", (root / path).read_text())
        for path in UNITS[:2]:
            self.assertIn(f'\nExecStart="{prefix}/bin/ingle" serve\n', (root / path).read_text())
        installed = str(root / "bin" / "ingle")
        for path, words in PAGES.items():
            made = subprocess.run([installed, *words], capture_output=True, env=self.environment, timeout=TIMEOUT)
            self.assertEqual(made.returncode, 0, made.stderr)
            self.assertGreater(len(made.stdout), 200, path)
            self.assertEqual((root / path).read_bytes(), made.stdout, path)
            self.assertEqual(stat.S_IMODE((root / path).stat().st_mode), 0o644, path)

    def test_under_a_prefix(self):
        self.install("--prefix", str(self.folder / "here and now"))
        self.check(self.folder / "here and now", self.folder / "here and now")

    def test_staged_for_a_package(self):
        # A prefix that may be written, too, so that a mistake does no harm.
        stage, prefix = self.folder / "stage", self.folder / "usr"
        self.install("--prefix", str(prefix), DESTDIR=str(stage))
        self.assertFalse(prefix.exists())
        self.check(Path(f"{stage}{prefix}"), prefix)
