"""How many frames a second a page has while `ingle serve` generates, and how many tokens a second it generates then.

    python3 tests/responsiveness/frames.py MODEL [--window SECONDS] [--windows N]

The page needs about half a core (page.html); two streams generate. Printed as JSON: frames alone, with adaptation off
and on, tokens a second unloaded, with the page and from two seconds after it has gone."""

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from browser import PAGE, Browser, presented_frames  # noqa: E402
from harness import INGLE  # noqa: E402

PATIENCE = 120  # seconds
STREAMS = 2
SCRIPT_MS = 7  # of a frame's 16.7: with what the browser does besides, half a core
SETTLE = 2  # seconds before a window, and after the page has gone


class Server:
    def __init__(self, model, *options):
        self.folder = tempfile.TemporaryDirectory()
        self.socket = str(Path(self.folder.name) / "run" / "server.sock")
        environment = {**os.environ, "HOME": self.folder.name, "XDG_CACHE_HOME": self.folder.name}
        command = [INGLE, "serve", model, "--port", "0", "--socket", self.socket, "--ctx", "8192", *options]
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        log = ""
        while not (found := re.search(r" at http://127\.0\.0\.1:(\d+)", log)):
            line = self.process.stderr.readline().decode()
            if not line:
                raise RuntimeError("the server did not start: " + log)
            log += line
        self.port = int(found[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.send_signal(signal.SIGTERM)  # what is generated is of no interest
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        self.folder.cleanup()

    def metrics(self):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(self.socket)
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        return {name: float(value) for name, value in re.findall(r"^(\w+)\{[^}]*\} (\S+)$", text, re.MULTILINE)}

    @contextlib.contextmanager
    def streams(self):
        """Two clients that read an answer without an end."""
        body = {
            "prompt": "Once upon a time",
            "max_tokens": 8000,
            "ignore_eos": True,
            "stream": True,
            "temperature": 0.8,
        }
        connections = []
        for number in range(STREAMS):
            connection = socket.create_connection(("127.0.0.1", self.port))
            content = json.dumps({**body, "seed": number}).encode()
            head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            connection.sendall(head.encode() + content)
            connections.append(connection)

        def read(connection):
            with contextlib.suppress(OSError):
                while connection.recv(65536):
                    pass

        threads = [threading.Thread(target=read, args=(each,)) for each in connections]
        for thread in threads:
            thread.start()
        try:
            deadline = time.monotonic() + PATIENCE
            while self.metrics()["ingle_requests_running"] < STREAMS and time.monotonic() < deadline:
                time.sleep(0.05)
            yield
        finally:
            for connection in connections:
                connection.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()
            for connection in connections:
                connection.close()
            while self.metrics()["ingle_requests_running"] > 0 and time.monotonic() < deadline:
                time.sleep(0.05)

    def tokens_per_second(self, seconds):
        began, before = time.monotonic(), self.metrics()["ingle_generated_tokens_total"]
        time.sleep(seconds)
        return (self.metrics()["ingle_generated_tokens_total"] - before) / (time.monotonic() - began)


class Page:
    """The page, its work found while the machine is quiet."""

    def __init__(self, browser, points=None):
        self.browser = browser
        browser.open(PAGE.as_uri())
        self.points = browser.evaluate(f"points = {points}" if points else f"calibrate({SCRIPT_MS})")

    def animate(self):
        self.browser.evaluate("animate()")
        time.sleep(SETTLE)

    def window(self, seconds, meanwhile=None):
        """Frames a second, the 95th percentile of a frame's milliseconds, the share of a core; and meanwhile()."""
        self.browser.start_trace()
        began, cpu = time.monotonic(), self.browser.cpu_seconds()
        other = meanwhile() if meanwhile else time.sleep(seconds)
        cpu, elapsed = self.browser.cpu_seconds() - cpu, time.monotonic() - began
        shown = presented_frames(self.browser.end_trace())
        lengths = [1000 * (b - a) for a, b in zip(shown, shown[1:])]
        return {
            "frames_per_second": len(shown) / elapsed,
            "p95_frame_ms": statistics.quantiles(lengths, n=20)[-1] if len(lengths) > 1 else float("inf"),
            "browser_cores": cpu / elapsed,
        }, other


def with_page(server, points, window, windows):
    """What happens to both where two streams generate while the page animates, and once it has gone."""
    with Browser() as browser, server.streams():
        page = Page(browser, points)
        page.animate()
        found, rates = zip(*(page.window(window, lambda: server.tokens_per_second(window)) for _ in range(windows)))
        metrics = server.metrics()
        browser.close_page()
        time.sleep(SETTLE)
        # The browser is still there, and at times takes a core for a moment: not in most seconds.
        after = statistics.median(server.tokens_per_second(1) for _ in range(max(round(window / 2), 1)))
    result = {key: statistics.median(each[key] for each in found) for key in found[0]}
    return {
        **result,
        "tokens_per_second": statistics.median(rates),
        "tokens_per_second_after": after,
        "threads": metrics["ingle_threads"],
        "rest": metrics["ingle_rest_ratio"],
        "each": found,
    }


def measure(model, window=10, windows=3, options=()):
    result = {}
    with Browser() as browser:
        page = Page(browser)
        page.animate()
        result["alone"], _ = page.window(window)
        points = page.points
    for name, option in (("off", "--no-adapt"), ("on", "--adapt")):
        with Server(model, option, *options) as server:
            with server.streams():
                time.sleep(SETTLE)
                unloaded = server.tokens_per_second(window)
                result.setdefault("threads", server.metrics()["ingle_threads"])  # without adaptation: all
            result[name] = with_page(server, points, window, windows if name == "on" else 1)
            result[name]["tokens_per_second_unloaded"] = unloaded
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--window", type=float, default=10)
    parser.add_argument("--windows", type=int, default=3)
    arguments, rest = parser.parse_known_args()
    print(json.dumps(measure(arguments.model, arguments.window, arguments.windows, rest), indent=2))
