"""`tune`: measures, remembers, and later runs use what was found."""

import json
import os
import signal
import subprocess
import time

from harness import INGLE, TINY, ProgramTest

QUICK = ("--prompt", "8", "--gen", "2", "--repeat", "1")
BENCH = ("bench", TINY, "--prompt", "4", "--gen", "2", "--repeat", "1")


class Tune(ProgramTest):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "cache" / "ingle" / "tuning.json"

    def tune(self, *options):
        return self.ok_json("tune", TINY, *QUICK, *options)

    def remembered(self):
        return self.ok_json("tune", "--show")

    def test_the_fastest_is_taken_and_remembered(self):
        told = self.tune()
        self.assertEqual([told["machine"], told["shape"]], [self.remembered()[0][key] for key in ("machine", "shape")])
        threads = {trial["threads"]: trial for trial in told["by_threads"]}
        self.assertEqual(min(threads), 1)
        chosen = threads[told["threads"]]
        best = max((t["prefill_tps"] * t["decode_tps"]) ** 0.5 for t in threads.values())
        self.assertGreaterEqual((chosen["prefill_tps"] * chosen["decode_tps"]) ** 0.5, 0.98 * best)
        self.assertGreaterEqual(
            threads[told["saturating_threads"]]["decode_tps"], 0.95 * max(t["decode_tps"] for t in threads.values())
        )
        batches = {trial["batch"]: trial["prefill_tps"] for trial in told["by_batch"]}
        self.assertGreaterEqual(batches[told["batch"]], 0.98 * max(batches.values()))

    def test_later_runs_use_it_unless_told_otherwise(self):
        before = self.ok_json(*BENCH)["threads"]
        self.tune("--threads", "3", "--batch", "7")
        self.assertNotEqual(before, 3)
        self.assertEqual(self.ok_json(*BENCH)["threads"], 3)
        self.assertEqual(self.ok_json(*BENCH, "--threads", "2")["threads"], 2)
        self.assertEqual(self.ok_json(*BENCH, env={"INGLE_THREADS": "1"})["threads"], 1)
        # Another instruction set is another machine.
        self.assertEqual(self.ok_json(*BENCH, "--isa", "scalar")["threads"], before)
        trace = self.folder / "trace.json"
        words = ("bench", TINY, "--prompt", "20", "--gen", "0", "--repeat", "1", "--trace", str(trace))
        for more, runs in (((), [7, 7, 6]), (("--batch", "20"), [20])):
            self.ok(*words, *more)
            events = json.loads(trace.read_text())["traceEvents"]
            self.assertEqual([e["args"]["tokens"] for e in events if e["name"] == "run"], runs)
        # A model of another shape is not concerned.
        other = str(self.folder / "other.gguf")
        self.ok("synth", "smollm2-135m", "-o", other, "--layers", "1", "--vocabulary", "300")
        self.assertEqual(self.ok_json("bench", other, *BENCH[2:])["threads"], before)

    def test_measuring_again_replaces_and_forgetting_forgets(self):
        self.tune("--threads", "1", "--batch", "16")
        self.tune("--threads", "2", "--batch", "32")
        self.assertEqual([(t["threads"], t["batch"]) for t in self.remembered()], [(2, 32)])
        self.assertIn("--threads 2, --batch 32", self.ok("tune", "--show").decode())
        self.ok("tune", TINY, "--forget")
        self.assertEqual(self.remembered(), [])
        self.fails(3, "nothing is remembered of", "tune", TINY, "--forget")
        self.ok("tune", "--forget")
        self.assertIn("Nothing is remembered", self.ok("tune", "--show").decode())
        self.fails(2, "exclude each other", "tune", "--show", "--forget")

    def test_a_file_that_cannot_be_used_is_said_and_does_not_stop_a_run(self):
        self.tune("--threads", "3", "--batch", "7")
        good = self.path.read_text()
        newer = json.loads(good)
        newer["version"] = 2
        altered = good.replace('"threads": 3', '"threads": 5')
        self.assertNotEqual(good, altered)
        for text, code, says in (
            ("{", 4, "damaged"),
            ("[]", 4, "damaged"),
            (altered, 4, "damaged"),
            (json.dumps(newer), 5, "version 2"),
        ):
            self.path.write_text(text)
            self.fails(code, says, "tune", "--show")
            self.fails(code, says, "tune", TINY, *QUICK)
            done = self.ingle("run", TINY, "--raw", "--temp", "0", "-n", "2", "abc")
            self.assertEqual(done.returncode, 0)
            self.assertIn(says, done.stderr.decode())
        self.ok("tune", "--forget")
        self.assertFalse(self.path.exists())

    def test_mistakes_are_named(self):
        self.fails(3, "nothing.gguf", "tune", "./nothing.gguf")
        self.fails(2, "--gen", "tune", TINY, "--gen", "0")
        self.fails(5, "nosuch", "tune", TINY, *QUICK, "--isa", "nosuch")
        self.assertFalse(self.path.exists())

    def test_ctrl_c_keeps_what_was_remembered(self):
        self.tune("--threads", "3", "--batch", "7")
        words = [INGLE, "tune", TINY, "--prompt", "8", "--gen", "2", "--repeat", "1000"]
        with subprocess.Popen(
            words, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        ) as process:
            time.sleep(0.5)
            os.killpg(process.pid, signal.SIGINT)
            output, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, error)
        self.assertEqual(output, b"")
        self.assertEqual([(t["threads"], t["batch"]) for t in self.remembered()], [(3, 7)])

    def test_help_names_what_it_finds(self):
        text = self.ok("tune", "--help").decode()
        for word in ("MODEL", "--show", "--forget", "--repeat", "--threads"):
            self.assertIn(word, text)
