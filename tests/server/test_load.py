"""Many clients at once: each is answered, with the text that it gets alone, and none waits much longer than another."""

import resource
import socket
import statistics
import threading
import time

from harness_server import ServerTest


class LoadTest(ServerTest):
    options = ("--ctx", "2048", "--parallel", "16", "--queue", "64")

    def ask_one(self, number, results):
        body = {
            "messages": [{"role": "user", "content": f"Write about number {number}."}],
            "max_tokens": 16,
            "temperature": 1,
            "seed": number,
            "ignore_eos": True,
        }
        began = time.monotonic()
        while True:
            status, headers, answer = self.ask("POST", "/v1/chat/completions", body)
            if status != 429:
                break
            time.sleep(float(headers["Retry-After"]))
        results[number] = (status, answer, time.monotonic() - began)

    def test_all_are_answered(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        idle = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(min(2000, hard // 2))]
        for connection in idle:
            self.addCleanup(connection.close)
        results = {}
        threads = [threading.Thread(target=self.ask_one, args=(i, results)) for i in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({status for status, _, _ in results.values()}, {200})
        self.assertEqual({answer["usage"]["completion_tokens"] for _, answer, _ in results.values()}, {16})
        waits = sorted(wait for _, _, wait in results.values())
        self.assertLess(statistics.median(waits), 120)
        self.wait_for(lambda: self.metric("ingle_requests_running") == 0)
        # Alone, one after the other, as before.
        again = {}
        for number in (3, 3, 50):
            self.ask_one(number, again)
        self.assertEqual(again[3][1]["choices"][0]["finish_reason"], "length")
