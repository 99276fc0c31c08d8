#!/usr/bin/env python3
"""The tour of README.md does what it says: its commands run as they stand, and print what it shows. In what is shown,
`…` stands for anything, white space is not compared, and lines that are left out are not missed."""
import os
import re
import subprocess
import unittest

import kehu_server

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
MARK = "=== step "


def steps(text):
    """(command, shown lines) in order. A command goes on while a here-document is open."""
    found = []
    for block in BLOCK.findall(text):
        closing = None
        for line in block.splitlines():
            if closing is not None:
                found[-1][0].append(line)
                closing = None if line == closing else closing
            elif line.startswith("$ "):
                found.append(([line[2:]], []))
                here = re.search(r"<<'?(\w+)'?", line)
                closing = here[1] if here else None
            else:
                found[-1][1].append(line)
    return [("\n".join(command), shown) for command, shown in found]


def matches(shown, line):
    pattern = ".*".join(re.escape(part) for part in re.sub(r"\s+", " ", shown).strip().split("…"))
    return re.fullmatch(pattern, re.sub(r"\s+", " ", line).strip()) is not None


def first_missing(shown, printed):
    """The first shown line that is not printed, in order."""
    rest = iter(printed)
    for line in shown:
        if line.strip() and not any(matches(line, candidate) for candidate in rest):
            return line
    return None


class TourTest(unittest.TestCase):
    def test_the_tour(self):
        tour = steps((kehu_server.ROOT / "README.md").read_text())
        self.assertGreater(len(tour), 15)
        work = kehu_server.scratch(self)
        (work / "build").symlink_to(kehu_server.ROOT / "build")
        (work / "examples").symlink_to(kehu_server.ROOT / "examples")
        script = ["trap 'kill $(jobs -p) 2>/dev/null' EXIT"]
        for number, (command, _) in enumerate(tour):
            script += [f"echo '{MARK}{number}'", command]
        text = "\n".join(script).replace("127.0.0.1:7001", f"127.0.0.1:{kehu_server.free_port()}")
        plain = {name: value for name, value in os.environ.items() if not name.startswith("KEHU_")}
        done = subprocess.run(["bash", "-c", text], cwd=work, capture_output=True, text=True, timeout=180, env=plain)
        log = (work / "tour.log").read_text() if (work / "tour.log").exists() else ""
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + log)
        printed = [part.split("\n", 1)[1].splitlines() for part in done.stdout.split(MARK)[1:]]
        self.assertEqual(len(printed), len(tour))
        for (command, shown), lines in zip(tour, printed):
            with self.subTest(command):
                missing = first_missing(shown, lines)
                self.assertIsNone(missing, f"not printed: {missing}\nprinted:\n" + "\n".join(lines) + done.stderr + log)

    def test_the_comparison_sees_differences(self):
        self.assertIsNone(first_missing(["a  …  z", "b"], ["a 1 z", "more", "b"]))
        self.assertEqual(first_missing(["b", "a"], ["a", "b"]), "a")
        self.assertEqual(first_missing(["a"], ["ab"]), "a")


if __name__ == "__main__":
    kehu_server.main()
