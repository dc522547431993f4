"""What the inspector is told: how replies come to be, from the passes that write them."""

import json
import math

from test_app import AppTest


class InspectorTest(AppTest):
    options = ("--ctx", "1024")

    def look(self, **wishes):
        query = "&".join(f"{name}={str(wish).lower()}" for name, wish in wishes.items())
        return self.events(f"/app/inspector?{query}" if query else "/app/inspector")

    def reply(self, content="Name three colours.", **settings):
        """A reply that has ended."""
        conversation = self.conversation(**settings)
        reply = self.say(conversation, content)["reply"]
        return self.ended(conversation, reply["id"]) | {"conversation": conversation}

    def end_of(self, told, message):
        self.until(lambda: any(e["type"] == "end" and e.get("message") == message for e in told))
        return next(e for e in told if e["type"] == "end" and e.get("message") == message)

    def test_nothing_is_recorded_while_nobody_looks(self):
        reply = self.reply()
        self.assertEqual(self.ask_status(f"inspector/{reply['id']}"), 404)
        self.assertEqual(self.ask_status(f"lens/{reply['id']}?token=0"), 404)

    def ask_status(self, path):
        return self.ask("GET", "/app/" + path, headers={"Authorization": f"Bearer {self.token}"})[0]

    def test_it_is_for_the_person_alone(self):
        for path in (
            "inspector",
            "inspector/1",
            "lens/1?token=0",
            "attention/1?token=0&layer=0",
            "timeline/1",
            "memory",
        ):
            self.assertEqual(self.ask("GET", "/app/" + path)[0], 401, path)

    def test_each_token_is_told_with_its_alternatives(self):
        told = self.look()
        parameters = {"max_tokens": 24, "temperature": 0.9, "top_k": 20, "top_p": 0.9, "seed": 3}
        reply = self.reply(parameters=parameters)
        end = self.end_of(told, reply["id"])
        self.assertEqual(end["finish"], reply["report"]["finish"])
        self.assertGreater(end["observing_ms"], 0)
        begun = next(e["reply"] for e in told if e["type"] == "reply" and e["reply"]["message"] == reply["id"])
        self.assertEqual(begun["tokens"], [])
        self.assertEqual(begun["conversation"], reply["conversation"])
        told_tokens = [t for e in told if e["type"] == "tokens" and e["message"] == reply["id"] for t in e["tokens"]]
        recording = self.app("GET", f"inspector/{reply['id']}")
        self.assertEqual(recording["tokens"], told_tokens)
        self.assertEqual(recording["finish"], end["finish"])
        self.assertEqual(recording["cached_tokens"], recording["timings"]["cache_n"])
        self.assertEqual(recording["sampling"]["top_k"], 20)
        self.assertIsNone(recording["layers_from"])
        self.assertFalse(recording["timeline"])
        # The rendered template, token by token.
        prompt = "".join(token["text"] for token in recording["prompt"])
        self.assertTrue(prompt.startswith("<|im_start|>"), prompt)
        self.assertIn("Name three colours.", prompt)
        self.assertTrue(recording["prompt"][0]["special"])
        self.assertEqual(len(recording["prompt"]), recording["timings"]["prompt_n"] + recording["cached_tokens"])
        tokens = recording["tokens"]
        spoken = "".join(token["text"] for token in tokens if not token["text"].startswith("<|"))
        self.assertEqual(spoken.strip(), reply["content"].strip())
        for token in tokens:
            self.assertEqual([step["step"] for step in token["steps"]], ["top_k", "top_p", "temperature"])
            self.assertLessEqual(token["steps"][1]["left"], token["steps"][0]["left"])
            self.assertEqual(token["steps"][0]["left"], 20)
            self.assertEqual(len(token["top"]), 10)
            if token["rank"] < 10:
                self.assertEqual(token["top"][token["rank"]]["id"], token["id"])
            self.assertLessEqual(sum(math.exp(each["logprob"]) for each in token["top"]), 1.0001)
            self.assertIsNone(token["allowed"])

    def test_the_same_reply_whether_one_looks_or_not(self):
        parameters = {"max_tokens": 40, "temperature": 0.8, "seed": 11}
        unseen = self.reply("Tell me of the sea.", parameters=parameters)
        told = self.look(layers=True, timeline=True)
        seen = self.reply("Tell me of the sea.", parameters=parameters)
        self.end_of(told, seen["id"])
        self.assertEqual(seen["content"], unseen["content"])

    def test_layers_and_attention_of_a_token(self):
        told = self.look(layers=True)
        reply = self.reply("The capital of France is", parameters={"max_tokens": 12, "temperature": 0})
        self.end_of(told, reply["id"])
        recording = self.app("GET", f"inspector/{reply['id']}")
        self.assertEqual(recording["layers_from"], 0)
        for number, token in enumerate(recording["tokens"][:4]):
            lens = self.app("GET", f"lens/{reply['id']}?token={number}&top=3")
            self.assertEqual(len(lens["layers"]), recording["layers"] + 1)
            self.assertEqual(lens["layers"][0]["name"], "embedding")
            last = lens["layers"][-1]
            # After the last layer, it is what the pass itself said, bit by bit but for its way through JSON.
            self.assertAlmostEqual(last["probability"], math.exp(token["logprob"]), places=5)
            self.assertEqual(last["rank"], token["rank"])
            self.assertEqual([t["id"] for t in last["top"]], [t["id"] for t in token["top"][:3]])
            attention = self.app("GET", f"attention/{reply['id']}?token={number}&layer=3")
            self.assertEqual(attention["position"], len(recording["prompt"]) + number - 1)
            self.assertEqual(len(attention["heads"]), recording["heads"])
            for head in attention["heads"]:
                self.assertEqual(len(head), attention["position"] + 1 - attention["first"])
                self.assertAlmostEqual(sum(head), 1, delta=0.01)
        self.assertEqual(self.ask_status(f"lens/{reply['id']}?token=9999"), 404)
        self.assertEqual(self.ask_status(f"attention/{reply['id']}?token=0&layer=9999"), 400)
        self.assertEqual(self.ask_status(f"lens/{reply['id']}"), 400)
        self.assertEqual(self.ask_status(f"lens/{reply['id']}?token=-1"), 400)
        self.assertEqual(self.ask_status(f"timeline/{reply['id']}"), 404)

    def test_a_timeline_that_perfetto_reads(self):
        told = self.look(timeline=True)
        reply = self.reply(parameters={"max_tokens": 6, "temperature": 0})
        self.end_of(told, reply["id"])
        trace = self.app("GET", f"timeline/{reply['id']}")
        runs = [e for e in trace["traceEvents"] if e["name"] == "run"]
        self.assertGreaterEqual(len(runs), 2)
        products = [e for e in trace["traceEvents"] if e.get("args", {}).get("macs")]
        self.assertGreater(len(products), 100)
        self.assertTrue(all(e["dur"] >= 0 and e["ph"] == "X" for e in products))

    def test_where_memory_is(self):
        self.reply()
        memory = self.app("GET", "memory")
        self.assertGreater(memory["weights"]["bytes"], 50 << 20)
        self.assertGreater(len(memory["arena"]["buffers"]), 50)
        named = [buffer for buffer in memory["arena"]["buffers"] if buffer["name"]]
        self.assertGreater(len(named), 10)
        self.assertGreater(sum(users > 0 for group in memory["state"] for users in group["users"]), 0)
        self.assertEqual(self.ask_status("memory?model=nobody"), 404)

    def test_the_device_is_told_of_each_second(self):
        told = self.look()
        self.until(lambda: sum(e["type"] == "device" for e in told) >= 3)
        device = [e["device"] for e in told if e["type"] == "device"][-1]
        self.assertGreater(device["cpu"]["cores"], 0)
        self.assertGreaterEqual(device["cpu"]["machine"], 0)
        self.assertGreater(device["memory"]["total"], device["memory"]["available"])
        self.assertGreater(device["memory"]["server"], 1 << 20)
        self.assertGreater(device["memory"]["engines"][0]["bytes"], 50 << 20)
        self.assertEqual(device["models"][0]["running"], 0)

    def test_what_is_deleted_is_forgotten(self):
        told = self.look(layers=True)
        reply = self.reply()
        self.end_of(told, reply["id"])
        self.app("DELETE", f"conversations/{reply['conversation']}")
        self.assertEqual(self.ask_status(f"inspector/{reply['id']}"), 404)
        self.assertEqual(self.ask_status(f"lens/{reply['id']}?token=0"), 404)

    def test_a_stopped_reply_ends_its_recording(self):
        told = self.look()
        conversation = self.conversation(parameters={"max_tokens": 800, "temperature": 0.8})
        reply = self.say(conversation, "Write a long story about a lighthouse.")["reply"]
        self.until(lambda: any(e["type"] == "tokens" for e in told))
        self.app("POST", f"messages/{reply['id']}/stop")
        self.assertEqual(self.end_of(told, reply["id"])["finish"], "cancelled")

    def test_the_server_stops_under_an_open_inspector(self):
        told = self.look()
        type(self).stop()
        self.until(lambda: told[-1]["type"] == "end" and "message" not in told[-1])
        type(self).start(self.model_path(), *self.options)
        self.assertTrue(json.dumps(told))
