"""The model's process: what it can reach, and what its end does to requests."""

import os
import signal
import threading
import time
import unittest
from pathlib import Path

from harness import SANITIZED
from harness_server import PATIENCE, ServerTest


class EngineProcessTest(ServerTest):
    def child(self):
        """The process that runs the model, once there is one."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        found = []

        def look():
            found[:] = " ".join((task / "children").read_text() for task in tasks.iterdir()).split()
            return found

        self.wait_for(look)
        return int(found[0])

    def chat(self, **more):
        body = {"model": "x", "messages": [{"role": "user", "content": "Say yes."}], "temperature": 0, **more}
        body["model"] = self.ask("GET", "/v1/models")[2]["data"][0]["id"]
        return self.ask("POST", "/v1/chat/completions", body)

    def wait_until_it_answers(self):
        deadline = time.monotonic() + PATIENCE
        while (answer := self.chat(max_tokens=8))[0] == 503:
            self.assertIn("Retry-After", answer[1])
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        self.assertEqual(answer[0], 200, answer[2])
        return answer[2]["choices"][0]["message"]["content"]

    def test_is_confined(self):
        status = Path(f"/proc/{self.child()}/status").read_text()
        self.assertRegex(status, r"NoNewPrivs:\s+1")
        self.assertRegex(status, r"Seccomp:\s+2")
        self.assertNotEqual(self.child(), self.process.pid)

    def test_its_end_is_an_error_and_it_comes_back(self):
        before = self.wait_until_it_answers()
        outcome = {}

        def ask():
            outcome["answer"] = self.chat(max_tokens=1500, ignore_eos=True)

        asking = threading.Thread(target=ask)
        asking.start()
        self.wait_for(lambda: self.metric("ingle_requests_running") == 1)
        # A sanitizer looks at a crash before its process ends, for which it starts another, which is forbidden.
        how = signal.SIGKILL if SANITIZED else signal.SIGSEGV
        os.kill(self.child(), how)
        asking.join(PATIENCE)
        status, headers, body = outcome["answer"]
        self.assertEqual(status, 503, body)
        self.assertIn("Retry-After", headers)
        self.assertIn(how.name, body["error"]["message"])
        self.assertEqual(self.ask("GET", "/v1/models")[0], 200)
        self.assertEqual(self.wait_until_it_answers(), before)


if __name__ == "__main__":
    unittest.main()
