"""Several models: loading on demand, keeping, dropping, naming and removing them."""

import http.client
import json
import socket
import subprocess
import time
import unittest

from harness import INGLE, TINY
from harness_server import PATIENCE, ServerTest


class SocketConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)


class ModelsTest(ServerTest):
    options = ("--ctx", "1024", "--models", "2", "--keep-alive", "2")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for command in (["pull", f"file:{TINY}"],):
            subprocess.run([INGLE, *command], env=cls.home.environment, check=True, capture_output=True)
        listed = subprocess.run([INGLE, "list", "--json"], env=cls.home.environment, check=True, capture_output=True)
        cls.tiny = json.loads(listed.stdout)[0]["name"]

    def manage(self, method, path, **body):
        connection = SocketConnection(self.socket_path)
        try:
            connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def names(self, path="/api/tags"):
        return [model["name"] for model in self.ask("GET", path)[2]["models"]]

    def complete(self, model):
        return self.ask("POST", "/v1/completions", {"model": model, "prompt": "a", "max_tokens": 4})

    def test_loads_on_demand_and_drops_what_nobody_uses(self):
        self.wait_for(lambda: self.tiny in self.names())
        served = next(name for name in self.names() if name != self.tiny)
        self.wait_for(lambda: self.names("/api/ps") == [served])
        self.assertEqual(self.complete(self.tiny)[0], 200)
        self.assertEqual(self.complete(self.tiny + ":latest")[0], 200)
        resident = {model["name"]: model for model in self.ask("GET", "/api/ps")[2]["models"]}
        self.assertEqual(set(resident), {served, self.tiny})
        self.assertTrue(resident[served]["expires_at"].startswith("9999"))
        self.assertLess(resident[self.tiny]["expires_at"], "9999")
        listed = {model["id"]: model for model in self.ask("GET", "/v1/models")[2]["data"]}
        self.assertIn("meta", listed[self.tiny])
        self.wait_for(lambda: self.names("/api/ps") == [served])
        self.assertEqual(self.ask("GET", f"/v1/models/{self.tiny}")[0], 200)
        # It stays as long as a client asks for, and goes when one says so.
        body = {"model": self.tiny, "prompt": "a", "stream": False, "options": {"num_predict": 2}}
        self.assertEqual(self.ask("POST", "/api/generate", {**body, "keep_alive": "1h"})[0], 200)
        time.sleep(4)
        self.assertIn(self.tiny, self.names("/api/ps"))
        unload = self.ask("POST", "/api/generate", {"model": self.tiny, "keep_alive": 0})
        self.assertEqual((unload[0], unload[2]["done_reason"]), (200, "unload"))
        self.wait_for(lambda: self.names("/api/ps") == [served])
        self.assertEqual(self.ask("POST", "/api/generate", {**body, "keep_alive": "soon"})[0], 400)

    def test_a_name_is_never_a_path(self):
        for name in (TINY, "../x", "file:" + str(TINY), "https://example.org/x.gguf", "hf:a/b/c.gguf"):
            self.assertEqual(self.complete(str(name))[0], 404, name)
        for name in (str(TINY), "file:" + str(TINY), "https://example.org/x.gguf", "pypi:x==1/y", "A B"):
            self.assertEqual(self.manage("POST", "/api/pull", model=name)[0], 400, name)
        status, answer = self.manage("POST", "/api/pull", model="no-such-model", stream=False)
        self.assertEqual(status, 404, answer)

    def test_who_may_change_models(self):
        for method, path in (("POST", "/api/pull"), ("DELETE", "/api/delete"), ("POST", "/api/copy")):
            status, _, answer = self.ask(method, path, {"model": "x", "source": "x", "destination": "y"})
            self.assertEqual(status, 401, answer)

    def test_copies_and_deletes(self):
        self.wait_for(lambda: self.tiny in self.names())
        self.assertEqual(self.manage("POST", "/api/copy", source=self.tiny, destination="no name")[0], 400)
        self.assertEqual(self.manage("POST", "/api/copy", source="nothing", destination="other")[0], 404)
        self.assertEqual(self.manage("POST", "/api/copy", source=self.tiny, destination="other")[0], 200)
        self.assertIn("other", self.names())
        self.assertEqual(self.complete("other")[0], 200)
        self.assertEqual(self.manage("DELETE", "/api/delete", model="other")[0], 200)
        self.assertNotIn("other", self.names())
        self.assertNotIn("other", self.names("/api/ps"))
        self.assertEqual(self.complete("other")[0], 404)
        self.assertEqual(self.complete(self.tiny)[0], 200)
        self.assertEqual(self.manage("DELETE", "/api/delete", model="other")[0], 404)


if __name__ == "__main__":
    unittest.main()
