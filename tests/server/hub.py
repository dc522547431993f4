"""A hub on this machine that serves one file, and only as far as a test lets it."""

import hashlib
import http.server
import json
import threading
import time


class Hub:
    """Serves `content` as hf:o/r/model.gguf, in ranges, up to byte `limit`; what is beyond waits."""

    def __init__(self, content, piece=1 << 12):
        self.content, self.limit, self.requests = content, len(content), []
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                hub.requests.append((self.path, self.headers.get("Range")))
                if self.path != "/o/r/resolve/main/model.gguf":
                    self.send_error(404)
                    return
                begin = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
                self.send_response(206 if self.headers.get("Range") else 200)
                if self.headers.get("Range"):
                    self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
                self.send_header("Content-Length", str(len(content) - begin))
                self.send_header("ETag", '"one"')
                self.end_headers()
                try:
                    for at in range(begin, len(content), piece):
                        while at >= hub.limit:
                            time.sleep(0.02)
                        self.wfile.write(content[at : at + piece])
                        self.wfile.flush()
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.environment = {"HF_ENDPOINT": f"http://127.0.0.1:{self.server.server_port}"}
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.limit = len(self.content)
        self.server.shutdown()
        self.server.server_close()

    def entry(self, name, **more):
        """An entry of a catalogue for what it serves."""
        return {
            "name": name,
            "description": "For tests.",
            "architecture": "llama",
            "parameters": 1000,
            "quantisation": "F16",
            "licence": {"name": "Apache-2.0", "url": "https://example.org/licence"},
            "file_name": "model.gguf",
            "size_bytes": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "memory_bytes": 1000000,
            "context_length": 128,
            "chat": True,
            "sources": [{"address": "hf:o/r/model.gguf"}],
            **more,
        }

    def catalogue(self, name, **more):
        return json.dumps({"version": 1, "models": [self.entry(name, **more)]})
