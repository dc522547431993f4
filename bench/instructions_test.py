#!/usr/bin/env python3
"""Tests of the guard on instruction counts; nothing is counted.   python3 bench/instructions_test.py"""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from instructions import compare, total


def verdict(count: int, recorded: int | None) -> tuple[bool, str]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        good = compare("m decode", count, recorded)
    return good, out.getvalue()


class InstructionsTest(unittest.TestCase):
    def test_three_percent_more_pass_and_no_more(self):
        self.assertEqual(verdict(1029, 1000)[0], True)
        good, text = verdict(1031, 1000)
        self.assertEqual((good, "TOO MANY" in text), (False, True))

    def test_fewer_pass_and_ask_to_be_recorded(self):
        good, text = verdict(900, 1000)
        self.assertEqual((good, "--renew" in text), (True, True))

    def test_nothing_recorded_of_a_model_fails(self):
        self.assertFalse(verdict(1, None)[0])

    def test_the_sum_of_a_pass(self):
        with tempfile.NamedTemporaryFile("w", suffix=".1") as file:
            file.write("events: Ir\nfn=(1)\n0 12\nsummary: 345\ntotals: 345\n")
            file.flush()
            self.assertEqual(total(Path(file.name)), 345)


if __name__ == "__main__":
    unittest.main()
