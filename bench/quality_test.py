#!/usr/bin/env python3
"""Tests of the gate on quality: each limit is one that can be missed.   python3 bench/quality_test.py"""

import unittest
from pathlib import Path

from quality import llama_divergence, misses, row


def result(**changes) -> dict:
    good = {"isa": "avx2", "parameters": 5e8, "kl": 0.0019, "top1_agreement": 0.976, "ppl": 9.0, "ppl_ratio": 1.004}
    return good | changes


class QualityTest(unittest.TestCase):
    def test_within_all_limits(self):
        self.assertEqual(misses(result(), 0.0019), [])
        self.assertIn("| passes |", row("m", "Q4_0", result(), None))

    def test_each_limit_can_be_missed(self):
        self.assertEqual(misses(result(kl=0.0021)), ["KL above 0.002"])
        self.assertEqual(misses(result(), 0.0018), ["KL above llama.cpp's"])
        self.assertEqual(misses(result(top1_agreement=0.974)), ["top-1 below 97.5 %"])
        for ratio in (0.994, 1.006):
            self.assertEqual(misses(result(ppl_ratio=ratio)), ["perplexity differs by more than 0.5 %"])

    def test_small_models_may_lose_more_and_bf16_less(self):
        small = result(parameters=2.7e8, kl=0.0059, top1_agreement=0.961)
        self.assertEqual(misses(small), [])
        self.assertEqual(len(misses(small | {"kl": 0.0061, "top1_agreement": 0.959})), 2)
        self.assertEqual(len(misses(result(isa="amx"))), 2)
        self.assertEqual(misses(result(isa="amx", kl=0.0004, top1_agreement=0.991)), [])

    def test_the_best_build_of_llama_counts(self):
        builds = {"llama-vnni": {"kl": 0.3}, "llama-avx2": {"kl": 0.2}, "ik-llama": {"kl": 0.1}, "llama-native": {}}
        self.assertEqual(llama_divergence({"models": {"m.gguf": builds}}, Path("/a/m.gguf")), 0.2)
        self.assertIsNone(llama_divergence({}, Path("m.gguf")))


if __name__ == "__main__":
    unittest.main()
