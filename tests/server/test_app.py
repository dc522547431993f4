"""What the web app asks: sessions, conversations, replies, events. Its pages are tested in tests/web."""

import http.client
import json
import os
import signal
import subprocess
import threading
import time
import unittest

from harness import INGLE
from harness_server import PATIENCE, ServerTest


class AppTest(ServerTest):
    def sign_in(self):
        """A page's token."""
        shown = self.home.ok_json("open", "--json", "--port", str(self.port))
        page, code = shown["address"].split("#code=")
        self.assertEqual(page, self.base + "/")
        status, _, answer = self.ask("POST", "/app/session", {"code": code})
        self.assertEqual(status, 200, answer)
        return answer["token"]

    def setUp(self):
        self.token = self.sign_in()

    def app(self, method, path, body=None, status=200, **headers):
        headers = {"Authorization": f"Bearer {self.token}", **headers}
        got, _, answer = self.ask(method, "/app/" + path, body, headers)
        self.assertEqual(got, status, answer)
        return answer

    def conversation(self, **settings):
        return self.app("POST", "conversations", {"parameters": {"max_tokens": 24, "temperature": 0}, **settings})["id"]

    def say(self, conversation, content, **more):
        return self.app("POST", f"conversations/{conversation}/messages", {"content": content, **more})

    def message(self, conversation, number):
        whole = self.app("GET", f"conversations/{conversation}")
        return next(each for each in whole["messages"] if each["id"] == number)

    def ended(self, conversation, number):
        """A reply, once nobody writes it any more."""
        deadline = time.monotonic() + PATIENCE
        while (reply := self.message(conversation, number))["state"] == "writing":
            self.assertLess(time.monotonic(), deadline, reply)
            time.sleep(0.02)
        return reply

    def events(self, path="/app/events"):
        """A list that grows with what a stream of events tells."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        told = []

        def read():
            try:
                for line in response:
                    if line.startswith(b"data: "):
                        told.append(json.loads(line[6:]))
            except (OSError, ValueError, AttributeError, http.client.HTTPException):  # closed here, or there
                pass
            told.append({"type": "end"})

        threading.Thread(target=read, daemon=True).start()
        self.addCleanup(connection.close)
        self.until(lambda: told)
        self.assertEqual(told[0]["type"], "hello")
        return told

    def until(self, holds):
        deadline = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)


class SessionTest(AppTest):
    def test_a_code_is_good_once_and_its_token_for_its_page_alone(self):
        address = self.home.ok_json("open", "--json", "--port", str(self.port))["address"]
        code = address.split("#code=")[1]
        token = self.ask("POST", "/app/session", {"code": code})[2]["token"]
        self.assertEqual(self.ask("POST", "/app/session", {"code": code})[0], 401)
        self.assertEqual(self.ask("POST", "/app/session", {"code": token})[0], 401)

        def status(**headers):
            return self.ask("GET", "/app/state", headers={"Authorization": f"Bearer {token}", **headers})[0]

        self.assertEqual(status(), 200)
        self.assertEqual(status(Host=f"localhost:{self.port}"), 401)
        self.assertEqual(status(Host=f"127.0.0.1:{self.port + 1}"), 401)
        self.assertEqual(status(Origin="http://example.org"), 403)
        self.assertEqual(status(Origin=self.base), 200)
        self.assertIn(b"page ", self.home.ok("key", "list"))
        self.assertEqual(self.ask("DELETE", "/app/session", headers={"Authorization": f"Bearer {token}"})[0], 200)
        self.assertEqual(status(), 401)

    def test_of_many_who_try_a_code_one_gets_in(self):
        code = self.home.ok_json("open", "--json", "--port", str(self.port))["address"].split("#code=")[1]
        got = []
        threads = [
            threading.Thread(target=lambda: got.append(self.ask("POST", "/app/session", {"code": code})[0]))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(got), [200] + [401] * 7)

    def test_conversations_are_for_the_person_alone(self):
        self.assertEqual(self.ask("GET", "/app/conversations")[0], 401)
        phone = self.home.ok_json("key", "create", "phone", "--json")["token"]
        self.assertEqual(self.ask("GET", "/app/conversations", headers={"Authorization": f"Bearer {phone}"})[0], 401)
        self.assertEqual(self.ask("POST", "/app/session", {"code": phone})[0], 401)
        admin = self.home.ok_json("key", "create", "mine", "--scope", "admin", "--json")["token"]
        self.assertEqual(self.ask("GET", "/app/conversations", headers={"Authorization": f"Bearer {admin}"})[0], 200)
        status, _, answer = self.ask("DELETE", "/app/session", headers={"Authorization": f"Bearer {admin}"})
        self.assertEqual(status, 400, answer)

    def test_the_page_comes_with_a_policy_that_lets_nothing_else_in(self):
        status, headers, page = self.ask("GET", "/")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn(b"<title>", page)
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        self.assertEqual(policy["default-src"], "'none'")
        for kind in ("script-src", "style-src", "connect-src", "font-src"):
            self.assertEqual(policy[kind], "'self'")
        self.assertEqual(policy["img-src"], "'self' blob:")
        for kind in ("frame-ancestors", "base-uri", "form-action", "trusted-types"):
            self.assertEqual(policy[kind], "'none'")
        self.assertEqual(policy["require-trusted-types-for"], "'script'")
        self.assertEqual(headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        again = self.ask("GET", "/", headers={"If-None-Match": headers["ETag"]})
        self.assertEqual((again[0], again[2]), (304, b""))
        self.assertEqual(self.ask("GET", "/nothing-here")[0], 404)


class ConversationTest(AppTest):
    def asked_directly(self, *turns):
        """What the chat API answers to the same."""
        messages = [{"role": ("user", "assistant")[i % 2], "content": turn} for i, turn in enumerate(turns)]
        answer = self.post("/v1/chat/completions", messages=messages, max_tokens=24, temperature=0)
        return answer["choices"][0]["message"]["content"]

    def test_a_message_is_kept_and_answered(self):
        events = self.events()
        number = self.conversation()
        sent = self.say(number, "What is the capital of France?")
        self.assertEqual(sent["reply"]["state"], "writing")
        self.assertEqual(sent["reply"]["parent"], sent["message"]["id"])
        reply = self.ended(number, sent["reply"]["id"])
        self.assertEqual(reply["state"], "complete")
        self.assertEqual(reply["content"], self.asked_directly("What is the capital of France?"))
        self.assertEqual(reply["report"]["predicted_n"], 24)
        self.assertEqual(reply["report"]["finish"], "length")
        self.assertEqual(reply["report"]["context_length"], 2048)

        # What was told while it was written, put together.
        def last():
            told = [each["conversation"] for each in events if each["type"] == "conversation"]
            return told[-1] if told else {}

        self.until(lambda: last().get("id") == number and last()["size"] == 2 and not last()["writing"])
        text = ""
        for event in events:
            if event["type"] == "delta" and event["message"] == reply["id"]:
                self.assertEqual(event["at"], len(text.encode("utf-16-le")) // 2)
                text += event["text"]
        self.assertEqual(text, reply["content"])
        self.assertEqual(last()["title"], "What is the capital of France?")

        # It goes on from there.
        again = self.say(number, "And of Italy?", parent=reply["id"])
        second = self.ended(number, again["reply"]["id"])
        self.assertGreater(second["report"]["cache_n"], 20)
        turns = ("What is the capital of France?", reply["content"], "And of Italy?")
        self.assertEqual(second["content"], self.asked_directly(*turns))
        listed = self.app("GET", "conversations")["conversations"]
        self.assertEqual([listed[0]["id"], listed[0]["size"]], [number, 4])

    def test_a_reply_can_be_written_anew_and_gone_on_with(self):
        number = self.conversation()
        sent = self.say(number, "Count from one to fifty, in words.")
        first = self.ended(number, sent["reply"]["id"])
        anew = self.app("POST", f"messages/{sent['message']['id']}/answer")["reply"]
        self.assertEqual(anew["parent"], sent["message"]["id"])
        self.assertEqual(self.ended(number, anew["id"])["content"], first["content"], "greedy")
        more = self.app("POST", f"messages/{anew['id']}/continue")["reply"]
        self.assertEqual((more["id"], more["state"]), (anew["id"], "writing"))
        longer = self.ended(number, anew["id"])
        self.assertTrue(longer["content"].startswith(first["content"]), longer)
        self.assertGreater(len(longer["content"]), len(first["content"]))
        # In one piece, it is the same text.
        self.app("PATCH", f"conversations/{number}", {"parameters": {"max_tokens": 48, "temperature": 0}})
        whole = self.app("POST", f"messages/{sent['message']['id']}/answer")["reply"]
        self.assertEqual(self.ended(number, whole["id"])["content"], longer["content"])

    def test_a_reply_can_be_stopped(self):
        number = self.conversation(parameters={"temperature": 0.5})
        sent = self.say(number, "Write a very long story about a dragon, of at least a thousand words.")
        reply = sent["reply"]["id"]
        self.until(lambda: len(self.message(number, reply)["content"]) > 20)
        self.app("POST", f"messages/{reply}/stop")
        stopped = self.ended(number, reply)
        self.assertEqual(stopped["state"], "stopped")
        self.assertGreater(len(stopped["content"]), 20)
        self.assertEqual(stopped["report"]["finish"], "cancelled")
        time.sleep(0.3)
        self.assertEqual(self.message(number, reply)["content"], stopped["content"])

    def test_branches_folders_titles_and_search(self):
        folder = self.app("POST", "folders", {"name": "Physics"})["id"]
        number = self.conversation(title="量子物理", folder=folder)
        first = self.say(number, "今天天气怎么样?", answer=False)
        self.assertIsNone(first["reply"])
        edited = self.say(number, "What is a quark?", answer=False)
        whole = self.app("GET", f"conversations/{number}")
        self.assertEqual([each["parent"] for each in whole["messages"]], [None, None])
        self.assertEqual(whole["leaf"], edited["message"]["id"])
        for words, messages in [
            ("天气", [first["message"]["id"]]),
            ("quar", [edited["message"]["id"]]),
            ("量子", [None]),
        ]:
            found = self.app("GET", "search?q=" + "".join(f"%{byte:02x}" for byte in words.encode()))["results"]
            self.assertEqual([each["message"] for each in found], messages, words)
        self.app("PATCH", f"conversations/{number}", {"title": "Quarks", "folder": None, "pinned": True})
        listed = self.app("GET", "conversations")["conversations"][0]
        self.assertEqual((listed["title"], listed["folder"], listed["pinned"]), ("Quarks", None, True))
        changed = listed["changed"]
        self.app("DELETE", f"messages/{edited['message']['id']}")
        news = self.app("GET", f"conversations/{number}?since={changed}")
        self.assertEqual((news["whole"], len(news["messages"])), (True, 1))
        self.app("PATCH", f"folders/{folder}", {"name": "Nature"})
        self.assertEqual(self.app("GET", "folders")["folders"], [{"id": folder, "name": "Nature"}])
        self.app("DELETE", f"folders/{folder}")
        self.app("DELETE", f"conversations/{number}")
        self.app("GET", f"conversations/{number}", status=404)

    def test_presets(self):
        made = self.app("POST", "presets", {"name": "Pirate", "system": "Arr.", "parameters": {"temperature": 1.5}})
        self.app("PATCH", f"presets/{made['id']}", {"name": "Captain"})
        self.assertEqual(
            self.app("GET", "presets")["presets"],
            [{"id": made["id"], "name": "Captain", "system": "Arr.", "parameters": {"temperature": 1.5}}],
        )
        self.app("POST", "presets", {"name": "x", "parameters": {"temperature": "hot"}}, status=400)
        self.app("DELETE", f"presets/{made['id']}")
        self.app("DELETE", f"presets/{made['id']}", status=404)

    def test_what_is_wrong_is_said(self):
        number = self.conversation()
        other = self.conversation()
        message = self.say(number, "x", answer=False)["message"]["id"]
        for status, method, path, body in [
            (400, "POST", f"conversations/{number}/messages", {"content": ""}),
            (400, "POST", f"conversations/{other}/messages", {"content": "x", "parent": message}),
            (400, "POST", f"conversations/{number}/messages", {"content": "x", "attachments": [7]}),
            (404, "POST", "conversations/999/messages", {"content": "x"}),
            (404, "GET", "conversations/abc", None),
            (404, "GET", "conversations/-1", None),
            (404, "PATCH", f"conversations/{number}", {"folder": 99}),
            (404, "PATCH", f"conversations/{number}", {"leaf": 9999}),
            (400, "PATCH", f"conversations/{number}", {"surprise": 1}),
            (400, "POST", f"messages/{message}/continue", None),
            (404, "POST", "messages/999/stop", None),
            (400, "GET", "conversations?limit=0", None),
            (400, "GET", "search", None),
            (400, "POST", "folders", {"name": ""}),
        ]:
            with self.subTest(method=method, path=path, body=body):
                self.app(method, path, body, status=status)
        sent = self.say(self.conversation(model="no-such-model"), "hello")
        self.assertIsNone(sent["reply"])
        self.assertIn("no-such-model", sent["error"])

    def test_a_temporary_conversation_is_not_kept(self):
        number = self.conversation(temporary=True)
        sent = self.say(number, "Remember the word xylophone.")
        self.ended(number, sent["reply"]["id"])
        listed = self.app("GET", "conversations")["conversations"]
        self.assertTrue(next(each for each in listed if each["id"] == number)["temporary"])
        type(self).stop()
        for path in self.home.folder.rglob("*"):
            if path.is_file() and path.suffix != ".sock":
                self.assertNotIn(b"xylophone", path.read_bytes(), path)
        type(self).start(self.model_path(), *self.options)
        self.token = self.sign_in()
        self.app("GET", f"conversations/{number}", status=404)

    def test_what_was_said_outlives_the_server(self):
        number = self.conversation(parameters={"temperature": 0.5})
        sent = self.say(number, "Write a very long story about a castle, of at least a thousand words.")
        reply = sent["reply"]["id"]
        self.until(lambda: len(self.message(number, reply)["content"]) > 20)
        time.sleep(0.5)
        before = self.message(number, reply)["content"]
        time.sleep(0.25)
        type(self).process.send_signal(signal.SIGKILL)
        type(self).process.wait()
        type(self).process.stderr.close()
        type(self).start(self.model_path(), *self.options)
        self.token = self.sign_in()
        kept = self.message(number, reply)
        self.assertEqual(kept["state"], "interrupted")
        self.assertTrue(kept["content"].startswith(before), (kept["content"], before))
        self.assertEqual(self.message(number, sent["message"]["id"])["content"], sent["message"]["content"])

    def test_stopping_the_server_ends_the_streams_of_pages(self):
        events = self.events()
        began = time.monotonic()
        type(self).stop()
        self.assertLess(time.monotonic() - began, 10)
        self.until(lambda: events[-1]["type"] == "end")
        type(self).start(self.model_path(), *self.options)

    def test_all_can_be_deleted(self):
        number = self.conversation(title="zeppelin")
        self.say(number, "quokka", answer=False)
        self.assertGreaterEqual(self.app("DELETE", "conversations")["deleted"], 1)
        self.assertEqual(self.app("GET", "conversations")["conversations"], [])
        for path in (self.home.folder / "data" / "ingle").glob("conversations.db*"):
            for word in (b"zeppelin", b"quokka"):
                self.assertNotIn(word, path.read_bytes(), path)


class OtherProgramsTest(AppTest):
    model = None
    options = ("--ctx", "256")

    def test_a_chat_in_a_terminal_is_seen_while_it_grows(self):
        events = self.events()
        endless = ("--ctx", "100000", "--isa", "scalar", "--threads", "1", "--logit-bias", "66=100", "-q")
        chat = subprocess.Popen(
            [INGLE, "chat", self.model_path(), *endless],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=self.home.environment,
        )
        self.addCleanup(chat.wait)
        self.addCleanup(chat.kill)
        self.addCleanup(chat.stdin.close)
        chat.stdin.write(b"Seen from elsewhere\n")
        chat.stdin.flush()
        self.until(lambda: any(each.get("conversation", {}).get("writing") for each in events[1:]))
        number = next(each["conversation"]["id"] for each in events[1:] if each["type"] == "conversation")

        def reply():
            return next(m for m in self.app("GET", f"conversations/{number}")["messages"] if m["role"] == "assistant")

        self.until(lambda: len(reply()["content"]) > 10)
        before = len(reply()["content"])
        self.until(lambda: len(reply()["content"]) > before)
        self.app("POST", f"messages/{reply()['id']}/stop", status=429)  # who writes it stops it
        self.app("DELETE", f"conversations/{number}")
        chat.stdin.close()
        time.sleep(0.5)
        self.app("GET", f"conversations/{number}", status=404)


class NoStoreTest(AppTest):
    model = None
    options = ("--ctx", "256", "--no-store")

    def test_nothing_is_written(self):
        number = self.conversation(title="zeppelin")
        self.say(number, "quokka", answer=False)
        self.assertEqual(self.app("GET", f"conversations/{number}")["title"], "zeppelin")
        self.assertFalse((self.home.folder / "data" / "ingle" / "conversations.db").exists())


class OpenTest(AppTest):
    model = None
    options = ("--ctx", "256")

    def setUp(self):
        pass

    def test_open_finds_the_server_and_prints_an_address(self):
        for words in (("open",), ("open", "--print"), ()):
            address = self.home.ok(*words).decode().strip()
            self.assertTrue(address.startswith(self.base + "/#code=ingle_"), address)

    def test_a_browser_gets_a_file_that_only_its_owner_reads(self):
        opener = self.home.folder / "bin" / "xdg-open"
        opener.parent.mkdir(exist_ok=True)
        opener.write_text(
            '#!/bin/sh\necho "$@" > "$0.called"; stat -c %a "$1" >> "$0.called"; cat "$1" >> "$0.called"\n'
        )
        opener.chmod(0o755)
        environment = {**self.home.environment, "DISPLAY": ":7", "PATH": f"{opener.parent}:{os.environ['PATH']}"}
        done = subprocess.run([INGLE, "open"], env=environment, capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "")
        called, mode, page = opener.with_name("xdg-open.called").read_text().split("\n", 2)
        self.assertNotIn("ingle_", called)
        self.assertEqual(mode, "600")
        self.assertIn(f'content="0;url={self.base}/#code=ingle_', page)
        opener.write_text("#!/bin/sh\nexit 3\n")
        done = subprocess.run([INGLE, "open"], env=environment, capture_output=True, text=True, check=True)
        self.assertIn("#code=", done.stdout)


if __name__ == "__main__":
    unittest.main()
