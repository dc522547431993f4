"""`ingle doctor --modules`: which modules are on, who said so, and what each takes."""

from harness import TINY, ProgramTest


class DoctorModules(ProgramTest):
    def modules(self, *words, env=None):
        report = self.ok_json("doctor", "--modules", "--model", TINY, "--ctx", "512", *words, env=env)
        return report, {module["name"]: module for module in report["modules"]}

    def test_all_of_a_profile(self):
        report, modules = self.modules("--profile", "full")
        self.assertEqual(list(modules), ["sandbox", "memory", "engine", "hardware", "extensions", "updates"])
        self.assertTrue(all(module["on"] for module in modules.values()))
        self.assertTrue(all(module["why"] == "profile full" for module in modules.values()))
        self.assertEqual(report["model"], TINY)
        self.assertGreater(modules["engine"]["memory_bytes"], 1 << 20)
        self.assertEqual(modules["engine"]["processes"], 1)
        self.assertGreaterEqual(modules["engine"]["threads"], 3)
        self.assertEqual(modules["hardware"]["threads"], 1, "the pacer")
        self.assertEqual(
            report["total_threads"], report["program_threads"] + sum(each["threads"] for each in modules.values())
        )
        self.assertEqual(
            report["total_bytes"], report["program_bytes"] + sum(each["memory_bytes"] for each in modules.values())
        )

    def test_flag_environment_file_profile(self):
        path = self.write_config('profile = "light"\nmodule-updates = false\nmodule-hardware = false\n')
        report, modules = self.modules(
            "--no-module-sandbox", env={"INGLE_MODULE_HARDWARE": "true", "INGLE_MODULE_EXTENSIONS": "true"}
        )
        self.assertEqual((report["profile"], report["profile_reason"]), ("light", f"named by {path}:1"))
        told = {name: (module["on"], module["why"]) for name, module in modules.items()}
        self.assertEqual(
            told,
            {
                "sandbox": (False, "--no-module-sandbox"),
                "memory": (True, "profile light"),
                "engine": (True, "profile light"),
                "hardware": (True, "INGLE_MODULE_HARDWARE"),
                "extensions": (True, "INGLE_MODULE_EXTENSIONS"),
                "updates": (False, f"{path}:2"),
            },
        )
        self.assertEqual(modules["engine"]["processes"], 0, "it runs here")
        self.assertIsNone(modules["updates"]["memory_bytes"])

    def test_what_is_off_takes_nothing(self):
        names = ("engine", "memory", "hardware", "extensions", "sandbox", "updates")
        report, modules = self.modules(*(f"--no-module-{name}" for name in names))
        self.assertFalse(any(module["on"] for module in modules.values()))
        self.assertIsNone(report["model"])
        self.assertEqual(report["total_threads"], report["program_threads"])
        self.assertEqual(report["total_bytes"], report["program_bytes"])

    def test_a_model_that_is_not_here_is_not_fetched(self):
        report = self.ok_json("doctor", "--modules", "--model", "smollm2-135m")
        self.assertIsNone(report["model"])
        self.assertIn("smollm2-135m", report["model_problem"])

    def test_for_people(self):
        page = self.ok("doctor", "--modules", "--model", TINY, "--profile", "minimal").decode()
        self.assertIn("Modules of profile minimal (named by --profile)", page)
        self.assertRegex(page, r"on  +inference engine +engine +\+\S+ \S+ +\d+ threads? +in 1 process")
        self.assertRegex(page, r"off update service +updates +profile minimal")
        self.assertIn("Measured: ", page)

    def test_what_needs_the_hardware_interface_is_refused_without(self):
        self.fails(
            5,
            "--module-hardware",
            *("doctor", "--modules", "--model", TINY, "--no-module-hardware", "--require", "avx2"),
        )
