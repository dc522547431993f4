"""A port that speaks TLS: certificates, handshakes good and bad, and requests through it."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

from harness import TINY, ProgramTest
from harness_server import PATIENCE, ServerTest


def make_certificate(folder, name="server"):
    """A self-signed certificate for localhost, and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2"]
        + ["-out", str(certificate), "-keyout", str(key)],
        check=True,
        capture_output=True,
    )
    key.chmod(0o600)
    return certificate, key


class TlsTest(ServerTest):
    model = None
    options = ("--ctx", "16384", "--no-adapt")  # 16 answers at once, whatever else runs here

    @classmethod
    def prepare(cls):
        cls.certificate, cls.key = make_certificate(cls.home.folder)
        return "--tls-cert", str(cls.certificate), "--tls-key", str(cls.key)

    def tearDown(self):
        # Whatever a test did, the next client is served.
        self.assertIn(b" 200 OK", self.through_tls(self.request("/health")))

    def context(self, certificate=None):
        return ssl.create_default_context(cafile=certificate or self.certificate)

    def connect(self, context=None):
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        try:
            return (context or self.context()).wrap_socket(raw, server_hostname="localhost")
        except Exception:
            raw.close()
            raise

    @staticmethod
    def request(path, body=None, keep=False, headers=()):
        data = b"" if body is None else json.dumps(body).encode()
        lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", "Host: localhost", *headers]
        lines += [f"Content-Length: {len(data)}"] + ([] if keep else ["Connection: close"])
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + data

    @staticmethod
    def read_all(connection):
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received

    def through_tls(self, data, context=None):
        with self.connect(context) as connection:
            connection.sendall(data)
            return self.read_all(connection)

    def test_both_versions_and_no_older_one(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context()
            context.minimum_version = context.maximum_version = version
            with self.connect(context) as connection:
                self.assertIn(connection.version(), ("TLSv1.2", "TLSv1.3"))
                connection.sendall(self.request("/v1/models"))
                self.assertIn(b" 200 OK", self.read_all(connection))
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        self.assertRaises(ssl.SSLError, self.connect, old)
        weak = self.context()
        weak.maximum_version = ssl.TLSVersion.TLSv1_2
        weak.set_ciphers("AES128-SHA:AES256-SHA:ECDHE-ECDSA-AES128-SHA")
        self.assertRaises(ssl.SSLError, self.connect, weak)

    def test_the_protocol_that_is_agreed_on(self):
        for offered, chosen in ((["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1")):
            context = self.context()
            context.set_alpn_protocols(offered)
            with self.connect(context) as connection:
                self.assertEqual(connection.selected_alpn_protocol(), chosen)
        context = self.context()
        context.set_alpn_protocols(["h2"])
        self.assertRaises(ssl.SSLError, self.connect, context)

    def test_plain_http_is_told_what_the_port_speaks(self):
        answer = self.raw(self.request("/v1/models"))
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
        self.assertIn(b"https://", answer)

    def test_what_is_no_handshake_ends_the_connection(self):
        for data in (b"\x16", b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01" + b"\xff" * 3000, b"\x16" * 100_000):
            answer = self.raw(data, half_close=True)
            self.assertNotIn(b"HTTP", answer)
        # A handshake that is broken off in the middle.
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = self.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with self.assertRaises(ssl.SSLWantReadError):
            client.do_handshake()
        hello = outgoing.read()
        for length in (5, 50, len(hello)):
            with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
                connection.sendall(hello[:length])

    def test_idle_handshakes_cost_others_nothing_and_end(self):
        idle = [socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) for _ in range(200)]
        for number, connection in enumerate(idle):
            self.addCleanup(connection.close)
            if number % 2:
                connection.sendall(b"\x16")
        begun = time.monotonic()
        self.assertIn(b" 200 OK", self.through_tls(self.request("/v1/models")))
        self.assertLess(time.monotonic() - begun, 10)
        # Byte by byte, or not at all: all of it may take 15 seconds.
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 100
        slow = idle[0]
        slow.setblocking(False)
        ended = False
        for byte in hello:
            try:
                slow.send(bytes([byte]))
                ended = slow.recv(1) == b""
            except BlockingIOError:
                pass
            except OSError:
                ended = True
            if ended:
                break
            time.sleep(0.5)
        self.assertTrue(ended)
        self.assertLess(time.monotonic() - begun, 25)
        for connection in idle[1:3]:
            try:
                self.assertEqual(connection.recv(1), b"")
            except ConnectionResetError:
                pass

    def test_requests_one_after_the_other_and_several_at_once(self):
        with self.connect() as connection:
            for _ in range(3):
                connection.sendall(self.request("/health", keep=True))
                self.assertIn(b" 200 OK", connection.recv(65536))
        answer = self.through_tls(self.request("/health", keep=True) * 4 + self.request("/health"))
        self.assertEqual(answer.count(b" 200 OK"), 5)

    def test_who_does_not_say_that_it_has_ended_is_let_go(self):
        before = self.connections()
        held = []
        for _ in range(20):
            connection = self.connect()
            connection.sendall(self.request("/health"))
            self.assertIn(b" 200 OK", connection.recv(65536))
            held.append(connection)  # asked to close, it does not
        self.wait_for(lambda: self.connections() <= before, 30)
        for connection in held:
            connection.close()

    def connections(self):
        """Sockets that the server's process has."""
        folder = f"/proc/{self.process.pid}/fd"
        count = 0
        for name in os.listdir(folder):
            try:
                count += os.readlink(f"{folder}/{name}").startswith("socket:")
            except FileNotFoundError:
                pass
        return count

    def test_what_is_large_arrives(self):
        text = "0123456789" * 30_000
        answer = self.through_tls(self.request("/tokenize", {"content": text}))
        head, _, body = answer.partition(b"\r\n\r\n")
        tokens = json.loads(body)["tokens"]
        self.assertIn(f"Content-Length: {len(body)}".encode(), head)
        answer = self.through_tls(self.request("/detokenize", {"tokens": tokens}))
        self.assertEqual(json.loads(answer.partition(b"\r\n\r\n")[2])["content"].strip(), text)

    def test_a_stream_comes_to_its_end(self):
        body = {"prompt": "a", "max_tokens": 20, "ignore_eos": True, "stream": True}
        answer = self.through_tls(self.request("/v1/completions", body))
        self.assertIn(b"data: [DONE]", answer)
        self.assertTrue(answer.endswith(b"0\r\n\r\n"))
        # HTTP/1.0 knows the end by the end of the connection, which only counts if it is said.
        old = self.request("/v1/completions", body).replace(b"HTTP/1.1", b"HTTP/1.0")
        with self.connect() as connection:
            connection.suppress_ragged_eofs = False
            connection.sendall(old)
            self.assertIn(b"data: [DONE]", self.read_all(connection))

    def test_who_goes_or_says_that_it_is_done_is_not_answered_on(self):
        body = {"prompt": "a", "max_tokens": 16000, "ignore_eos": True, "n": 16}
        for half_closed in (False, True):
            before = self.metric("ingle_requests_cancelled_total")
            connection = self.connect()
            connection.sendall(self.request("/v1/completions", body))
            self.wait_for(lambda: self.metric("ingle_requests_running") == 16)
            raw = socket.socket(fileno=os.dup(connection.fileno()))
            if half_closed:
                raw.shutdown(socket.SHUT_WR)
            else:
                connection.close()
                raw.close()
            self.wait_for(lambda before=before: self.metric("ingle_requests_cancelled_total") == before + 16)
            self.wait_for(lambda: self.metric("ingle_requests_running") == 0)
            raw.close()
            connection.close()

    def test_pages_have_to_come_by_tls_too(self):
        for origin, status in ((f"https://localhost:{self.port}", 200), (f"http://localhost:{self.port}", 403)):
            head = self.request("/v1/models", headers=[f"Origin: {origin}"])
            head = head.replace(b"Host: localhost", f"Host: localhost:{self.port}".encode())
            self.assertIn(f"HTTP/1.1 {status} ".encode(), self.through_tls(head), origin)

    def test_a_new_certificate_is_taken_at_hangup(self):
        kept = self.connect()
        first = kept.getpeercert(True)
        fresh, key = make_certificate(self.home.folder, "fresh")
        old = self.certificate.read_bytes(), self.key.read_bytes()
        second = ssl.PEM_cert_to_DER_cert(fresh.read_text())

        def shown():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with self.connect(context) as connection:
                return connection.getpeercert(True)

        def hang_up(says):
            seen = len(self.log)
            self.process.send_signal(signal.SIGHUP)
            self.wait_for(lambda: any(says in line for line in self.log[seen:]))

        self.certificate.write_bytes(fresh.read_bytes())
        hang_up("does not belong to")
        self.assertEqual(shown(), first)
        self.key.write_bytes(key.read_bytes())
        hang_up("reloaded")
        self.assertEqual(shown(), second)
        kept.sendall(self.request("/health"))
        self.assertIn(b" 200 OK", self.read_all(kept))
        kept.close()
        self.certificate.write_bytes(old[0])
        self.key.write_bytes(old[1])
        hang_up("reloaded")
        self.assertEqual(shown(), first)


class TlsFilesTest(ProgramTest):
    """What is wrong with certificates is said at the start."""

    def setUp(self):
        super().setUp()
        self.certificate, self.key = make_certificate(self.folder)
        self.words = ["serve", TINY, "--port", "0", "--socket", "none", "--ctx", "64"]

    def refused(self, code, says, certificate=None, key=None):
        self.fails(code, says, *self.words, "--tls-cert", certificate or self.certificate, "--tls-key", key or self.key)

    def test_files_that_are_none(self):
        self.refused(3, "nowhere.pem", certificate="nowhere.pem")
        self.refused(3, "nowhere.key", key="nowhere.key")
        self.fails(2, "both --tls-cert and --tls-key", *self.words, "--tls-cert", self.certificate)
        self.fails(2, "both --tls-cert and --tls-key", *self.words, "--tls-key", self.key)
        empty = Path(self.write("empty", ""))
        empty.chmod(0o600)
        self.refused(4, "holds no certificate", certificate=empty)
        self.refused(4, "holds no private key", key=empty)
        self.refused(4, "holds no certificate", certificate=self.key)
        broken = self.certificate.read_text().replace("M", "?", 3)
        self.refused(4, "holds no certificate", certificate=self.write("broken", broken))

    def test_a_key_of_another_certificate(self):
        self.refused(2, "does not belong to", key=make_certificate(self.folder, "other")[1])

    def test_a_key_that_others_can_read(self):
        for mode in (0o644, 0o604, 0o640, 0o602):
            self.key.chmod(mode)
            self.refused(9, "others can read the key")

    def test_a_key_with_a_passphrase(self):
        locked = self.folder / "locked.key"
        subprocess.run(
            ["openssl", "pkey", "-in", str(self.key), "-aes256", "-passout", "pass:secret", "-out", str(locked)],
            check=True,
        )
        locked.chmod(0o600)
        self.refused(2, "has a passphrase", key=locked)

    def test_a_key_that_is_too_weak(self):
        weak, key = self.folder / "weak.pem", self.folder / "weak.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=weak"]
            + ["-out", str(weak), "-keyout", str(key)],
            check=True,
            capture_output=True,
        )
        key.chmod(0o600)
        self.refused(4, "key too small", certificate=weak, key=key)


class OldTest(ServerTest):
    model = None
    options = ("--ctx", "64")
    first, last = b"190101000000Z", b"200101000000Z"
    says = "has expired"

    @classmethod
    def prepare(cls):
        certificate, key = make_certificate(cls.home.folder)
        # openssl makes none of another time. Nobody looks at our own signature, so that its times may be written over.
        der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
        times = b"\x17\x0d" + cls.first + b"\x17\x0d" + cls.last
        certificate.write_text(ssl.DER_cert_to_PEM_cert(re.sub(rb"\x17\x0d\d{12}Z\x17\x0d\d{12}Z", times, der)))
        return "--tls-cert", str(certificate), "--tls-key", str(key)

    def test_a_certificate_of_another_time_is_said(self):
        self.assertTrue(any(self.says in line for line in self.log), self.log)


class EarlyTest(OldTest):
    first, last = b"480101000000Z", b"490101000000Z"
    says = "is not valid yet"
