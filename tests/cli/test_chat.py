"""Chats: from a pipe, and on a pseudo-terminal as a person has one."""

import json
import re
from pathlib import Path

from harness import TINY, ProgramTest, TerminalTest, real_model


class Piped(ProgramTest):
    def test_each_line_is_a_message(self):
        words = ["chat", TINY, "--temp", "0", "-n", "4", "-q"]
        one = self.ok(*words, stdin="ab\n")
        two = self.ok(*words, stdin="ab\ncd\n")
        self.assertTrue(two.startswith(one))
        self.assertGreater(len(two), len(one))

    def test_commands(self):
        path = str(self.folder / "chat.json")
        self.ok("chat", TINY, "--temp", "0", "-n", "4", stdin=f"ab\n/save {path}\n")
        saved = json.loads(Path(path).read_text())
        self.assertEqual([m["role"] for m in saved["messages"]], ["user", "assistant"])
        self.assertEqual(saved["messages"][0]["content"], "ab")
        script = f'/load {path}\n/undo\n"""x\ny"""\n/system Be kind.\n/save {path}\n/exit\nnever read\n'
        self.ok("chat", TINY, "--temp", "0", "-n", "4", stdin=script)
        messages = json.loads(Path(path).read_text())["messages"]
        self.assertEqual([m["role"] for m in messages], ["system", "user", "assistant"])
        self.assertEqual([m["content"] for m in messages[:2]], ["Be kind.", "x\ny"])

    def test_a_failure_ends_a_script(self):
        self.fails(2, "did you mean /save", "chat", TINY, "-q", stdin="/sav x\n")
        self.fails(2, f"{TINY} is not a saved conversation", "chat", TINY, "-q", stdin=f"/load {TINY}\n")
        self.fails(2, "from 0 to 100", "chat", TINY, "-q", stdin="/set temp -3\n")
        done = self.ingle("chat", TINY, "-q", "--ctx", "8", "-n", "2", stdin="abcdefghijklmnop\n")
        self.assertEqual(done.returncode, 6, done.stderr)

    def test_only_new_tokens_are_computed(self):
        model = real_model("smollm2-135m")
        if model is None:
            self.skipTest("smollm2-135m was not fetched")
        done = self.ingle("chat", model, "--temp", "0", "-n", "8", "-v", stdin="My name is Bob.\nWhat is my name?\n")
        prompts = [int(n) for n in re.findall(rb"prompt +(\d+) tokens", done.stderr)]
        reused = [int(n) for n in re.findall(rb"reused +(\d+) tokens", done.stderr)]
        self.assertEqual(reused[0], 0)
        self.assertGreaterEqual(reused[1], prompts[0])
        self.assertLess(prompts[1], 20)
        # The cache must not change what is said: the same conversation in one go.
        first, second = done.stdout.decode().splitlines()[:2]
        self.assertTrue(first and second)

    def test_a_loaded_conversation_is_not_computed_again(self):
        path = self.folder / "chat.json"
        state = self.folder / "chat.json.state"
        words = ["chat", TINY, "--temp", "0", "-n", "4", "-v"]
        numbers = {}

        def reused(*more, script):
            done = self.ingle(*words, *more, stdin=script)
            self.assertEqual(done.returncode, 0, done.stderr)
            numbers["text"] = done.stdout
            return [int(n) for n in re.findall(rb"reused +(\d+) tokens", done.stderr)], done.stderr

        told, _ = reused(script=f"ab\ncd\n/save {path}\nef\n")
        self.assertEqual([file.stat().st_mode & 0o777 for file in (path, state)], [0o600, 0o600])
        answer = numbers["text"].splitlines()[-1]
        again, _ = reused(script=f"/load {path}\nef\n")
        self.assertEqual(again, told[-1:])
        self.assertEqual(numbers["text"].splitlines()[-1], answer)
        # Of another format of keys and values, damaged, or gone: read again, and said where it is not simply gone.
        for change, says in (
            (lambda: None, b"another model"),
            (lambda: state.write_bytes(state.read_bytes()[:-1] + b"x"), b"damaged"),
            (state.unlink, None),
        ):
            change()
            more = ("--kv-cache", "f16") if says == b"another model" else ()
            again, said = reused(*more, script=f"/load {path}\nef\n")
            self.assertEqual(again, [0], says)
            self.assertEqual(b"read again" in said, says is not None, said)
            self.assertIn(says or b"Loaded", said)


class OnTerminal(TerminalTest):
    def test_chat(self):
        self.start("chat", TINY, "--temp", "0", "-n", "4")
        self.expect("is ready")
        self.expect(">>> ")
        self.type("/he\t\r")
        self.expect("begin a new conversation")
        self.expect(">>> ")
        self.type("ab\x7fc\r")
        self.expect(">>> ")
        path = self.folder / "chat.json"
        self.type(f"/save {path}\r")
        self.expect("Saved to")
        self.assertEqual(json.loads(path.read_text())["messages"][0]["content"], "ac")
        self.expect(">>> ")
        self.type("\x03")
        self.expect("Ctrl-D or /exit leaves")
        self.expect(">>> ")
        self.type("\x04")
        self.ends_with(0)
        history = self.folder / "state" / "ingle" / "chat_history"
        self.assertIn("ac", history.read_text())
        self.assertEqual(history.stat().st_mode & 0o077, 0)

    def test_pasted_text_is_one_message(self):
        self.start("chat", TINY, "--temp", "0", "-n", "2")
        self.expect(">>> ")
        self.type("\x1b[200~é one\rtwo\r\x1b[201~!\r")
        self.expect(">>> ")
        path = self.folder / "chat.json"
        self.type(f"/save {path}\r")
        self.expect("Saved to")
        self.assertEqual(json.loads(path.read_text())["messages"][0]["content"], "é one\ntwo!")
        self.type("\x04")

    def test_ctrl_c_stops_an_answer_and_the_chat_goes_on(self):
        self.start("chat", TINY, "--ctx", "100000", "--isa", "scalar", "--threads", "1", "--logit-bias", "66=100")
        self.expect(">>> ")
        self.type("ab\r")
        self.expect(self.letter() * 4)
        self.type("\x03")
        self.expect("(stopped)")
        self.expect(">>> ")
        self.type("/exit\r")
        self.ends_with(0)

    def letter(self):
        return self.ok("tokenize", TINY, "--decode", stdin="[66]").decode()

    def test_control_characters_of_a_model_are_shown_not_obeyed(self):
        [escape] = json.loads(self.ok("tokenize", TINY, "--json", stdin="\x1b"))
        words = [TINY, "--temp", "0", "-n", "3", "--logit-bias", f"{escape}=100"]
        self.assertEqual(self.ok("run", *words, "--raw", "abc"), b"\x1b\x1b\x1b", "a pipe gets the bytes")
        self.start("run", *words, "--raw", "abc")
        self.assertNotIn(b"\x1b", self.expect(r"\x1b\x1b\x1b"))
        self.ends_with(0)
        # Terminals cook line breaks; the model's own line breaks and tabs stay.
        [tab] = json.loads(self.ok("tokenize", TINY, "--json", stdin="\t"))
        self.start("run", TINY, "--temp", "0", "-n", "2", "--logit-bias", f"{tab}=100", "--raw", "abc")
        self.expect("\t\t")
        self.start("chat", *words)
        self.expect(">>> ")
        self.type("ab\r")
        self.expect(r"\x1b\x1b\x1b")
        self.expect(">>> ")
        self.type("/exit\r")
        self.ends_with(0)

    def test_json_on_a_terminal_spells_them_too(self):
        [delete] = json.loads(self.ok("tokenize", TINY, "--json", stdin="\x7f"))
        words = ["run", TINY, "--json", "--temp", "0", "-n", "2", "--logit-bias", f"{delete}=100", "abc"]
        self.assertIn(b"\x7f\x7f", self.ok(*words))
        self.start(*words)
        self.expect(r'"text": "\u007f\u007f"')

    def test_progress_fits_its_line_and_keeps_its_numbers(self):
        name = "a-model-whose-name-is-" + "long-" * 20 + "indeed.gguf"
        self.start("pull", self.write(name, b"x" * 1000))
        shown = self.expect("copied").decode()
        lines = [re.sub(r"\x1b\[[0-9;]*[mK]", "", line) for line in shown.split("\r")]
        self.assertTrue(any("indeed.gguf: verifying" in line and "100 %" in line for line in lines), lines)
        self.assertLess(max(len(line) for line in lines[:-1]), 80)

    def test_sigterm_ends_a_chat(self):
        self.start("chat", TINY)
        self.expect(">>> ")
        self.process.terminate()
        self.ends_with(130)

    def test_run_without_a_prompt_opens_a_chat(self):
        self.start("run", TINY)
        self.expect(">>> ")
        self.type("/exit\r")
        self.ends_with(0)

    def test_colours_only_where_wanted(self):
        self.start("--help")
        self.assertIn(b"\x1b[1m", self.expect("Commands:"))
        self.environment["NO_COLOR"] = "1"
        self.start("--help")
        self.assertNotIn(b"\x1b[", self.expect("Start with"))


class NoTerminal(ProgramTest):
    def test_nothing_but_lines_on_stderr(self):
        source = self.write("source/own.gguf", Path(TINY).read_bytes())
        done = self.ingle("pull", f"file:{source}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(b"\r", done.stderr)
        self.assertNotIn(b"\x1b", done.stderr + done.stdout)
