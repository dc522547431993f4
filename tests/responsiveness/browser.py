"""A page in headless Chromium, driven through a pipe by the DevTools protocol, and the frames that its trace tells of."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PAGE = Path(__file__).with_name("page.html")
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def find_program():
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """https://chromedevtools.github.io/devtools-protocol, messages ended by a zero byte (--remote-debugging-pipe)."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        (commands, self.commands), (self.answers, answers) = os.pipe(), os.pipe()
        # The browser reads from descriptor 3 and writes to 4; a shell puts them there, from where it overwrites neither.
        inherited = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (commands, answers)]
        command = [find_program(), "--headless", "--remote-debugging-pipe", "--disable-gpu", "--mute-audio"]
        command += ["--no-first-run", "--disable-extensions", "--disable-background-networking"]
        command += [f"--user-data-dir={self.folder.name}"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
        shell = 'exec "$@" 3<&{} 4>&{}'.format(*inherited)
        self.process = subprocess.Popen(
            ["bash", "-c", shell, "browser", *command, "about:blank"],
            pass_fds=inherited,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (commands, answers, *inherited):
            os.close(end)
        self.last_id = 0
        self.received = b""
        self.events = []
        self.session = None
        self.target = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError, EOFError):
            self.call("Browser.close", of_page=False)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.commands)
        os.close(self.answers)
        self.folder.cleanup()

    def receive(self):
        while b"\0" not in self.received:
            piece = os.read(self.answers, 1 << 20)
            if not piece:
                raise EOFError("the browser has gone")
            self.received += piece
        message, self.received = self.received.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, of_page=True, **parameters):
        self.last_id += 1
        message = {"id": self.last_id, "method": method, "params": parameters}
        if of_page:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while (answer := self.receive()).get("id") != self.last_id:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def wait_for(self, method):
        while True:
            for i, event in enumerate(self.events):
                if event.get("method") == method:
                    return self.events.pop(i)["params"]
            self.events.append(self.receive())

    def open(self, address):
        self.target = self.call("Target.createTarget", of_page=False, url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", of_page=False, targetId=self.target, flatten=True)
        self.session = attached["sessionId"]
        self.call("Page.enable")
        self.call("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def close_page(self):
        self.call("Target.closeTarget", of_page=False, targetId=self.target)

    def start_trace(self):
        categories = ["disabled-by-default-devtools.timeline.frame"]
        self.call(
            "Tracing.start",
            transferMode="ReturnAsStream",
            traceConfig={
                "includedCategories": categories,
                "excludedCategories": ["*"],
                "recordMode": "recordUntilFull",
            },
        )

    def end_trace(self):
        """The trace's events."""
        self.call("Tracing.end")
        stream = self.wait_for("Tracing.tracingComplete")["stream"]
        text = []
        while True:
            piece = self.call("IO.read", handle=stream, size=1 << 20)
            text.append(piece["data"])
            if piece["eof"]:
                break
        self.call("IO.close", handle=stream)
        return json.loads("".join(text))["traceEvents"]

    def cpu_seconds(self):
        """What all processes of the browser have had of the processor."""
        children, times = {}, {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
                times[int(entry.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        total, waiting = 0.0, [self.process.pid]
        while waiting:
            process = waiting.pop()
            total += times.get(process, 0)
            waiting += children.get(process, [])
        return total


def presented_frames(events):
    """When frames with what the page's script drew were shown: seconds, ascending. A frame's way through the compositor
    is a pair of events; only where it ended with all of its updates shown, the script's are among them."""
    begun, shown = {}, []
    for event in sorted((e for e in events if e["name"] == "PipelineReporter"), key=lambda e: e["ts"]):
        key = (event["pid"], event["id2"]["local"])
        if event["ph"] == "b":
            begun[key] = event["args"].get("frame_reporter") or event["args"].get("chrome_frame_reporter")
        elif report := begun.pop(key, None):
            if report["state"] == "STATE_PRESENTED_ALL" and report["has_main_animation"]:
                shown.append(event["ts"] / 1e6)
    return sorted(shown)
