"""A server's life: in the background, found, stopped, reloaded, replaced; and who may ask one that others reach."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

from harness import INGLE, TINY, ProgramTest
from harness_server import PATIENCE, ServerTest


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def own_address():
    """An address of this machine that is not of its loopback, or None."""
    table = Path("/proc/net/fib_trie").read_text()
    found = re.findall(r"-- (\S+)\n\s+/32 host LOCAL", table)
    return next((address for address in found if not address.startswith("127.")), None)


class LifeTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.runtime = self.folder / "run"
        self.runtime.mkdir(mode=0o700)
        self.environment["XDG_RUNTIME_DIR"] = str(self.runtime)
        self.port = free_port()
        self.started = []
        self.addCleanup(self.end_all)

    def end_all(self):
        for process in {*self.started, *(server["pid"] for server in self.servers())}:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if b"serve" in Path(f"/proc/{process}/cmdline").read_bytes():
                    os.kill(process, signal.SIGKILL)

    def serve(self, *words, port=None, model=TINY):
        return ("serve", model, "--ctx", "64", "--port", str(port or self.port), *words)

    def start(self, *words, **options):
        """A server in the background; its process id."""
        done = self.ingle(*self.serve("--daemon", *words, **options))
        said = done.stderr.decode()
        self.assertEqual(done.returncode, 0, said)
        self.started.append(int(re.search(r"pid (\d+), log", said)[1]))
        return self.started[-1]

    def servers(self):
        done = self.ingle("ps", "--json")
        return json.loads(done.stdout)["servers"] if done.returncode == 0 else []

    def get(self, path, headers=None, pause=0):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.connect()
            time.sleep(pause)
            connection.request("GET", path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def alive(self, process):
        try:
            return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def wait_for(self, what):
        deadline = time.monotonic() + PATIENCE
        while not what():
            self.assertLess(time.monotonic(), deadline, "it did not come to that")
            time.sleep(0.02)

    def test_in_the_background_and_ended(self):
        process = self.start()
        self.assertEqual(self.get("/health")[0], 200)
        self.assertNotEqual(os.getsid(process), os.getsid(0))
        log = self.folder / "state" / "ingle" / "serve.log"
        self.assertEqual(stat.S_IMODE(log.stat().st_mode), 0o600)
        # It says so once whoever started it knows.
        self.wait_for(lambda: "serving llama" in log.read_text())
        self.assertNotIn("NOTIFY", self.ok("config").decode())
        (server,) = self.servers()
        self.assertEqual((server["pid"], server["address"]), (process, f"http://127.0.0.1:{self.port}"))
        said = self.ok("stop").decode()
        self.assertIn(f"stopped http://127.0.0.1:{self.port} (pid {process})", said)
        self.assertFalse(self.alive(process))
        self.assertEqual([path.name for path in self.runtime.rglob("*")], ["ingle", "servers"])

    def test_where_nothing_runs(self):
        for words in (("stop",), ("ps",), ("stop", "--port", "1")):
            self.fails(3, "no server of yours is running", *words)

    def test_what_runs_in_front_is_found_too(self):
        with subprocess.Popen([INGLE, *self.serve()], env=self.environment, stderr=subprocess.PIPE) as process:
            while b"serving" not in process.stderr.readline():
                pass
            (server,) = self.servers()
            self.assertEqual(server["pid"], process.pid)
            self.ok("stop")
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_second_one_is_told_of_the_first(self):
        process = self.start()
        for words in (self.serve(), self.serve("--daemon")):
            self.fails(9, f"'ingle serve' is already running at http://127.0.0.1:{self.port} (pid {process})", *words)
        other = free_port()
        self.fails(9, f"(pid {process}); --socket", *self.serve(port=other))
        second = self.start("--socket", "none", port=other)
        self.fails(2, "choose one with --port", "stop")
        self.assertEqual({server["pid"] for server in self.servers()}, {process, second})
        self.ok("stop", "--port", str(other))
        self.fails(3, f"there are some on {self.port}", "stop", "--port", str(other))
        self.assertEqual([server["pid"] for server in self.servers()], [process])

    def test_a_port_that_somebody_else_has(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            line = self.fails(9, f"127.0.0.1:{port} is in use already", *self.serve(port=port))
            self.assertEqual(self.fails(9, line, *self.serve("--daemon", port=port)), line)

    def test_why_it_did_not_start_is_said(self):
        self.fails(3, "/nonexistent.gguf", *self.serve("--daemon", model="/nonexistent.gguf"))
        bad = self.write("bad.gguf", b"GGUF" + b"\xff" * 100)
        self.fails(5, "bad.gguf", *self.serve("--daemon", model=bad))
        self.assertEqual(self.servers(), [])

    def test_what_a_killed_one_left_counts_for_nothing(self):
        os.kill(self.start(), signal.SIGKILL)
        self.wait_for(lambda: self.servers() == [])
        self.assertTrue((self.runtime / "ingle" / "servers" / f"{self.port}.json").exists())
        self.fails(3, "no server of yours is running", "stop")
        self.start()
        self.assertEqual(self.get("/health")[0], 200)

    def test_records_that_are_none(self):
        self.start()
        folder = self.runtime / "ingle" / "servers"
        (folder / "1.json").write_text("{")
        (folder / "2.json").write_text('{"pid": 1}')
        (folder / "3.json").mkdir()
        (folder / "4.json").symlink_to("/dev/zero")
        self.assertEqual(len(self.servers()), 1)
        folder.chmod(0o755)
        self.fails(9, "others cannot use", "ps")
        folder.chmod(0o700)

    def test_hangup_reads_the_lists_again(self):
        process = self.start()
        self.assertEqual(self.get("/health", headers={"Host": "ingle.lan"})[0], 403)
        self.write_config('allow-host = ["ingle.lan"]\nallow-origin = ["https://page.example"]\n')
        os.kill(process, signal.SIGHUP)
        self.wait_for(lambda: self.get("/health", headers={"Host": "ingle.lan"})[0] == 200)
        self.assertEqual(self.get("/health", headers={"Origin": "https://page.example"})[0], 200)
        log = self.folder / "state" / "ingle" / "serve.log"
        self.write_config("allow-host = 1\n")
        os.kill(process, signal.SIGHUP)
        self.wait_for(lambda: "nothing was reloaded" in log.read_text())
        self.assertEqual(self.get("/health", headers={"Host": "ingle.lan"})[0], 200)

    def test_stop_lets_answers_end_unless_it_is_to_be_now(self):
        for now in (False, True):
            process = self.start()
            connection, response = self.stream(60)
            response.read(1)
            self.ok("stop", *(["--now"] if now else []))
            self.assertFalse(self.alive(process))
            if not now:
                self.assertIn(b"[DONE]", response.read())
            connection.close()

    def stream(self, tokens):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        body = {"prompt": "a", "max_tokens": tokens, "ignore_eos": True, "stream": True, "n": 8}
        connection.request("POST", "/v1/completions", json.dumps(body))
        return connection, connection.getresponse()

    def keep_asking(self, ended, failures, answered, pause):
        while not ended.is_set():
            try:
                status, _ = self.get("/v1/models", pause=pause)
                if status != 200:
                    failures.append(status)
                answered.append(1)
            except OSError as error:
                failures.append(repr(error))
            except http.client.HTTPException as error:
                failures.append(repr(error))

    def replaced(self, *words):
        """Starts another in the place of the first, while clients ask; nobody is refused."""
        first = self.start()
        ended, failures, answered = threading.Event(), [], []
        # Some ask as soon as they have connected, some do not.
        news = (ended, failures, answered)
        askers = [threading.Thread(target=self.keep_asking, args=(*news, pause)) for pause in (0, 0.2) * 4]
        connection, response = self.stream(60)
        response.read(1)
        for asker in askers:
            asker.start()
        second = self.start(*words)
        self.assertIn(b"[DONE]", response.read())
        connection.close()
        before = len(answered)
        self.wait_for(lambda: len(answered) > before + 50)
        self.wait_for(lambda: not self.alive(first))
        ended.set()
        for asker in askers:
            asker.join()
        self.assertEqual(failures, [])
        self.assertNotEqual(first, second)
        self.assertEqual([server["pid"] for server in self.servers()], [second])
        return second

    def test_one_in_the_place_of_another(self):
        second = self.replaced("--replace")
        # By its Unix socket, too, and it can be replaced in its turn.
        self.assertTrue((self.runtime / "ingle" / "server.sock").is_socket())
        third = self.start("--replace", "--socket", "none")
        self.wait_for(lambda: not self.alive(second))
        self.assertFalse((self.runtime / "ingle" / "server.sock").exists())
        self.assertEqual([server["pid"] for server in self.servers()], [third])

    def test_one_that_can_not_start_replaces_nobody(self):
        first = self.start()
        self.fails(3, "nonexistent", *self.serve("--daemon", "--replace", model="/nonexistent.gguf"))
        bad = self.write("bad.gguf", b"GGUF" + b"\xff" * 100)
        self.fails(5, "bad.gguf", *self.serve("--daemon", "--replace", model=bad))
        self.assertEqual(self.get("/health")[0], 200)
        self.assertEqual([server["pid"] for server in self.servers()], [first])
        self.start("--replace")
        self.wait_for(lambda: not self.alive(first))

    def pretend(self, version):
        record = self.runtime / "ingle" / "servers" / f"{self.port}.json"
        text = record.read_text()
        record.write_text(text.replace(json.loads(text)["version"], version))

    def test_an_older_version_is_replaced_and_a_newer_one_is_not(self):
        first = self.start()
        self.pretend("99.0.0")
        self.fails(9, "is already running", *self.serve("--daemon"))
        self.pretend("0.0.9")
        self.fails(9, "is already running", *self.serve())
        done = self.ingle(*self.serve("--daemon"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"replacing version 0.0.9 (pid {first})", done.stderr.decode())
        self.wait_for(lambda: not self.alive(first))
        self.assertEqual(self.get("/health")[0], 200)

    def test_ps_tells_what_runs_where(self):
        process = self.start("--isa", "scalar")
        (server,) = self.servers()
        (model,) = server["models"]
        told = model["ingle"]
        self.assertEqual((told["device"], told["isa"], model["context_length"]), ("cpu", "scalar", 64))
        self.assertEqual((told["running"], told["waiting"]), (0, 0))
        self.assertLessEqual(told["used_bytes"], told["planned_bytes"])
        self.assertGreater(told["used_bytes"], told["weight_bytes"])
        page = self.ok("ps").decode()
        for word in (f"pid {process}", "llama", "scalar", "0 running, 0 waiting", "64"):
            self.assertIn(word, page)
        self.ok("stop")
        # Without a socket it is asked by TCP, where it says less.
        self.start("--socket", "none")
        self.assertNotIn("running", self.servers()[0]["models"][0]["ingle"])
        self.assertIn("llama", self.ok("ps").decode())

    def test_what_tells_systemd_tells_others(self):
        path = self.runtime / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(str(path))
            listener.settimeout(PATIENCE)
            environment = {**self.environment, "NOTIFY_SOCKET": str(path)}
            with subprocess.Popen(
                [INGLE, *self.serve()], env=environment, start_new_session=True, stderr=subprocess.DEVNULL
            ) as process:
                self.assertTrue(listener.recv(4096).startswith(b"READY=1\nSTATUS=serving llama"))
                process.send_signal(signal.SIGHUP)
                self.assertRegex(listener.recv(4096), rb"RELOADING=1\nMONOTONIC_USEC=\d+$")
                self.assertEqual(listener.recv(4096), b"READY=1")
                process.send_signal(signal.SIGTERM)
                self.assertEqual(listener.recv(4096), b"STOPPING=1")
                self.assertEqual(process.wait(PATIENCE), 0)


class OtherMachinesTest(ProgramTest):
    """What a server asks for before others can reach it."""

    def test_keys_and_tls_come_first(self):
        words = ["serve", TINY, "--port", "0", "--socket", "none", "--host", "0.0.0.0"]
        self.fails(9, "lets other machines ask, which needs TLS", *words)
        self.fails(9, "needs a key for each", *words, "--insecure-http")
        self.ok("key", "create", "phone")
        self.fails(9, "lets other machines ask, which needs TLS", *words)
        self.fails(2, "no address of this machine", "serve", TINY, "--host", "192.0.2.199", "--insecure-http")
        self.fails(2, "no address of this machine", "serve", TINY, "--host", "no.such.name.invalid")


class ReachedByOthersTest(ServerTest):
    model = None
    options = ("--ctx", "64", "--host", "0.0.0.0", "--insecure-http")

    @classmethod
    def prepare(cls):
        done = cls.home.ingle("key", "create", "phone", "--json")
        cls.token = json.loads(done.stdout)["token"]
        return ()

    def status(self, address, host=None, **headers):
        connection = http.client.HTTPConnection(address, self.port, timeout=PATIENCE)
        try:
            connection.request("GET", "/v1/models", headers={"Host": host or f"{address}:{self.port}", **headers})
            return connection.getresponse().status
        finally:
            connection.close()

    def test_from_elsewhere_nothing_is_open_without_a_key(self):
        address = own_address()
        if address is None:
            self.skipTest("this machine has its loopback only")
        bearer = {"Authorization": f"Bearer {self.token}"}
        self.assertEqual(self.status(address), 401)
        self.assertEqual(self.status(address, **bearer), 200)
        self.assertEqual(self.status(address, Authorization="Bearer ingle_" + "a" * 52), 401)
        # By its address or its name, not by one that a page gave it.
        self.assertEqual(self.status(address, "evil.example", **bearer), 403)
        self.assertEqual(self.status(address, "192.0.2.77", **bearer), 403)
        self.assertEqual(self.status(address, "localhost", **bearer), 200)

    def test_who_was_passed_on_by_a_proxy_is_not_its_user(self):
        self.assertEqual(self.status("127.0.0.1"), 200)
        for header in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"):
            self.assertEqual(self.status("127.0.0.1", **{header: "198.51.100.7"}), 401, header)
            bearer = {"Authorization": f"Bearer {self.token}", header: "198.51.100.7"}
            self.assertEqual(self.status("127.0.0.1", **bearer), 200, header)
