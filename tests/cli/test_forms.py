"""The forms that other tools build on: exact bytes on stdout."""

import json
import math
import os
import shutil
import subprocess
from pathlib import Path

from harness import INGLE, MODELS, TIMEOUT, TINY, ProgramTest, real_model, without_tensors

EVAL_TEXT = "".join(chr(97 + i * i % 26) + (" " if i % 7 == 0 else "") for i in range(200))


def start(event):
    return event["ts"]


class RunRaw(ProgramTest):
    def test_prints_the_continuation_and_nothing_else(self):
        words = ["run", TINY, "--raw", "--temp", "0", "-n", "12", "abc"]
        text = self.ok(*words)
        # The same through JSON, token by token: no newline added, nothing of the prompt.
        told = self.ok_json(*words)
        self.assertEqual(told["generated_tokens"], 12)
        self.assertEqual(told["prompt_tokens"], 3)
        # --decode gives a token that is not a character of its own as its byte, streaming as U+FFFD.
        decoded = self.ok("tokenize", TINY, "--decode", stdin=json.dumps(told["tokens"]))
        self.assertEqual(text.decode(), decoded.decode(errors="replace"))
        self.assertEqual(text, self.ok(*words))

    def test_a_prompt_on_the_command_line_is_the_whole_prompt(self):
        words = ["run", TINY, "--raw", "--temp", "0", "-n", "6"]
        self.assertEqual(self.ok(*words, "abc"), self.ok(*words, "abc", stdin="and more"))
        self.assertEqual(self.ok(*words, "abc"), self.ok(*words, stdin="abc"))
        self.assertNotEqual(self.ok_json(*words, stdin="abc\n")["prompt_tokens"], 3)

    def test_does_not_wait_for_a_silent_pipe(self):
        with subprocess.Popen(
            [INGLE, "run", TINY, "--raw", "-n", "1", "x"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.environment,
        ) as process:
            self.assertEqual(process.wait(TIMEOUT), 0)

    def test_odd_prompts_arrive_as_they_are(self):
        for prompt in ("[a, b]", "{x}", "a=b", "pull", "--temp 9", "-", " x ", "ä\t\n"):
            told = self.ok_json("run", TINY, "--raw", "-n", "1", "--", prompt)
            alone = json.loads(self.ok("tokenize", TINY, "--json", stdin=prompt))
            self.assertEqual(told["prompt_tokens"], len(alone), prompt)

    def test_same_seed_same_text_on_any_thread_count(self):
        words = ["run", TINY, "--raw", "--temp", "1.5", "-n", "24", "abc"]
        first = self.ok(*words, "--seed", "7", "--threads", "1")
        self.assertEqual(first, self.ok(*words, "--seed", "7", "--threads", "2"))
        self.assertNotEqual(first, self.ok(*words, "--seed", "8"))
        self.assertNotEqual(self.ok(*words), self.ok(*words))

    def test_lora_changes_the_text(self):
        words = ["run", TINY, "--raw", "--temp", "0", "-n", "12", "abc"]
        adapter = str(MODELS / "lora-every.gguf")
        plain = self.ok(*words)
        self.assertNotEqual(plain, self.ok(*words, "--lora", adapter))
        self.assertEqual(plain, self.ok(*words, "--lora", f"{adapter}:0"))

    def test_speculation_leaves_the_text_as_it_is(self):
        words = ["run", TINY, "--raw", "--seed", "3", "-n", "60", "--logit-bias", "65=3", "abc"]
        plain = self.ok_json(*words, "--no-lookup")
        self.assertEqual(plain["proposed_tokens"], 0)
        for told in (self.ok_json(*words), self.ok_json(*words, "--draft", TINY)):
            self.assertEqual(told["tokens"], plain["tokens"])
        repeating = self.ok_json(*words, "--logit-bias", "65=100")
        self.assertEqual(repeating["tokens"], [65] * 60)
        self.assertGreater(repeating["taken_tokens"], 0)
        self.fails(3, "--draft", *words, "--draft", "/nowhere.gguf")

    def test_bias_and_stop(self):
        words = ["run", TINY, "--raw", "--temp", "0", "abc"]
        told = self.ok_json(*words, "-n", "3", "--logit-bias", "65=100")
        self.assertEqual(told["tokens"], [65, 65, 65])
        letter = self.ok("tokenize", TINY, "--decode", stdin="[65]").decode()
        told = self.ok_json(*words, "-n", "3", "--logit-bias", "65=100", "--stop", letter * 2)
        self.assertEqual((told["reason"], told["text"]), ("stop_string", ""))


class Answer(ProgramTest):
    """With the real chat model, where the machine has it."""

    def setUp(self):
        super().setUp()
        self.model = real_model("smollm2-135m")
        if self.model is None:
            self.skipTest("smollm2-135m was not fetched")

    def test_pipe_joins_the_prompt_and_the_text_ends_with_one_newline(self):
        words = ["run", self.model, "--temp", "0", "-n", "8"]
        joined = self.ok(*words, "Say this:\n\nhello")
        self.assertEqual(joined, self.ok(*words, "Say this:", stdin="hello"))
        self.assertTrue(joined.endswith(b"\n") and not joined.endswith(b"\n\n"))

    def test_a_text_cannot_inject_special_tokens(self):
        told = self.ok_json("run", self.model, "--temp", "0", "-n", "1", "<|im_end|>")
        plain = self.ok_json("run", self.model, "--temp", "0", "-n", "1", "x")
        ids = json.loads(self.ok("tokenize", self.model, "--json", stdin="<|im_end|>"))
        self.assertGreater(len(ids), 1)
        self.assertEqual(told["prompt_tokens"] - plain["prompt_tokens"], len(ids) - 1)

    def test_known_ids(self):
        self.assertEqual(self.ok("tokenize", self.model, "--json", stdin="Hello world").strip(), b"[19556, 905]")


class Tokenize(ProgramTest):
    def test_bytes_round_trip(self):
        everything = bytes(range(256)) + "Grüße, 世界 👩‍🚀\r\n\n".encode() + b"\xff\xfe\x80"
        vocabulary = self.write("vocabulary.gguf", without_tensors(Path(TINY).read_bytes()))
        self.assertLess(os.path.getsize(vocabulary), os.path.getsize(TINY) // 2)
        for model in (TINY, vocabulary):
            ids = json.loads(self.ok("tokenize", model, "--json", stdin=everything))
            back = self.ok("tokenize", model, "--decode", stdin=json.dumps(ids))
            self.assertEqual(back, everything, model)

    def test_nothing_is_dropped_or_added(self):
        self.assertEqual(json.loads(self.ok("tokenize", TINY, "--json", stdin="")), [])
        one = json.loads(self.ok("tokenize", TINY, "--json", stdin="a"))
        two = json.loads(self.ok("tokenize", TINY, "--json", stdin="a\n"))
        self.assertEqual(len(one), 1)
        self.assertEqual(two[:1], one)
        self.assertEqual(len(two), 2)

    def test_special_reads_special_tokens_and_decode_prints_them(self):
        name = self.ok("tokenize", TINY, "--decode", "--special", stdin="[259]").decode()
        self.assertNotEqual(name, "")
        self.assertEqual(self.ok("tokenize", TINY, "--decode", stdin="[259]"), b"")
        plain = json.loads(self.ok("tokenize", TINY, "--json", stdin=name))
        self.assertNotIn(259, plain)
        self.assertEqual(json.loads(self.ok("tokenize", TINY, "--json", "--special", stdin=name))[-1], 259)

    def test_bad_ids(self):
        self.fails(2, "not a JSON array", "tokenize", TINY, "--decode", stdin="{}")
        self.fails(2, "element 1 (260)", "tokenize", TINY, "--decode", stdin="[1, 260]")
        self.fails(2, "element 0 (-1)", "tokenize", TINY, "--decode", stdin="[-1]")
        self.fails(2, "element 0 (1.5)", "tokenize", TINY, "--decode", stdin="[1.5]")
        self.fails(2, "element 0", "tokenize", TINY, "--decode", stdin="[99999999999999999999]")


class Template(ProgramTest):
    CONTEXT = {"messages": [{"role": "user", "content": "Hi <b>"}], "add_generation_prompt": True, "name": "é"}

    def test_file(self):
        source = "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}{{ name }}|{{ missing }}"
        path = self.write("chat.jinja", source)
        out = self.ok("template", path, stdin=json.dumps(self.CONTEXT))
        self.assertEqual(out.decode(), "<user>Hi <b>\né|")

    def test_the_context_is_the_whole_context(self):
        path = self.write("chat.jinja", "{{ bos_token is defined }}{{ messages is defined }}")
        self.assertEqual(self.ok("template", path, stdin="{}"), b"FalseFalse")

    def test_a_models_own(self):
        folder = self.folder / "model"
        shutil.copytree(MODELS / "llama3-hf", folder)
        config = json.loads((folder / "tokenizer_config.json").read_text())
        config["chat_template"] = "{{ messages[0].content }}!"
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        self.assertEqual(self.ok("template", str(folder), stdin=json.dumps(self.CONTEXT)), b"Hi <b>!")

    def test_errors(self):
        self.fails(3, "no chat template", "template", TINY, stdin="{}")
        self.fails(3, "nothing.jinja", "template", "nothing.jinja", stdin="{}")
        path = self.write("chat.jinja", "{{ 1 }}")
        self.fails(2, "not JSON", "template", path, stdin="{")
        self.fails(2, "not a JSON object", "template", path, stdin="[]")
        self.fails(2, "line", "template", self.write("bad.jinja", "a\n{% if %}"), stdin="{}")
        stop = self.write("stop.jinja", "{{ raise_exception('roles must alternate') }}")
        self.fails(2, "roles must alternate", "template", stop, stdin="{}")


class Evaluate(ProgramTest):
    def setUp(self):
        super().setUp()
        self.text = self.write("text.txt", EVAL_TEXT)

    def test_windows(self):
        told = self.ok_json("eval", TINY, "--text", self.text, "--ctx", "64")
        # No BOS: 229 tokens are 3 windows of 64, and 63 tokens of each are scored.
        self.assertEqual(told["tokens"], 3 * 63)
        self.assertAlmostEqual(told["ppl"], math.exp(told["nll"]))
        self.assertEqual(set(told), {"nll", "ppl", "tokens", "isa", "parameters"})
        one = self.ok_json("eval", TINY, "--text", self.text, "--ctx", "64", "--windows", "1")
        self.assertEqual(one["tokens"], 63)
        self.assertNotEqual(one["nll"], told["nll"])

    def test_same_as_transformers(self):
        # From make_eval_golden.py.
        words = ["eval", str(MODELS / "llama3-hf"), "--text", self.text, "--ctx", "64"]
        told = self.ok_json(*words, "--precision", "reference")
        self.assertEqual(told["tokens"], 189)
        self.assertAlmostEqual(told["nll"], 6.041926595394962, places=6)
        # Products of many rows are tiles of bf16 where there is a tile unit (docs/adr/0008).
        normal = self.ok_json(*words)
        bound = 0.0015 if normal["isa"] == "amx" else 0.0005
        self.assertAlmostEqual(normal["nll"], 6.041926595394962, delta=bound)

    def test_bos_takes_a_place_where_the_metadata_says_so(self):
        gemma = str(MODELS / "gemma3.gguf")
        with_bos = json.loads(self.ok("tokenize", gemma, "--json", "--special", stdin="ab"))
        without = json.loads(self.ok("tokenize", gemma, "--json", stdin="ab"))
        bos = len(with_bos) - len(without)
        count = len(json.loads(self.ok("tokenize", gemma, "--json", stdin=Path(self.text).read_text())))
        told = self.ok_json("eval", gemma, "--text", self.text, "--ctx", "32")
        self.assertEqual(told["tokens"], count // (32 - bos) * 31)

    def test_special_tokens_in_the_text_are_plain_text(self):
        name = self.ok("tokenize", TINY, "--decode", "--special", stdin="[259]").decode()
        text = self.write("special.txt", name * 8)
        count = len(json.loads(self.ok("tokenize", TINY, "--json", stdin=name * 8)))
        self.assertEqual(self.ok_json("eval", TINY, "--text", text, "--ctx", str(count))["tokens"], count - 1)

    def test_divergence(self):
        words = ["eval", TINY, "--text", self.text, "--ctx", "64"]
        same = self.ok_json(*words, "--precision", "reference", "--kl-against", "reference")
        self.assertEqual((same["kl"], same["top1_agreement"]), (0, 1))
        self.assertEqual(same["nll"], same["against"]["nll"])
        self.assertEqual(same["ppl_ratio"], 1)
        near = self.ok_json(*words, "--kl-against", "reference")
        self.assertTrue(0 < near["kl"] < 0.01, near)
        far = self.ok_json(*words, "--kl-against", str(MODELS / "llama3.gguf"))
        self.assertGreater(far["kl"], 0.02)
        self.assertLess(far["top1_agreement"], 1)
        self.assertNotEqual(far["nll"], far["against"]["nll"])
        self.assertAlmostEqual(far["ppl_ratio"], far["ppl"] / far["against"]["ppl"])
        self.assertGreater(far["parameters"], 0)

    def test_errors(self):
        self.fails(2, "--text", "eval", TINY)
        self.fails(3, "nothing.txt", "eval", TINY, "--text", "nothing.txt")
        self.fails(2, "229 tokens", "eval", TINY, "--text", self.text, "--ctx", "230")


class Bench(ProgramTest):
    def test_figures(self):
        words = ["bench", TINY, "--prompt", "20", "--gen", "4", "--threads", "2", "--repeat", "3"]
        told = self.ok_json(*words)
        figures = ("prefill_tps", "decode_tps", "load_ms", "first_token_ms", "peak_rss_bytes")
        for figure in figures:
            spread = told["spread"][figure]
            self.assertTrue(0 < spread["min"] <= told[figure] <= spread["max"], figure)
        self.assertGreater(told["first_token_ms"], told["load_ms"])
        for phase in ("prompt", "generation"):
            cost = told["cost"][phase]
            self.assertGreater(cost["core_seconds_per_token"], 0)
            self.assertEqual("instructions_per_token" in cost, "no_instructions" not in told)
        self.assertIn("core-ms", self.ok(*words).decode())
        self.assertTrue(told["isa"])
        self.assertEqual((told["threads"], told["prompt"], told["gen"], told["repeat"]), (2, 20, 4, 3))
        self.assertEqual(self.ok_json(*words, "--isa", "scalar")["isa"], "scalar")

    def test_threads_are_held_to_cores_where_asked(self):
        words = ["bench", TINY, "--prompt", "4", "--gen", "2", "--threads", "3", "--repeat", "1"]
        self.assertEqual(self.ok_json(*words, "--pin", "on")["held_threads"], 2)
        self.assertIn("3 threads (2 held to their cores)", self.ok(*words, "--pin", "on").decode())
        self.assertEqual(self.ok_json(*words, env={"INGLE_PIN": "off"})["held_threads"], 0)
        cores = self.ok_json("doctor")["machine"]["cores"]
        if len(cores) == 1:  # alike: nothing to choose
            self.assertEqual(self.ok_json(*words)["held_threads"], 0)
        self.fails(2, "pin", *words, "--pin", "perhaps")

    def test_bench_generates_several_sequences_and_behind_a_context(self):
        words = ("bench", TINY, "--prompt", "0", "--gen", "4", "--repeat", "1")
        self.assertNotIn("streams_tps", self.ok_json(*words))
        told = self.ok_json(*words, "--depth", "40", "--streams", "3")
        self.assertGreater(told["streams_tps"], 0)
        self.assertIn("all streams", self.ok(*words, "--streams", "2").decode())
        self.fails(6, "45 tokens do not fit", *words, "--depth", "45", "--ctx", "44")
        self.fails(6, "17 tokens in a batch of at most 16", *words, "--streams", "17", "--batch", "16")

    def test_bench_profile_names_what_takes_the_time(self):
        words = ["bench", TINY, "--prompt", "20", "--gen", "4", "--repeat", "2", "--deterministic", "--profile"]
        profile = self.ok_json(*words)["profile"]
        for phase, calls, rows in (("prompt", 1, 20), ("generation", 4, 4)):
            operations = {operation["name"]: operation for operation in profile[phase]}
            self.assertTrue({"attention", "norm", "embed"} <= operations.keys(), operations.keys())
            self.assertEqual(operations["embed"]["calls"], calls)
            [down] = [o for name, o in operations.items() if name.startswith("matmul ffn_down")]
            self.assertEqual(down["calls"] % calls, 0)
            self.assertGreater(down["weight_bytes"], 0)
            self.assertEqual(down["multiply_adds"] % rows, 0)
            self.assertGreater(down["seconds"], 0)
        text = self.ok(*words).decode()
        self.assertIn("generation, by operation:", text)
        self.assertIn("GMAC/s", text)

    def test_only_what_was_measured_is_profiled(self):
        words = ["bench", TINY, "--repeat", "1", "--profile"]
        self.assertEqual(list(self.ok_json(*words, "--prompt", "0", "--gen", "2")["profile"]), ["generation"])
        self.assertEqual(list(self.ok_json(*words, "--prompt", "8", "--gen", "0")["profile"]), ["prompt"])
        streams = self.ok_json(*words, "--prompt", "0", "--gen", "2", "--streams", "3")["profile"]
        self.assertEqual(list(streams), ["generation", "streams"])
        work = [sum(operation["multiply_adds"] for operation in streams[phase]) for phase in streams]
        self.assertEqual(work[1], 3 * work[0])
        self.assertEqual(self.ok_json(*words, "--prompt", "0", "--gen", "0")["profile"], {})
        self.assertEqual(self.ok_json(*words, "--prompt", "0", "--gen", "0")["cost"], {})

    def test_limits_are_measured_and_compared_with(self):
        words = [
            "bench",
            TINY,
            "--prompt",
            "40",
            "--gen",
            "8",
            "--repeat",
            "1",
            "--threads",
            "1",
            "--limits",
            "--profile",
        ]
        rates = ("weight_bytes", "large_bytes", "byte_products", "float_products")
        limits = {}
        for isa in ("scalar", ""):
            told = self.ok_json(*words, *(["--isa", isa] if isa else []))
            limits[told["isa"]] = told["limits"]
            for rate in rates:
                self.assertGreater(told["limits"][rate + "_per_second"], 1e6, rate)
            self.assertEqual("tile_products_per_second" in told["limits"], told["isa"] == "amx")
            for operation in told["profile"]["prompt"] + told["profile"]["generation"]:
                if operation["name"].startswith("matmul"):
                    # Noise may put a loop of nothing but products below the engine's, though not by much.
                    self.assertTrue(0 < operation["share_of_limit"] < 1.5, operation)
                else:
                    self.assertNotIn("share_of_limit", operation)
        if len(limits) == 2:  # vectors multiply faster than one number at a time
            scalar = limits.pop("scalar")
            self.assertGreater(limits.popitem()[1]["byte_products_per_second"], 2 * scalar["byte_products_per_second"])
        text = self.ok(*words).decode()
        self.assertIn("read the weights", text)
        self.assertIn("   limit", text)
        without = self.ok_json(*words[:-2], "--profile")
        self.assertNotIn("limits", without)
        self.assertNotIn("share_of_limit", without["profile"]["prompt"][0])

    def test_a_trace_accounts_for_all_of_the_time(self):
        path = self.folder / "trace.json"
        words = ["bench", TINY, "--prompt", "20", "--gen", "4", "--repeat", "1", "--threads", "2"]
        self.ok(*words, "--trace", str(path))
        trace = json.loads(path.read_text())
        self.assertEqual(trace["otherData"]["dropped_runs"], 0)
        events = trace["traceEvents"]
        tracks = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
        self.assertEqual(tracks, {0: "runs", 1: "worker 0", 2: "worker 1"})
        slices = {tid: sorted((e for e in events if e["ph"] == "X" and e["tid"] == tid), key=start) for tid in tracks}
        for track in slices.values():
            for before, after in zip(track, track[1:]):
                self.assertLessEqual(round(before["ts"] + before["dur"], 3), after["ts"])
        # Worker 1 may sleep through runs as short as these; worker 0 is there from the beginning to the end.
        runs = slices[0]
        self.assertEqual([run["args"]["tokens"] for run in runs], [20, 1, 1, 1, 1])
        for run in runs:
            end = run["ts"] + run["dur"]
            inside = [s for s in slices[1] if run["ts"] <= s["ts"] and s["ts"] + s["dur"] <= end + 0.001]
            kernels = [s for s in inside if s["name"] != "wait"]
            # One kernel starts where the last one ended: nothing is missing between the first and the last.
            last = inside[-1]
            covered = last["ts"] + last["dur"] - inside[0]["ts"]
            self.assertAlmostEqual(sum(s["dur"] for s in inside), covered, 2)
            self.assertIn("embed", [s["name"] for s in kernels])
            products = [s for s in kernels if s["name"].startswith("matmul")]
            self.assertGreater(len(products), 4)
            for product in products[:-1]:
                args = product["args"]
                self.assertEqual(args["rows"], run["args"]["tokens"])
                self.assertGreater(args["bytes"], 0)
                self.assertEqual(args["macs"] % args["rows"], 0)
                self.assertIn(args["layer"], (0, 1))
            self.assertNotIn("layer", products[-1]["args"])

    def test_a_trace_that_cannot_be_written_is_an_error(self):
        nowhere = str(self.folder / "none" / "trace.json")
        words = ["bench", TINY, "--prompt", "2", "--gen", "1", "--repeat", "1"]
        self.fails(3, "none/trace.json", *words, "--trace", nowhere)

    def test_a_failure_in_the_child_is_ours(self):
        self.fails(5, "nosuch", "bench", TINY, "--isa", "nosuch")
        self.fails(6, "context", "bench", TINY, "--prompt", "64", "--ctx", "32")
