"""`inspect`: what a model's file consists of."""

import json

from harness import MODELS, ProgramTest

EXPECTED = json.loads((MODELS / "index-anatomy.json").read_text())


class InspectTest(ProgramTest):
    def test_operations_and_tensors(self):
        text = self.ok("inspect", str(MODELS / "gemma3.gguf")).decode()
        self.assertIn("gemma3, 77568 parameters", text)
        self.assertIn("Layers 0 to 4, alike; of the first:", text)
        self.assertIn("4 heads, 1 of keys and values, 16 wide, window 8", text)
        tensors = self.ok("inspect", str(MODELS / "formats.gguf"), "--tensors").decode().splitlines()
        self.assertEqual(len(tensors), len(EXPECTED["statistics"]))
        self.assertRegex(tensors[0], r"^token_embd.weight +Q6_K +256 x 260 +54.6 kB +6.56 bits$")
        told = self.ok_json("inspect", str(MODELS / "llama3-hf"))
        self.assertEqual(told["container"], "safetensors")
        self.assertEqual(told["config"]["layers"], sum(block["kind"] == "layer" for block in told["blocks"]))

    def test_the_numbers_of_a_tensor(self):
        path = str(MODELS / "formats.gguf")
        for name, expected in EXPECTED["statistics"].items():
            told = self.ok_json("inspect", path, "--tensor", name)
            self.assertAlmostEqual(told["mean"], expected["mean"], 9)
            self.assertAlmostEqual(told["deviation"], expected["deviation"], 9)
        text = self.ok("inspect", path, "--tensor", "token_embd.weight").decode()
        self.assertEqual(text.count("\n"), 19)
        self.assertIn("█", text)
        self.fails(3, "no tensor of that name", "inspect", path, "--tensor", "x")

    def test_against_another_file(self):
        model, reference = (str(MODELS / name) for name in ("phi3.gguf", "phi3-window.gguf"))
        told = self.ok_json("inspect", model, "--against", reference)
        for pair, expected in zip(
            sorted(told["pairs"], key=lambda pair: pair["tensor"]),
            sorted(EXPECTED["comparisons"][0]["pairs"], key=lambda pair: pair["tensor"]),
            strict=True,
        ):
            self.assertEqual(pair["tensor"], expected["tensor"])
            self.assertAlmostEqual(pair["nmse"], expected["nmse"], 9)
        text = self.ok("inspect", str(MODELS / "llama3.gguf"), "--against", str(MODELS / "llama3-hf")).decode()
        self.assertIn("Of all: none", text)
        self.fails(2, "not of the same model", "inspect", model, "--against", str(MODELS / "llama.gguf"))
