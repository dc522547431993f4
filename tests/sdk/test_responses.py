"""/v1/responses by OpenAI's Python client, unmodified."""

import json

import jsonschema
import openai
import pydantic
from harness_server import ServerTest

QUESTION = "Invent a person: name and age."
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}
TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": PARAMETERS,
    "strict": True,
}


class Person(pydantic.BaseModel):
    name: str
    age: int


class ResponsesTest(ServerTest):
    model = "qwen2.5-coder-0.5b"

    def setUp(self):
        # Strict: what the client cannot read as the types that the API promises is an error.
        self.client = openai.OpenAI(
            base_url=f"{self.base}/v1", api_key="any", max_retries=0, _strict_response_validation=True
        )
        self.addCleanup(self.client.close)
        self.responses = self.client.responses

    def create(self, **body):
        return self.responses.create(**{"model": self.model, "input": QUESTION, "temperature": 0, **body})

    def test_answers_are_kept_until_they_are_deleted(self):
        first = self.create(max_output_tokens=4, instructions="Be brief.", metadata={"k": "v"})
        self.assertEqual(first.incomplete_details.reason, "max_output_tokens")
        self.assertEqual(first.usage.output_tokens, 4)
        self.assertEqual(first.usage.output_tokens_details.reasoning_tokens, 0)
        self.assertTrue(first.output_text)
        again = self.responses.retrieve(first.id)
        self.assertEqual(again.output_text, first.output_text)
        self.assertEqual(again.metadata, {"k": "v"})
        items = list(self.responses.input_items.list(first.id))
        self.assertEqual([item.content[0].text for item in items], [QUESTION])
        second = self.create(input="Go on.", previous_response_id=first.id, max_output_tokens=5)
        self.assertGreater(second.usage.input_tokens, first.usage.input_tokens)
        self.assertEqual(second.previous_response_id, first.id)
        self.responses.delete(first.id)
        with self.assertRaises(openai.NotFoundError):
            self.responses.retrieve(first.id)
        with self.assertRaises(openai.BadRequestError) as refused:
            self.create(previous_response_id=first.id)
        self.assertEqual(refused.exception.code, "previous_response_not_found")
        counted = self.responses.input_tokens.count(model=self.model, input="Go on.", previous_response_id=second.id)
        self.assertGreater(counted.input_tokens, second.usage.input_tokens)

    def test_pages_of_items(self):
        answer = self.create(
            input=[{"role": "user", "content": str(i)} for i in range(30)], max_output_tokens=1, temperature=1
        )
        items = list(self.responses.input_items.list(answer.id, order="asc", limit=8))
        self.assertEqual([item.content[0].text for item in items], [str(i) for i in range(30)])

    def test_another_principal_finds_nothing(self):
        mine = self.create(max_output_tokens=2)
        token = json.loads(self.home.ok("key", "--json", "create", "other"))["token"]
        with openai.OpenAI(base_url=f"{self.base}/v1", api_key=token, max_retries=0) as other:
            for method in (other.responses.retrieve, other.responses.delete):
                with self.assertRaises(openai.NotFoundError):
                    method(mine.id)
            with self.assertRaises(openai.BadRequestError):
                other.responses.create(model=self.model, input="x", previous_response_id=mine.id)
        self.assertEqual(self.responses.retrieve(mine.id).id, mine.id)

    def test_streams(self):
        whole = self.create(max_output_tokens=4)
        events = list(self.create(max_output_tokens=4, stream=True))
        self.assertEqual("".join(e.delta for e in events if e.type == "response.output_text.delta"), whole.output_text)
        self.assertEqual(events[-1].type, "response.incomplete")
        self.assertEqual(events[-1].response.output_text, whole.output_text)
        self.assertEqual([e.sequence_number for e in events], list(range(len(events))))
        with self.responses.stream(model=self.model, input="Say yes.", temperature=0) as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_response()
        self.assertIn("response.output_text.done", kinds)
        self.assertEqual(final.status, "completed")
        self.assertEqual(self.responses.retrieve(final.id).output_text, final.output_text)

    def test_structured_output(self):
        for seed in range(3):
            answer = self.responses.parse(
                model=self.model, input=QUESTION, text_format=Person, temperature=1.3, extra_body={"seed": seed}
            )
            self.assertEqual(answer.status, "completed")
            self.assertIsInstance(answer.output_parsed, Person)
        with self.responses.stream(model=self.model, input=QUESTION, text_format=Person, temperature=0) as stream:
            self.assertIsInstance(stream.get_final_response().output_parsed, Person)
        anything = self.create(text={"format": {"type": "json_object"}}, max_output_tokens=300)
        if anything.status == "completed":
            self.assertIsInstance(json.loads(anything.output_text), dict)
        with self.assertRaises(openai.BadRequestError) as refused:
            self.create(
                text={
                    "format": {
                        "type": "json_schema",
                        "name": "x",
                        "schema": {"type": "array", "contains": {"type": "null"}},
                    }
                }
            )
        self.assertIn("'contains'", str(refused.exception))

    def test_tools(self):
        asked = [{"role": "user", "content": "How is the weather in Paris?"}]
        options = {"tools": [TOOL], "max_output_tokens": 200, "parallel_tool_calls": False}
        answer = self.create(input=asked, tool_choice="required", **options)
        (call,) = answer.output
        self.assertEqual((call.type, call.name), ("function_call", "get_weather"))
        jsonschema.validate(json.loads(call.arguments), PARAMETERS)
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "rain, 9 C"}
        rest = {"tools": [TOOL], "tool_choice": "none", "max_output_tokens": 40}
        after = self.create(input=[result], previous_response_id=answer.id, **rest)
        self.assertIn("9", after.output_text)
        # Or all of it by hand, as the client's documentation has it.
        by_hand = self.create(input=[*asked, *answer.output, result], **rest)
        self.assertEqual(by_hand.output_text, after.output_text)
        events = list(self.create(input=asked, tool_choice="required", stream=True, **options))
        done = next(e for e in events if e.type == "response.function_call_arguments.done")
        self.assertEqual(
            "".join(e.delta for e in events if e.type == "response.function_call_arguments.delta"), done.arguments
        )
        jsonschema.validate(json.loads(done.arguments), PARAMETERS)
        with self.assertRaises(openai.BadRequestError) as refused:
            self.create(tools=[{"type": "web_search"}])
        self.assertEqual(refused.exception.param, "tools[0].type")

    def test_log_probabilities(self):
        answer = self.create(max_output_tokens=4, top_logprobs=2, include=["message.output_text.logprobs"])
        logprobs = answer.output[0].content[0].logprobs
        self.assertEqual("".join(token.token for token in logprobs), answer.output_text)
        self.assertEqual(len(logprobs[0].top_logprobs), 2)

    def test_errors(self):
        with self.assertRaises(openai.NotFoundError):
            self.create(model="gpt-6-astra")
        with self.assertRaises(openai.BadRequestError) as refused:
            self.create(background=True)
        self.assertEqual(refused.exception.param, "background")
        with self.assertRaises(openai.BadRequestError) as refused:
            self.create(input="word " * 3000)
        self.assertEqual(refused.exception.code, "context_length_exceeded")
        answer = self.create(
            input=[
                {"role": "user", "content": "word " * 1900},
                {"role": "assistant", "content": "Yes."},
                {"role": "user", "content": "word " * 500},
            ],
            truncation="auto",
            max_output_tokens=3,
        )
        self.assertEqual(answer.truncation, "auto")
        self.assertEqual(answer.model_extra["ingle"]["dropped_messages"], 2)
