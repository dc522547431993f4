"""The pace follows what others do: cores that they need are left to them, unless the person wants otherwise."""

import multiprocessing
import os
import unittest

from harness_server import ServerTest


def compute():
    while True:
        pass


CORES = len(os.sched_getaffinity(0))


@unittest.skipIf(CORES < 2, "there is no core to leave")
class PaceTest(ServerTest):
    options = ("--ctx", "2048", "--threads", str(CORES))

    def begin_to_compute(self):
        for _ in range(CORES):
            process = multiprocessing.Process(target=compute, daemon=True)
            process.start()
            self.addCleanup(process.join)
            self.addCleanup(process.kill)

    def test_cores_are_left_to_others(self):
        self.begin_to_compute()
        # Others may have computed before.
        self.wait_for(lambda: self.metric("ingle_threads") == 1 and self.metric("ingle_rest_ratio") > 0)
        self.assertEqual(self.metric("ingle_paced_for_others"), 1)
        # Fewer threads and pauses, the same text.
        body = {"prompt": "Once upon a time", "max_tokens": 32, "temperature": 0}
        answer = self.post("/v1/completions", **body)
        self.assertEqual(answer["usage"]["completion_tokens"], 32)


class WithoutAdaptationTest(PaceTest):
    options = (*PaceTest.options, "--no-adapt")

    def test_cores_are_left_to_others(self):
        self.begin_to_compute()
        self.post("/v1/completions", prompt="Once upon a time", max_tokens=32, ignore_eos=True)
        self.assertEqual(self.metric("ingle_threads"), CORES)
        self.assertEqual(self.metric("ingle_paced_for_others"), 0)


if __name__ == "__main__":
    unittest.main()
