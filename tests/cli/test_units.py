"""The units of packaging/systemd, as systemd itself reads them; none is run."""

import re
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import INGLE, ROOT, TIMEOUT, ProgramTest

ANALYZE = shutil.which("systemd-analyze")


@unittest.skipUnless(ANALYZE, "systemd-analyze is not installed")
class Units(ProgramTest):
    def setUp(self):
        super().setUp()
        self.units = []
        for name in ("ingle", "ingle-user"):
            text = (ROOT / "packaging" / "systemd" / f"{name}.service.in").read_text()
            self.units.append(Path(self.write(f"{name}.service", text.replace("@INGLE_PROGRAM@", INGLE))))

    def analyze(self, *words):
        done = subprocess.run([ANALYZE, *words], capture_output=True, text=True, timeout=TIMEOUT, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_systemd_understands_every_line(self):
        for unit in self.units:
            code, said = self.analyze("verify", "--man=no", "--recursive-errors=no", unit)
            self.assertEqual((code, said.strip()), (0, ""))
            broken = self.write("broken.service", unit.read_text().replace("NoNewPrivileges", "NoNewPrivilege"))
            self.assertIn("NoNewPrivilege", self.analyze("verify", "--man=no", "--recursive-errors=no", broken)[1])

    def exposure(self, unit):
        code, said = self.analyze("security", "--offline=true", "--no-pager", unit)
        self.assertEqual(code, 0, said)
        return float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)[1])

    def test_little_is_exposed(self):
        system, user = (self.exposure(unit) for unit in self.units)
        self.assertLess(system, 2)
        self.assertLess(user, 8)

    def members(self, group):
        code, said = self.analyze("syscall-filter", "--no-pager", group)
        self.assertEqual(code, 0, said)
        names = [line.strip() for line in said.splitlines()[1:] if line.startswith("    ")]
        found = set()
        for name in names:
            if name.startswith("@"):
                found |= self.members(name)
            elif not name.startswith("#"):
                found.add(name)
        return found

    def test_what_the_program_confines_itself_with_stays_possible(self):
        used = set()
        for name in ("stage", "landlock", "confine", "launch", "child", "kernel"):
            text = (ROOT / "security" / "sandbox" / f"{name}.cpp").read_text()
            used |= set(re.findall(r"\bSYS_([a-z0-9_]+)\b", text))
        used -= {"ptrace"}  # of a process that was caught, to end it
        self.assertLessEqual({"seccomp", "landlock_restrict_self", "capset", "execveat"}, used)
        for unit in self.units:
            text = unit.read_text()
            allowed = set()
            for line in re.findall(r"^SystemCallFilter=(.*)$", text, re.MULTILINE):
                self.assertFalse(line.startswith("~"), line)
                for word in line.split():
                    allowed |= self.members(word) if word.startswith("@") else {word}
            self.assertEqual(used - allowed, set())
        user = self.units[1].read_text()
        self.assertNotIn("RestrictNamespaces", user)
        self.assertNotIn("PrivateUsers", user)
