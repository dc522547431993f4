"""`synth`: files of random weights that every other command takes for a model."""

import math
import os
import signal
import subprocess
import time

from harness import INGLE, ProgramTest

SMALL = ("--layers", "1", "--vocabulary", "300")
SHAPES = ["gemma3-270m", "smollm2-135m", "phi-3-mini", "qwen2.5-0.5b", "qwen3-0.6b"]


class Synth(ProgramTest):
    def make(self, shape="smollm2-135m", *options, name="model.gguf"):
        path = str(self.folder / name)
        return path, self.ok_json("synth", shape, "-o", path, *SMALL, *options)

    def files(self):
        return sorted(path.name for path in self.folder.iterdir() if path.is_file())

    def test_the_shapes_are_listed(self):
        text = self.ok("synth").decode()
        self.assertEqual(text, self.ok("synth", "--list").decode())
        told = {shape["name"]: shape for shape in self.ok_json("synth")}
        for name, shape in told.items():
            self.assertIn(name, text)
            self.assertLess(shape["tensor_bytes"]["q4_k_m"], shape["tensor_bytes"]["q8_0"])
            self.assertEqual(shape["tensor_bytes"]["f16"], shape["tensor_bytes"]["bf16"])
        self.assertEqual(told["qwen2.5-7b"]["parameters"], 7615616512)
        self.assertLess(max(len(line) for line in text.splitlines()), 80)
        self.assertEqual(self.ok("__complete", "shapes").decode().split(), list(told))

    def test_what_is_written_is_shown_and_runs(self):
        path, told = self.make("smollm2-135m", "--mix", "q4_1")
        self.assertEqual(told["bytes"], os.path.getsize(path))
        self.assertEqual([told["shape"], told["mix"]], ["smollm2-135m", "q4_1"])
        self.assertEqual([told["layers"], told["vocabulary"]], [1, 300])
        self.assertEqual(self.files(), ["model.gguf"])
        shown = self.ok_json("show", path)["file"]
        self.assertNotIn("cannot_run", shown)
        self.assertEqual(shown["parameters"], told["parameters"])
        self.assertEqual((shown["architecture"], shown["format"], shown["chat_template"]), ("llama", "Q4_1", False))
        ran = self.ok_json("run", path, "--raw", "--temp", "0", "-n", "8", "hello there")
        self.assertEqual(len(ran["tokens"]), 8)
        measured = self.ok_json("bench", path, "--prompt", "8", "--gen", "4", "--repeat", "1")
        self.assertGreater(measured["decode_tps"], 0)

    def test_every_architecture_predicts_without_infinities(self):
        text = self.write("text.txt", "All happy families are alike. " * 8)
        for shape in SHAPES:
            with self.subTest(shape):
                path, _ = self.make(shape, "--mix", "q4_0", "--force")
                told = self.ok_json("eval", path, "--text", text, "--ctx", "64")
                self.assertTrue(math.isfinite(told["nll"]))
                # Logits of deviation 1 cost about half a nat more than knowing nothing. Gemma's embeddings are large
                # beside one layer, so that each token expects itself.
                worst = 10 if shape.startswith("gemma") else 1.5
                self.assertGreater(told["nll"], math.log(300) - 0.5)
                self.assertLess(told["nll"], math.log(300) + worst)

    def test_the_same_seed_gives_the_same_bytes(self):
        bytes_of = []
        for seed in ("1", "1", "2"):
            path, _ = self.make("smollm2-135m", "--seed", seed, "--force")
            with open(path, "rb") as file:
                bytes_of.append(file.read())
        self.assertEqual(bytes_of[0], bytes_of[1])
        self.assertNotEqual(bytes_of[0], bytes_of[2])

    def test_what_is_there_stays_unless_forced(self):
        path = self.write("model.gguf", "precious")
        self.fails(2, "--force replaces it", "synth", "smollm2-135m", "-o", path, *SMALL)
        self.assertEqual((self.folder / "model.gguf").read_bytes(), b"precious")
        self.make("smollm2-135m", "--force")
        self.assertEqual((self.folder / "model.gguf").read_bytes()[:4], b"GGUF")
        for other in (str(self.folder), "/dev/null"):
            self.fails(2, "not a file", "synth", "smollm2-135m", "-o", other, "--force", *SMALL)

    def test_mistakes_are_named(self):
        out = ("-o", str(self.folder / "model.gguf"))
        self.fails(2, "the shapes are gemma3-270m, ", "synth", "gpt-9", *out)
        self.fails(2, "no shape named", "synth", *out)
        self.fails(2, "-o is missing", "synth", "smollm2-135m")
        self.fails(2, "-o is missing", "synth", "smollm2-135m", "-o", "")
        self.fails(2, "--mix", "synth", "smollm2-135m", *out, "--mix", "q9")
        self.fails(2, "--layers", "synth", "smollm2-135m", *out, "--layers", "0")
        self.fails(2, "--layers", "synth", "smollm2-135m", *out, "--layers", "1025")
        self.fails(2, "--vocabulary", "synth", "smollm2-135m", *out, "--vocabulary", "259")
        self.fails(2, "--seed", "synth", "smollm2-135m", *out, "--seed", "-1")
        self.fails(3, "none/model.gguf", "synth", "smollm2-135m", "-o", str(self.folder / "none" / "model.gguf"))
        self.assertEqual(self.files(), [])

    def test_a_full_disk_is_told_at_once(self):
        huge = ("--layers", "1024", "--mix", "f32", "--vocabulary", "524288")
        free = os.statvfs(self.folder)
        if free.f_bavail * free.f_frsize > 900e9:
            self.skipTest("this disk would hold it")
        self.fails(7, "are free", "synth", "llama-3.1-8b", "-o", str(self.folder / "model.gguf"), *huge)
        self.assertEqual(self.files(), [])

    def test_ctrl_c_leaves_nothing(self):
        # Six gigabytes, of which hardly any get written before the signal arrives.
        words = [INGLE, "synth", "qwen2.5-1.5b", "-o", str(self.folder / "model.gguf"), "--mix", "f32"]
        with subprocess.Popen(words, env=self.environment, stderr=subprocess.PIPE) as process:
            while process.poll() is None and not self.files():
                time.sleep(0.001)
            process.send_signal(signal.SIGINT)
            error = process.communicate(timeout=60)[1].decode()
        if process.returncode == 7:
            self.skipTest("too little space")
        self.assertEqual(process.returncode, 130, error)
        self.assertEqual(self.files(), [])

    def test_help_names_the_mixes(self):
        text = self.ok("synth", "--help").decode()
        for word in ("SHAPE", "--mix", "q4_k_m", "--layers", "--vocabulary", "--force"):
            self.assertIn(word, text)
