"""Forty-five frames a second stay possible for whatever else a person does, while two answers are generated."""

import json
import os
import unittest

from browser import find_program
from frames import measure
from harness import real_model

MODEL = os.environ.get("INGLE_FRAMES_MODEL", "qwen2.5-coder-0.5b")
WINDOW = float(os.environ.get("INGLE_FRAMES_WINDOW", "10"))
WINDOWS = int(os.environ.get("INGLE_FRAMES_WINDOWS", "3"))


class FramesTest(unittest.TestCase):
    def test_a_page_keeps_its_frames(self):
        path = real_model(MODEL)
        if path is None:
            self.skipTest(f"{MODEL} was not fetched")
        if find_program() is None:
            self.skipTest("there is no chromium")
        found = measure(path, WINDOW, WINDOWS)
        print(json.dumps(found, indent=2))
        cores = found["threads"]
        alone, off, on = found["alone"], found["off"], found["on"]
        self.assertGreater(alone["frames_per_second"], 58, "the machine is not quiet")
        self.assertTrue(0.4 <= alone["browser_cores"] <= 0.6, alone)
        # Without adaptation there may be as many: newer kernels (EEVDF) let a page in at once. So what is asked beside
        # frames is that the core was left to it, and taken back.
        self.assertEqual(off["threads"], cores)
        self.assertLess(on["threads"], cores)
        self.assertGreaterEqual(on["frames_per_second"], 45)
        self.assertLess(on["p95_frame_ms"], 33)
        unloaded = on["tokens_per_second_unloaded"]
        self.assertGreaterEqual(on["tokens_per_second"], 0.5 * unloaded)
        self.assertGreaterEqual(on["tokens_per_second_after"], 0.95 * unloaded)


if __name__ == "__main__":
    unittest.main()
