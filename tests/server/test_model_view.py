"""What the model view asks: what a model consists of, what its numbers are like, how far two files are apart."""

import http.client
import json
import subprocess
import time
import urllib.parse
from pathlib import Path

from harness import INGLE, MODELS, real_model
from harness_server import PATIENCE
from test_app import AppTest

EXPECTED = json.loads((MODELS / "index-anatomy.json").read_text())


class ModelViewTest(AppTest):
    options = ("--ctx", "256")

    @classmethod
    def prepare(cls):
        cls.names = {}
        real = real_model("qwen2.5-coder-0.5b")
        tiny = [MODELS / f"{name}.gguf" for name in ("phi3", "phi3-window", "qwen2")]
        for path in (*tiny, *([Path(real)] if real else [])):
            pulled = subprocess.run(
                [INGLE, "pull", f"file:{path}", "--json"], env=cls.home.environment, check=True, capture_output=True
            )
            cls.names[path.stem] = json.loads(pulled.stdout)[0]["name"]
        return ()

    def path(self, model, what):
        return f"models/{urllib.parse.quote(self.names.get(model, model), safe='')}/{what}"

    def compare(self, model, reference):
        """The events of a comparison."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        query = urllib.parse.quote(self.names.get(reference, reference), safe="")
        connection.request(
            "GET",
            f"/app/{self.path(model, 'comparison')}?reference={query}",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        self.assertEqual(response.getheader("Content-Type"), "text/event-stream")
        for line in response:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])

    def test_a_model_is_told_as_the_command_line_tells_it(self):
        told = self.app("GET", self.path("phi3", "anatomy"))
        self.assertEqual(told.pop("model"), self.names["phi3"])
        self.assertEqual(told, self.home.ok_json("inspect", str(MODELS / "phi3.gguf")))
        self.assertEqual([block["kind"] for block in told["blocks"]], ["input", "layer", "layer", "output"])
        tensor = "blk.0.attn_qkv.weight"
        statistics = self.app("GET", self.path("phi3", f"statistics?tensor={tensor}"))
        self.assertEqual(sum(statistics["histogram"]), statistics["finite"])
        self.assertEqual(statistics["tensor"], tensor)

    def test_two_files_are_compared(self):
        expected = {pair["tensor"]: pair for pair in EXPECTED["comparisons"][0]["pairs"]}
        told = list(self.compare("phi3", "phi3-window"))
        pairs, end = told[:-1], told[-1]
        self.assertEqual({pair["tensor"] for pair in pairs}, set(expected))
        for pair in pairs:
            self.assertEqual(pair["type"], "pair")
            self.assertAlmostEqual(pair["nmse"], expected[pair["tensor"]]["nmse"], 9)
        self.assertEqual([pair["done"] for pair in pairs], sorted(pair["done"] for pair in pairs))
        self.assertEqual((end["type"], end["pairs"], end["unpaired"]), ("end", len(pairs), []))
        self.assertEqual(list(self.compare("phi3", "phi3"))[-1]["nmse"], 0)

    def test_what_does_not_fit_is_said(self):
        told = list(self.compare("phi3", "qwen2"))
        self.assertEqual([event["type"] for event in told], ["error"])
        self.assertIn("not of the same model", told[0]["message"])
        self.app("GET", self.path("phi3", "statistics?tensor=x"), status=404)
        self.app("GET", self.path("phi3", "statistics"), status=400)
        self.app("GET", self.path("nothing", "anatomy"), status=404)
        self.app("GET", self.path("phi3", "comparison?reference=nothing"), status=404)
        self.app("GET", self.path("/etc/passwd", "anatomy"), status=404)

    def test_it_is_for_the_person_alone(self):
        for what in ("anatomy", "statistics?tensor=x", "comparison?reference=x"):
            self.assertEqual(self.ask("GET", "/app/" + self.path("phi3", what))[0], 401, what)

    def test_a_comparison_ends_when_its_reader_goes(self):
        if "qwen2.5-coder-0.5b" not in self.names:
            self.skipTest("the model was not fetched")

        def looking():
            return b"__viewer" in subprocess.run(["ps", "-A", "-o", "args"], capture_output=True, check=True).stdout

        told = self.compare("qwen2.5-coder-0.5b", "qwen2.5-coder-0.5b")
        self.assertLess(next(told)["done"], 0.5)
        self.assertTrue(looking())
        self.doCleanups()  # closes the connection
        began = time.monotonic()
        self.until(lambda: not looking())
        self.assertLess(time.monotonic() - began, 1.5)
