"""Models that memory has no room for: weights read from disk for each token, the same answers, and said so."""

import json
import os
import signal
import subprocess
import sys
import time
import unittest

from harness import INGLE, ROOT, TIMEOUT, ProgramTest

sys.path.insert(0, str(ROOT / "bench"))
from memory_limit import Group  # noqa: E402

LAYERS = 12
SETTINGS = ("--ctx", "256", "--batch", "32", "--threads", "2")
WORDS = ("--raw", "--temp", "0", "-n", "12", "hello there", *SETTINGS)


class Streamed(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = str(self.folder / "model.gguf")
        self.ok("synth", "smollm2-135m", "--layers", str(LAYERS), "--vocabulary", "512", "-o", self.model)
        self.copies = self.folder / "cache" / "ingle" / "packed"
        self.whole = self.plan()

    def plan(self, *words):
        return self.ok_json("plan", self.model, *SETTINGS, *words)

    def limit(self, share):
        """Memory for all but the weights, and this share of them."""
        memory = self.whole["memory"]
        fixed = memory["total_bytes"] - memory["process_bytes"] - memory["weight_bytes"]
        return str(fixed + int(share * memory["weight_bytes"]))

    def answer(self, *words, command=(), **options):
        done = subprocess.run(
            [*command, INGLE, "run", "--json", self.model, *WORDS, *words],
            capture_output=True,
            env=self.environment,
            timeout=TIMEOUT,
            check=False,
            **options,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        out = json.loads(done.stdout)
        return out["tokens"], out, done.stderr.decode()

    def test_answers_are_the_same_and_it_is_said(self):
        tokens, told, notice = self.answer("--packed-cache", "0")
        self.assertEqual((told["streamed_bytes"], notice), (0, ""))
        before = 0
        for share, weights in ((0.9, "packed, copy kept"), (0.9, "copy"), (0.6, "copy"), (0.4, "copy")):
            again, told, notice = self.answer("--memory", self.limit(share))
            self.assertEqual((again, told["weights"]), (tokens, weights))
            self.assertIn("read from disk for each token", notice)
            planned = self.plan("--memory", self.limit(share))
            self.assertEqual(planned["streamed_bytes"], told["streamed_bytes"])
            self.assertGreaterEqual(told["streamed_bytes"], before)
            before = told["streamed_bytes"]
        self.assertGreater(before, 0.6 * self.whole["memory"]["weight_bytes"])
        self.assertEqual(self.answer("--memory", "1G")[1]["streamed_bytes"], 0)

    def test_the_plan_says_it(self):
        plan = self.plan("--memory", self.limit(0.6))
        self.assertTrue(plan["fits"])
        self.assertEqual(plan["fitting_context_length"], 0)
        self.assertGreater(plan["longest_context_length"], 256)
        self.assertLessEqual(plan["memory"]["total_bytes"] - plan["memory"]["process_bytes"], int(self.limit(0.6)))
        text = self.ok("plan", self.model, *SETTINGS, "--memory", self.limit(0.6)).decode()
        self.assertIn("read from disk for each token", text)

    def test_a_context_larger_than_memory(self):
        limit = self.limit(0.6)
        longest = self.plan("--memory", limit)["longest_context_length"]
        words = ("run", self.model, "--raw", "a", "-n", "1", "--batch", "32", "--threads", "2", "--memory", limit)
        line = self.fails(7, f"up to {longest} tokens fit", *words, "--ctx", str(2 * longest))
        self.assertRegex(line, r"needs \d+ MiB and \d+ MiB are free")
        self.assertFalse(self.plan("--memory", limit, "--ctx", str(2 * longest))["fits"])
        self.ok(*words, "--ctx", str(longest))
        # Where none is asked for, one of use is taken.
        chosen = self.ok_json("plan", self.model, "--batch", "32", "--threads", "2", "--memory", limit)
        self.assertEqual(chosen["context_length"], min(longest, 2048))

    def test_without_a_place_for_the_copy(self):
        limit = ("--memory", self.limit(0.6))
        words = ("run", self.model, *WORDS, *limit)
        self.fails(7, "use a smaller model", *words, "--packed-cache", "0")
        self.fails(7, "have to be kept on disk", *words, "--packed-cache", "1M")
        self.environment["XDG_CACHE_HOME"] = "/proc/none"
        done = self.ingle(*words)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"have to be kept on disk", done.stderr)

    def test_damage_is_mended(self):
        limit = ("--memory", self.limit(0.4))
        tokens, _, _ = self.answer(*limit)
        [copy] = self.copies.iterdir()
        content = bytearray(copy.read_bytes())
        for at in range(1 << 21, len(content), 300000):
            content[at] ^= 1
        copy.write_bytes(content)
        again, told, notice = self.answer(*limit)
        self.assertEqual((again, told["weights"]), (tokens, "copy, mended"))
        self.assertIn("was damaged", notice)
        self.assertEqual(list(self.copies.iterdir()), [])
        copy.write_bytes(b"nonsense")
        again, told, _ = self.answer(*limit)
        self.assertEqual((again, told["weights"]), (tokens, "packed, damaged copy replaced"))
        self.assertEqual(self.answer(*limit)[1]["weights"], "copy")

    def chat(self, *words):
        pipe = subprocess.PIPE
        words = [INGLE, "chat", self.model, "-q", "--temp", "0", "-n", "4", *SETTINGS, "--ctx", "1024", *words]
        chat = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, env=self.environment)
        self.addCleanup(chat.kill)
        chat.stdin.write(b"ab\n")
        chat.stdin.flush()
        self.assertTrue(chat.stdout.read(1))
        time.sleep(0.5)
        return chat

    def test_a_copy_damaged_while_in_use(self):
        limit = ("--memory", self.limit(0.5))
        sound, _ = self.chat(*limit).communicate(b"cd\n", TIMEOUT)
        chat = self.chat(*limit)
        [copy] = self.copies.iterdir()
        # What is mapped is in memory already and what is streamed is looked at; both show in an answer or an end.
        with copy.open("r+b") as file:
            file.seek(-4096, os.SEEK_END)
            file.truncate()
        out, error = chat.communicate(b"cd\n", TIMEOUT)
        if chat.returncode == 0:
            self.assertEqual(out, sound)
        else:
            self.assertEqual(chat.returncode, 1, error)
            self.assertIn(b"cut short", error)

    def test_killed_while_packing(self):
        limit = ("--memory", self.limit(0.6))
        for _ in range(5):
            run = subprocess.Popen([INGLE, "run", self.model, *WORDS, *limit], env=self.environment, **QUIET)
            time.sleep(0.03)
            run.send_signal(signal.SIGKILL)
            run.wait()
        tokens, _, _ = self.answer("--packed-cache", "0")
        self.assertEqual(self.answer(*limit)[0], tokens)
        self.assertEqual([path.suffix for path in self.copies.iterdir()], [".packed"])

    def test_in_a_control_group(self):
        self.need_no_sanitizer(self.whole)
        size = 16 << 20
        try:
            group = Group(2 * size)
        except OSError as error:
            self.skipTest(f"no control group can be made here: {error}")
        self.addCleanup(group.remove)
        tokens, _, _ = self.answer()
        machine = json.loads(self.run_in(group, "doctor", "--json"))["machine"]
        self.assertEqual(machine["memory_bytes"], 2 * size)
        self.assertLess(machine["free_memory_bytes"], 2 * size)
        again, told, _ = self.answer(preexec_fn=group.enter)
        self.assertEqual(again, tokens)
        self.assertGreater(told["streamed_bytes"], 0)
        self.assertEqual(group.told()["killed"], 0)

    def run_in(self, group, *words):
        return subprocess.run(
            [INGLE, *words], env=self.environment, preexec_fn=group.enter, check=True, capture_output=True
        ).stdout


QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

if __name__ == "__main__":
    unittest.main()
