"""Embeddings and reranking through every API, against what transformers made of the same tokens and texts."""

import base64
import json
import math
import struct
import threading
import unittest

from harness import MODELS, TINY, real_model
from harness_server import ServerTest


def goldens(index, name):
    """An encoder's entry of an index, with its embeddings as lists."""
    entry = next(e for e in json.loads(index.read_text())["encoders"] if e["name"] == name)
    data = (index.parent / entry["embeddings"]).read_bytes()
    values = struct.unpack(f"<{len(data) // 4}f", data)
    width = entry["width"]
    entry["vectors"] = [list(values[i : i + width]) for i in range(0, len(values), width)]
    return entry


def cosine(a, b):
    lengths = math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / lengths


class EncoderTest(ServerTest):
    model = str(MODELS / "bert-mean-hf")
    options = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.golden = goldens(MODELS / "index-encoders.json", "bert-mean-hf")

    def embed(self, input, **more):
        return [e["embedding"] for e in self.post("/v1/embeddings", input=input, **more)["data"]]

    def one_text_goldens(self):
        """Goldens without a second text, which these APIs have no place for."""
        pairs = zip(self.golden["texts"], self.golden["vectors"], strict=True)
        return [(text["tokens"], vector) for text, vector in pairs if "second" not in text]

    def test_embeddings_are_transformers(self):
        wanted = self.one_text_goldens()
        answer = self.post("/v1/embeddings", input=[tokens for tokens, _ in wanted], model="bert-mean-hf")
        self.assertEqual(answer["object"], "list")
        self.assertEqual(answer["model"], "bert-mean-hf")
        count = sum(len(tokens) for tokens, _ in wanted)
        self.assertEqual(answer["usage"], {"prompt_tokens": count, "total_tokens": count})
        self.assertEqual([item["index"] for item in answer["data"]], list(range(len(wanted))))
        for item, (_, vector) in zip(answer["data"], wanted, strict=True):
            self.assertGreater(cosine(item["embedding"], vector), 0.9999)
            self.assertAlmostEqual(sum(x * x for x in item["embedding"]), 1, places=5)
        self.assertEqual(answer["timings"]["prompt_n"], count)
        self.assertEqual(answer["timings"]["device"], "cpu")

    def test_a_text_is_its_tokens(self):
        text = "Hello World! Café"
        tokens = self.post("/tokenize", content=text, add_special=True)["tokens"]
        self.assertEqual(self.embed(text), self.embed(tokens))
        self.assertEqual(
            self.embed([text, "a"]),
            self.embed([tokens, self.post("/tokenize", content="a", add_special=True)["tokens"]]),
        )

    def test_forms_of_vectors(self):
        (numbers,) = self.embed("hello world")
        (coded,) = self.embed("hello world", encoding_format="base64")
        floats = struct.unpack(f"<{len(numbers)}f", base64.b64decode(coded, validate=True))
        self.assertEqual([struct.unpack("<f", struct.pack("<f", x))[0] for x in numbers], list(floats))
        for count in (1, 7, 64):
            (short,) = self.embed("hello world", dimensions=count)
            self.assertEqual(len(short), count)
            self.assertAlmostEqual(sum(x * x for x in short), 1, places=5)
            self.assertGreater(cosine(short, numbers[:count]), 0.999999)

    def test_what_is_wrong_is_named(self):
        url = "/v1/embeddings"
        self.assertIn("missing", self.refused(400, url, {"model": "bert-mean-hf"}, param="input"))
        for wrong in (
            [],
            {},
            7,
            [[]],
            [1, "a"],
            [["a"]],
            ["a", 1],
            [1.5],
            [-1],
            [59],
            [[1], [59]],
            [True],
            ["a"] * 2049,
        ):
            self.refused(400, url, {"input": wrong}, param="input")
        self.refused(400, url, {"input": "a", "encoding_format": "hex"}, param="encoding_format")
        for wrong in (0, 65, "7", 1.5):
            self.refused(400, url, {"input": "a", "dimensions": wrong}, param="dimensions")
        self.refused(400, url, {"input": "a", "colour": 1}, param="colour", code="unknown_field")
        self.refused(404, url, {"input": "a", "model": "gpt-4o"}, code="model_not_found")
        message = self.refused(400, url, {"input": ["a", [5] * 161]}, param="input", code="context_length_exceeded")
        self.assertIn("160", message)
        self.assertIn("161", message)
        status, headers, _ = self.ask("POST", url, {"input": "a", "user": "me"})
        self.assertEqual(status, 200)
        self.assertEqual(headers["x-ingle-unused"], "user")

    def test_it_writes_no_text(self):
        messages = [{"role": "user", "content": "a"}]
        for path, body in (
            ("/v1/chat/completions", {"messages": messages}),
            ("/v1/completions", {"prompt": "a"}),
        ):
            self.assertIn("encoder", self.refused(400, path, body))
        for path, body in (("/api/chat", {"messages": messages}), ("/api/generate", {"prompt": "a"})):
            status, _, answer = self.ask("POST", path, body)
            self.assertEqual(status, 400)
            self.assertIn("encoder", answer["error"])

    def test_ollama(self):
        text = "hello world"
        answer = self.post("/api/embed", model="bert-mean-hf", input=text)
        self.assertEqual(answer["embeddings"], self.embed(text))
        self.assertEqual(answer["prompt_eval_count"], 12)
        self.assertGreater(answer["total_duration"], 0)
        self.assertEqual(answer["load_duration"], 0)
        self.assertEqual(answer["truncated"], 0)
        several = self.post("/api/embed", input=[text, "a"], dimensions=5, options={"num_ctx": 9}, keep_alive="5m")
        self.assertEqual(several["embeddings"], self.embed([text, "a"], dimensions=5))
        self.assertEqual(self.post("/api/embed", input=[])["embeddings"], [])
        self.assertEqual(self.post("/api/embeddings", prompt=text)["embedding"], self.embed(text)[0])
        self.assertEqual(self.post("/api/embeddings")["embedding"], [])
        self.assertEqual(len(self.post("/api/embed", input="")["embeddings"][0]), 64)

    def test_ollama_cuts_what_is_too_long(self):
        long = "a " * 500
        cut = self.post("/api/embed", input=[long, "a"])
        self.assertEqual(cut["truncated"], 1)
        self.assertEqual(cut["prompt_eval_count"], 160 + 3)
        tokens = self.post("/tokenize", content=long, add_special=True)["tokens"]
        self.assertEqual(cut["embeddings"][0], self.embed([tokens[:159] + tokens[-1:]])[0])
        older = self.post("/api/embeddings", prompt=long)
        self.assertEqual(older["embedding"], cut["embeddings"][0])
        self.assertEqual(older["truncated"], 1)
        status, _, answer = self.ask("POST", "/api/embed", {"input": long, "truncate": False})
        self.assertEqual(status, 400)
        self.assertIn("502", answer["error"])

    def test_rerank_by_cosine(self):
        documents = ["cab", "hello", "hello world!", "zzz"]
        (query, *vectors) = self.embed(["hello world", *documents])
        scores = [cosine(query, vector) for vector in vectors]
        answer = self.post("/v1/rerank", query="hello world", documents=documents)
        order = sorted(range(4), key=lambda i: -scores[i])
        self.assertEqual([result["index"] for result in answer["results"]], order)
        for result in answer["results"]:
            self.assertAlmostEqual(result["relevance_score"], scores[result["index"]], places=5)
            self.assertNotIn("document", result)
        best = self.post(
            "/v1/rerank",
            query="hello world",
            documents=[{"text": d} for d in documents],
            top_n=2,
            return_documents=True,
        )
        self.assertEqual(best["results"][0]["document"], {"text": documents[order[0]]})
        self.assertEqual(len(best["results"]), 2)
        self.assertEqual(best["usage"], answer["usage"])

    def test_rerank_says_what_is_wrong(self):
        url = "/v1/rerank"
        self.refused(400, url, {"documents": ["a"]}, param="query")
        self.refused(400, url, {"query": "a"}, param="documents")
        for wrong in ([], "a", [1], [{"text": 1}], [{"text": "a", "title": "b"}], ["a"] * 2049):
            self.refused(400, url, {"query": "a", "documents": wrong}, param="documents")
        self.refused(400, url, {"query": "a", "documents": ["a"], "top_n": 0}, param="top_n")
        self.refused(400, url, {"query": "a", "documents": ["a"], "rank_fields": ["x"]}, code="unsupported_field")
        self.refused(400, url, {"query": "a", "documents": ["b " * 200]}, code="context_length_exceeded")

    def test_lists_say_what_it_is(self):
        (model,) = self.ask("GET", "/v1/models")[2]["data"]
        self.assertEqual(model["meta"]["pooling"], "mean")
        self.assertEqual(model["meta"]["embedding_width"], 64)
        self.assertEqual(self.post("/api/show")["capabilities"], ["embedding"])

    def test_many_at_once(self):
        texts = [chr(97 + i % 26) * (1 + i % 9) for i in range(60)]
        expected = self.embed(texts)
        found = [None] * len(texts)

        def ask(first):
            for i in range(first, len(texts), 12):
                found[i] = self.embed(texts[i])[0]

        threads = [threading.Thread(target=ask, args=(first,)) for first in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(found, expected)
        self.assertGreaterEqual(self.metric("ingle_requests_finished_total"), 61)


class RerankerTest(ServerTest):
    model = str(MODELS / "bert-rank-hf")
    options = ()

    def test_scores_are_transformers(self):
        wanted = goldens(MODELS / "index-encoders.json", "bert-rank-hf")["pairs"]
        answer = self.post("/v1/rerank", query=wanted["query"], documents=wanted["documents"])
        scores = {result["index"]: result["relevance_score"] for result in answer["results"]}
        for i, score in enumerate(wanted["scores"]):
            self.assertAlmostEqual(scores[i], 1 / (1 + math.exp(-score)), places=2)
        falling = [result["relevance_score"] for result in answer["results"]]
        self.assertEqual(falling, sorted(falling, reverse=True))

    def test_it_makes_no_embeddings(self):
        self.assertIn("/v1/rerank", self.refused(400, "/v1/embeddings", {"input": "a"}, code="unsupported_model"))


class DecoderTest(ServerTest):
    model = TINY
    options = ("--ctx", "64")

    def test_it_makes_no_embeddings(self):
        for path, body in (("/v1/embeddings", {"input": "a"}), ("/v1/rerank", {"query": "a", "documents": ["b"]})):
            self.assertIn("encoder", self.refused(400, path, body, code="unsupported_model"))
        self.assertEqual(self.ask("POST", "/api/embed", {"input": "a"})[0], 400)


@unittest.skipUnless(real_model("all-minilm-l6-v2"), "all-minilm-l6-v2 was not fetched")
class RealEncoderTest(ServerTest):
    model = "all-minilm-l6-v2"
    options = ()

    def test_texts_are_transformers(self):
        golden = goldens(MODELS / "real" / "index-encoders.json", self.model)
        answer = self.post("/v1/embeddings", input=[text["text"] for text in golden["texts"]])
        self.assertEqual(answer["usage"]["prompt_tokens"], sum(len(text["tokens"]) for text in golden["texts"]))
        for item, vector in zip(answer["data"], golden["vectors"], strict=True):
            self.assertGreater(cosine(item["embedding"], vector), 0.9999)


if __name__ == "__main__":
    unittest.main()
