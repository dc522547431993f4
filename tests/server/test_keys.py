"""Who may ask: the server's own user, others with a key, and nobody else."""

import json
import os
import stat
import unittest

from harness_server import ServerTest


def as_another_user(function):
    """What it returns, as text, in a process of user 65534."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            os.write(into, str(function()).encode())
        finally:
            os._exit(0)
    os.close(into)
    with os.fdopen(out) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text


class KeyTest(ServerTest):
    def key(self, *words):
        return json.loads(self.home.ok("key", "--json", *words))

    def with_key(self, token, path="/v1/models"):
        status, _, answer = self.ask("GET", path, headers={"Authorization": f"Bearer {token}"})
        return status, answer

    def test_a_key_opens_its_scopes_until_it_is_revoked(self):
        created = self.key("create", "phone")
        self.assertEqual(created["scopes"], ["chat"])
        self.assertEqual(self.with_key(created["token"])[0], 200)
        self.assertEqual(self.with_key(created["token"], "/metrics")[0], 200)
        self.assertEqual(self.ask("GET", "/v1/models", headers={"x-api-key": created["token"]})[0], 200)
        other = self.key("create", "remover", "--scope", "models")
        self.assertEqual(self.with_key(other["token"])[0], 401)
        self.home.ok("key", "revoke", "phone")
        status, answer = self.with_key(created["token"])
        self.assertEqual((status, answer["error"]["code"]), (401, "invalid_api_key"))
        self.assertEqual([key["name"] for key in self.key("list")], ["remover"])

    def test_only_hashes_are_kept_and_only_for_the_owner(self):
        token = self.key("create", "secret")["token"]
        folder = self.home.folder / "state" / "ingle" / "keys"
        self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)
        for path in folder.iterdir():
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
            self.assertNotIn(token[6:], path.read_text())

    def test_without_a_key_a_process_of_the_same_user_sees_models_only(self):
        self.assertEqual(self.ask("GET", "/v1/models")[0], 200)
        status, _, answer = self.ask("GET", "/metrics")
        self.assertEqual((status, answer["error"]["code"]), (401, "key_required"))
        self.assertIn(b"200 OK", self.through_socket("/metrics"))
        # What others want as a key does not matter.
        self.assertEqual(self.with_key("sk-anything")[0], 200)
        self.assertEqual(self.with_key("ingle_" + "a" * 52)[0], 401)
        self.assertNotIn("waiting", self.ask("GET", "/api/ps")[2]["models"][0]["ingle"])

    @unittest.skipUnless(os.getuid() == 0, "only root can become another user")
    def test_another_user_needs_a_key(self):
        token = self.key("create", "guest")["token"]

        def ask(path, **headers):
            return as_another_user(lambda: self.ask("GET", path, headers=headers)[0])

        self.assertEqual(ask("/v1/models"), "401")
        self.assertEqual(ask("/health"), "200")
        self.assertEqual(ask("/v1/models", Authorization=f"Bearer {token}"), "200")
