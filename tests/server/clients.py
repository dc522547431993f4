"""Clients of a server under load, those that behave and those that do not, and what the server's processes take.

For test_load.py and bench/serving.py. One thread runs all clients (asyncio), so that thousands cost little beside the
server on the same machine. Standard library only.
"""

import asyncio
import contextlib
import json
import os
import random
import socket
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORDS = (ROOT / "tests/data/text/licences.txt").read_text().split()
PATH = "/v1/completions"
TCP_REPAIR = 19  # linux/tcp.h
ENDED = 90  # seconds in which a server has to be done with whoever breaks its rules; its own limits are 15 to 60
FAILURES = (OSError, EOFError, ValueError, KeyError, asyncio.LimitOverrunError)


@dataclass
class Answer:
    """One streamed answer as its client saw it; times are seconds of time.monotonic()."""

    asked: float
    first: float = 0  # when the first token came
    last: float = 0
    tokens: int = 0
    refusals: int = 0  # 429 and 503, each waited out as its Retry-After says
    error: str = ""  # why it is not whole

    @property
    def wait(self) -> float:
        """Seconds to the first token, refusals included."""
        return self.first - self.asked


def words(chooser: random.Random, count: int) -> str:
    return " ".join(chooser.choices(WORDS, k=count))


def request(body: dict) -> bytes:
    content = json.dumps(body).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode() + content


@contextlib.asynccontextmanager
async def connection(port: int, receive_buffer: int = 0):
    """A reader and a writer; the end is abrupt. `receive_buffer`: bytes of it in the kernel, and about as many here."""
    end = socket.socket()
    try:
        end.setblocking(False)
        if receive_buffer:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(end, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=end, limit=receive_buffer or 1 << 16)
    except BaseException:
        end.close()
        raise
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines[1:] if line)
    return int(lines[0].split()[1]), {name.lower(): value.strip() for name, _, value in fields}


async def read_pieces(reader: asyncio.StreamReader, headers: dict[str, str]):
    """The body as it comes. Raises EOFError where it ends too early."""
    if headers.get("transfer-encoding") != "chunked":
        length = headers.get("content-length")
        yield await (reader.read() if length is None else reader.readexactly(int(length)))
        return
    while size := int(await reader.readline() or b"end", 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)


async def read_events(reader: asyncio.StreamReader, headers: dict[str, str]):
    """The data of server-sent events."""
    rest = b""
    async for piece in read_pieces(reader, headers):
        *whole, rest = (rest + piece).split(b"\n\n")
        for event in whole:
            if event.startswith(b"data: "):
                yield event[6:]


async def ask(port: int, body: dict, patience: float = 600, receive_buffer: int = 0, pause: float = 0) -> Answer:
    """Asks until it is answered. `pause`: seconds before each event is read."""
    answer = Answer(time.monotonic())
    try:
        async with asyncio.timeout(patience):
            while (retry_after := await ask_once(port, body, answer, receive_buffer, pause)) is not None:
                answer.refusals += 1
                await asyncio.sleep(retry_after)
    except FAILURES as error:
        answer.error = repr(error)
    return answer


async def ask_once(port: int, body: dict, answer: Answer, receive_buffer: int, pause: float) -> float | None:
    """Seconds after which to ask again; None: it was answered, or answer.error says why not."""
    async with connection(port, receive_buffer) as (reader, writer):
        writer.write(request(body))
        status, headers = await read_head(reader)
        if status in (429, 503):
            return float(headers["retry-after"])
        if status != 200:
            content = b"".join([piece async for piece in read_pieces(reader, headers)])
            answer.error = f"{status}: {content.decode(errors='replace')[:200]}"
            return None
        async for event in read_events(reader, headers):
            if event == b"[DONE]":
                answer.last = time.monotonic()
                answer.first = answer.first or answer.last
                answer.tokens = answer.tokens or body["max_tokens"]
                return None
            piece = json.loads(event)
            if "error" in piece:
                answer.error = str(piece["error"])[:200]
                return None
            answer.tokens = piece.get("timings", {}).get("predicted_n", answer.tokens)
            if not answer.first and any(choice.get("text") for choice in piece.get("choices", [])):
                answer.first = time.monotonic()
            await asyncio.sleep(pause)
    answer.error = "the stream ended early"
    return None


# Those that do not behave: each coroutine is one of their connections, until it is over. A text says what the server
# did wrong. They ask for what streams: `body`.


async def until_closed(reader: asyncio.StreamReader, seconds: float = ENDED) -> str:
    try:
        async with asyncio.timeout(seconds):
            while await reader.read(1 << 16):
                pass
    except TimeoutError:
        return f"the connection was open still after {seconds} s"
    except OSError:  # a reset is an end, too
        pass
    return ""


async def idle(port: int, body: dict, chooser: random.Random) -> str:
    """Says nothing."""
    async with connection(port) as (reader, _):
        return await until_closed(reader, 600)


async def read_slowly(port: int, body: dict, chooser: random.Random) -> str:
    """Takes 30 KB/s of an answer of many KB: it has to get all of it."""
    answer = await ask(port, {**body, "logprobs": 5}, receive_buffer=4096, pause=0.02)
    return answer.error


async def never_read(port: int, body: dict, chooser: random.Random) -> str:
    """Takes nothing of an answer of megabytes for a minute, and goes."""
    async with connection(port, 4096) as (_, writer):
        writer.write(request({**body, "n": 4, "logprobs": 5, "max_tokens": 1000}))
        await asyncio.sleep(60)
    return ""


async def abort(port: int, body: dict, chooser: random.Random) -> str:
    """Goes in the middle of an answer."""
    async with connection(port) as (reader, writer):
        writer.write(request(body))
        with contextlib.suppress(EOFError):
            await reader.readexactly(chooser.randrange(1, 10_000))
    return ""


async def half_close(port: int, body: dict, chooser: random.Random) -> str:
    """Sends no more, and waits."""
    async with connection(port) as (reader, writer):
        writer.write(request(body))
        writer.write_eof()
        return await until_closed(reader)


async def vanish(port: int, body: dict, chooser: random.Random) -> str:
    """Leaves the server with half a connection: this end is gone, and did not say so. Needs root, else it just goes."""
    async with connection(port) as (reader, writer):
        writer.write(request(body) if chooser.random() < 0.8 else b"POST ")
        await asyncio.sleep(chooser.random() * 5)
        with contextlib.suppress(PermissionError):
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    return ""


async def talk_nonsense(port: int, body: dict, chooser: random.Random) -> str:
    async with connection(port) as (reader, writer):
        start = chooser.choice(
            [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n", b"POST " + PATH.encode() + b" HTTP/1.1\r\n"]
        )
        writer.write(start + chooser.randbytes(chooser.randrange(1, 5000)))
        return await until_closed(reader)


async def dribble(port: int, body: dict, chooser: random.Random) -> str:
    """A byte a second (slowloris): of headers that never end, or of a body."""
    async with connection(port) as (reader, writer):
        whole = chooser.random() < 0.5
        start = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\nX-A: "
        writer.write(start.encode() + (b"a\r\n\r\n{" if whole else b""))
        closed = asyncio.ensure_future(until_closed(reader))
        try:
            while not closed.done():
                writer.write(b" ")
                await asyncio.wait([closed], timeout=1)
        finally:
            closed.cancel()
        return closed.result()


async def repeat(kind, count: int, port: int, body: dict, outcomes: dict[str, list[str]]) -> None:
    """`count` of them, each anew about a second after it is over, until this is cancelled."""

    async def one(number: int) -> None:
        chooser = random.Random(f"{kind.__name__} {number}")
        while True:
            try:
                outcome = await kind(port, body, chooser)
            except OSError:  # reset: as good an end as any
                outcome = ""
            except FAILURES as error:
                outcome = repr(error)
            outcomes.setdefault(kind.__name__, []).append(outcome)
            await asyncio.sleep(2 * chooser.random())

    await asyncio.gather(*(one(number) for number in range(count)))


def processes_below(pid: int) -> list[int]:
    """Its children: of a server, those that run its models."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in lists for child in path.read_text().split()]


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def own_bytes(pid: int) -> int:
    """Resident and shared with no other process; all that is resident where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except PermissionError:
        return resident_bytes(pid)
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))
