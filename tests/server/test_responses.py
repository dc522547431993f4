"""/v1/responses by plain requests: what is kept, for whom, and what each field does."""

import json
import math

from harness_server import ServerTest

PATH = "/v1/responses"
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


def text_of(response):
    return "".join(p["text"] for item in response["output"] if item["type"] == "message" for p in item["content"])


class ResponsesTest(ServerTest):
    options = ("--ctx", "512")

    def respond(self, text="Name three colours.", **body):
        return self.post(PATH, **{"input": text, "max_output_tokens": 12, "temperature": 0, **body})

    def named_events(self, **body):
        """[(event, data)], where what both say is the same, and numbers rise one by one."""
        _, headers, content = self.ask(
            "POST", PATH, {"max_output_tokens": 12, "temperature": 0, **body, "stream": True}
        )
        self.assertTrue(headers["Content-Type"].startswith("text/event-stream"), content)
        events = []
        for block in content.decode().strip().split("\n\n"):
            name, data = block.split("\n")
            events.append(json.loads(data.removeprefix("data: ")))
            self.assertEqual(name, f"event: {events[-1]['type']}")
        self.assertEqual([event["sequence_number"] for event in events], list(range(len(events))))
        return events

    def test_a_text_is_answered_as_a_chat_is(self):
        answer = self.respond(metadata={"a": "b"}, instructions="Be brief.")
        chat = self.post(
            "/v1/chat/completions",
            messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name three colours."}],
            max_tokens=12,
            temperature=0,
        )
        self.assertEqual(text_of(answer), chat["choices"][0]["message"]["content"])
        self.assertEqual(answer["usage"]["input_tokens"], chat["usage"]["prompt_tokens"])
        self.assertEqual(answer["usage"]["output_tokens"], 12)
        self.assertEqual(answer["usage"]["output_tokens_details"]["reasoning_tokens"], 0)
        self.assertEqual((answer["object"], answer["status"]), ("response", "incomplete"))
        self.assertEqual(answer["incomplete_details"], {"reason": "max_output_tokens"})
        self.assertEqual((answer["metadata"], answer["instructions"]), ({"a": "b"}, "Be brief."))
        self.assertEqual(answer["output"][0]["status"], "incomplete")
        self.assertIn("device", answer["timings"])
        whole = self.respond("Say yes.", max_output_tokens=200)
        self.assertEqual((whole["status"], whole["incomplete_details"]), ("completed", None))

    def test_items_are_messages(self):
        by_items = self.respond(
            [
                {"role": "developer", "content": "Be brief."},
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Name three colours."}]},
            ]
        )
        self.assertEqual(text_of(by_items), text_of(self.respond(instructions="Be brief.")))

    def test_a_conversation_goes_on(self):
        first = self.respond("My name is Ada.")
        second = self.respond("What is my name?", previous_response_id=first["id"])
        items = [
            {"role": "user", "content": "My name is Ada."},
            *first["output"],
            {"role": "user", "content": "What is my name?"},
        ]
        self.assertEqual(text_of(second), text_of(self.respond(items)))
        self.assertEqual(second["previous_response_id"], first["id"])
        self.assertGreater(second["usage"]["input_tokens_details"]["cached_tokens"], 0)
        # It can be gone on from twice, and from the second, too; instructions are not kept.
        third = self.respond("And again?", previous_response_id=second["id"])
        count = self.post("/v1/responses/input_tokens", input="And again?", previous_response_id=second["id"])
        self.assertEqual(third["usage"]["input_tokens"], count["input_tokens"])
        self.assertEqual(count["object"], "response.input_tokens")
        told = self.respond("Hello.", instructions="Be very brief, please.")
        after = self.respond("Hello.", previous_response_id=told["id"])
        plain = self.respond(
            [{"role": "user", "content": "Hello."}, *told["output"], {"role": "user", "content": "Hello."}]
        )
        self.assertEqual(after["usage"]["input_tokens"], plain["usage"]["input_tokens"])

    def test_what_is_kept_can_be_seen_and_deleted(self):
        first = self.respond("One.")
        second = self.respond("Two.", previous_response_id=first["id"])
        self.assertEqual(self.ask("GET", f"{PATH}/{first['id']}")[2], first)
        items = self.ask("GET", f"{PATH}/{first['id']}/input_items")[2]
        self.assertEqual([item["content"][0]["text"] for item in items["data"]], ["One."])
        status, _, deleted = self.ask("DELETE", f"{PATH}/{first['id']}")
        self.assertEqual((status, deleted), (200, {"id": first["id"], "object": "response", "deleted": True}))
        for method, path in (
            ("GET", f"{PATH}/{first['id']}"),
            ("DELETE", f"{PATH}/{first['id']}"),
            ("GET", f"{PATH}/{first['id']}/input_items"),
            ("GET", f"{PATH}/resp_none"),
        ):
            status, _, answer = self.ask(method, path)
            self.assertEqual((status, answer["error"]["code"]), (404, "response_not_found"), path)
        self.refused(400, PATH, {"input": "x", "previous_response_id": first["id"]}, code="previous_response_not_found")
        third = self.respond("Three.", previous_response_id=second["id"])  # needs nothing of the first's entry
        self.assertGreater(third["usage"]["input_tokens"], second["usage"]["input_tokens"])

    def test_what_is_not_to_be_kept_is_not(self):
        answer = self.respond(store=False)
        self.assertIs(answer["store"], False)
        self.assertEqual(self.ask("GET", f"{PATH}/{answer['id']}")[0], 404)

    def test_input_items_come_in_pages(self):
        texts = [f"{i}." for i in range(7)]
        answer = self.respond([{"role": "user", "content": text} for text in texts], max_output_tokens=1)
        path = f"{PATH}/{answer['id']}/input_items"
        page = self.ask("GET", f"{path}?limit=3")[2]
        self.assertEqual([item["content"][0]["text"] for item in page["data"]], texts[:3:-1])
        self.assertIs(page["has_more"], True)
        self.assertEqual((page["first_id"], page["last_id"]), (page["data"][0]["id"], page["data"][-1]["id"]))
        rest = self.ask("GET", f"{path}?after={page['last_id']}")[2]
        self.assertEqual([item["content"][0]["text"] for item in rest["data"]], texts[3::-1])
        self.assertIs(rest["has_more"], False)
        up = self.ask("GET", f"{path}?order=asc&limit=100")[2]
        self.assertEqual([item["content"][0]["text"] for item in up["data"]], texts)
        for query in ("limit=0", "limit=x", "order=up", "after=none", "colour=1"):
            self.assertEqual(self.ask("GET", f"{path}?{query}")[0], 400, query)

    def test_they_are_their_principals(self):
        token = json.loads(self.home.ok("key", "--json", "create", "other"))["token"]
        other = {"Authorization": f"Bearer {token}"}
        mine = self.respond()
        for method, path in (
            ("GET", f"{PATH}/{mine['id']}"),
            ("GET", f"{PATH}/{mine['id']}/input_items"),
            ("DELETE", f"{PATH}/{mine['id']}"),
        ):
            status, _, answer = self.ask(method, path, headers=other)
            self.assertEqual((status, answer["error"]["code"]), (404, "response_not_found"))
        body = {"input": "x", "previous_response_id": mine["id"], "max_output_tokens": 1}
        status, _, answer = self.ask("POST", PATH, body, other)
        self.assertEqual((status, answer["error"]["code"]), (400, "previous_response_not_found"))
        self.assertEqual(self.ask("GET", f"{PATH}/{mine['id']}")[0], 200)

    def test_streams_tell_the_same(self):
        whole = self.respond(seed=3)
        events = self.named_events(input="Name three colours.", seed=3)
        kinds = [event["type"] for event in events if not event["type"].endswith(".delta")]
        self.assertEqual(
            kinds,
            [
                "response.created",
                "response.in_progress",
                "response.output_item.added",
                "response.content_part.added",
                "response.output_text.done",
                "response.content_part.done",
                "response.output_item.done",
                "response.incomplete",
            ],
        )
        text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
        self.assertEqual(text, text_of(whole))
        last = events[-1]["response"]
        self.assertEqual(text_of(last), text)
        self.assertEqual(self.ask("GET", f"{PATH}/{last['id']}")[2], last)
        self.assertEqual({event["item_id"] for event in events if "item_id" in event}, {last["output"][0]["id"]})
        self.assertEqual(self.named_events(input="Say yes.", max_output_tokens=200)[-1]["type"], "response.completed")

    def test_log_probabilities_are_those_of_the_text(self):
        answer = self.respond(top_logprobs=3)
        tokens = answer["output"][0]["content"][0]["logprobs"]
        self.assertEqual("".join(token["token"] for token in tokens), text_of(answer))
        for token in tokens:
            self.assertEqual(len(token["top_logprobs"]), 3)
            self.assertLessEqual(math.exp(token["logprob"]), 1.0001)
        self.assertEqual(self.respond()["output"][0]["content"][0]["logprobs"], [])
        included = self.named_events(input="Name three colours.", include=["message.output_text.logprobs"])
        done = next(event for event in included if event["type"] == "response.output_text.done")
        self.assertEqual([t["token"] for t in done["logprobs"]], [t["token"] for t in tokens])

    def test_what_is_too_long(self):
        long = self.respond("word " * 300, max_output_tokens=8)
        body = {"input": "word " * 300, "previous_response_id": long["id"], "max_output_tokens": 8}
        message = self.refused(400, PATH, body, code="context_length_exceeded")
        self.assertRegex(message, r"512 tokens.* 6\d\d")
        status, headers, answer = self.ask("POST", PATH, {**body, "truncation": "auto"})
        self.assertEqual(status, 200, answer)
        self.assertEqual((answer["truncation"], answer["ingle"]["dropped_messages"]), ("auto", 2))
        self.assertIn("policy=drop_oldest", headers["x-ingle-dropped"])
        last = self.named_events(**body, truncation="auto")[-1]
        self.assertEqual(last["response"]["ingle"]["dropped_messages"], 2)

    def test_each_field_is_honoured_a_hint_or_refused(self):
        body = {"input": "x", "max_output_tokens": 1}
        hints = {"user": "me", "service_tier": "auto", "reasoning": {"effort": "low", "summary": "auto"}}
        _, headers, answer = self.ask("POST", PATH, {**body, **hints, "include": ["reasoning.encrypted_content"]})
        self.assertEqual(
            set(headers["x-ingle-unused"].split(", ")),
            {"user", "service_tier", "reasoning.summary", "include.reasoning.encrypted_content"},
        )
        self.assertEqual(answer["reasoning"]["effort"], "low")
        self.assertEqual(self.ask("POST", PATH, {**body, "background": False, "tool_choice": "auto"})[0], 200)
        for field, value, param in (
            ("background", True, "background"),
            ("conversation", "c", "conversation"),
            ("prompt", {"id": "p"}, "prompt"),
            ("colour", 1, "colour"),
            ("include", ["everything"], "include"),
            ("include", "message.output_text.logprobs", "include"),
            ("truncation", "some", "truncation"),
            ("top_logprobs", 21, "top_logprobs"),
            ("metadata", {"a": 1}, "metadata"),
            ("metadata", {str(i): "" for i in range(17)}, "metadata"),
            ("reasoning", {"effort": "huge"}, "reasoning.effort"),
            ("text", {"format": {"type": "xml"}}, "text.format.type"),
            ("text", {"format": {"type": "json_schema"}}, "text.format.schema"),
            ("tools", [{"type": "web_search"}], "tools[0].type"),
            ("tools", [{"type": "function"}], "tools[0].name"),
            ("tool_choice", "required", "tool_choice"),
            ("tool_choice", {"type": "web_search"}, "tool_choice"),
            ("input", [], "input"),
            ("input", 1, "input"),
            ("input", [{"type": "item_reference", "id": "x"}], "input[0].type"),
            ("input", [{"role": "king", "content": ""}], "input[0].role"),
            ("input", [{"role": "user"}], "input[0].content"),
            ("input", [{"role": "user", "content": [{"type": "input_image"}]}], "input[0].content[0].type"),
            ("input", [{"type": "function_call", "name": "f", "arguments": "{}"}], "input[0].call_id"),
            ("input", [{"type": "function_call_output", "call_id": "c"}], "input[0].output"),
            ("input", [{"type": "reasoning", "summary": [1]}], "input[0].summary"),
            ("input", ["x"], "input[0]"),
            ("max_output_tokens", 0, "max_output_tokens"),
            ("store", 1, "store"),
            ("previous_response_id", "resp_x", "previous_response_id"),
        ):
            with self.subTest(field=field, value=value):
                self.refused(400, PATH, {**body, field: value}, param=param)
        self.refused(400, PATH, {"max_output_tokens": 1}, param="input")
        self.assertEqual(self.ask("GET", PATH)[0], 405)
        for method, path, allowed in (("DELETE", "x/input_items", "GET"), ("GET", "input_tokens", "POST")):
            status, headers, _ = self.ask(method, f"{PATH}/{path}")
            self.assertEqual((status, headers["Allow"]), (405, allowed), path)
        self.assertEqual(self.ask("GET", f"{PATH}/x?stream=true")[0], 400)


class ResponseToolsTest(ServerTest):
    model = "qwen2.5-coder-0.5b"

    def test_calls_are_items_and_results_go_back(self):
        body = {"input": "How is the weather in Paris?", "tools": [WEATHER], "temperature": 0, "max_output_tokens": 100}
        for choice in ("required", {"type": "function", "name": "get_weather"}):
            answer = self.post(PATH, **body, tool_choice=choice, parallel_tool_calls=False)
            (call,) = answer["output"]
            self.assertEqual(
                (call["type"], call["name"], call["status"]), ("function_call", "get_weather", "completed")
            )
            self.assertIn("city", json.loads(call["arguments"]))
        result = {"type": "function_call_output", "call_id": call["call_id"], "output": "rain, 9 C"}
        rest = {"tools": [WEATHER], "tool_choice": "none", "temperature": 0, "max_output_tokens": 30}
        after = self.post(PATH, input=[result], previous_response_id=answer["id"], **rest)
        self.assertEqual(after["output"][0]["type"], "message")
        self.assertIn("9", text_of(after))
        same = self.post(PATH, input=[{"role": "user", "content": body["input"]}, call, result], **rest)
        self.assertEqual(text_of(same), text_of(after))
        # The same prompt as a chat's.
        function = {"name": "get_weather", "arguments": call["arguments"]}
        chat = self.post(
            "/v1/chat/completions",
            messages=[
                {"role": "user", "content": body["input"]},
                {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [{"id": call["call_id"], "type": "function", "function": function}],
                },
                {"role": "tool", "tool_call_id": call["call_id"], "content": "rain, 9 C"},
            ],
            tools=[{"type": "function", "function": {k: WEATHER[k] for k in ("name", "parameters", "strict")}}],
            tool_choice="none",
            temperature=0,
            max_tokens=30,
        )
        self.assertEqual(chat["choices"][0]["message"]["content"], text_of(after))

    def test_a_call_that_is_cut_is_incomplete(self):
        answer = self.post(PATH, input="Weather?", tools=[WEATHER], tool_choice="required", max_output_tokens=8)
        self.assertEqual(answer["status"], "incomplete")
        self.assertNotIn("completed", [item["status"] for item in answer["output"]])
