"""--require: what it names is what runs, or nothing is."""

from harness import TINY, ProgramTest


class Require(ProgramTest):
    def setUp(self):
        super().setUp()
        self.sets = self.ok_json("doctor")["machine"]["instruction_sets"]
        self.words = ["run", TINY, "--raw", "-n", "2", "--temp", "0", "hello"]

    def test_what_is_here_runs(self):
        for name in ["cpu", *(each["name"] for each in self.sets if each["works"])]:
            self.ok(*self.words, "--require", name)
        working = [each["name"] for each in self.sets if each["works"]]
        for name in (working[0], working[-1]):
            told = self.ok_json("bench", TINY, "--require", name, "--prompt", "8", "--gen", "2", "--repeat", "1")
            self.assertEqual(told["isa"], name)

    def test_what_is_not_here_is_refused(self):
        there = ", ".join(["cpu", *(each["name"] for each in self.sets if each["works"])])
        for name in ("vulkan", "gpu", "avx"):
            line = self.fails(5, f"--require {name}: there is no such device", *self.words, "--require", name)
            self.assertTrue(line.endswith(f"; there are: {there}"), line)
        for each in self.sets:
            if not each["works"]:
                says = f"--require {each['name']}: it does not work on this machine"
                self.fails(5, says, *self.words, "--require", each["name"])

    def test_it_does_not_contradict_isa(self):
        working = [each["name"] for each in self.sets if each["works"]]
        if len(working) > 1:
            self.fails(2, "exclude each other", *self.words, "--require", working[0], "--isa", working[1])
        self.ok(*self.words, "--require", working[0], "--isa", working[0])
        self.ok(*self.words, "--require", "cpu", "--isa", working[-1])

    def test_a_server_does_not_start_without_it(self):
        self.fails(5, "there is no such device", "serve", TINY, "--port", "0", "--socket", "none", "--require", "npu")
