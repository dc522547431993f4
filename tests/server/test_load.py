"""200 streaming clients beside 2,000 idle connections and all kinds of clients that do not behave: everybody is answered,
nobody waits much longer than others, memory stays where it is, and a text is the same afterwards.

About a minute of it; `make load`: ten (INGLE_LOAD_SECONDS), and then what a minute on a busy machine can't tell is asked, too.
"""

import asyncio
import bisect
import math
import os
import random
import resource
import statistics
import sys
import time
import unittest

import clients
from harness import SANITIZED
from harness_server import ServerTest

SECONDS = float(os.environ.get("INGLE_LOAD_SECONDS") or 0)
CLIENTS, TOKENS, WORDS, IDLE = 200, 64, 20, 2000
CROWD, CROWD_EVERY = 160, 60  # clients that come at once, more than may wait, and seconds
BAD = {
    clients.read_slowly: 4,
    clients.never_read: 1,
    clients.abort: 8,
    clients.half_close: 2,
    clients.vanish: 4,
    clients.talk_nonsense: 8,
    clients.dribble: 16,
}
MB = 1e6


class Load:
    """One load on a server: what was asked, by whom, and what it took. Times are of time.monotonic()."""

    def __init__(self, port, pid, seconds, tokens):
        self.port, self.pid, self.seconds, self.tokens = port, pid, seconds, tokens
        self.answers = [[] for _ in range(CLIENTS)]
        self.crowds = []
        self.outcomes = {}  # what the others saw, by kind
        self.lately = 0  # seconds that the last answer took
        self.memory = []  # (time, bytes of the server's process, of the model's)

    def body(self, chooser):
        prompt = clients.words(chooser, WORDS)
        return {"prompt": prompt, "max_tokens": self.tokens, "stream": True, "ignore_eos": True, "temperature": 0}

    async def client(self, number):
        """Asks again as long as the answer is likely to come in time."""
        chooser = random.Random(number)
        while time.monotonic() + self.lately < self.began + self.seconds:
            answer = await clients.ask(self.port, self.body(chooser))
            self.answers[number].append(answer)
            self.lately = time.monotonic() - answer.asked

    async def crowd(self):
        """Now and then more come than have a place: some are refused, and come again."""
        every = min(CROWD_EVERY, self.seconds)
        for at in range(math.floor(self.seconds / every)):
            await asyncio.sleep(self.began + (at + 1 / 4) * every - time.monotonic())
            bodies = (self.body(random.Random(f"crowd {at} {number}")) for number in range(CROWD))
            asked = (clients.ask(self.port, body | {"max_tokens": 2}) for body in bodies)
            self.crowds += await asyncio.gather(*asked)

    async def watch(self):
        while True:
            model = sum(map(clients.resident_bytes, clients.processes_below(self.pid)))
            self.memory.append((time.monotonic(), clients.resident_bytes(self.pid), model))
            await asyncio.sleep(0.5)

    async def run(self, idle):
        self.began, cpu = time.monotonic(), time.process_time()
        body = self.body(random.Random("others"))
        others = [
            asyncio.ensure_future(clients.repeat(kind, n, self.port, body, self.outcomes)) for kind, n in BAD.items()
        ]
        others += [asyncio.ensure_future(clients.repeat(clients.idle, idle, self.port, body, self.outcomes))]
        others += [asyncio.ensure_future(self.watch())]
        crowd = asyncio.ensure_future(self.crowd())
        await asyncio.gather(*(self.client(number) for number in range(CLIENTS)))
        self.took = time.monotonic() - self.began
        self.client_cpu = (time.process_time() - cpu) / self.took
        await crowd
        for task in others:
            task.cancel()
        for outcome in await asyncio.gather(*others, return_exceptions=True):
            if not isinstance(outcome, asyncio.CancelledError):
                raise outcome  # it should have gone on

    @property
    def all_answers(self):
        return [*(answer for of_one in self.answers for answer in of_one), *self.crowds]

    def errors(self):
        bad = [f"{kind}: {text}" for kind, texts in self.outcomes.items() for text in texts if text]
        return [answer.error for answer in self.all_answers if answer.error] + bad

    def waits(self):
        """Of each client, the mean over its answers. Not its first, for which all of them came at once: there the last in
        line waits twice as long as the one in the middle, however fair the line is."""
        return [statistics.mean(it.wait for it in of_one[1:]) for of_one in self.answers if len(of_one) > 1]

    def overtaken(self):
        """By how many that had asked later one of the steady clients was overtaken, at most. Who was refused is at the end
        of the line again, and doesn't count."""
        steady = sorted((it for of_one in self.answers for it in of_one if not it.refusals), key=lambda it: it.asked)
        later, most = [], 0  # when those that asked later had their first token
        for answer in reversed(steady):
            most = max(most, bisect.bisect_left(later, answer.first))
            bisect.insort(later, answer.first)
        return most

    def growth(self, of):
        """Bytes a minute of all processes (0), the server's (1), the model's (2), by least squares, after a fifth of the time:
        in ten minutes these are whole periods between crowds, whose short prompts take the places of longer ones."""
        after = [it for it in self.memory if self.seconds / 5 < it[0] - self.began < self.seconds]
        sizes = [it[1] + it[2] if of == 0 else it[of] for it in after]
        return 60 * statistics.linear_regression([it[0] for it in after], sizes).slope

    def report(self):
        answers, refused = self.all_answers, [it for it in self.all_answers if it.refusals]
        waits, at = self.waits(), [self.memory[int(part * (len(self.memory) - 1))] for part in (0, 0.25, 0.5, 0.75, 1)]
        ends = {kind: len(texts) for kind, texts in self.outcomes.items()}
        lines = [
            f"{len(answers)} answers in {self.took:.0f} s, {sum(it.tokens for it in answers) / self.took:.0f} tokens/s",
            f"{len(refused)} refused, of them {sum(it.refusals > 1 for it in refused)} again, one"
            f" {max((it.refusals for it in refused), default=0)} times; all answered later",
            f"connections that were over: {', '.join(f'{kind} {n}' for kind, n in ends.items())}",
            f"overtaken by at most {self.overtaken()}; wait for the first token, worst of all"
            f" {max(it.wait for it in answers):.1f} s",
            f"memory of the server, MB: {', '.join(f'{it[1] / MB:.1f}' for it in at)}; {self.growth(1) / MB:+.2f} a minute",
            f"… of the model's process: {', '.join(f'{it[2] / MB:.1f}' for it in at)}; {self.growth(2) / MB:+.2f} a minute",
            f"clients' CPU: {self.client_cpu:.2f} of a core",
        ]
        if waits:
            median = statistics.median(waits)
            lines.append(
                f"a client's mean wait, s: median {median:.1f}, slowest {max(waits):.1f} ({max(waits) / median:.2f})"
            )
        print("", *lines, sep="\n  ", file=sys.stderr)


class FiguresTest(unittest.TestCase):
    def setUp(self):
        self.load = Load(0, 0, 100, TOKENS)
        self.load.began = 1000

    def test_overtaken(self):
        def answer(asked, first, refusals=0):
            return clients.Answer(asked, first, refusals=refusals)

        self.load.answers = [[answer(1, 10), answer(11, 12)], [answer(2, 20)], [answer(3, 5), answer(6, 8)]]
        self.assertEqual(self.load.overtaken(), 3)  # who asked at 2: by those at 3, 6 and 11
        self.load.answers[0].append(answer(0, 99, refusals=1))
        self.assertEqual(self.load.overtaken(), 3)

    def test_growth(self):
        # Much at first, which is the warm-up, then a megabyte and two a minute.
        self.load.memory = [(1000 + t, (0 if t < 20 else 5 * MB) + t * MB / 60, t * MB / 30) for t in range(150)]
        for of, expected in enumerate((3, 1, 2)):
            self.assertAlmostEqual(self.load.growth(of) / MB, expected)

    def test_waits_leave_out_the_first(self):
        self.load.answers = [
            [clients.Answer(0, 50), clients.Answer(60, 70), clients.Answer(80, 84)],
            [clients.Answer(0, 9)],
        ]
        self.assertEqual(self.load.waits(), [7])


class LoadTest(ServerTest):
    model = None if SANITIZED else "smollm2-135m"
    options = ("--ctx", "512" if SANITIZED else "2048")

    def seeded(self):
        """Its prompt fits any pass, so that its numbers do not depend on how fast the machine was before."""
        return self.post("/v1/completions", prompt="Once upon a time", max_tokens=48, seed=7, temperature=1)["choices"]

    def kept_descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def bytes_beyond_the_model(self):
        """Of all processes, what they share counted once."""
        weights = self.ask("GET", "/api/ps")[2]["models"][0]["ingle"]["weight_bytes"]
        model = sum(map(clients.own_bytes, clients.processes_below(self.process.pid)))
        return clients.resident_bytes(self.process.pid) + model - weights

    def test_under_load(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        before = self.seeded()
        descriptors = self.kept_descriptors()
        beyond = self.bytes_beyond_the_model()
        load = Load(self.port, self.process.pid, SECONDS or (10 if SANITIZED else 50), 8 if SANITIZED else TOKENS)
        asyncio.run(load.run(min(IDLE, hard // 2)))
        load.report()
        print(f"  memory beyond the model while idle: {beyond / MB:.1f} MB", file=sys.stderr)

        self.assertEqual(load.errors(), [])
        self.assertEqual({answer.tokens for of_one in load.answers for answer in of_one}, {load.tokens})
        self.assertTrue(any(answer.refusals for answer in load.crowds), "nobody was refused: it was no load")
        # Those that asked at the same time may come in any order; nobody has two turns before another has one.
        self.assertLess(load.overtaken(), CLIENTS)
        # Nobody holds anything any more, and the engine does what it did.
        self.wait_for(lambda: self.metric("ingle_requests_running") + self.metric("ingle_requests_waiting") == 0)
        self.wait_for(lambda: self.kept_descriptors() <= descriptors)
        self.assertEqual(self.seeded(), before)
        if SANITIZED:
            return
        self.assertLess(beyond, 30 * MB)
        if SECONDS >= 300:
            for kind in (*BAD, clients.idle):
                self.assertIn(kind.__name__, load.outcomes, "none of them was over")
            self.assertLess(max(load.waits()), 2 * statistics.median(load.waits()))
            self.assertLess(load.growth(0), 1 * MB)
