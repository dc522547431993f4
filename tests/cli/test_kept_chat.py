"""Chats that are kept: continued, temporary, killed, and two at once."""

import json
import re
import sqlite3
import subprocess
import time
from pathlib import Path

from harness import INGLE, TIMEOUT, TINY, ProgramTest, TerminalTest

SHORT = ("--temp", "0", "-n", "4")


class History:
    """What the database has, as `ingle history` tells it."""

    def conversations(self):
        return self.ok_json("history", "list")

    def messages(self, number=1):
        [conversation] = self.ok_json("history", "show", str(number))["conversations"]
        return conversation["messages"]


class KeptChat(History, ProgramTest):
    def chat(self, *words, script, model=(TINY,)):
        return self.ok("chat", *model, *SHORT, "-q", *words, stdin=script)

    def test_is_kept_and_continued(self):
        first = self.chat(script="ab\n/system Be kind.\n")
        [kept] = self.conversations()
        self.assertEqual([kept["title"], kept["messages"]], ["ab", 2])
        self.chat(script="new one\n")
        self.assertEqual(len(self.conversations()), 2)
        path = self.folder / "chat.json"
        self.chat("--conversation", "1", script=f"cd\n/save {path}\n")
        said = json.loads(path.read_text())["messages"]
        self.assertEqual([m["content"] for m in said[:2]], ["Be kind.", "ab"])
        self.assertEqual(said[2]["content"], first.decode().removesuffix("\n"))
        self.assertEqual(len(said), 5)
        # That was the latest one now.
        self.chat("-C", "--system", "Be brief.", script=f"ef\n/save {path}\n")
        said = json.loads(path.read_text())["messages"]
        self.assertEqual([said[0]["content"], said[3]["content"]], ["Be brief.", "cd"])
        self.assertEqual(len(self.messages(1)), 6)
        self.assertEqual(len(self.conversations()), 2)

    def test_regenerated_and_taken_back_are_branches(self):
        self.chat(script="ab\n/regen\ncd\n/undo\n")
        kept = self.messages()
        self.assertEqual(
            [m["parent"] for m in kept], [None, kept[0]["id"], kept[0]["id"], kept[2]["id"], kept[3]["id"]]
        )
        path = self.folder / "chat.json"
        self.chat("--continue", script=f"/save {path}\n")
        self.assertEqual([m["role"] for m in json.loads(path.read_text())["messages"]], ["user", "assistant"])

    def test_temporary_keeps_nothing(self):
        self.chat("--temporary", script="ab\n")
        self.ok("run", TINY, *SHORT, "-q", "ab")
        self.assertEqual(self.store_files(), [])
        self.chat(script="ab\n")
        self.environment["INGLE_TEMPORARY"] = "1"
        self.chat(script="cd\n")
        self.assertEqual(len(self.conversations()), 1)
        self.chat("--no-temporary", script="cd\n")
        self.assertEqual(len(self.conversations()), 2)
        self.fails(2, "--no-temporary", "chat", TINY, "--continue", stdin="ab\n")

    def test_nothing_to_continue(self):
        self.fails(3, "no conversation to continue yet", "chat", TINY, "--continue")
        self.fails(3, "there is no conversation 7", "chat", TINY, "--conversation", "7")
        self.fails(2, "out of range", "chat", TINY, "--conversation", "0")

    def test_a_database_that_cannot_be_opened_stops_no_chat(self):
        self.write("data/ingle", "no folder")
        done = self.ingle("chat", TINY, *SHORT, stdin="ab\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count(b"this chat is not kept: "), 1, done.stderr)
        self.assertGreater(len(done.stdout), 1)
        self.assertNotEqual(self.ingle("chat", TINY, "--continue", stdin="ab\n").returncode, 0)

    def test_the_model_is_the_conversations(self):
        own = Path(self.write("own.gguf", Path(TINY).read_bytes()))
        self.chat(script="ab\n", model=(str(own),))
        self.chat("--continue", script="cd\n", model=())
        self.assertEqual({m["model"] for m in self.messages() if m["role"] == "assistant"}, {str(own)})
        # The app can't find a file of the person's own: there the default model goes on.
        [conversation] = self.ok_json("history", "show", "1")["conversations"]
        self.assertNotIn("model", conversation)
        own.unlink()
        self.environment["INGLE_MODEL"] = TINY
        done = self.ingle("chat", "--continue", *SHORT, stdin="ef\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        said = f"the conversation's model, {own}, is not here; going on with {TINY}"
        self.assertIn(said, done.stderr.decode())
        self.assertEqual(len(self.messages()), 6)

    def slow(self, *words):
        """A chat that writes for long; its output is a pipe."""
        endless = ("--ctx", "100000", "--isa", "scalar", "--threads", "1", "--logit-bias", "66=100", "-q")
        process = subprocess.Popen(
            [INGLE, "chat", TINY, *endless, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.environment,
        )
        self.addCleanup(lambda: (process.kill(), process.wait(TIMEOUT), process.stdin.close(), process.stdout.close()))
        return process

    def say(self, process, text):
        process.stdin.write(text.encode())
        process.stdin.flush()

    def test_killed_in_the_midst_of_a_reply(self):
        process = self.slow()
        self.say(process, "ab\n")
        shown = process.stdout.read(200)
        time.sleep(0.5)  # by now all that was shown until then is in the file
        process.kill()
        process.wait(TIMEOUT)
        [asked, reply] = self.messages()
        self.assertEqual([asked["content"], reply["state"]], ["ab", "interrupted"])
        self.assertTrue(reply["content"].startswith(shown.decode()), reply["content"])
        path = self.folder / "chat.json"
        self.chat("--continue", "--ctx", "100000", script=f"/save {path}\ncd\n")
        said = json.loads(path.read_text())["messages"]
        self.assertEqual([m["content"] for m in said], ["ab", reply["content"]])
        self.assertEqual([m["parent"] for m in self.messages()][2], reply["id"])

    def test_killed_before_the_reply(self):
        database = self.folder / "data" / "ingle" / "conversations.db"
        self.chat(script="ab\n")
        with sqlite3.connect(database) as connection:  # as if the end had come right after the message
            connection.execute("UPDATE conversations SET leaf = 1")
        connection.close()
        self.chat("--continue", script="/regen\n")
        self.assertEqual([m["parent"] for m in self.messages()], [None, "1", "1"])

    def test_two_at_once_are_branches(self):
        self.chat(script="ab\n")
        one, two = self.slow("--continue"), self.slow("--continue", "-n", "3")
        self.say(one, "first\n")
        one.stdout.read(50)
        self.say(two, "second\n")
        two.stdin.close()
        self.assertEqual(two.wait(TIMEOUT), 0)
        # A third one comes while the first still writes: the last that is whole is what it goes on from.
        one.kill()
        one.wait(TIMEOUT)
        kept = self.messages()
        self.assertEqual(len(kept), 6)
        parents = {m["content"]: m["parent"] for m in kept if m["role"] == "user"}
        self.assertEqual(parents, {"ab": None, "first": kept[1]["id"], "second": kept[1]["id"]})
        states = sorted(m["state"] for m in kept if m["role"] == "assistant")
        self.assertEqual(states, ["complete", "complete", "interrupted"])

    def test_deleted_meanwhile_it_is_not_brought_back(self):
        process = self.slow("-n", "2")
        self.say(process, "ab\n")
        process.stdout.read(2)
        self.ok("history", "delete", "--all")
        self.say(process, "cd\n")
        process.stdin.close()
        self.assertEqual(process.wait(TIMEOUT), 0)
        self.assertEqual(self.conversations(), [])


class OnTerminal(History, TerminalTest):
    def test_shows_where_one_is(self):
        self.ok("chat", TINY, *SHORT, "-q", stdin='ab\n"""one\ntwo\nthree\nfour\nfive"""\n\x1b[31mcd\n')
        self.start("chat", TINY, *SHORT, "--continue")
        self.expect('Conversation 1, "ab":')
        self.assertIn("…".encode(), self.expect(">>> one"))
        self.expect("four …")
        self.expect(r">>> \x1b[31mcd")
        self.expect(">>> ")
        self.type("/info\r")
        self.expect("conversation 1")
        self.expect(">>> ")
        self.type("/clear\r")
        self.expect("the one before is kept")
        self.expect(">>> ")
        self.type("/info\r")
        self.expect("from the first message on")
        self.expect(">>> ")
        self.type("\x04")
        self.ends_with(0)

    def test_a_temporary_chat_leaves_no_trace(self):
        self.start("run", TINY, *SHORT, "--temporary")
        self.expect("nothing of this chat is kept")
        self.expect(">>> ")
        self.type("secret words\r")
        self.expect(">>> ")
        self.type("/exit\r")
        self.ends_with(0)
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        self.assertFalse([path for path in files if re.search(b"secret", path.read_bytes())])

    def test_run_without_a_prompt_is_kept(self):
        self.start("run", TINY, *SHORT)
        self.expect(">>> ")
        self.type("ab\r")
        self.expect(">>> ")
        self.type("/exit\r")
        self.ends_with(0)
        self.assertEqual(len(self.messages()), 2)
