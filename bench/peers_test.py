#!/usr/bin/env python3
"""Tests of the arithmetic and the honesty of the tables; no engine runs.   python3 bench/peers_test.py"""

import sys
import unittest
from pathlib import Path
from unittest import mock

import measure
import report
from measure import OURS, Plan, RunError, Samples


def plan(**changes) -> Plan:
    values = {"model": Path("m.gguf"), "threads": 2, "rounds": 3, "repeat": 1, "prompts": (512, 2048), "gen": 64}
    return Plan(**(values | {"timeout": 10.0, "ours": Path("ingle")} | changes))


def summary(**medians: float) -> dict:
    return {key: {"median": value, "spread": 0.2, "rounds": [value]} for key, value in medians.items()}


class SamplesTest(unittest.TestCase):
    def test_median_and_spread(self):
        samples = Samples()
        for value in (90.0, 100.0, 130.0):
            samples.add("prefill_512", value)
        self.assertEqual(samples.summary()["prefill_512"]["median"], 100.0)
        self.assertAlmostEqual(samples.summary()["prefill_512"]["spread"], 0.4)

    def test_a_failure_hides_half_measured_figures(self):
        samples = Samples(error="no")
        samples.add("prefill_512", 1.0)
        self.assertEqual(samples.summary(), {"error": "no"})


class TableTest(unittest.TestCase):
    def test_ratios_say_how_many_times_better_ours_is(self):
        results = {OURS: summary(prefill_512=300, load_ms=50), "peer": summary(prefill_512=200, load_ms=100)}
        peer = report.table(results).splitlines()[-1]
        self.assertIn("200 ±10% (1.50x)", peer)
        self.assertIn("100 ±10% (2.00x)", peer)  # less is better

    def test_worse_is_below_one(self):
        results = {OURS: summary(peak_rss_mb=400), "peer": summary(peak_rss_mb=200)}
        self.assertIn("(0.50x)", report.table(results).splitlines()[-1])

    def test_errors_and_absent_figures_are_shown(self):
        table = report.table({OURS: summary(prefill_512=1, load_ms=2), "a": {"error": "dies"}, "b": summary(load_ms=4)})
        self.assertIn("| a | dies |", table)
        self.assertIn("| b | - |", table)

    def test_every_row_has_every_column(self):
        lines = report.table({OURS: summary(prefill_512=1, load_ms=2), "a": {"error": "dies"}}).splitlines()
        self.assertEqual({line.count("|") for line in lines}, {lines[0].count("|")})

    def test_a_busy_machine_is_said(self):
        machine = {"date": "d", "cpu": "c", "cores": 2, "features": [], "memory_gb": 1, "load_average": 3.0}
        document = {"machine": machine, "plan": {"threads": 2, "rounds": 1}, "models": {}}
        self.assertIn("Noisy", report.markdown(document))
        machine["load_average"] = 0.1
        self.assertNotIn("Noisy", report.markdown(document))


class MeasureTest(unittest.TestCase):
    def test_order_turns_and_a_failed_engine_stops(self):
        order = []

        def fail_second(_, installation, samples):
            order.append(installation)
            if installation == "b":
                raise RunError("no")
            samples.add("load_ms", 1.0)

        with mock.patch.object(measure, "measure_peer", fail_second), mock.patch.object(measure, "say"):
            results = measure.measure(plan(), {"a": "a", "b": "b", "c": "c"})
        self.assertEqual(order, ["a", "b", "c", "c", "a", "c", "a"])
        self.assertEqual(results["b"].error, "no")
        self.assertEqual(len(results["a"].values["load_ms"]), 3)

    def test_peers_numbers(self):
        installation = mock.Mock(command=["driver"])
        answer = {"prefill_s": [2.0, 1.0, 4.0], "decode_s": [2.0], "load_ms": 7.0, "peak_rss_bytes": 5e6, "system": ""}
        samples = Samples()
        with (
            mock.patch.object(measure, "run_json", return_value=answer),
            mock.patch.object(measure, "first_output_ms", return_value=9.0),
        ):
            measure.measure_peer(plan(), installation, samples)
        got = {key: value["median"] for key, value in samples.summary().items()}
        expected = {"prefill_512": 256.0, "prefill_2048": 1024.0, "decode_64": 32.0, "load_ms": 7.0}
        self.assertEqual(got, expected | {"peak_rss_mb": 5.0, "first_token_ms": 9.0})

    def test_processes_that_fail(self):
        script = [sys.executable, "-c"]
        with self.assertRaisesRegex(RunError, "the reason"):
            measure.run_json([*script, "import sys; sys.exit('the reason')"], plan())
        with self.assertRaisesRegex(RunError, "no JSON"):
            measure.run_json([*script, "print('hello')"], plan())
        with self.assertRaisesRegex(RunError, "more than"):
            measure.run_json([*script, "import time; time.sleep(9)"], plan(timeout=0.2))
        with self.assertRaisesRegex(RunError, "nothing"):
            measure.first_output_ms([*script, "pass"], plan())

    def test_first_output_is_the_first_byte(self):
        slow = "import time; print('x', flush=True); time.sleep(2)"
        self.assertLess(measure.first_output_ms([sys.executable, "-S", "-c", slow], plan()), 1900)


if __name__ == "__main__":
    unittest.main()
