"""Bad input: one line on stderr, the documented exit code, nothing half-written."""

import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
from pathlib import Path

from harness import INGLE, MODELS, TIMEOUT, TINY, ProgramTest, without_tensors


def catalogue(source, sha256, size, name="tiny"):
    return json.dumps(
        {
            "version": 1,
            "models": [
                {
                    "name": name,
                    "aliases": [],
                    "description": "For tests.",
                    "architecture": "llama",
                    "parameters": 1000,
                    "quantisation": "F16",
                    "licence": {"name": "Apache-2.0", "url": "https://example.org/licence"},
                    "file_name": "tiny.gguf",
                    "size_bytes": size,
                    "sha256": sha256,
                    "memory_bytes": 1000000,
                    "context_length": 128,
                    "chat": False,
                    "sources": [{"address": source, "rank": 1}],
                }
            ],
        }
    )


def limit_files(size):
    """For preexec_fn: no file may grow beyond `size` bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class Usage(ProgramTest):
    def test_commands_and_options(self):
        self.fails(3, "did you mean 'run'", "rum")
        self.fails(2, "did you mean '--temp'", "run", "--tmep", "1")
        self.fails(2, "unknown option '-x'", "run", "-x")
        self.fails(2, "'--temp' needs a value", "run", TINY, "--temp")
        self.fails(2, "MODEL is missing", "show")
        self.fails(2, "unexpected argument 'b'", "show", "a", "b")
        self.fails(2, "contradict", "config", "--offline", "--no-offline")
        self.fails(2, "SHELL is one of bash, zsh, fish; not 'tcsh'", "completion", "tcsh")

    def test_values(self):
        for flag, value, says in (
            ("--temp", "hot", "'hot' is not a number"),
            ("--temp", "-1", "from 0 to 100"),
            ("--top-p", "0", "above 0"),
            ("--top-k", "1.5", "not a whole number"),
            ("--seed", "18446744073709551615", "out of range"),
            ("--xtc-threshold", "0", "--xtc-threshold: '0' is out of range"),
            ("--dry-allowed-length", "0", "--dry-allowed-length: '0' is out of range"),
            ("--mirostat-tau", "0", "--mirostat-tau: '0' is out of range"),
            ("--ctx", "0", "from 1"),
            ("--memory", "much", "not a size"),
            ("--precision", "double", "normal, reference"),
            ("--logit-bias", "x", "TOKEN=BIAS"),
            ("--logit-bias", "260=1", "ids are below 260"),
        ):
            self.fails(2, says, "run", TINY, flag, value, "hi")

    def test_json_errors(self):
        done = self.ingle("show", "nosuch", "--json")
        self.assertEqual((done.returncode, done.stdout), (3, b""))
        error = json.loads(done.stderr)["error"]
        self.assertEqual((error["code"], error["exit"]), ("not_found", 3))
        self.assertIn("nosuch", error["message"])


class Models(ProgramTest):
    def test_missing(self):
        self.fails(3, "did you mean 'smollm2-135m'", "run", "smollm2-135", "hi")
        self.fails(3, "did you mean 'smollm2-135m'", "run", "smollm2-135")
        self.fails(3, "no model is called 'why'", "run", "why", "is the sky blue?")
        self.fails(3, "gone.gguf", "run", "gone.gguf")
        self.fails(3, "no file or folder './gone'", "run", "./gone", "hi")
        self.fails(3, "nosuch", "rm", "nosuch")
        self.fails(3, "nosuch", "chat", "nosuch")

    def test_damaged(self):
        whole = (MODELS / "llama.gguf").read_bytes()
        self.fails(4, "cut.gguf", "run", self.write("cut.gguf", whole[: len(whole) // 2]), "hi")
        self.fails(4, "magic.gguf", "show", self.write("empty/magic.gguf", b"GGUF"))
        renamed = whole.replace(b"\x05\x00\x00\x00\x00\x00\x00\x00llama", b"\x05\x00\x00\x00\x00\x00\x00\x00lxama", 1)
        self.fails(5, "lxama", "run", self.write("other.gguf", renamed), "hi")
        # What a terminal would obey is not handed on to it.
        hostile = renamed.replace(b"lxama", b"l\x1b\xc2\x9bJ", 1)
        shown = self.ok("show", "--metadata", self.write("hostile.gguf", hostile))
        self.assertNotIn(b"\x1b", shown)
        self.assertNotIn(b"\xc2\x9b", shown)
        self.assertIn(rb"l\x1b\xc2\x9bJ", shown)
        vocabulary = self.write("vocabulary.gguf", without_tensors(whole))
        self.assertIn(b"a vocabulary only", self.ok("show", vocabulary))
        self.fails(5, "a vocabulary and no weights", "run", vocabulary, "hi")

    def test_the_architecture_is_looked_at_before_the_tokenizer(self):
        whole = (MODELS / "llama.gguf").read_bytes()
        name = b"tokenizer.ggml.model"
        self.assertEqual(whole.count(name), 1)
        without = whole.replace(name, b"tokenizer.lost.model")
        self.fails(4, "tokenizer", "run", self.write("tokenizer.gguf", without), "hi")
        renamed = without.replace(b"\x05\x00\x00\x00\x00\x00\x00\x00llama", b"\x05\x00\x00\x00\x00\x00\x00\x00lxama", 1)
        error = self.fails(5, '"lxama" is not supported', "run", self.write("both.gguf", renamed), "hi")
        self.assertIn("supported are", error)

    def test_wrong_checksum_leaves_nothing(self):
        source = self.write("source/tiny.gguf", (MODELS / "llama.gguf").read_bytes())
        size = os.path.getsize(source)
        listing = self.write("catalogue.json", catalogue(f"file:{source}", "0" * 64, size))
        error = self.ingle("pull", "tiny", "--catalogue", listing)
        self.assertEqual(error.returncode, 4, error.stderr)
        self.assertIn(b"SHA-256", error.stderr)
        self.assertFalse([f for f in self.store_files() if f.startswith(("blobs", "models"))])

    def test_pull_list_show_run_rm(self):
        content = (MODELS / "llama.gguf").read_bytes()
        source = self.write("source/tiny.gguf", content)
        sha256 = hashlib.sha256(content).hexdigest()
        listing = self.write("catalogue.json", catalogue(f"file:{source}", sha256, len(content)))
        env = {"INGLE_CATALOGUE": listing}
        self.assertIn(b"about 1.0 MB with a full context of 4096 (an estimate)", self.ok("show", "tiny", env=env))
        [pulled] = self.ok_json("pull", "tiny", env=env)
        self.assertTrue(pulled["fetched"])
        self.assertEqual(pulled["sha256"], sha256)
        self.assertEqual(Path(pulled["path"]).read_bytes(), content)
        self.assertFalse(self.ok_json("pull", "tiny", env=env)[0]["fetched"])
        self.assertEqual([m["name"] for m in self.ok_json("list", env=env)], ["tiny"])
        self.assertIn(b"tiny", self.ok("ls", env=env))
        shown = self.ok_json("show", "tiny", env=env)
        self.assertEqual((shown["file"]["architecture"], shown["catalogue"]["sha256"]), ("llama", sha256))
        page = self.ok("show", "tiny", env=env)
        self.assertNotIn(b"estimate", page)
        self.assertEqual(page.count(b"Memory"), 1, page)
        by_name = self.ok("run", "tiny", "--raw", "--temp", "0", "-n", "4", "abc", env=env)
        self.assertEqual(by_name, self.ok("run", TINY, "--raw", "--temp", "0", "-n", "4", "abc"))
        # As the default model, the only argument is the prompt.
        named = self.ok("run", "--raw", "--temp", "0", "-n", "4", "abc", env={**env, "INGLE_MODEL": "tiny"})
        self.assertEqual(named, by_name)
        self.assertIn("tiny", self.ok("__complete", "models", env=env).decode().split())
        self.assertEqual(self.ok_json("rm", "tiny", env=env)[0]["bytes_freed"], len(content))
        self.assertEqual(self.ok_json("list", env=env), [])

    def test_no_network(self):
        error = self.fails(8, "smollm2-135m", "pull", "smollm2-135m", "--offline")
        self.assertIn("--offline", error)
        self.fails(8, "offline", "run", "Why?", "--offline")
        done = self.ingle("pull", "http://me:secret@127.0.0.1:1/tiny.gguf")
        self.assertNotIn(b"secret", done.stderr)
        self.assertIn(b"check the connection", done.stderr)
        self.assertEqual(done.returncode, 8, done.stderr)
        self.assertFalse([f for f in self.store_files() if f.startswith(("blobs", "models"))])

    def test_a_bad_endpoint_stops_only_what_needs_the_hub(self):
        env = {"HF_ENDPOINT": "ftp://me:secret@mirror", "MODELSCOPE_ENDPOINT": "hub"}
        self.assertEqual(self.ok_json("list", env=env), [])
        self.ok("list", "--all", env=env)
        self.ok("show", "smollm2-135m", env=env)
        self.ok("run", TINY, "-n", "1", "hi", env=env)
        problems = self.ok_json("doctor", env=env)["problems"]
        self.assertEqual(len(problems), 2, problems)
        self.assertIn("HF_ENDPOINT is 'ftp://***@mirror'", problems[0])
        self.fails(2, "HF_ENDPOINT is 'ftp://***@mirror'", "pull", "-q", "hf:owner/repo/model.gguf", env=env)
        self.fails(2, "MODELSCOPE_ENDPOINT is 'hub'", "pull", "-q", "modelscope:owner/repo/model.gguf", env=env)

    def test_store_not_writable(self):
        blocked = self.write("blocked", "a file where the folder should be")
        done = self.ingle("pull", "smollm2-135m", "--offline", "--store", blocked + "/store")
        self.assertIn(done.returncode, (1, 3, 9), done.stderr)
        self.assertTrue(done.stderr.startswith(b"ingle: "))
        # A model named by its path needs no store.
        self.ok("run", TINY, "-n", "1", "hi", "--store", blocked + "/store")

    def test_no_space_for_a_download(self):
        content = (MODELS / "llama.gguf").read_bytes()
        source = self.write("source/tiny.gguf", content)
        listing = self.write(
            "catalogue.json", catalogue(f"file:{source}", hashlib.sha256(content).hexdigest(), len(content))
        )

        done = self.ingle("pull", "tiny", "--catalogue", listing, preexec_fn=limit_files(65536))
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertFalse([f for f in self.store_files() if f.startswith(("blobs", "models"))])

    def test_no_memory(self):
        self.fails(7, "needs", "run", TINY, "--memory", "1K", "hi")


class Prompts(ProgramTest):
    def test_longer_than_the_context(self):
        error = self.fails(6, "8 too", "run", TINY, "--raw", "--ctx", "4", "abcdefghijkl")
        self.assertIn("12 tokens", error)
        self.assertIn("4", error)

    def test_invalid_utf8(self):
        self.fails(2, "0xff at offset 2", "run", TINY, stdin=b"ab\xffcd")
        self.fails(2, "0xc3 at offset 0", "run", TINY, b"\xc3(")
        self.fails(2, "0xff at offset 1", "chat", TINY, stdin=b"a\xff\n")
        self.fails(2, "0x80 at offset 0", "run", TINY, "hi", stdin=b"\x80")

    def test_empty(self):
        self.fails(2, "empty", "run", TINY, "--raw", "")
        self.fails(2, "empty", "run", TINY, stdin=b"")
        self.fails(2, "empty", "run", TINY, stdin=b" \n")
        # Before the model is looked at, or even fetched.
        self.fails(2, "empty", "run", "smollm2-135m", stdin=b"")

    def test_template_that_loops(self):
        loop = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
        self.fails(6, "", "template", self.write("loop.jinja", loop), stdin="{}")
        flood = "{% for a in range(99999) %}{{ 'x' * 99999 }}{% endfor %}"
        self.fails(6, "", "template", self.write("flood.jinja", flood), stdin="{}")
        folder = self.folder / "model"
        shutil.copytree(MODELS / "llama3-hf", folder)
        config = json.loads((folder / "tokenizer_config.json").read_text())
        config["chat_template"] = loop
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        self.fails(6, "", "run", str(folder), "--accept-template", "hi")

    def test_no_template_is_said(self):
        done = self.ingle("run", TINY, "-n", "1", "hi")
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"no chat template", done.stderr)
        self.assertEqual(self.ingle("run", TINY, "-n", "1", "-q", "hi").stderr, b"")

    def test_flags_that_do_nothing_are_said(self):
        self.environment["INGLE_ACCEPT_TEMPLATE"] = "1"
        folder = self.folder / "model"
        shutil.copytree(MODELS / "llama3-hf", folder)
        config = json.loads((folder / "tokenizer_config.json").read_text())

        def notices(*words, template="{{ messages[0].content }}", **options):
            config["chat_template"] = template
            (folder / "tokenizer_config.json").write_text(json.dumps(config))
            done = self.ingle("run", str(folder), "-n", "1", *words, "hi", **options)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stderr.decode().splitlines()

        self.assertEqual(notices(), [])
        [special] = notices("--special")
        self.assertIn("--special has no effect on the prompt without --raw", special)
        self.assertEqual(notices("--special", "--raw"), [])
        self.assertIn("--accept-template has no effect with --raw", notices("--accept-template", "--raw")[0])
        [think] = notices("--think")
        self.assertIn("--think has no effect", think)
        self.assertIn("--no-think has no effect", notices("--no-think")[0])
        self.assertEqual(
            notices("--think", template="{% if enable_thinking %}x{% endif %}{{ messages[0].content }}"), []
        )
        # A setting for all runs is not a request for this one.
        self.assertEqual(notices(env={"INGLE_THINK": "1"}), [])
        self.assertEqual(notices("--think", "--special", "-q"), [])
        self.assertEqual(len(notices("--think", "--system", "x", "--raw")), 2)
        done = self.ingle("chat", str(folder), "--think", stdin="")
        self.assertIn(b"--think has no effect", done.stderr)
        self.fails(2, "think has no effect", "chat", str(folder), stdin="/set think on\n")

    def test_fill_in_the_middle_needs_its_tokens(self):
        self.fails(5, "", "run", TINY, "--suffix", "b", "a")


class Ends(ProgramTest):
    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [INGLE, "run", TINY, "--raw", "--temp", "0", "-n", "4", "hi"],
                stdout=full,
                stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                env=self.environment,
                timeout=TIMEOUT,
            )
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertEqual(done.stderr.count(b"\n"), 1)

    def test_a_limit_on_the_size_of_files(self):
        path = self.folder / "page"
        with open(path, "wb") as page:
            done = subprocess.run(
                [INGLE, "man"],
                stdout=page,
                stderr=subprocess.PIPE,
                env=self.environment,
                timeout=TIMEOUT,
                preexec_fn=limit_files(1000),
            )
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertEqual(done.stderr.count(b"\n"), 1)
        self.assertEqual(path.stat().st_size, 1000)

    def test_reader_gone(self):
        reading, writing = os.pipe()
        os.close(reading)
        with subprocess.Popen([INGLE, "man"], stdout=writing, stderr=subprocess.PIPE, env=self.environment) as process:
            os.close(writing)
            error = process.communicate(timeout=TIMEOUT)[1]
        self.assertEqual((process.returncode, error), (-signal.SIGPIPE, b""))

    def start_long_answer(self):
        """An answer that goes on until it is stopped: no stop token, and it fills a large context."""
        process = subprocess.Popen(
            [
                INGLE,
                "run",
                TINY,
                "--raw",
                "--ctx",
                "100000",
                "--isa",
                "scalar",
                "--threads",
                "1",
                "--logit-bias",
                "65=100",
            ]
            + ["abc"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        )
        self.addCleanup(process.kill)
        return process

    def test_ctrl_c_stops_the_answer_and_keeps_what_came(self):
        process = self.start_long_answer()
        first = process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        rest, error = process.communicate(timeout=TIMEOUT)
        self.assertEqual((process.returncode, error), (130, b""))
        self.assertEqual(set(first + rest), set(first))
