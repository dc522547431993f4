"""Chats that exceed the context: an error, or what the request asks for, told in header and answer."""

import json
import re

from harness_server import ServerTest

FRUIT = ["apple", "banana", "cherry", "damson", "elder", "fig", "grape", "hazel", "iris", "juniper"]
SYSTEM = {"role": "system", "content": "You are kind. " * 8}


def history(turns, words=20):
    """Turns that each speak of a fruit of their own, and a last question."""
    messages = [SYSTEM]
    for fruit in FRUIT[:turns]:
        messages.append({"role": "user", "content": f"{fruit} " * words})
        messages.append({"role": "assistant", "content": f"Yes, {fruit}."})
    return [*messages, {"role": "user", "content": "Which fruit do you like?"}]


class OverflowTest(ServerTest):
    options = ("--ctx", "256")

    def tokens(self, messages):
        return len(self.post("/apply-template", messages=messages)["tokens"])

    def fewest(self, messages, room, first=1):
        """How many messages have to go, by trying each number of turns."""
        for turns in range(len(FRUIT)):
            rest = [*messages[:first], *messages[first + 2 * turns :]]
            try:
                if self.tokens(rest) <= 256 - room:
                    return rest, 2 * turns
            except AssertionError:  # more than the context
                continue
        raise AssertionError("nothing fits")

    def chat(self, **body):
        status, headers, answer = self.ask("POST", "/v1/chat/completions", {"max_tokens": 40, "temperature": 0, **body})
        self.assertEqual(status, 200, answer)
        return answer, headers

    def assert_prompt(self, messages):
        """That the last prompt was that of these messages: then all of it but the last token is known."""
        again, _ = self.chat(messages=messages, max_tokens=1)
        self.assertEqual(again["timings"]["cache_n"], again["usage"]["prompt_tokens"] - 1)

    def test_without_a_policy_it_is_an_error_with_both_numbers(self):
        for body in ({}, {"ingle": {"overflow": "error"}}):
            message = self.refused(
                400, "/v1/chat/completions", {"messages": history(10), **body}, code="context_length_exceeded"
            )
            self.assertRegex(message, r"256 tokens.* \d{3}\b")
        path = "/v1/chat/completions"
        self.refused(400, path, {"messages": history(1), "ingle": {"overflow": "x"}}, param="ingle.overflow")
        self.refused(400, path, {"messages": history(1), "ingle": {"overflow": 1}}, param="ingle.overflow")

    def test_what_fits_is_left_as_it_is(self):
        answer, headers = self.chat(messages=history(1), ingle={"overflow": "drop_oldest"})
        self.assertNotIn("x-ingle-dropped", headers)
        self.assertNotIn("ingle", answer)

    def test_the_oldest_go(self):
        rest, dropped = self.fewest(history(10), 40)
        self.assertGreater(dropped, 0)
        answer, headers = self.chat(messages=history(10), ingle={"overflow": "drop_oldest"})
        self.assertEqual(answer["ingle"]["policy"], "drop_oldest")
        self.assertEqual(answer["ingle"]["dropped_messages"], dropped)
        self.assertEqual(answer["usage"]["prompt_tokens"], self.tokens(rest))
        self.assert_prompt(rest)
        whole = self.refused(400, "/v1/chat/completions", {"messages": history(10)})
        before = int(re.search(r"prompt has (\d+)", whole)[1])
        self.assertEqual(answer["ingle"]["dropped_tokens"], before - self.tokens(rest))
        self.assertEqual(
            headers["x-ingle-dropped"],
            f"policy=drop_oldest; messages={dropped}; tokens={answer['ingle']['dropped_tokens']}",
        )

    def test_the_middle_goes(self):
        rest, dropped = self.fewest(history(10), 40, first=3)
        answer, _ = self.chat(messages=history(10), ingle={"overflow": "drop_middle"})
        self.assertEqual(answer["ingle"]["dropped_messages"], dropped)
        self.assert_prompt(rest)

    def test_streams_tell_of_it_in_the_last_piece(self):
        body = {"messages": history(10), "max_tokens": 4, "ingle": {"overflow": "drop_oldest"}}
        events, done = self.events("/v1/chat/completions", **body)
        self.assertTrue(done)
        self.assertGreater(events[-1]["ingle"]["dropped_messages"], 0)
        self.assertEqual(sum("ingle" in event for event in events), 1)
        _, headers, _ = self.ask("POST", "/v1/chat/completions", {**body, "stream": True})
        self.assertIn("policy=drop_oldest", headers["x-ingle-dropped"])

    def test_what_stays_in_any_case_may_still_be_too_much(self):
        messages = [*history(3)[:-1], {"role": "user", "content": "word " * 400}]
        for policy in ("drop_oldest", "drop_middle", "summarise"):
            message = self.refused(
                400,
                "/v1/chat/completions",
                {"messages": messages, "ingle": {"overflow": policy}},
                code="context_length_exceeded",
            )
            self.assertRegex(message, r"256 tokens.* \d{3} are never dropped")

    def test_max_tokens_alone_end_an_answer_by_length(self):
        answer, headers = self.chat(messages=history(1), max_tokens=5000, ignore_eos=True)
        self.assertEqual(answer["choices"][0]["finish_reason"], "length")
        self.assertEqual(answer["usage"]["total_tokens"], 257)  # the last token needs no place
        self.assertNotIn("x-ingle-dropped", headers)

    def test_results_go_with_their_calls(self):
        call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"at": "sky"}'}}
        messages = history(10)
        messages[2:2] = [
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": "blue " * 10},
        ]
        answer, _ = self.chat(messages=messages, ingle={"overflow": "drop_oldest"})
        rest, dropped = self.fewest(history(10), 40)
        self.assertEqual(answer["ingle"]["dropped_messages"], dropped + 2)
        self.assertEqual(answer["usage"]["prompt_tokens"], self.tokens(rest))

    def test_a_summary_stands_for_what_goes(self):
        body = {"messages": history(10), "ingle": {"overflow": "summarise"}}
        answer, headers = self.chat(**body)
        told = answer["ingle"]
        self.assertEqual(told["policy"], "summarise")
        self.assertGreater(told["summary_tokens"], 0)
        self.assertLessEqual(told["summary_tokens"], 32)  # an eighth of the context
        self.assertGreater(told["summary_prompt_tokens"], 32)
        self.assertLessEqual(told["summary_prompt_tokens"] + 32, 256)
        self.assertIn("policy=summarise", headers["x-ingle-dropped"])
        rest = [SYSTEM, *history(10)[1 + told["dropped_messages"] :]]
        said = f"[A summary of the conversation before this message: {told['summary']}]\n\n"
        rest[1] = {"role": "user", "content": said + rest[1]["content"]}
        self.assertEqual(answer["usage"]["prompt_tokens"], self.tokens(rest))
        self.assertLessEqual(answer["usage"]["prompt_tokens"], 256 - 40)
        self.assert_prompt(rest)
        events, _ = self.events("/v1/chat/completions", **body, max_tokens=40)
        self.assertEqual(events[-1]["ingle"]["dropped_messages"], told["dropped_messages"])
        self.assertTrue(events[-1]["ingle"]["summary"])

    def test_a_reader_who_goes_ends_the_summary(self):
        import socket

        before = self.metric("ingle_requests_cancelled_total")
        body = json.dumps(
            {"messages": [SYSTEM, *history(10)[1:-1] * 30, history(0)[-1]], "ingle": {"overflow": "summarise"}}
        ).encode()
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            self.wait_for(lambda: self.metric("ingle_requests_running") > 0)
        self.wait_for(lambda: self.metric("ingle_requests_cancelled_total") == before + 1)
        self.assertEqual(self.chat(messages=history(1))[0]["choices"][0]["index"], 0)

    def test_ollama(self):
        body = {"model": self.model, "messages": history(10), "options": {"num_predict": 4}}
        status, _, answer = self.ask("POST", "/api/chat", body)
        self.assertEqual(status, 400)
        self.assertRegex(answer["error"], r"256 tokens.* \d{3}\b")
        rest, dropped = self.fewest(history(10), 4)
        for asked in ({"truncate": True}, {"ingle": {"overflow": "drop_oldest"}}):
            status, headers, content = self.ask("POST", "/api/chat", {**body, **asked})
            self.assertEqual(status, 200, content)
            last = json.loads(content.decode().splitlines()[-1])
            self.assertEqual(last["ingle"]["dropped_messages"], dropped)
            self.assertEqual(last["prompt_eval_count"], self.tokens(rest))
            self.assertIn("policy=drop_oldest", headers["x-ingle-dropped"])
            whole = self.post("/api/chat", **body, **asked, stream=False)
            self.assertEqual(whole["ingle"], last["ingle"])
        middle = self.post("/api/chat", **body, truncate=True, ingle={"overflow": "drop_middle"}, stream=False)
        self.assertEqual(middle["ingle"]["policy"], "drop_middle")
        status, _, answer = self.ask("POST", "/api/chat", {**body, "shift": True})
        self.assertEqual(status, 400)
        self.assertIn("shift", answer["error"])
        prompt = {"model": self.model, "prompt": "word " * 300, "truncate": True, "raw": True}
        status, _, answer = self.ask("POST", "/api/generate", prompt)
        self.assertEqual(status, 400)
        self.assertRegex(answer["error"], r"256 tokens.* 30\d.*'truncate'")
        short = self.post("/api/generate", **{**prompt, "prompt": "1 2 3"}, stream=False, options={"num_predict": 2})
        self.assertEqual(short["eval_count"], 2)

    def test_anthropic(self):
        messages = history(10)
        body = {"model": self.model, "max_tokens": 4, "system": SYSTEM["content"], "messages": messages[1:]}
        status, _, answer = self.ask("POST", "/v1/messages", body)
        self.assertEqual((status, answer["error"]["type"]), (400, "invalid_request_error"))
        self.assertRegex(answer["error"]["message"], r"256 tokens.* \d{3}\b")
        rest, dropped = self.fewest(messages, 4)
        body["ingle"] = {"overflow": "drop_oldest"}
        status, headers, answer = self.ask("POST", "/v1/messages", body)
        self.assertEqual(status, 200, answer)
        self.assertEqual(answer["ingle"]["dropped_messages"], dropped)
        usage = answer["usage"]
        self.assertEqual(usage["input_tokens"] + usage["cache_read_input_tokens"], self.tokens(rest))
        self.assertIn("policy=drop_oldest", headers["x-ingle-dropped"])
        events, _ = self.events("/v1/messages", **body)
        self.assertEqual(events[-2]["ingle"], answer["ingle"])
        self.assertEqual(self.post("/v1/messages", **{**body, "ingle": {"overflow": "summarise"}})["type"], "message")
