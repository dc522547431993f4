"""`plan`: memory from a model's header alone, here or elsewhere, and how near it comes to what is measured."""

import http.server
import json
import math
import os
import struct
import threading
import unittest
from pathlib import Path

from harness import MODELS, TINY, ProgramTest, gguf_places, real_model
from test_errors import catalogue

FIXED = ("embedding_bytes", "state_bytes_per_token", "context_length", "trained_context_length")


def described(plan):
    """What follows from the model's description, not from this machine."""
    memory = {key: value for key, value in plan["memory"].items() if key not in ("process_bytes", "total_bytes")}
    return memory, {key: plan[key] for key in FIXED}


class Hub:
    """Serves `content` as hf:o/r/model.gguf and counts what it sends."""

    def __init__(self, content):
        self.requests, self.sent = [], 0
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                hub.requests.append((self.path, self.headers.get("Range")))
                if self.path != "/o/r/resolve/main/model.gguf":
                    self.send_error(404)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes 0-{len(content) - 1}/{len(content)}")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                try:
                    for at in range(0, len(content), 1 << 16):
                        hub.sent += self.wfile.write(content[at : at + (1 << 16)])
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.environment = {"HF_ENDPOINT": f"http://127.0.0.1:{self.server.server_port}"}
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Plan(ProgramTest):
    def plan(self, *words, **options):
        return self.ok_json("plan", "--ctx", "64", "--threads", "2", *words, **options)

    def hub(self, content):
        hub = Hub(content)
        self.addCleanup(hub.server.server_close)
        self.addCleanup(hub.server.shutdown)
        return hub

    def test_the_parts_make_up_the_whole(self):
        memory = self.plan(TINY)["memory"]
        total = memory.pop("total_bytes")
        self.assertEqual(total, sum(memory.values()))
        self.assertEqual(memory.pop("ring_bytes"), 0)
        self.assertTrue(all(value > 0 for value in memory.values()), memory)

    def test_contexts_batches_and_threads_count(self):
        one = self.plan(TINY)
        more = self.plan(TINY, "--ctx", "128")["memory"]
        self.assertEqual(more["state_bytes"], 2 * one["memory"]["state_bytes"])
        self.assertEqual(one["state_bytes_per_token"] * 64 + 12, one["memory"]["state_bytes"])
        batch = self.plan(TINY, "--batch", "1024")["memory"]
        self.assertEqual(batch["activation_bytes"], 2 * one["memory"]["activation_bytes"])
        threads = self.plan(TINY, "--threads", "4")["memory"]
        self.assertEqual(threads["scratch_bytes"], 2 * one["memory"]["scratch_bytes"])
        apart = self.plan(TINY, "--no-plan")["memory"]
        self.assertGreater(apart["activation_bytes"], 1.5 * one["memory"]["activation_bytes"])

    def test_the_header_is_enough(self):
        for name in ("llama.gguf", "gemma3.gguf", "llama3.gguf", "phi3-longrope.gguf"):
            content = (MODELS / name).read_bytes()
            end = gguf_places(content)[1]
            whole = described(self.plan(str(MODELS / name)))
            self.assertEqual(described(self.plan(self.write("cut.gguf", content[:end]))), whole)
            sparse = self.write("sparse.gguf", content[:end])
            os.truncate(sparse, len(content))
            self.assertEqual(described(self.plan(sparse)), whole)
            self.fails(4, "the file ends inside", "plan", self.write("short.gguf", content[: end - 1]))

    def test_a_folder_of_safetensors(self):
        whole = described(self.plan(str(MODELS / "llama3-hf")))
        for file in (MODELS / "llama3-hf").iterdir():
            content = file.read_bytes()
            if file.suffix == ".safetensors":
                content = content[: 8 + struct.unpack_from("<Q", content)[0]]
            self.write(f"model/{file.name}", content)
        self.assertEqual(described(self.plan(str(self.folder / "model"))), whole)

    def test_whether_it_fits(self):
        plan = self.plan(TINY)
        self.assertTrue(plan["fits"])
        self.assertGreater(plan["fitting_context_length"], 64)
        text = self.ok("plan", TINY, "--ctx", "64").decode()
        self.assertIn("It fits: ", text)
        self.assertIn("KV cache", text)
        small = self.plan(TINY, "--memory", "100K")
        self.assertEqual((small["fits"], small["fitting_context_length"]), (False, 0))
        self.assertIn("It does not fit", self.ok("plan", TINY, "--memory", "100K").decode())
        limit = plan["memory"]["total_bytes"] - plan["memory"]["process_bytes"] + 200 * plan["state_bytes_per_token"]
        longest = self.plan(TINY, "--memory", str(limit))["fitting_context_length"]
        self.assertEqual(longest, 256)
        # Where packed weights are kept, some could be read from disk instead.
        bounds = ("--threads", "2", "--memory", str(limit), "--packed-cache", "0")
        words = ("run", TINY, "--raw", "-n", "1", "a", *bounds)
        self.ok(*words, "--ctx", str(longest))
        self.fails(7, f"up to {longest} tokens fit", *words, "--ctx", str(longest + 1))
        text = self.ok("plan", TINY, *bounds, "--ctx", str(longest + 1)).decode()
        self.assertIn("It does not fit: ", text)
        self.assertIn(f"up to {longest} tokens would", text)

    def test_how_fast_it_would_be(self):
        plan = self.plan(TINY, "--ctx", "64")
        self.assertEqual(plan["from"], "file")
        for speed in (plan["speed"]["decode_tps"], plan["speed"]["prefill_tps"]):
            self.assertGreater(speed["least"], 0)
            self.assertLess(speed["least"], speed["expected"])
            self.assertLess(speed["expected"], speed["most"])
        self.assertIn("tokens/s (", self.ok("plan", TINY).decode())
        # The machine is measured once.
        self.assertEqual(self.plan(TINY, "--ctx", "64")["speed"], plan["speed"])

    def test_a_model_of_the_catalogue_without_a_network(self):
        small, large = (
            self.plan(name, "--offline", "--ctx", "2048", "--memory", "64G") for name in ("smollm2-135m", "qwen3-4b")
        )
        for plan in (small, large):
            self.assertEqual((plan["from"], plan["context_length"], plan["fits"]), ("shape", 2048, True))
        self.assertGreater(large["memory"]["total_bytes"], 10 * small["memory"]["total_bytes"])
        self.assertLess(large["speed"]["decode_tps"]["expected"], small["speed"]["decode_tps"]["expected"] / 4)
        self.assertEqual(self.store_files(), ["version"])

    def test_a_model_that_is_elsewhere(self):
        content = Path(TINY).read_bytes()
        hub = self.hub(content + bytes(64 << 20))
        address = "hf:o/r/model.gguf"
        plan = self.plan(address, env=hub.environment)
        self.assertEqual(described(plan), described(self.plan(TINY)))
        self.assertEqual(plan["model"], address)
        self.assertEqual(hub.requests, [("/o/r/resolve/main/model.gguf", "bytes=0-268435455")])
        self.assertLess(hub.sent, 16 << 20)
        self.assertEqual(self.store_files(), ["version"])
        more = self.write("more.json", catalogue(address, "0" * 64, 1000, name="distant"))
        named = self.plan("distant", "--catalogue", more, env=hub.environment)
        self.assertEqual(described(named), described(plan))

    def test_what_cannot_be_looked_at(self):
        hub = self.hub(b"<html>please sign in</html>" * 100)
        env = hub.environment
        self.fails(5, "a web page", "plan", "hf:o/r/model.gguf", env=env)
        self.fails(8, "404", "plan", "hf:o/r/other.gguf", env=env)
        self.fails(8, "--offline", "plan", "hf:o/r/model.gguf", "--offline", env=env)
        self.fails(3, "no model is called", "plan", "no-such-model")
        cut = self.hub(Path(TINY).read_bytes()[:1000])
        self.fails(4, "ends before", "plan", "hf:o/r/model.gguf", env=cut.environment)

    def test_absurd_sizes_are_no_overflow(self):
        plan = self.plan(self.write("large.gguf", large_model(layers=2)), "--kv-cache", "f16")
        table = 12  # per page of 64 positions
        self.assertEqual(plan["memory"]["state_bytes"], 64 * 2 * 2 * 2 * 4096 * 1024 + table)
        self.assertGreater(plan["memory"]["weight_bytes"], 2 * 3 * 32 * 4096 * 1024)
        large = self.write("large.gguf", large_model(layers=1024))
        self.fails(6, "larger than any memory", "plan", large, "--ctx", str(1 << 30))
        self.assertFalse(self.plan(large)["fits"])
        self.fails(6, "more than can be addressed", "plan", self.write("large.gguf", large_model(1, columns=1 << 30)))

    @unittest.skipUnless(real_model("smollm2-135m"), "INGLE_TEST_MODELS has no real model")
    def test_it_is_near_what_is_measured(self):
        model = real_model("smollm2-135m")
        words = ("--ctx", "513", "--threads", "2")
        plan = self.plan(model, *words)
        self.need_no_sanitizer(plan)
        planned = plan["memory"]
        for _ in ("packed", "from the copy"):
            told = self.ok_json("bench", model, *words, "--prompt", "512", "--gen", "2", "--repeat", "1")
            self.assertLess(abs(told["peak_rss_bytes"] / planned["total_bytes"] - 1), 0.03, json.dumps(planned))


def large_model(layers, columns=32):
    """The header of a llama with 4096 key-value heads of 1024 values a layer, and nothing behind it."""
    tiny = Path(TINY).read_bytes()
    metadata = bytearray(tiny[24 : gguf_places(tiny)[0]])
    unsigned = 4

    def name_bytes(name):
        return struct.pack("<Q", len(name)) + name.encode()

    def put(name, value):
        full = f"llama.{name}".encode()
        struct.pack_into("<II", metadata, metadata.index(full) + len(full), unsigned, value)

    put("embedding_length", 32)
    put("block_count", layers)
    put("attention.head_count", 4096)
    put("attention.head_count_kv", 4096)
    put("feed_forward_length", 32)
    for name in ("key_length", "value_length"):
        metadata += name_bytes(f"llama.attention.{name}") + struct.pack("<II", unsigned, 1024)
    keys = struct.unpack_from("<Q", tiny, 16)[0] + 2

    heads, f16 = 4096 * 1024, 1
    tensors = [("token_embd", (columns, 260)), ("output_norm", (32,))]
    for layer in range(layers):
        of_layer = {
            "attn_norm": (32,),
            "attn_q": (columns, heads),
            "attn_k": (columns, heads),
            "attn_v": (columns, heads),
            "attn_output": (heads, columns),
            "ffn_norm": (32,),
            "ffn_gate": (columns, 32),
            "ffn_up": (columns, 32),
            "ffn_down": (32, columns),
        }
        tensors += [(f"blk.{layer}.{name}", dims) for name, dims in of_layer.items()]
    infos, offset = b"", 0
    for name, dims in tensors:
        infos += name_bytes(name + ".weight") + struct.pack(f"<I{len(dims)}Q", len(dims), *dims)
        infos += struct.pack("<IQ", f16, offset)
        offset += 2 * math.prod(dims)  # all are multiples of 32
    return b"GGUF" + struct.pack("<IQQ", 3, len(tensors), keys) + bytes(metadata) + infos


if __name__ == "__main__":
    unittest.main()
