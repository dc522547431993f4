"""What was computed for a conversation is there after a restart, for whose it is alone, and goes with what it belongs to."""

import subprocess
import unittest
from pathlib import Path

from harness import INGLE
from harness_server import ServerTest

TEXT = "The committee met on Tuesday to discuss the budget for the coming year and the repair of the old bridge. " * 8


class PrefixesTest(ServerTest):
    def setUp(self):
        for path in self.folder().glob("*.prefix"):
            path.unlink()
        self.restart()

    def restart(self, *options):
        type(self).stop()
        type(self).start(self.model_path(), *self.options, *options)

    def folder(self):
        return Path(self.home.environment["XDG_CACHE_HOME"]) / "ingle" / "prefixes"

    def written(self):
        return [path for path in self.folder().glob("*.prefix") if path.stat().st_size > 0]

    def cached(self, key=None, text=TEXT):
        """Tokens of the prompt that were not computed, and the answer."""
        body = {"messages": [{"role": "user", "content": text}], "max_tokens": 4, "temperature": 0}
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        status, _, answer = self.ask("POST", "/v1/chat/completions", body, headers)
        self.assertEqual(status, 200, answer)
        return answer["usage"]["prompt_tokens_details"]["cached_tokens"], answer["choices"][0]["message"]["content"]

    def ingle(self, *arguments):
        done = subprocess.run(
            [INGLE, *arguments], env=self.home.environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def test_a_conversation_goes_on_after_a_restart(self):
        known, text = self.cached()
        self.assertEqual(known, 0)
        self.restart()
        self.assertEqual(len(self.written()), 1)
        for path in [self.folder(), *self.folder().iterdir()]:
            self.assertEqual(path.stat().st_mode & 0o77, 0, path)
        known, again = self.cached()
        self.assertGreater(known, 150)
        self.assertEqual(again, text)

    def test_it_is_written_and_read_while_there_is_nothing_to_do(self):
        self.cached()
        self.wait_for(self.written, 60)

    def test_a_keys_is_its_own_and_goes_with_it(self):
        one, other = self.ingle("key", "create", "one"), self.ingle("key", "create", "other")
        self.cached(one)
        self.restart()
        self.assertEqual(self.cached(other)[0], 0)
        self.assertGreater(self.cached(one)[0], 150)
        type(self).stop()
        self.assertEqual(len(self.written()), 2)
        self.ingle("key", "revoke", "one")
        self.assertEqual(len(self.written()), 1)
        self.ingle("key", "revoke", "other")
        self.assertEqual(self.written(), [])

    def test_a_revoked_key_leaves_nothing_in_a_running_server(self):
        key = self.ingle("key", "create", "brief")
        headers = {"Authorization": f"Bearer {key}"}
        self.cached(key)
        _, _, response = self.ask("POST", "/v1/responses", {"input": "Hello", "max_output_tokens": 4}, headers)
        self.assertEqual(self.ask("GET", f"/v1/responses/{response['id']}", None, headers)[0], 200)
        self.assertGreater(self.metric("ingle_kept_prefixes"), 0)
        self.ingle("key", "revoke", "brief")
        self.wait_for(lambda: self.metric("ingle_kept_prefixes") == 0, 20)
        self.restart()
        self.assertEqual(self.written(), [], "nor is it written at its end")

    def test_a_deleted_response_leaves_nothing(self):
        response = self.post("/v1/responses", input=TEXT, max_output_tokens=16)
        self.restart()
        self.assertEqual(len(self.written()), 1)
        response = self.post("/v1/responses", input=TEXT, max_output_tokens=16)
        self.assertGreater(response["usage"]["input_tokens_details"]["cached_tokens"], 150)
        status, _, _ = self.ask("DELETE", f"/v1/responses/{response['id']}")
        self.assertEqual(status, 200)
        self.wait_for(lambda: not self.written())
        self.assertEqual(self.cached()[0], 0)

    def test_nothing_is_written_where_nothing_is_wanted(self):
        for options in (("--no-store",), ("--prefix-cache", "0")):
            self.restart(*options)
            self.cached()
            self.restart()
            self.assertEqual(self.written(), [])


if __name__ == "__main__":
    unittest.main()
