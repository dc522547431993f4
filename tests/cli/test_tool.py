"""`tool`: the tools that a model may call."""

import json
import re

from harness import ProgramTest


class ToolTest(ProgramTest):
    def test_list_and_show(self):
        names = [tool["function"]["name"] for tool in self.ok_json("tool", "list")]
        self.assertIn("calculator", names)
        self.assertEqual(names, self.ok("__complete", "tools").decode().split())
        text = self.ok("tool", "list").decode()
        self.assertEqual([line for line in text.splitlines() if line and not line.startswith(" ")], names)
        for name in names:
            told = self.ok_json("tool", "show", name)
            self.assertEqual(told["effect"], "none")
            text = self.ok("tool", "show", name).decode()
            self.assertIn("Effect: none", text)
            for argument in told["parameters"]["properties"]:
                self.assertIn(f"\n  {argument}: ", text)
            for argument in told["parameters"].get("required", []):
                self.assertRegex(text, rf"\n  {argument}: \w+, required\n")
        self.assertIn("days: integer, from -3700000 to 3700000", self.ok("tool", "show", "date_add").decode())

    def test_run(self):
        self.assertEqual(self.run_tool("calculator", expression="0.1 + 0.2"), {"result": "0.3", "exact": True})
        words = ("tool", "run", "calculator", '{"expression": "1/3"}')
        self.assertEqual(self.ok(*words).decode(), f"result: 0.{'3' * 30}\nexact: false\n")
        told = self.ok("tool", "run", "date_difference", '{"from": "2024-02-28", "to": "2024-03-01"}').decode()
        self.assertIn("days: 2\n", told)
        self.assertIn("years_months_days: 0 years, 0 months, 2 days\n", told)
        self.assertEqual(self.run_tool("date_add", date="2024-01-31", months=1)["date"], "2024-02-29")

    def test_the_persons_clock(self):
        told = json.loads(self.ok("tool", "run", "current_time", "--json", env={"TZ": "XYZ-05:30"}))
        self.assertEqual(told["utc_offset"], "+05:30")
        self.assertTrue(
            re.fullmatch(r"\d{4}-\d\d-\d\d", told["date"]) and re.fullmatch(r"\d\d:\d\d:\d\d", told["time"])
        )
        told = json.loads(self.ok("tool", "run", "current_time", "{}", "--json", env={"TZ": "UTC0"}))
        self.assertEqual(told["utc_offset"], "+00:00")

    def test_errors(self):
        self.fails(3, "'ingle tool list' shows those there are", "tool", "run", "calculater", "{}")
        self.fails(3, "there is no tool 'x'", "tool", "show", "x")
        self.fails(2, "needs a name, as in 'ingle tool run calculator'", "tool", "run")
        self.fails(2, "needs a name", "tool", "show")
        self.fails(2, "takes no name", "tool", "list", "calculator")
        self.fails(2, "takes no arguments", "tool", "show", "calculator", "{}")
        self.fails(2, "list, show", "tool", "delete")
        run = ("tool", "run", "calculator")
        self.fails(2, '"expression" is missing', *run)
        self.fails(2, "no usable JSON", *run, "1 + 1")
        self.fails(2, "known are: expression", *run, '{"expression": "1", "digits": 3}')
        self.fails(2, "at character 3: division by zero", *run, '{"expression": "1 / 0"}')
        self.fails(6, "more than a million digits", *run, '{"expression": "9^9^9^9"}')
        self.fails(6, "longer than 1000 characters", *run, json.dumps({"expression": "1" * 1001}))
        done = self.ingle(*run, '{"expression": "1 / 0"}', "--json")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(json.loads(done.stderr)["error"]["code"], "invalid_argument")

    def run_tool(self, name, **arguments):
        return json.loads(self.ok("tool", "run", name, json.dumps(arguments), "--json"))
