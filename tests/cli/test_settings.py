"""Settings: precedence, their errors, and what is made from their records (help, man page, completion)."""

import os
import shutil
import subprocess
from pathlib import Path

from harness import INGLE, TINY, ProgramTest


class Precedence(ProgramTest):
    def value(self, key, *words, env=None):
        return self.ok_json("config", key, *words, env=env)

    def test_flag_environment_file_default(self):
        self.assertEqual(self.value("batch"), {"value": 0, "origin": "default"})
        path = self.write_config("# mine\nbatch = 64\n")
        self.assertEqual(self.value("batch"), {"value": 64, "origin": "config file", "where": f"{path}:2"})
        env = {"INGLE_BATCH": "32"}
        self.assertEqual(self.value("batch", env=env), {"value": 32, "origin": "environment", "where": "INGLE_BATCH"})
        self.assertEqual(
            self.value("batch", "--batch", "16", env=env), {"value": 16, "origin": "flag", "where": "--batch"}
        )
        # An empty variable is none, and the last of several flags counts.
        self.assertEqual(self.value("batch", env={"INGLE_BATCH": ""})["value"], 64)
        self.assertEqual(self.value("batch", "--batch", "8", "--batch=4")["value"], 4)

    def test_the_value_is_used(self):
        self.write_config("max-tokens = 3\ntemp = 0\n")
        words = ["run", TINY, "--raw", "abc"]
        self.assertEqual(self.ok_json(*words)["generated_tokens"], 3)
        self.assertEqual(self.ok_json(*words, env={"INGLE_MAX_TOKENS": "2"})["generated_tokens"], 2)
        self.assertEqual(self.ok_json(*words, "-n1", env={"INGLE_MAX_TOKENS": "2"})["generated_tokens"], 1)

    def test_types(self):
        self.write_config('offline = true\nstop = ["a", "b"]\nmemory = "2G"\ntemp = 1\nthink = false\n')
        told = self.ok_json("config")
        self.assertEqual(told["offline"]["value"], True)
        self.assertEqual(told["stop"]["value"], ["a", "b"])
        self.assertEqual(told["memory"]["value"], "2G")
        self.assertEqual(told["temp"]["value"], 1.0)
        self.assertEqual(told["think"]["value"], False)
        self.assertEqual(self.value("offline", "--no-offline")["value"], False)
        self.assertEqual(self.ok("config", "offline", env={"INGLE_OFFLINE": "yes"}), b"true\n")
        self.assertEqual(self.value("stop", env={"INGLE_STOP": "x\ny z"})["value"], ["x", "y z"])
        self.assertEqual(self.value("stop", "--stop=", "--stop", "[q]")["value"], ["", "[q]"])
        self.assertEqual(self.ok("config", "stop"), b"a\nb\n")
        self.write_config('temp = 0.3\nsystem = """\n' + "." * 999 + '"""\n')
        self.assertEqual(self.ok("config", "temp"), b"0.3\n")

    def test_every_setting_is_listed_with_its_origin(self):
        self.write_config("threads = 2\n")
        lines = self.ok("config").decode().splitlines()
        self.assertEqual(len(lines), len(self.ok_json("config")))
        [line] = [line for line in lines if line.startswith("threads ")]
        self.assertTrue(line.endswith("config.toml:1"), line)
        self.assertNotIn("\x1b", "".join(lines))

    def test_defaults_of_this_machine_are_resolved(self):
        store = str(self.folder / "data" / "ingle")
        self.assertEqual(self.value("store"), {"value": store, "origin": "default"})
        self.assertEqual(self.ok("config", "store").decode(), store + "\n")
        threads = self.value("threads")
        self.assertEqual((threads["origin"], threads["value"] >= 1), ("default", True), threads)
        lines = {line.split()[0]: line for line in self.ok("config").decode().splitlines()}
        self.assertRegex(lines["store"], f'"{store}" +default: ')
        self.assertRegex(lines["threads"], f"threads +{threads['value']} +default: one per core")
        self.assertRegex(lines["ctx"], "ctx +- +default: ")
        self.assertEqual(self.value("threads", "--threads", "3")["value"], 3)

    def test_threads_are_those_of_the_cores_that_may_be_used(self):
        one = min(os.sched_getaffinity(0))
        done = self.ingle("config", "threads", preexec_fn=lambda: os.sched_setaffinity(0, {one}))
        self.assertEqual(done.stdout, b"1\n")

    def test_other_file(self):
        other = self.write("other.toml", "batch = 7\n")
        self.write_config("batch = 8\n")
        self.assertEqual(self.value("batch", env={"INGLE_CONFIG": other})["value"], 7)
        self.assertEqual(self.ok("config", "path", env={"INGLE_CONFIG": other}).decode().strip(), other)

    def test_example_file_is_valid(self):
        example = self.ok("config", "example").decode()
        chosen = [
            line[1:] for line in example.splitlines() if line.startswith("#") and " = " in line and "..." not in line
        ]
        self.assertGreater(len(chosen), 20)
        self.write_config("\n".join(line for line in chosen if not line.startswith(" ")))
        self.ok("config")
        self.assertEqual(self.ok_json("config", "example"), {"example": example})

    def test_the_example_of_the_help_makes_the_file(self):
        [line] = [line for line in self.ok("config", "--help").decode().splitlines() if "config example" in line]
        tools = self.folder / "bin"
        tools.mkdir()
        (tools / "ingle").symlink_to(INGLE)
        env = {**self.environment, "PATH": f"{tools}:{self.environment['PATH']}"}
        subprocess.run(["sh", "-c", line], check=True, timeout=60, env=env)
        path = self.ok_json("config", "path")["path"]
        self.assertTrue(path.startswith(str(self.folder)), path)
        self.assertEqual(Path(path).read_bytes(), self.ok("config", "example"))


class Broken(ProgramTest):
    def test_file(self):
        path = self.write_config("batch = 64\ntempp = 1\n")
        error = self.fails(2, f"{path}:2: unknown key 'tempp'", "config")
        self.assertIn("did you mean 'temp'", error)
        for text, says in (
            ("batch = 64\ntemp = ", ":2:"),
            ('threads = "two"', "a whole number"),
            ("threads = 0", "from 1"),
            ("stop = [1]", "a list of texts"),
            ("[engine]\nthreads = 1", "unknown key 'engine'"),
            ("precision = 'half'", "normal, reference"),
            (".".join(["a"] * 100000) + " = 1", "too many parts"),
            ("\n[" + " . ".join(['"a\\"=b"'] * 50000) + "]\nb = 1", ":2: a key has too many parts"),
        ):
            path = self.write_config(text)
            self.assertIn(path, self.fails(2, says, "run", TINY, "hi"), text)

    def test_what_helps_to_mend_it_still_works(self):
        path = self.write_config("nonsense\n")
        self.assertEqual(self.ok("config", "path").decode().strip(), path)
        self.ok("version")
        self.ok("man")
        self.ok("run", "--help")
        report = self.ok_json("doctor")
        self.assertTrue(any(path in problem for problem in report["problems"]), report["problems"])

    def test_environment(self):
        self.fails(2, "INGLE_TEMP: 'warm' is not a number", "run", TINY, "hi", env={"INGLE_TEMP": "warm"})
        report = self.ok_json("doctor", env={"INGLE_TMEP": "1"})
        self.assertTrue(any("INGLE_TMEP" in problem for problem in report["problems"]))
        self.assertEqual(self.ok_json("doctor")["problems"], [])

    def test_unknown_setting(self):
        self.fails(3, "did you mean 'temp'", "config", "tmep")


class Doctor(ProgramTest):
    def test_report(self):
        report = self.ok_json("doctor")
        machine = report["machine"]
        self.assertGreater(machine["memory_bytes"], machine["free_memory_bytes"] // 2)
        sets = {entry["name"]: entry for entry in machine["instruction_sets"]}
        self.assertTrue(sets["scalar"]["works"])
        self.assertEqual(sum(entry["chosen"] for entry in sets.values()), 1)
        self.assertEqual(machine["cores"][0]["speed"], 1)
        self.assertLessEqual(machine["default_threads"], sum(kind["count"] for kind in machine["cores"]))
        self.assertEqual(machine["default_threads"], self.ok_json("config", "threads")["value"])
        self.assertEqual(report["store"]["path"], str(self.folder / "data" / "ingle"))
        self.assertTrue(report["default"]["reason"])
        # What the kernel says of itself decides; every line says who sees to it, or why nobody does.
        filters = "Seccomp_filters" in Path("/proc/self/status").read_text()
        confinement = {entry["what"]: entry for entry in report["confinement"]}
        self.assertEqual(confinement["starting processes"]["enforced"], filters)
        self.assertTrue(all(entry["by"] for entry in confinement.values()))
        # With little memory the small model is chosen, and the reason says so.
        small = self.ok_json("doctor", "--memory", "1G")["default"]
        self.assertEqual((small["model"], small["installed"]), ("smollm2-135m", False))
        named = self.ok_json("doctor", env={"INGLE_MODEL": "gemma3-270m"})["default"]
        self.assertEqual((named["model"], named["reason"]), ("gemma3-270m", "named by INGLE_MODEL"))
        self.assertIn(b"scalar", self.ok("doctor"))


class Made(ProgramTest):
    """What is generated from the records of commands and settings."""

    def commands(self):
        text = self.ok("--help").decode()
        return [line.split()[0] for line in text.split("Commands:")[1].split("\n\n")[0].splitlines() if line.strip()]

    def test_help(self):
        self.assertIn("run", self.commands())
        self.assertNotIn("__complete", self.commands())
        for command in self.commands():
            text = self.ok(command, "--help").decode()
            self.assertIn(f"ingle {command}", text)
            self.assertEqual(text, self.ok("help", command).decode())
            self.assertLessEqual(max(len(line) for line in text.splitlines() if "{" not in line), 110, command)
        self.assertIn("INGLE", self.ok("man").decode())
        self.assertEqual(self.ok("--version"), self.ok("version"))

    def check_syntax(self, shell):
        if shutil.which(shell) is None:
            self.skipTest(f"{shell} is not installed")
        script = self.write(f"completion.{shell}", self.ok("completion", shell))
        done = subprocess.run([shell, "-n", script], capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return script

    def test_zsh(self):
        self.check_syntax("zsh")

    def test_fish(self):
        script = self.check_syntax("fish")
        lines = subprocess.run(
            ["fish", "--no-config", "-c", f"source {script}; complete -C 'ingle run --te'"],
            capture_output=True,
            timeout=60,
            env=self.environment,
        ).stdout.decode()
        self.assertIn("--temp", lines)

    def bash_completes(self, *words):
        script = self.write("completion.bash", self.ok("completion", "bash"))
        quoted = " ".join(f"'{word}'" for word in words)
        code = (
            f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; compopt() {{ :; }}; "
            '_ingle; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        tools = self.folder / "bin"
        tools.mkdir(exist_ok=True)
        link = tools / "ingle"
        if not link.exists():
            link.symlink_to(INGLE)
        env = {**self.environment, "PATH": f"{tools}:{self.environment['PATH']}"}
        done = subprocess.run(["bash", "-c", code], capture_output=True, timeout=60, env=env)
        self.assertEqual(done.stderr, b"")
        return done.stdout.decode().split()

    def test_bash(self):
        self.check_syntax("bash")
        self.assertEqual(self.bash_completes("ingle", "tok"), ["tokenize"])
        self.assertEqual(set(self.bash_completes("ingle", "run", "--temp")), {"--temp", "--temporary"})
        self.assertIn("smollm2-135m", self.bash_completes("ingle", "run", "smollm2-1"))
        self.assertEqual(self.bash_completes("ingle", "run", "--precision", ""), ["normal", "reference"])
        self.assertEqual(self.bash_completes("ingle", "eval", "--kl-against", "ref"), ["reference"])
        self.assertIn("smollm2-135m", self.bash_completes("ingle", "eval", "--kl-against", "smol"))
        self.assertEqual(self.bash_completes("ingle", "run", "-m", "refer"), [])
        self.assertEqual(self.bash_completes("ingle", "completion", "f"), ["fish"])
        self.assertEqual(self.bash_completes("ingle", "config", "repeat-l"), ["repeat-last-n"])
        self.assertEqual(self.bash_completes("ingle", "rm", "smol"), [], "nothing is installed")

    def test_man_page(self):
        page = self.write("ingle.1", self.ok("man"))
        if shutil.which("man") is None or shutil.which("groff") is None:
            self.skipTest("man is not installed")
        env = {**self.environment, "MANWIDTH": "90", "MANPAGER": "cat", "PAGER": "cat"}
        done = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, timeout=60, env=env)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        text = done.stdout.decode()
        for word in ("--repeat-penalty", "INGLE_CONFIG", "EXIT STATUS", "130", "ingle bench"):
            self.assertIn(word, text)
