#!/usr/bin/env python3
"""`kehu script`: the scripts of tests/scripts hold, every example of docs/rules.md is in one of them, those of docs/scripts.md
hold too, and a script that is wrong is told where and why."""
import json
import re
import unittest

import kehu_server
from kehu_server import ROOT, run

SCRIPTS = sorted((ROOT / "tests/scripts").glob("*.kehu-script"))
BEGIN = "at 2026-03-01 09:00\n"


def blocks(path):
    """The indented blocks of a page, without their indentation."""
    found = re.findall(r"^\n((?:    .*\n|\n(?=    ))+)", path.read_text(), re.M)
    return [re.sub(r"^    ", "", block, flags=re.M).strip() + "\n" for block in found]


def definitions(text):
    """Those of a text, each in one line with single blanks."""
    found = re.findall(r"^(?:segment|tag) .*(?:\n +.*)*", text, re.M)
    return {re.sub(r"\s+", " ", one.split("#")[0]).strip() for one in found}


class ScriptTest(unittest.TestCase):
    def script(self, text, *options):
        work = kehu_server.scratch(self)
        path = work / "x.kehu-script"
        path.write_text(text)
        done = run("script", *options, path)
        return done.returncode, done.stdout.replace(f"{path}", "x"), done.stderr

    def test_scripts_hold(self):
        self.assertGreater(len(SCRIPTS), 12)
        done = run("script", *SCRIPTS)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.count("ok "), len(SCRIPTS))

    def test_each_example_of_the_rules_is_a_script(self):
        examples = definitions(next(block for block in blocks(ROOT / "docs/rules.md") if "\nsegment " in block))
        self.assertEqual(len(examples), 18)
        scripts = [path.read_text() for path in SCRIPTS]
        for example in sorted(examples):
            name = example.split()[1]
            mine = [text for text in scripts if example in definitions(text)]
            self.assertTrue(mine, f"no script has {example}")
            words = "\n".join(mine)
            self.assertGreaterEqual(len(re.findall(rf"^expect .*{name}", words, re.M)), 5, name)
            # One that nothing changes but events: the mean of all orders.
            self.assertTrue(re.search(r"^(advance|at .*\nexpect)", words, re.M), f"{name}: time has no part in it")

    def test_examples_of_the_page_hold(self):
        shown = [block for block in blocks(ROOT / "docs/scripts.md") if re.match(r"(#.*\n)*(at|时间) ", block)]
        self.assertGreaterEqual(len(shown), 2)
        for block in shown:
            code, out, err = self.script(block)
            self.assertEqual(code, 0, block + out + err)

    def test_a_failed_expectation_says_what_is_and_why(self):
        code, out, _ = self.script(BEGIN + 'segment 大单 = max(revenue of "Order Completed", last 30 days) >= 100\n'
                                   'tag 品类 = top(category of "Product Viewed")\n'
                                   'user u1 does "Order Completed" {revenue: 99.5}\n'
                                   "expect u1 not in 大单\nexpect u1 in 大单\nexpect size of 大单 = 1\n"
                                   'expect tag 品类 of u1 = "零食"\nexpect u2 in 大单\nexpect u1 is u1\n')
        self.assertEqual(code, 1)
        for line in ("x:6:1: expected u1 in 大单 at 2026-03-01T09:00:00.000+08:00, but u1 is not",
                     '    max(revenue of "Order Completed", last 30 days) >= 100  →  false',
                     "99.5  (until 2026-03-31T00:00:00.000+08:00 if nothing happens)",
                     "x:7:1: expected size of 大单 = 1 at", "but it is 0",
                     'x:8:1: expected tag 品类 of u1 = "零食"', "but it is unknown",
                     "x:9:1: nothing has been heard of u2 yet",
                     "FAILED  x  2 of 6 expectations held"):
            self.assertIn(line, out)

    def test_changes_are_told_one_by_one(self):
        done = run("script", "--json", "--changes", ROOT / "tests/scripts/streamed.kehu-script")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertTrue(told.pop()["ok"])
        changes = [(one["at"], one["name"], one["customer"], one["before"], one["after"]) for one in told]
        self.assertEqual(changes, [
            ("2026-03-01T01:10:00.001Z", "加购未支付", "user_id:u1", None, "true"),
            ("2026-03-01T01:20:00.000Z", "浏览过", "user_id:u2", None, "true"),
            ("2026-03-01T01:20:00.000Z", "浏览过", "user_id:u3", None, "true"),
            ("2026-03-01T01:30:00.001Z", "加购未支付", "user_id:u3", None, "true")])

    def test_a_file_of_events_is_told_by_its_line(self):
        work = kehu_server.scratch(self)
        (work / "x.ndjson").write_text('{"type":"track","event":"A","userId":"u1","timestamp":"2026-03-01T09:00:00Z"}\n{"type":"track"\n')
        (work / "x.kehu-script").write_text('events "x.ndjson"\n')
        done = run("script", work / "x.kehu-script")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"x\.kehu-script:1:1: .*x\.ndjson:2: a server would reject this event")

    def test_what_is_wrong_is_told_in_its_place(self):
        cases = [  # script, what is said
            ('user u1 does "X"\n', "x:1:1: the clock has to be set first: at 2026-03-01 09:00"),
            (BEGIN + 'user u1 dose "X"\n', "x:2:9: dose cannot stand here; expected does \"EVENT\", has {…} or is SOMEBODY; "
             "did you mean does?"),
            (BEGIN + "exect u1 in X\n", "x:2:1: exect cannot stand here; expected a statement"),
            (BEGIN + "user u1 does Viewed\n", "x:2:14: Viewed cannot stand here; expected the name of an event in double quotes"),
            (BEGIN + 'user u1 does "X" {a b}\n', "x:2:21: b cannot stand here; expected : and a value"),
            (BEGIN + 'user u1 does "X" {\n  a: snacks}\n', "x:3:6: snacks cannot stand here; expected a text in double quotes"),
            (BEGIN + 'user u1 does "X\n', "x:2:14: a text is not closed in its line"),
            (BEGIN + "advance 3 fortnights\n", "x:2:11: fortnights cannot stand here; expected seconds, minutes, hours, days"),
            (BEGIN + "at 08:59\n", "x:2:1: the clock shows 2026-03-01T09:00:00.000+08:00 already and cannot go back"),
            (BEGIN + "at 2026-02-30 09:00\n", "x:2:1: 2026-02-30 09:00 is no time"),
            ("at 2026-03-01 09:00 in Asia/Beijing\n", "x:1:1: there is no time zone Asia/Beijing"),
            (BEGIN + 'segment A = cuont("X") > 3\n', "x:2:13: there is no function cuont; expected a function such as count(…); "
             "did you mean count?"),
            (BEGIN + '# …\n\nsegment A = count("X") > "3 days"\n  and 5\n', "x:4:"),
            (BEGIN + "segment a = in segment b\nsegment b = in segment a\n", "rules that use each other in a circle"),
            (BEGIN + 'segment 大客户 = did("X")\nexpect u1 in 大客\n', "x:3:1: there is no segment 大客"),
            (BEGIN + 'user u1 does "X"\nat 10:00 in Europe/Berlin\n', "x:3:1: the time zone stands before the first event"),
            (BEGIN + 'user u1 does "X" at 2027-01-01\n', "x:2:1: a server would reject this event (time_in_future)"),
            (BEGIN + 'phone 13800138000 does "X"\n', "x:2:1: a server would reject this event (no_identifier)"),
            (BEGIN + "merge u1 and u2\n", "x:2:1: "),
            (BEGIN + 'rules "nowhere.kehu"\n', "x:2:1: "),
            (BEGIN + "restart now\n", "x:2:9: now cannot stand here; expected the end of the line"),
        ]
        for script, said in cases:
            with self.subTest(said):
                code, out, _ = self.script(script)
                self.assertEqual(code, 1, out)
                self.assertIn(said, out)
                self.assertIn("FAILED  x  ended early", out)

    def test_json_and_usage(self):
        code, out, _ = self.script(BEGIN + 'user u1 does "X"\nexpect u1 is not u1\n', "--json")
        self.assertEqual(code, 1)
        report = json.loads(out)
        self.assertEqual((report["ok"], report["expectations"]), (False, 1))
        self.assertEqual((report["failures"][0]["line"], report["failures"][0]["column"]), (3, 1))
        self.assertEqual(run("script").returncode, 2)
        self.assertEqual(run("script", "/nowhere.kehu-script").returncode, 2)


if __name__ == "__main__":
    kehu_server.main()
