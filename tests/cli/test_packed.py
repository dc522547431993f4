"""Packed weights that are kept between runs: used, bounded, mended, and never a reason to fail."""

import json
import os
import subprocess
import unittest

from harness import INGLE, MODELS, TIMEOUT, TINY, ProgramTest

WORDS = ("run", "--raw", "--temp", "0", "-n", "8", "--json", "abc")


class Packed(ProgramTest):
    def setUp(self):
        super().setUp()
        self.copies = self.folder / "cache" / "ingle" / "packed"

    def answer(self, *words, model=TINY):
        done = self.ingle(WORDS[0], str(model), *WORDS[1:], *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        out = json.loads(done.stdout)
        return out["tokens"], out["weights"], done.stderr.decode()

    def test_the_second_start_uses_the_copy_of_the_first(self):
        tokens, weights, _ = self.answer()
        self.assertEqual(weights, "packed, copy kept")
        self.assertEqual([path.suffix for path in self.copies.iterdir()], [".packed"])
        self.assertEqual(self.answer(), (tokens, "copy", ""))
        self.assertEqual(self.answer("--threads", "1", "--ctx", "64"), (tokens, "copy", ""))
        self.assertEqual(self.answer("--packed-cache", "0"), (tokens, "packed", ""))

    def test_models_have_copies_of_their_own(self):
        self.answer()
        _, weights, _ = self.answer(model=MODELS / "qwen2.gguf")
        self.assertEqual(weights, "packed, copy kept")
        self.assertEqual(len(list(self.copies.iterdir())), 2)

    def test_damage_is_mended_and_said(self):
        tokens, _, _ = self.answer()
        [copy] = self.copies.iterdir()
        content = bytearray(copy.read_bytes())
        content[-100] ^= 1
        copy.write_bytes(content)
        again, weights, notice = self.answer()
        self.assertEqual((again, weights), (tokens, "copy, mended"))
        self.assertIn("was damaged", notice)
        self.answer()
        copy.write_bytes(b"nonsense")
        again, weights, notice = self.answer()
        self.assertEqual((again, weights), (tokens, "packed, damaged copy replaced"))
        self.assertIn("was damaged", notice)
        self.assertEqual(self.answer(), (tokens, "copy", ""))

    def test_a_damaged_copy_that_cannot_be_replaced_is_not_said_to_be(self):
        tokens, _, _ = self.answer()
        [copy] = self.copies.iterdir()
        copy.write_bytes(b"nonsense")
        self.assertEqual(self.answer("--packed-cache", "1K"), (tokens, "packed", ""))

    def test_where_no_copy_can_be_kept_the_answer_is_the_same(self):
        tokens, _, _ = self.answer()
        self.environment["XDG_CACHE_HOME"] = "/proc/none"
        self.assertEqual(self.answer(), (tokens, "packed", ""))
        self.environment["XDG_CACHE_HOME"] = str(self.folder / "other")
        self.assertEqual(self.answer("--packed-cache", "1K"), (tokens, "packed", ""))
        self.assertFalse((self.folder / "other" / "ingle" / "packed").exists())

    def test_a_copy_cut_short_while_in_use_is_explained(self):
        self.answer()
        [copy] = self.copies.iterdir()
        words = [INGLE, "chat", TINY, "-q", "--temp", "0", "-n", "4"]
        pipe = subprocess.PIPE
        chat = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, env=self.environment)
        self.addCleanup(chat.kill)
        chat.stdin.write(b"ab\n")
        chat.stdin.flush()
        self.assertTrue(chat.stdout.readline())
        os.truncate(copy, 1 << 21)  # where the weights begin
        _, error = chat.communicate(b"cd\n", TIMEOUT)
        self.assertEqual(chat.returncode, 1, error)
        self.assertIn(b"was cut short", error)
        self.assertEqual(self.answer()[1], "packed, damaged copy replaced")

    def test_a_model_that_was_replaced_is_not_answered_from_the_old_copy(self):
        model = self.folder / "model.gguf"
        model.write_bytes((MODELS / "llama.gguf").read_bytes())
        self.answer(model=model)
        before = model.stat()
        changed = bytearray(model.read_bytes())
        for at in range(len(changed) - 4000, len(changed) - 2000):
            changed[at] = 0
        model.write_bytes(changed)
        os.utime(model, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
        tokens, weights, _ = self.answer(model=model)
        self.assertEqual(weights, "packed, copy kept")
        self.assertEqual(self.answer("--packed-cache", "0", model=model)[0], tokens)


if __name__ == "__main__":
    unittest.main()
