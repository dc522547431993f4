#!/usr/bin/env python3
"""Tests of check_layers.py on a small tree of its own."""

import shutil
import tempfile
import unittest
from pathlib import Path

import check_layers


class CheckLayers(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        (self.root / "tools").mkdir()
        (self.root / "tools/layers.toml").write_text(
            '[uses]\nbase = []\ncore = ["base"]\ncli = ["core", "base"]\n[order]\ncore = ["hal", "graph"]\n'
        )

    def violations(self, source: str, text: str) -> list[str]:
        path = self.root / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return check_layers.check(self.root)[1]

    def test_allows_what_stands_above(self):
        self.assertEqual(self.violations("core/graph/a.cpp", '#include <span>\n#include "core/hal/b.h"\n'), [])
        self.assertEqual(self.violations("cli/a.cpp", '#include "base/b.h"\n#include "core/graph/b.h"\n'), [])
        self.assertEqual(self.violations("core/hal/a.h", '#include "core/hal/b.h"\n#include "base/b.h"\n'), [])

    def test_refuses_a_folder_below(self):
        found = self.violations("base/a.cpp", '\n  #  include "core/hal/b.h"\n')
        self.assertEqual(found, ["base/a.cpp:2: base/ may not use core/ (core/hal/b.h)"])

    def test_refuses_a_module_below(self):
        found = self.violations("core/hal/a.h", '#include "core/graph/b.h"')
        self.assertEqual(
            found, ["core/hal/a.h:1: core/hal may not use core/graph, which stands below it (core/graph/b.h)"]
        )

    def test_a_test_may_look_across_its_folder_only(self):
        self.assertEqual(self.violations("core/hal/a_test.cpp", '#include "core/graph/b.h"'), [])
        self.assertEqual(len(self.violations("core/hal/a_test.cpp", '#include "cli/b.h"')), 1)

    def test_refuses_paths_that_hide_their_layer(self):
        for target in ("b.h", "../base/b.h", "elsewhere/b.h"):
            self.assertEqual(len(self.violations("core/hal/a.cpp", f'#include "{target}"')), 1, target)

    def test_refuses_a_module_without_a_place(self):
        self.assertEqual(len(self.violations("core/new/a.cpp", '#include "core/hal/b.h"')), 1)


if __name__ == "__main__":
    unittest.main()
