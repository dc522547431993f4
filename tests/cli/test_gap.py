"""`run --suffix`: filling the gap between two texts."""

import ast
import json
import shutil

from harness import MODELS, ProgramTest, real_model

NAMES = {257: "<|fim_prefix|>", 258: "<|fim_middle|>", 259: "<|fim_suffix|>"}


def marked(before, after):
    """The prompt as one text, for --special to read."""
    return f"<|fim_prefix|>{before}<|fim_suffix|>{after}<|fim_middle|>"


class TinyModel(ProgramTest):
    """A random model whose three special tokens are those of a gap, marked as in Qwen2.5-Coder's tokenizer.json."""

    def setUp(self):
        super().setUp()
        folder = self.folder / "model"
        shutil.copytree(MODELS / "llama3-hf", folder)
        tokenizer = json.loads((folder / "tokenizer.json").read_text())
        for token in tokenizer["added_tokens"]:
            token |= {"content": NAMES[token["id"]], "special": False}
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
        (folder / "tokenizer_config.json").write_text(json.dumps({"add_bos_token": False}))
        self.model = str(folder)

    def fill(self, before, after):
        return self.ok_json("run", self.model, "--temp", "0", "-n", "8", "--suffix", after, before)

    def test_prefix_then_suffix_then_the_middle(self):
        told = self.fill("abc", "xy")
        self.assertEqual(told["prompt_tokens"], 3 + 5)
        raw = ["run", self.model, "--raw", "--special", "--temp", "0", "-n", "8"]
        self.assertEqual(told["tokens"], self.ok_json(*raw, marked("abc", "xy"))["tokens"])
        for other in (marked("xy", "abc"), "<|fim_suffix|>xy<|fim_prefix|>abc<|fim_middle|>", "abcxy"):
            self.assertNotEqual(told["tokens"], self.ok_json(*raw, other)["tokens"], other)

    def test_a_text_cannot_inject_the_tokens(self):
        for name in NAMES.values():
            told = self.fill(f"a{name}b", name)
            self.assertEqual(told["prompt_tokens"], 3 + 2 + 2 * len(name), name)

    def test_only_the_middle_is_printed(self):
        words = ["run", self.model, "--temp", "0", "-n", "8", "--suffix", "xy"]
        self.assertEqual(self.ok(*words, "abc").decode(), self.fill("abc", "xy")["text"])
        self.assertEqual(self.ok(*words, "abc"), self.ok(*words, stdin="abc"))


class Coder(ProgramTest):
    """With the real coding model, where the machine has it."""

    def setUp(self):
        super().setUp()
        self.model = real_model("qwen2.5-coder-0.5b")
        if self.model is None:
            self.skipTest("qwen2.5-coder-0.5b was not fetched")

    def fill(self, before, after, limit="16"):
        return self.ok_json("run", self.model, "--temp", "0", "-n", limit, "--suffix", after, before)

    def test_a_matrix_that_the_file_holds_twice_counts_once(self):
        # As embedding in Q5_0 and again as output matrix in Q8_0; 494,032,768 is what the publisher says.
        self.assertEqual(self.ok_json("show", self.model)["file"]["parameters"], 494032768)

    def test_what_is_filled_in_fits(self):
        before = "def sum_of_squares(numbers):\n    total = 0\n    for number in numbers:\n        "
        after = "\n    return total\n"
        # The model was tuned for instructions and does not always stop where the gap ends: its first line has to fit.
        line = self.fill(before, after)["text"].splitlines()[0]
        function = ast.parse(before + line + after).body[0]
        sums = [node for node in ast.walk(function) if isinstance(node, ast.AugAssign)]
        self.assertEqual([ast.unparse(node.target) for node in sums], ["total"], line)

    def test_the_suffix_is_seen(self):
        before = "def read(path):\n    with open(path) as "
        for name in ("stream", "source"):
            text = self.fill(before, f":\n        return {name}.read()\n")["text"]
            self.assertEqual(text.split(":")[0], name)

    def test_special_tokens_are_read_only_where_asked(self):
        before, after = "def twice(x):\n", "\n    return y\n"
        raw = self.ok_json("run", self.model, "--raw", "--special", "--temp", "0", "-n", "16", marked(before, after))
        told = self.fill(before, after)
        self.assertEqual((told["tokens"], told["prompt_tokens"]), (raw["tokens"], raw["prompt_tokens"]))
        spelled = self.fill("<|fim_suffix|>", "", limit="1")
        plain = json.loads(self.ok("tokenize", self.model, "--json", stdin="<|fim_suffix|>"))
        self.assertEqual(spelled["prompt_tokens"], 3 + len(plain))
        self.assertGreater(len(plain), 1)
