"""What the page of models asks: what each would take, fetching with pauses, loading, unloading, deleting; and what the
page of the first run does."""

import json
import subprocess
import urllib.parse
from pathlib import Path

from harness import INGLE, MODELS, TINY, proven, real_model
from hub import Hub
from test_app import AppTest as AppHelpers


class CatalogueTest(AppHelpers):
    model = None
    options = ("--ctx", "256", "--keep-alive", "600")

    @classmethod
    def prepare(cls):
        proven()
        cls.hub = Hub(Path(TINY).read_bytes() + bytes(1 << 20))
        cls.addClassCleanup(cls.hub.close)
        cls.home.environment.update(cls.hub.environment)
        cls.home.write(
            "more.json", cls.hub.catalogue("distant", licence={"name": "X", "url": "u", "acceptance": "Agree."})
        )
        # One that is stored, and loads.
        subprocess.run(
            [INGLE, "pull", f"file:{MODELS / 'gemma3.gguf'}"], env=cls.home.environment, check=True, capture_output=True
        )
        listed = subprocess.run([INGLE, "list", "--json"], env=cls.home.environment, check=True, capture_output=True)
        cls.stored = json.loads(listed.stdout)[0]["name"]
        return ("--catalogue", str(cls.home.folder / "more.json"))

    def setUp(self):
        super().setUp()
        self.hub.limit = len(self.hub.content)
        self.hub.requests.clear()

    def catalogue(self, query=""):
        answer = self.app("GET", "catalogue" + query)
        return answer, {model["name"]: model for model in answer["models"]}

    def entry(self, name, query=""):
        return self.catalogue(query)[1][name]

    def pull(self, name):
        return next((each for each in self.app("GET", "pulls")["pulls"] if each["model"] == name), None)

    def path(self, name):
        return urllib.parse.quote(name, safe="")

    def part(self, limit):
        """A pull of which so much is there, and more does not come."""
        self.hub.limit = limit
        self.app("POST", "pulls", {"model": "distant"})
        self.until(lambda: self.entry("distant")["partial_bytes"] >= limit // 2)

    def test_each_entry_tells_what_it_would_take(self):
        self.until(lambda: not self.catalogue()[0]["measuring"])
        answer, models = self.catalogue("?context=2048")
        self.assertEqual(answer["context"], 2048)
        self.assertIsNone(answer["offline"])
        self.assertGreater(answer["free_bytes"], 1 << 20)
        self.assertIn(answer["recommended"], ("smollm2-135m", "qwen2.5-coder-0.5b"))
        for name in ("smollm2-135m", "qwen3-4b", "phi3-mini"):
            model = models[name]
            memory = model["memory"]
            parts = sum(memory[part] for part in ("weight_bytes", "state_bytes", "working_bytes", "other_bytes"))
            self.assertEqual(parts, memory["total_bytes"], name)
            self.assertEqual(memory["context_length"], 2048)
            self.assertFalse(model["stored"] or model["loaded"])
            self.assertTrue(model["licence"]["name"])
            for speed in (model["speed"]["decode_tps"], model["speed"]["prefill_tps"]):
                self.assertLess(0, speed["least"])
                self.assertLess(speed["least"], speed["expected"])
                self.assertLess(speed["expected"], speed["most"])
        longer = self.entry("smollm2-135m", "?context=8192")["memory"]
        self.assertEqual(longer["context_length"], 8192)
        self.assertGreater(longer["state_bytes"], 3.9 * models["smollm2-135m"]["memory"]["state_bytes"])
        # As the command line says, from the same shape.
        plan = self.home.ok_json("plan", "qwen3-4b", "--ctx", "2048", "--offline")
        self.assertEqual(models["qwen3-4b"]["memory"]["state_bytes"], plan["memory"]["state_bytes"])
        self.assertEqual(models["qwen3-4b"]["speed"]["decode_tps"], plan["speed"]["decode_tps"])
        self.assertEqual(models["distant"]["memory"], None, "its shape is not known")
        self.assertEqual(models["distant"]["estimated_bytes"], 1000000)
        for context in ("1", "x", "99999999"):
            self.app("GET", f"catalogue?context={context}", status=400)

    def test_a_pull_goes_on_without_the_page_and_is_paused_and_resumed(self):
        told = self.events()
        half = len(self.hub.content) // 2
        self.part(half)
        self.assertEqual(self.pull("distant")["state"], "running")
        self.app("POST", "pulls", {"model": "distant"})  # it runs already
        self.assertEqual(len(self.app("GET", "pulls")["pulls"]), 1)
        self.app("POST", "pulls/distant/pause")
        self.until(lambda: self.pull("distant")["state"] == "paused")
        self.app("POST", "pulls/distant/pause", status=404)
        kept = self.entry("distant")["partial_bytes"]
        self.assertEqual(self.pull("distant")["bytes_done"], kept)
        self.assertGreater(kept, half // 2)
        self.hub.limit = len(self.hub.content)
        self.hub.requests.clear()
        self.app("POST", "pulls", {"model": "distant"})
        self.until(lambda: self.entry("distant")["stored"])
        self.assertIsNone(self.pull("distant"))
        self.assertIn(f"bytes={kept}-", [asked[1] for asked in self.hub.requests])
        states = [event["pull"]["state"] for event in told if event["type"] == "pull"]
        self.until(lambda: {"type": "models"} in told)
        for state in ("running", "paused", "done"):
            self.assertIn(state, [event["pull"]["state"] for event in told if event["type"] == "pull"], states)
        self.app("DELETE", "models/distant")
        self.assertFalse(self.entry("distant")["stored"])

    def test_a_cancelled_pull_leaves_nothing(self):
        self.part(len(self.hub.content) // 2)
        self.app("DELETE", "pulls/distant")
        self.until(lambda: self.pull("distant") is None)
        self.until(lambda: self.entry("distant")["partial_bytes"] == 0)
        # Also what is paused.
        self.part(len(self.hub.content) // 2)
        self.app("POST", "pulls/distant/pause")
        self.until(lambda: self.pull("distant")["state"] == "paused")
        self.app("DELETE", "pulls/distant")
        self.assertIsNone(self.pull("distant"))
        self.assertEqual(self.entry("distant")["partial_bytes"], 0)

    def test_a_pull_that_fails_says_why(self):
        self.app("POST", "pulls", {"model": "hf:o/r/other.gguf"})
        self.until(lambda: (self.pull("hf:o/r/other.gguf") or {"state": ""})["state"] == "failed")
        self.assertIn("404", self.pull("hf:o/r/other.gguf")["error"])
        self.app("DELETE", "pulls/" + self.path("hf:o/r/other.gguf"))
        self.assertIsNone(self.pull("hf:o/r/other.gguf"))

    def test_a_name_is_never_a_path(self):
        for name in (TINY, "../x", "file:" + TINY, "https://example.org/x.gguf", "pypi:x==1/y", "no-such-model", ""):
            self.app("POST", "pulls", {"model": name}, status=404)

    def test_loads_and_unloads(self):
        told = self.events()
        self.assertFalse(self.entry(self.stored)["loaded"])
        self.app("POST", f"models/{self.stored}/load")
        model = self.entry(self.stored)
        self.assertTrue(model["loaded"] and model["fits"])
        self.assertEqual(model["context_length"], 128 if model["context_length"] == 128 else 256)
        self.assertTrue(model["architecture"], "known of what is in memory")
        self.app("POST", f"models/{self.stored}/unload")
        self.assertFalse(self.entry(self.stored)["loaded"])
        self.until(lambda: told.count({"type": "models"}) >= 2)
        for action in ("load", "unload"):
            self.app("POST", f"models/no-such/{action}", status=404)

    def test_who_may_ask(self):
        for method, path in (
            ("GET", "catalogue"),
            ("GET", "pulls"),
            ("POST", "pulls"),
            ("GET", "hardware"),
            ("POST", "models/x/load"),
            ("DELETE", "models/x"),
        ):
            self.assertEqual(self.ask(method, "/app/" + path, {"model": "x"} if method == "POST" else None)[0], 401)

    def test_what_was_found_of_the_machine(self):
        found = self.app("GET", "hardware")
        doctor = self.home.ok_json("doctor")
        self.assertEqual(found["machine"]["processor"], doctor["machine"]["processor"])
        self.assertEqual(found["machine"]["cores"], doctor["machine"]["cores"])
        self.assertEqual(found["machine"]["instruction_sets"], doctor["machine"]["instruction_sets"])
        self.assertEqual(found["confinement"], doctor["confinement"])
        self.assertEqual(found["profile"]["name"], doctor["profile"]["name"])
        self.assertEqual(len(found["modules"]), 6)
        self.assertTrue(all(module["why"] and module["means"] for module in found["modules"]))
        self.assertEqual(found["data_folder"], str(self.home.folder / "data" / "ingle"))
        self.assertEqual(found["recommended"]["model"], doctor["default"]["model"])


class RealModelTest(AppHelpers):
    options = ("--ctx", "2048")

    def entry(self):
        return next(model for model in self.app("GET", "catalogue")["models"] if model["default"])

    def test_a_model_that_answers_is_left_alone(self):
        number = self.conversation(parameters={"max_tokens": 1500, "temperature": 1, "seed": 1})
        reply = self.say(number, "Tell a very long story about a fire that never goes out.")["reply"]
        self.until(lambda: self.message(number, reply["id"])["content"])
        name = self.entry()["name"]
        self.assertTrue(self.entry()["answering"])
        for method, path in (("POST", f"models/{name}/unload"), ("DELETE", f"models/{name}")):
            self.assertEqual(self.app(method, path, status=409)["error"]["code"], "in_use")
        bearer = {"Authorization": f"Bearer {self.token}"}
        self.assertEqual(self.ask("DELETE", "/api/delete", {"model": name}, bearer)[0], 409)
        self.app("POST", f"messages/{reply['id']}/stop")
        self.ended(number, reply["id"])
        self.until(lambda: not self.entry()["answering"])

    def test_what_was_measured_stands_beside(self):
        number = self.conversation(parameters={"max_tokens": 60, "temperature": 0.7, "seed": 3})
        reply = self.say(number, "Describe the sea in five sentences.")["reply"]
        report = self.ended(number, reply["id"])["report"]
        self.assertGreater(report["predicted_n"], 20)
        measured = self.entry()["measured"]["decode_tps"]
        self.assertGreaterEqual(measured["runs"], 1)
        self.assertGreater(measured["tokens_per_second"], 0)
        path = self.home.folder / "state" / "ingle" / "speeds.json"
        self.until(path.exists)
        self.assertEqual(json.loads(path.read_text())["version"], 1)


class OfflineTest(AppHelpers):
    model = None
    options = ("--ctx", "256", "--offline")

    def test_nothing_is_fetched(self):
        answer = self.app("GET", "catalogue")
        self.assertIn("--offline", answer["offline"])
        refused = self.app("POST", "pulls", {"model": "smollm2-135m"}, status=409)["error"]
        self.assertEqual(refused["code"], "offline")
        self.assertIn("--offline", refused["message"])


class FirstRunTest(AppHelpers):
    """A server without a model, up to a chat."""

    options = ("--ctx", "512")

    @classmethod
    def prepare(cls):
        cls.hub = Hub(Path(real_model("smollm2-135m")).read_bytes(), piece=1 << 16)
        cls.addClassCleanup(cls.hub.close)
        cls.home.environment.update(cls.hub.environment)
        cls.home.write("more.json", cls.hub.catalogue("distant"))
        return ("--without-model", "--catalogue", str(cls.home.folder / "more.json"))

    def test_from_nothing_to_an_answer(self):
        state = self.app("GET", "state")
        self.assertEqual((state["default_model"], state["models"], state["welcomed"]), (None, [], False))
        number = self.conversation()
        said = self.say(number, "Hello")
        self.assertIsNone(said["reply"])
        self.assertTrue(said["error"])
        self.app("POST", "pulls", {"model": "distant"})
        self.until(lambda: self.app("GET", "state")["models"])
        self.app("POST", "models/distant/load")
        state = self.app("GET", "state")
        self.assertEqual(state["default_model"], "distant")
        reply = self.say(number, "Hello again")["reply"]
        self.assertEqual(self.ended(number, reply["id"])["state"], "complete")
        self.assertFalse(self.app("GET", "hardware")["seen"])
        self.app("POST", "welcome", {"seen": True})
        self.assertTrue(self.app("GET", "hardware")["seen"])
        self.assertTrue(self.app("GET", "state")["welcomed"])
        self.assertTrue((self.home.folder / "state" / "ingle" / "welcome.json").exists())


if __name__ == "__main__":
    import unittest

    unittest.main()
