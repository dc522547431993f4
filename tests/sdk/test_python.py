"""The official Python clients against `ingle serve`."""

import json

import anthropic
import jsonschema
import ollama
import openai
from harness import MODELS
from harness_server import ServerTest

QUESTION = [{"role": "user", "content": "Invent a person: name and age."}]
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 30},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "likes": {"type": "array", "items": {"enum": ["tea", "rain", "maths"]}, "minItems": 1, "maxItems": 2},
    },
    "required": ["name", "age", "likes"],
    "additionalProperties": False,
}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}},
                "required": ["city", "unit"],
                "additionalProperties": False,
            },
        },
    }
]


class OpenAiTest(ServerTest):
    model = "qwen2.5-coder-0.5b"

    def setUp(self):
        self.client = openai.OpenAI(base_url=f"{self.base}/v1", api_key="any", max_retries=0)
        self.addCleanup(self.client.close)
        self.chat = self.client.chat.completions

    def test_models_and_answers(self):
        self.assertEqual([model.id for model in self.client.models.list()], [self.model])
        self.assertEqual(self.client.models.retrieve(self.model).id, self.model)
        answer = self.chat.create(model=self.model, messages=QUESTION, max_tokens=5, seed=1, n=2, temperature=1)
        self.assertEqual(len(answer.choices), 2)
        self.assertEqual(answer.usage.completion_tokens, 10)
        self.assertEqual(
            self.client.completions.create(model=self.model, prompt="1 2 3", max_tokens=2).object, "text_completion"
        )

    def test_streams(self):
        options = {"model": self.model, "messages": QUESTION, "max_tokens": 8, "temperature": 0}
        whole = self.chat.create(**options).choices[0].message.content
        pieces = list(self.chat.create(**options, stream=True, stream_options={"include_usage": True}))
        self.assertEqual("".join(p.choices[0].delta.content or "" for p in pieces if p.choices), whole)
        self.assertEqual(pieces[-1].usage.completion_tokens, 8)

    def test_structured_output(self):
        shape = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}
        for seed in range(4):
            answer = self.chat.create(
                model=self.model, messages=QUESTION, response_format=shape, temperature=1.5, seed=seed
            ).choices[0]
            self.assertEqual(answer.finish_reason, "stop")
            jsonschema.validate(json.loads(answer.message.content), PERSON)
        anything = self.chat.create(
            model=self.model, messages=QUESTION, response_format={"type": "json_object"}, max_tokens=200, temperature=0
        ).choices[0]
        if anything.finish_reason == "stop":
            self.assertIsInstance(json.loads(anything.message.content), dict)
        impossible = {
            "type": "json_schema",
            "json_schema": {"name": "x", "schema": {"type": "array", "contains": {"type": "null"}}},
        }
        with self.assertRaises(openai.BadRequestError) as refused:
            self.chat.create(model=self.model, messages=QUESTION, response_format=impossible)
        self.assertEqual(refused.exception.param, "response_format")
        self.assertIn("'contains'", str(refused.exception))

    def test_tools(self):
        asked = [{"role": "user", "content": "How is the weather in Paris?"}]
        options = {"model": self.model, "messages": asked, "tools": TOOLS, "temperature": 0, "max_tokens": 200}
        for choice in ("required", {"type": "function", "function": {"name": "get_weather"}}):
            answer = self.chat.create(**options, tool_choice=choice, parallel_tool_calls=False).choices[0]
            self.assertEqual(answer.finish_reason, "tool_calls")
            (call,) = answer.message.tool_calls
            self.assertEqual(call.function.name, "get_weather")
            jsonschema.validate(json.loads(call.function.arguments), TOOLS[0]["function"]["parameters"])
        pieces = self.chat.create(**options, tool_choice="required", parallel_tool_calls=False, stream=True)
        calls = [call for piece in pieces for call in piece.choices[0].delta.tool_calls or []]
        self.assertEqual(calls[0].function.name, "get_weather")
        arguments = "".join(call.function.arguments or "" for call in calls)
        jsonschema.validate(json.loads(arguments), TOOLS[0]["function"]["parameters"])
        talk = self.chat.create(**options, tool_choice="none").choices[0].message
        self.assertIsNone(talk.tool_calls)
        # What the tool said goes back.
        history = [
            *asked,
            {"role": "assistant", "tool_calls": [call.model_dump()]},
            {"role": "tool", "tool_call_id": call.id, "content": "rain, 9 C"},
        ]
        answer = self.chat.create(
            model=self.model, messages=history, tools=TOOLS, tool_choice="none", max_tokens=40, temperature=0
        )
        self.assertIn("9", answer.choices[0].message.content)

    def test_errors_are_its_errors(self):
        with self.assertRaises(openai.NotFoundError):
            self.chat.create(model="gpt-4o", messages=QUESTION)
        with self.assertRaises(openai.BadRequestError) as refused:
            self.chat.create(model=self.model, messages=[{"role": "user", "content": "word " * 9000}])
        self.assertEqual(refused.exception.code, "context_length_exceeded")
        with self.assertRaises(openai.BadRequestError) as refused:
            self.chat.create(model=self.model, messages=QUESTION, extra_body={"colour": 1})
        self.assertEqual(refused.exception.param, "colour")


class OllamaTest(ServerTest):
    model = "qwen2.5-coder-0.5b"

    def setUp(self):
        self.client = ollama.Client(host=self.base)

    def test_all_of_it(self):
        self.assertEqual(self.client.list().models[0].model, self.model)
        self.assertEqual(self.client.ps().models[0].model, self.model)
        self.assertEqual(self.client.show(self.model).modelinfo["qwen2.block_count"], 24)
        options = {"temperature": 0, "num_predict": 6}
        whole = self.client.chat(model=self.model, messages=QUESTION, options=options)
        pieces = list(self.client.chat(model=self.model, messages=QUESTION, options=options, stream=True))
        self.assertEqual("".join(piece.message.content for piece in pieces), whole.message.content)
        self.assertEqual((pieces[-1].done_reason, pieces[-1].eval_count), ("length", 6))
        shaped = self.client.chat(model=self.model, messages=QUESTION, format=PERSON)
        jsonschema.validate(json.loads(shaped.message.content), PERSON)
        told = self.client.generate(model=self.model, prompt="1, 2, 3,", raw=True, options=options)
        self.assertTrue(told.response.startswith(" 4"))
        with self.assertRaises(ollama.ResponseError):
            self.client.chat(model="none", messages=QUESTION)


class AnthropicTest(ServerTest):
    model = "qwen2.5-coder-0.5b"

    def setUp(self):
        self.client = anthropic.Anthropic(base_url=self.base, api_key="any", max_retries=0)
        self.addCleanup(self.client.close)

    def test_messages(self):
        options = {
            "model": self.model,
            "max_tokens": 8,
            "extra_body": {"temperature": 0},
            "messages": QUESTION,
            "system": "Be brief.",
        }
        whole = self.client.messages.create(**options)
        self.assertEqual(whole.stop_reason, "max_tokens")
        with self.client.messages.stream(**options) as stream:
            self.assertEqual("".join(stream.text_stream), whole.content[0].text)
            self.assertEqual(stream.get_final_message().usage.output_tokens, 8)
        counted = self.client.messages.count_tokens(model=self.model, messages=QUESTION, system="Be brief.")
        self.assertGreater(counted.input_tokens, 8)
        with self.assertRaises(anthropic.NotFoundError):
            self.client.messages.create(**{**options, "model": "claude"})

    def test_structured_output(self):
        shape = {"format": {"type": "json_schema", "schema": PERSON}}
        answer = self.client.messages.create(model=self.model, max_tokens=200, messages=QUESTION, output_config=shape)
        jsonschema.validate(json.loads(answer.content[0].text), PERSON)

    def test_tools(self):
        tool = {**TOOLS[0]["function"], "input_schema": TOOLS[0]["function"]["parameters"]}
        tool.pop("parameters")
        options = {
            "model": self.model,
            "max_tokens": 200,
            "extra_body": {"temperature": 0},
            "messages": [{"role": "user", "content": "How is the weather in Paris?"}],
            "tools": [tool],
            "tool_choice": {"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True},
        }
        answer = self.client.messages.create(**options)
        self.assertEqual(answer.stop_reason, "tool_use")
        jsonschema.validate(answer.content[-1].input, tool["input_schema"])
        with self.client.messages.stream(**options) as stream:
            self.assertEqual(stream.get_final_message().content[-1].input, answer.content[-1].input)


class EmbeddingsTest(ServerTest):
    model = str(MODELS / "bert-mean-hf")
    options = ()
    name = "bert-mean-hf"

    def test_openai(self):
        client = openai.OpenAI(base_url=f"{self.base}/v1", api_key="any", max_retries=0)
        self.addCleanup(client.close)
        texts = ["hello", "world", "a b c"]
        coded = client.embeddings.create(model=self.name, input=texts)  # asks for base64
        numbers = client.embeddings.create(model=self.name, input=texts, encoding_format="float")
        for one, other in zip(coded.data, numbers.data, strict=True):
            self.assertEqual(one.index, other.index)
            self.assertEqual(len(one.embedding), 64)
            for x, y in zip(one.embedding, other.embedding, strict=True):
                self.assertAlmostEqual(x, y, places=6)
        self.assertEqual(coded.usage.total_tokens, coded.usage.prompt_tokens)
        self.assertEqual(len(client.embeddings.create(model=self.name, input="a", dimensions=8).data[0].embedding), 8)
        with self.assertRaises(openai.BadRequestError) as refused:
            client.embeddings.create(model=self.name, input="a " * 500)
        self.assertEqual(refused.exception.code, "context_length_exceeded")

    def test_ollama(self):
        client = ollama.Client(host=self.base)
        several = client.embed(model=self.name, input=["hello", "world"])
        self.assertEqual([len(vector) for vector in several.embeddings], [64, 64])
        self.assertGreater(several.prompt_eval_count, 4)
        self.assertGreater(several.total_duration, 0)
        self.assertEqual(client.embed(model=self.name, input="hello").embeddings[0], several.embeddings[0])
        self.assertEqual(len(client.embed(model=self.name, input="a", dimensions=8).embeddings[0]), 8)
        self.assertEqual(client.embeddings(model=self.name, prompt="hello").embedding, several.embeddings[0])
        self.assertEqual(len(client.embed(model=self.name, input="a " * 500).embeddings[0]), 64)
        with self.assertRaises(ollama.ResponseError):
            client.embed(model=self.name, input="a " * 500, truncate=False)
        self.assertEqual(client.show(self.name).capabilities, ["embedding"])
