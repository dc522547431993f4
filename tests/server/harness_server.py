"""Runs `ingle serve` for the tests of a class, on a port and a socket of its own."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from harness import INGLE, TINY, ProgramTest, real_model

PATIENCE = 120  # seconds; a sanitizer's build is slow


class ServerTest(unittest.TestCase):
    model = "smollm2-135m"  # None: a tiny one, which is always there and writes nonsense
    options = ("--ctx", "2048")

    @classmethod
    def prepare(cls):
        """Further options, from what a class makes in its home folder."""
        return ()

    @classmethod
    def model_path(cls):
        if cls.model is None:
            return TINY
        return cls.model if os.sep in cls.model else real_model(cls.model)

    @classmethod
    def setUpClass(cls):
        path = cls.model_path()
        if path is None:
            raise unittest.SkipTest(f"{cls.model} was not fetched")
        # Its environment and folder; the instance itself is no test.
        cls.home = ProgramTest()
        cls.home.setUp()
        cls.addClassCleanup(cls.home.doCleanups)
        cls.socket_path = str(Path(tempfile.mkdtemp(dir=cls.home.folder)) / "run" / "server.sock")
        cls.start(path, *cls.options, *cls.prepare())

    @classmethod
    def start(cls, path, *options):
        cls.process = subprocess.Popen(
            [INGLE, "serve", path, "--port", "0", "--socket", cls.socket_path, *options],
            env=cls.home.environment,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        cls.addClassCleanup(cls.stop)
        cls.log = []
        cls.port = None
        threading.Thread(target=cls.read_log, daemon=True).start()
        deadline = time.monotonic() + PATIENCE
        while cls.port is None:
            if cls.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the server did not start: " + "".join(cls.log))
            time.sleep(0.02)

    @classmethod
    def read_log(cls):
        for line in cls.process.stderr:
            cls.log.append(line.decode(errors="replace"))
            if found := re.search(r" at https?://\S+:(\d+)", cls.log[-1]):
                cls.port = int(found[1])

    @classmethod
    def stop(cls):
        if cls.process.poll() is None:
            cls.process.send_signal(signal.SIGINT)
        code = cls.process.wait(timeout=PATIENCE)
        cls.process.stderr.close()
        if code not in (0, 130):
            raise AssertionError(f"the server ended with {code}: " + "".join(cls.log))

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method, path, body=None, headers=None):
        """Status, headers and the body, read as JSON where it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
            connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
            response = connection.getresponse()
            content = response.read()
            if "json" in (response.getheader("Content-Type") or "") and method != "HEAD":
                content = json.loads(content) if "ndjson" not in response.getheader("Content-Type") else content
            return response.status, dict(response.getheaders()), content
        finally:
            connection.close()

    def post(self, path, **body):
        status, _, answer = self.ask("POST", path, body)
        self.assertEqual(status, 200, answer)
        return answer

    def refused(self, status, path, body, **expected):
        """An error in OpenAI's form with these members."""
        got, _, answer = self.ask("POST", path, body)
        self.assertEqual(got, status, answer)
        for name, value in expected.items():
            self.assertEqual(answer["error"][name], value, answer)
        return answer["error"]["message"]

    def events(self, path, **body):
        """The JSON of each server-sent event, in order, and whether [DONE] came last."""
        _, headers, content = self.ask("POST", path, {**body, "stream": True})
        self.assertTrue(headers["Content-Type"].startswith("text/event-stream"), content)
        lines = [line[6:] for line in content.decode().split("\n") if line.startswith("data: ")]
        done = lines[-1] == "[DONE]"
        return [json.loads(line) for line in (lines[:-1] if done else lines)], done

    def metric(self, name):
        text = self.through_socket("/metrics").decode()
        return float(re.search(rf"^{name}{{[^}}]*}} (\S+)$", text, re.MULTILINE)[1])

    def through_socket(self, path):
        """What a GET through the Unix socket brings, head and body."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(self.socket_path)
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            received = b""
            while piece := connection.recv(65536):
                received += piece
            return received

    def wait_for(self, what, patience=PATIENCE):
        deadline = time.monotonic() + patience
        while not what():
            self.assertLess(time.monotonic(), deadline, "it did not come to that")
            time.sleep(0.02)

    def raw(self, data, half_close=False):
        """What the server answers to these bytes, until it closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(data)
            received = b""
            try:
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65536):
                    received += piece
            except OSError:  # the server may have closed it already
                pass
            return received


os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
