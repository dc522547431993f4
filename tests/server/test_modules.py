"""The six modules in a running server: a profile's memory, and what is absent when a module is off."""

import re
import unittest
from pathlib import Path

from harness import SANITIZED
from harness_server import ServerTest

MB = 10**6


class ModulesTest(ServerTest):
    options = ()

    def processes(self):
        """The server's and those of its models."""
        found, left = [], [self.process.pid]
        while left:
            process = left.pop()
            found.append(process)
            for task in Path(f"/proc/{process}/task").iterdir():
                left += [int(child) for child in (task / "children").read_text().split()]
        return found

    def bytes_of(self, process, file, field):
        text = Path(f"/proc/{process}/{file}").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)[1]) << 10

    def memory(self):
        """Of all processes together: what each has alone and its share of the rest, mapped weights too. A confined
        process lets only root see that; else all that it has is counted, which is more."""
        total = 0
        for process in self.processes():
            try:
                total += self.bytes_of(process, "smaps_rollup", "Pss")
            except PermissionError:
                total += self.bytes_of(process, "status", "VmRSS")
        return total

    def peak(self):
        """The sum of the most that each had at any time: no less than what they had together at any time."""
        return sum(self.bytes_of(process, "status", "VmHWM") for process in self.processes())

    def threads(self):
        return sum(len(list(Path(f"/proc/{process}/task").iterdir())) for process in self.processes())

    def chat(self, content, status=200, **more):
        body = {"messages": [{"role": "user", "content": content}], "temperature": 0, "max_tokens": 24, **more}
        got, headers, answer = self.ask("POST", "/v1/chat/completions", body)
        self.assertEqual(got, status, answer)
        return (answer, headers) if status != 200 else answer["choices"][0]["message"]["content"]

    def complete(self):
        """What the tiny model, which has no template for chats, writes."""
        answer = self.post("/v1/completions", prompt="Hello", max_tokens=8, temperature=0, ignore_eos=True)
        self.assertEqual(answer["usage"]["completion_tokens"], 8)

    def model_facts(self):
        return self.ask("GET", "/api/ps")[2]["models"][0]

    def long_chats(self):
        """As they come in a day: each of another beginning, and nearly as long as 2048 tokens allow."""
        return [self.chat(f"Item {number} of: " + "apples and some other fruit, " * 250) for number in range(6)]

    def check_who_may_ask(self):
        """What no module is, and no switch removes: who may ask, for what, and by which name."""
        forged = {"Authorization": "Bearer ingle_" + "a" * 52}
        body = {"messages": [{"role": "user", "content": "Hello"}]}
        self.assertEqual(self.ask("POST", "/v1/chat/completions", body, forged)[0], 401)
        self.assertEqual(self.ask("GET", "/app/conversations")[0], 401)
        self.assertEqual(self.ask("POST", "/api/pull", {"model": "smollm2-135m"})[0], 401)
        self.assertEqual(self.ask("GET", "/v1/models", headers={"Host": "example.org"})[0], 403)
        self.assertEqual(self.ask("GET", "/v1/models", headers={"Origin": "https://example.org"})[0], 403)

    def key(self, scope):
        token = self.home.ok_json("key", "create", f"a {scope}", "--scope", scope, "--json")["token"]
        return {"Authorization": f"Bearer {token}"}


@unittest.skipIf(SANITIZED, "a sanitizer takes memory of its own")
class MinimalTest(ModulesTest):
    options = ("--profile", "minimal")
    limit = 256 * MB

    def test_a_model_of_135M_parameters_chats_within_256_MB_in_all(self):
        self.assertIn("language model", self.chat("Which language model are you?"))
        self.long_chats()
        self.assertEqual(len(self.processes()), 2)
        self.assertLess(self.memory(), self.limit)
        self.assertLess(self.peak(), self.limit)
        self.assertEqual(self.metric("ingle_kept_prefixes"), 2)

    def test_its_context_is_bounded(self):
        self.assertEqual(self.model_facts()["context_length"], 2048)


@unittest.skipIf(SANITIZED, "a sanitizer takes memory of its own")
class FullTest(ModulesTest):
    options = ("--profile", "full")

    def test_the_same_takes_more_than_minimal_does(self):
        self.long_chats()
        self.assertEqual(self.metric("ingle_kept_prefixes"), 6)
        self.assertEqual(self.model_facts()["context_length"], 8192)
        # Six kept conversations of about 20 MB each, where minimal keeps two.
        self.assertGreater(self.memory(), 200 * MB)


class EngineOffTest(ModulesTest):
    model = None
    options = ("--no-module-engine",)

    def test_chats_are_refused_and_history_and_search_are_left(self):
        self.assertEqual(self.processes(), [self.process.pid])
        refused, headers = self.chat("Hello", status=503)
        self.assertEqual(refused["error"]["code"], "module_off")
        self.assertIn("--module-engine", refused["error"]["message"])
        self.assertNotIn("Retry-After", headers)
        for path in ("/v1/embeddings", "/v1/messages", "/api/chat", "/v1/responses"):
            self.assertIn(self.ask("POST", path, {"model": "x", "messages": [], "input": "x"})[0], (400, 503), path)
        self.assertEqual(self.ask("GET", "/health")[0], 200)
        self.assertEqual(self.ask("GET", "/v1/models")[0], 200)

        person = self.key("admin")
        number = self.ask("POST", "/app/conversations", {}, person)[2]["id"]
        path = f"/app/conversations/{number}/messages"
        status, _, sent = self.ask("POST", path, {"content": "Where is the rhubarb?"}, person)
        self.assertEqual(status, 200, sent)
        self.assertIsNone(sent["reply"])
        self.assertIn("--module-engine", sent["error"])
        kept = self.ask("GET", f"/app/conversations/{number}", headers=person)[2]
        self.assertEqual([each["content"] for each in kept["messages"]], ["Where is the rhubarb?"])
        found = self.ask("GET", "/app/search?q=rhubarb", headers=person)
        self.assertEqual(found[0], 200, found[2])
        self.assertIn("rhubarb", str(found[2]))
        self.check_who_may_ask()
        self.assertTrue(any("inference engine is switched off" in line for line in self.log), self.log)


class SandboxOffTest(ModulesTest):
    model = None
    options = ("--no-module-sandbox", "--ctx", "512")

    def test_the_model_runs_in_the_server_which_can_connect_to_nobody(self):
        self.complete()
        self.assertEqual(self.processes(), [self.process.pid])
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            self.assertRegex((task / "status").read_text(), r"Seccomp:\s+2")
        self.check_who_may_ask()
        status, _, answer = self.ask(
            "POST", "/api/pull", {"model": "smollm2-135m", "stream": False}, self.key("models")
        )
        self.assertGreaterEqual(status, 400, answer)
        self.assertIn("offline", str(answer))
        self.assertEqual(self.through_socket("/health")[:15], b"HTTP/1.1 200 OK")


class SandboxOnTest(ModulesTest):
    model = None
    options = ("--ctx", "512")

    def test_the_model_runs_in_a_process_of_its_own(self):
        self.complete()
        self.assertEqual(len(self.processes()), 2)
        self.assertRegex(Path(f"/proc/{self.process.pid}/status").read_text(), r"Seccomp:\s+0")


class OfflineTest(ModulesTest):
    model = None
    options = ("--offline", "--ctx", "512")

    def test_the_kernel_keeps_the_server_from_connecting_and_it_answers(self):
        self.complete()
        self.assertEqual(len(self.processes()), 2)
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            self.assertRegex((task / "status").read_text(), r"Seccomp:\s+2")
        self.check_who_may_ask()


class HardwareOffTest(ModulesTest):
    options = ("--no-module-hardware", "--ctx", "1024")

    def test_portable_code_answers_on_one_thread(self):
        facts = self.model_facts()
        self.assertEqual((facts["ingle"]["isa"], facts["ingle"]["threads"]), ("scalar", 1), facts)
        self.assertTrue(self.chat("Say yes.", max_tokens=4))


class NothingOptionalTest(ModulesTest):
    model = None
    options = tuple(f"--no-module-{name}" for name in ("memory", "hardware", "extensions", "sandbox", "updates")) + (
        "--ctx",
        "512",
    )

    def test_who_may_ask_is_seen_to_all_the_same(self):
        self.complete()
        self.check_who_may_ask()
        self.assertEqual(self.processes(), [self.process.pid])

    def test_it_has_fewer_threads_than_with_all(self):
        class Full(ModulesTest):
            model = None
            options = ("--ctx", "512")

        Full.setUpClass()
        try:
            full = Full()
            full.complete()
            self.complete()
            self.assertLess(self.threads(), full.threads())
        finally:
            Full.doClassCleanups()


class UpdatesTest(ModulesTest):
    model = None
    description = (Path(__file__).resolve().parents[1] / "data/fuzz/update_file_fuzz/whole.json").read_text()

    @classmethod
    def prepare(cls):
        return ("--update-file", cls.home.write("update.json", cls.description))

    def test_a_newer_version_is_told_of(self):
        self.wait_for(lambda: any("version 99.0.0 is there: Reads documents." in line for line in self.log))


class UpdatesOffTest(UpdatesTest):
    @classmethod
    def prepare(cls):
        return (*super().prepare(), "--no-module-updates")

    def test_a_newer_version_is_told_of(self):
        self.ask("GET", "/health")
        self.assertFalse(any("99.0.0" in line for line in self.log), self.log)


if __name__ == "__main__":
    unittest.main()
