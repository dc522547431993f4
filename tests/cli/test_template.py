"""A model's own chat template that is none of the published ones: shown before it is used, and once accepted no more."""

import hashlib
import json
import shutil

from harness import DATA, MODELS, TINY, ProgramTest, TerminalTest, real_model

OWN = "{% for m in messages %}{{ m.content }}\n{% endfor %}\x1b[2Jpray tell\u202e"
NOTICE = b"is none of the published ones that Ingle knows"


class OwnTemplate:
    """Models with a template of their own."""

    def model(self, template=OWN):
        folder = self.folder / "model"
        if not folder.exists():
            shutil.copytree(MODELS / "llama3-hf", folder)
        config = json.loads((folder / "tokenizer_config.json").read_text())
        config["chat_template"] = template
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        return str(folder)

    def accepted(self):
        folder = self.folder / "data" / "ingle" / "templates"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


class InScripts(OwnTemplate, ProgramTest):
    def run_once(self, model, *words):
        done = self.ingle("run", model, "-n", "1", "--temp", "0", *words, "hi")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_a_notice_tells_and_the_answer_comes(self):
        model = self.model()
        done = self.run_once(model)
        [line] = done.stderr.splitlines()
        self.assertIn(NOTICE, line)
        self.assertIn(f"'ingle show {model} --template'".encode(), line)
        self.assertNotIn(b"\x1b", done.stderr)
        self.assertEqual(done.stdout, self.run_once(model, "--accept-template").stdout)
        self.assertEqual(self.accepted(), [hashlib.sha256(OWN.encode()).hexdigest() + ".jinja"])

    def test_quiet_and_raw_say_nothing(self):
        model = self.model()
        self.assertEqual(self.run_once(model, "-q").stderr, b"")
        self.assertEqual(self.run_once(model, "--raw").stderr, b"")
        self.assertEqual(self.accepted(), [])

    def test_acceptance_holds_for_that_text(self):
        model = self.model()
        self.assertEqual(self.run_once(model, "--accept-template").stderr, b"")
        self.assertEqual(self.run_once(model).stderr, b"")
        done = self.ingle("chat", model, "-n", "1", stdin="hi\n")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        # Another text is another question.
        self.assertIn(NOTICE, self.run_once(self.model(OWN + "!")).stderr)
        file = self.folder / "data" / "ingle" / "templates" / self.accepted()[0]
        self.assertEqual(file.read_bytes().decode(), OWN)
        self.assertEqual((file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777), (0o600, 0o700))
        file.unlink()
        self.assertIn(NOTICE, self.run_once(self.model()).stderr)

    def test_what_cannot_be_kept_is_said(self):
        self.write("data/ingle/templates", "a file where a folder should be")
        self.assertIn(b"can't be kept", self.run_once(self.model(), "--accept-template").stderr)

    def test_published_ones_are_no_news(self):
        for path in sorted((DATA / "template" / "models").glob("*.jinja"))[::8]:
            shown = self.ok_json("show", self.model(path.read_bytes().decode()))
            self.assertEqual((shown["file"]["chat_template"], shown["file"]["template_known"]), (True, True), path)
        self.assertEqual(
            self.run_once(self.model((DATA / "template/models/lenml-llama3.jinja").read_text())).stderr, b""
        )

    def test_the_catalogues_are_known(self):
        for name in ("smollm2-135m", "gemma3-270m", "qwen2.5-coder-0.5b"):
            path = real_model(name)
            if path is None:
                self.skipTest(f"{name} was not fetched")
            file = self.ok_json("show", path)["file"]
            self.assertEqual(file.get("template_known"), None if name == "gemma3-270m" else True, name)

    def test_show_prints_it(self):
        model = self.model()
        self.assertEqual(self.ok("show", model, "--template").decode(), OWN + "\n")
        self.assertEqual(self.ok_json("show", model, "--template"), {"template": OWN, "template_known": False})
        self.assertIn("none of the published ones", self.ok("show", model).decode())
        self.assertIs(self.ok_json("show", model)["file"]["template_known"], False)
        self.fails(3, "no chat template", "show", TINY, "--template")
        self.fails(3, "ingle pull", "show", "smollm2-135m", "--template")


class OnTerminal(OwnTemplate, TerminalTest):
    def test_it_is_shown_and_asked_about_once(self):
        model = self.model()
        for answer in ("n", "", "yep"):
            self.start("run", model, "-n", "1", "hi")
            shown = self.expect("Use it? [y/N] ")
            self.assertIn(NOTICE, shown)
            # As text: it can't hide what comes before, nor write from right to left.
            self.assertIn(rb"\x1b[2Jpray tell\xe2\x80\xae", shown)
            self.assertNotIn(b"\x1b[2J", shown)
            self.type(answer + "\r")
            self.expect("was not accepted")
            self.ends_with(9)
            self.assertEqual(self.accepted(), [])
        self.start("chat", model, "-n", "1")
        self.expect("Use it? [y/N] ")
        self.type("y\r")
        self.expect(">>> ")
        self.type("/exit\r")
        self.ends_with(0)
        self.start("chat", model, "-n", "1")
        self.assertNotIn(b"Use it?", self.expect(">>> "))
        self.type("/exit\r")
        self.ends_with(0)

    def test_ctrl_c_is_no_yes(self):
        self.start("run", self.model(), "-n", "1", "hi")
        self.expect("Use it? [y/N] ")
        self.type("y\x03")
        self.ends_with(130)
        self.assertEqual(self.accepted(), [])

    def test_a_long_one_is_cut_and_says_where_the_rest_is(self):
        model = self.model("".join(f"{{# line {i} #}}\n" for i in range(1, 301)) + "x" * 5000)
        self.start("run", model, "-n", "1", "hi")
        shown = self.expect("Use it? [y/N] ").decode()
        self.assertIn("{# line 200 #}", shown)
        self.assertNotIn("{# line 201 #}", shown)
        self.assertIn("101 lines more", shown)
        self.assertIn(f"All of it: ingle show {model} --template", shown)
        self.type("\x04")
        self.ends_with(9)
