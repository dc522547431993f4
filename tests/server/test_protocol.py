"""HTTP itself, and whoever does not keep to it: nobody else may notice."""

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import time

from harness import INGLE, real_model
from harness_server import PATIENCE, ServerTest

BODY = {"messages": [{"role": "user", "content": "Tell me a long story."}]}


def request(path="/v1/models", method="GET", headers=(), body=b"", version="1.1"):
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class ProtocolTest(ServerTest):
    def status(self, data, **options):
        answer = self.raw(data, **options)
        return int(answer.split(b" ", 2)[1]) if answer else None

    def tearDown(self):
        # Whatever a test did, the next client is served.
        self.assertEqual(self.ask("GET", "/health")[0], 200)

    def test_what_is_no_http_is_told_so(self):
        self.assertEqual(self.status(b"hello\r\n\r\n"), 400)
        self.assertEqual(self.status(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 100 + b"\r\n\r\n"), 400)
        self.assertEqual(self.status(b"GET / HTTP/9.9\r\n\r\n"), 400)
        self.assertEqual(self.status(b"GET /v1/models HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"), 400)
        self.assertEqual(self.status(b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), 400)
        self.assertIn(self.status(b"GET", half_close=True), (None, 400))

    def test_bounds_on_what_is_sent(self):
        self.assertEqual(self.status(request(headers=["X: " + "a" * 100_000])), 431)
        self.assertEqual(self.status(request("/" + "a" * 100_000)), 431)
        huge = f"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: {1 << 40}\r\n\r\n".encode()
        self.assertEqual(self.status(huge), 413)

    def test_keeps_a_connection_and_takes_requests_one_after_the_other(self):
        last = request(headers=["Connection: close"])
        answer = self.raw(request() + request("/health") + last)
        self.assertEqual(answer.count(b"HTTP/1.1 200"), 3)
        self.assertEqual(self.raw(request(version="1.0")).count(b"200 OK"), 1)

    def test_a_body_may_come_in_chunks_and_wait_for_leave(self):
        text = json.dumps({"content": "hi"}).encode()
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in text) + b"0\r\n\r\n"
        head = request("/tokenize", "POST", ["Transfer-Encoding: chunked", "Connection: close"])
        self.assertEqual(self.status(head + chunks), 200)
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            head = request("/tokenize", "POST", [f"Content-Length: {len(text)}", "Expect: 100-continue"])
            connection.sendall(head)
            self.assertEqual(connection.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.sendall(text)
            self.assertIn(b"200 OK", connection.recv(4096))

    def test_head_has_no_body(self):
        status, headers, content = self.ask("HEAD", "/v1/models")
        self.assertEqual((status, content), (200, b""))
        self.assertGreater(int(headers["Content-Length"]), 0)

    def test_paths_and_methods(self):
        status, headers, answer = self.ask("DELETE", "/v1/models")
        self.assertEqual((status, headers["Allow"]), (405, "GET"))
        for path in ("/nothing", "/v1/%2e%2e/models", "/v1/mod%00els", "/%zz", "*"):
            self.assertEqual(self.status(request(path, headers=["Connection: close"])), 404, path)

    def test_what_is_no_json(self):
        deep = b"[" * 100_000
        for body in (b"", b"{", b"\xff", b'{"a": "\\ud800"}', b"null", b"[1]", b'"text"', deep, b'{"a":' * 5000):
            status, _, answer = self.ask("POST", "/tokenize", body)
            self.assertEqual(status, 400, answer)
            self.assertEqual(answer["error"]["type"], "invalid_request_error")

    def test_only_who_calls_it_by_its_name_is_answered(self):
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", ""):
            self.assertEqual(self.ask("GET", "/v1/models", headers={"Host": host})[0], 403, host)
        for host in ("localhost", f"127.0.0.1:{self.port}", "[::1]:1"):
            self.assertEqual(self.ask("GET", "/v1/models", headers={"Host": host})[0], 200, host)
        twice = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
        self.assertIn(self.status(twice), (400, 403))

    def test_pages_of_others_are_refused(self):
        own = {"Host": f"localhost:{self.port}"}
        for origin in ("null", "http://localhost:1", "https://evil.example", f"https://localhost:{self.port}"):
            status, _, answer = self.ask("GET", "/v1/models", headers={**own, "Origin": origin})
            self.assertEqual((status, answer["error"]["code"]), (403, "origin_not_allowed"), origin)
        own["Origin"] = f"http://localhost:{self.port}"
        self.assertEqual(self.ask("GET", "/v1/models", headers=own)[0], 200)
        body = json.dumps({"content": "a"}).encode()
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx"):
            self.assertEqual(self.ask("POST", "/tokenize", body, {**own, "Content-Type": kind})[0], 415, kind)
        self.assertEqual(self.ask("POST", "/tokenize", body, own)[0], 200)

    def test_a_client_that_goes_is_not_answered_on(self):
        before = self.metric("ingle_requests_cancelled_total")
        for stream in (True, False):
            with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
                body = json.dumps({**BODY, "stream": stream, "max_tokens": 1900, "ignore_eos": True}).encode()
                connection.sendall(request("/v1/chat/completions", "POST", body=body))
                if stream:
                    connection.recv(1)
                else:
                    self.wait_for(lambda: self.metric("ingle_requests_running") == 1)
        self.wait_for(lambda: self.metric("ingle_requests_cancelled_total") == before + 2)
        self.wait_for(lambda: self.metric("ingle_requests_running") == 0)

    def test_one_who_does_not_read_does_not_stop_the_others(self):
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", self.port))
            body = json.dumps({**BODY, "stream": True, "max_tokens": 300, "ignore_eos": True}).encode()
            slow.sendall(request("/v1/chat/completions", "POST", body=body))
            answer = self.post("/v1/chat/completions", **BODY, max_tokens=20)
            self.assertEqual(answer["usage"]["completion_tokens"], 20)
            # It may still have all of it.
            received = b""
            while b"[DONE]" not in received:
                piece = slow.recv(65536)
                self.assertTrue(piece)
                received += piece

    def test_who_never_reads_is_dropped(self):
        before = self.metric("ingle_requests_cancelled_total")
        body = {
            **BODY,
            "stream": True,
            "n": 16,
            "logprobs": True,
            "top_logprobs": 20,
            "max_tokens": 1900,
            "ignore_eos": True,
        }
        with socket.socket() as silent:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            silent.connect(("127.0.0.1", self.port))
            silent.sendall(request("/v1/chat/completions", "POST", body=json.dumps(body).encode()))
            # Megabytes have to be written first, which takes a sanitizer's build minutes.
            self.wait_for(lambda: self.metric("ingle_requests_cancelled_total") == before + 16, 400)
            self.assertEqual(self.post("/v1/chat/completions", **BODY, max_tokens=3)["usage"]["completion_tokens"], 3)

    def test_slow_headers_and_idle_connections_cost_little(self):
        idle = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(200)]
        for connection in idle[:100]:
            connection.sendall(b"GET / HT")
        self.assertEqual(self.post("/v1/chat/completions", **BODY, max_tokens=2)["usage"]["completion_tokens"], 2)
        for connection in idle:
            connection.close()

    def test_the_socket_is_its_owners(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.socket_path).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(self.socket_path)).st_mode), 0o700)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.socket_path)
            connection.sendall(request(headers=["Connection: close"]))
            self.assertIn(b"200 OK", connection.recv(4096))

    def test_a_second_server_says_what_is_taken(self):
        path = real_model(self.model)
        for words, says in (
            (
                ["--port", str(self.port), "--socket", "none"],
                f"already running at {self.base} (pid {self.process.pid})",
            ),
            (["--port", "0", "--socket", self.socket_path], f"Unix socket than {self.socket_path}, which it has"),
        ):
            done = subprocess.run(
                [INGLE, "serve", path, *words],
                env=self.home.environment,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(says, done.stderr.decode())
        done = self.home.ingle("serve", path, "--host", "0.0.0.0", "--port", "0")
        self.assertIn("other machines", done.stderr.decode())


class EndTest(ServerTest):
    def test_answers_in_progress_end_before_the_server_does(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        body = {**BODY, "stream": True, "max_tokens": 60, "ignore_eos": True}
        connection.request("POST", "/v1/chat/completions", json.dumps(body))
        response = connection.getresponse()
        self.process.send_signal(signal.SIGTERM)
        self.assertIn(b"[DONE]", response.read())
        connection.close()
        began = time.monotonic()
        self.assertIn(self.process.wait(timeout=PATIENCE), (0, 130, 143))
        self.assertLess(time.monotonic() - began, 20)
        self.assertFalse(os.path.exists(self.socket_path))
