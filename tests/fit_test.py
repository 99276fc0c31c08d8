#!/usr/bin/env python3
"""Log, state and archive belong together: what a start puts back, what it refuses, and what damage looks like from outside
while nothing else is wrong. And what a server writes that nobody talks to."""
import json
import os
import pathlib
import shutil
import time
import unittest

import kehu_server

DAY = "2026-11-01T10:00:00Z"


def events(first, count):
    """Purchases; from the 300th on each tenth joins a visitor to a user with a sealed phone."""
    out = []
    for n in range(first, first + count):
        event = {"message_id": f"m-{n}", "time": DAY, "anonymous_id": f"a-{n % 300}"}
        if n % 10 == 5:  # users are known before they are known to be visitors, so that parts move
            del event["anonymous_id"]
            event.update(event="Bought", user_id=f"u-{(n - 5) % 300 // 2}")
        elif n % 10 == 0 and n >= 300:
            event.update(type="identify", user_id=f"u-{n % 300 // 2}", traits={"phone": f"1391111{n % 300:04}"})
        else:
            event.update(event="Bought", properties={"n": n})
        out.append(event)
    return out


def flip(path, byte):
    with open(path, "r+b") as file:
        file.seek(byte)
        value = file.read(1)[0] ^ 4
        file.seek(byte)
        file.write(bytes([value]))


def flip_in_middle(path):
    flip(path, path.stat().st_size // 2)


class Directory(unittest.TestCase):
    def figure(self, name):
        line = next(line for line in self.server.request("GET", "/metrics").body.decode().splitlines() if line.startswith(name + " "))
        return float(line.split()[1])

    def setUp(self):
        self.work = kehu_server.scratch(self)
        self.data = self.work / "data"
        self.lake = self.data / "lake"
        self.server = kehu_server.Server(self.data)
        self.addCleanup(lambda: self.server.process and self.server.kill())

    def send(self, first, count):
        self.server.start()
        for at in range(first, first + count, 500):
            self.server.post_events(events(at, min(500, first + count - at)))

    def check(self):
        return kehu_server.run("check", "--data", self.data)

    def expect_whole(self, count):
        self.assertEqual(self.server.get("/api/v1/stats").json["events"], count)
        self.assertEqual(self.server.sql("SELECT count(*) AS n, count(DISTINCT sequence) AS s FROM events"),
                         [{"n": count, "s": count}])
        for person in (0, 7, 150, 299):
            customer = self.server.customer(f"anonymous_id:a-{person}")
            rows = self.server.sql(f"SELECT count(*) AS n FROM events WHERE customer_id = '{customer['customer_id']}'")
            self.assertEqual(rows[0]["n"], customer["events"])
            timeline = self.server.get(f"/api/v1/customers/{customer['customer_id']}/timeline?limit=1").json
            self.assertEqual(len(timeline["events"]), 1)


class Fit(Directory):
    def expect_healed(self):
        done = self.check()
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("sound", done.stdout)
        self.assertIn("PROBLEM lake: ", done.stdout)
        self.assertIn("the next start", done.stdout)
        self.server.start()
        self.expect_whole(6000)
        self.server.post_events(events(6000, 500))
        self.expect_whole(6500)
        self.server.stop()
        self.assertIn("\nsound\n", self.check().stdout)

    def test_a_lost_archive(self):
        self.send(0, 6000)
        self.server.stop()
        shutil.rmtree(self.lake)
        self.expect_healed()

    def test_definitions_outlive_the_archive(self):
        statement = "SELECT kind, name, version, time, actor, deleted, body FROM definitions ORDER BY version, kind"
        self.server.start()
        self.assertEqual(self.server.post("/api/v1/sources", {"name": "shop"}).status, 201)
        for limit in (5, 6):
            answer = self.server.admin("PATCH", "/api/v1/sources/shop", {"events_per_second": limit})
            self.assertEqual(answer.status, 200, answer.body)
        before = self.server.sql(statement)
        self.assertEqual([row["name"] for row in before][2:], ["shop"] * 3)
        self.server.stop()
        shutil.rmtree(self.lake)
        self.server.start()
        answer = kehu_server.run("sql", "--data", self.data, "--format", "json", statement)
        self.assertEqual(json.loads(answer.stdout), before, answer.stderr)

    def test_yesterdays_archive(self):
        self.send(0, 3000)
        self.server.stop()
        shutil.copytree(self.lake, self.work / "yesterday")
        self.send(3000, 3000)
        self.server.stop()
        shutil.rmtree(self.lake)
        (self.work / "yesterday").rename(self.lake)
        self.expect_healed()

    def test_a_lost_version(self):
        self.send(0, 3000)
        self.server.stop()
        self.send(3000, 3000)
        self.server.stop()
        max((self.lake / "events/_delta_log").glob("*.json")).unlink()
        self.expect_healed()

    def test_a_lost_identity_log(self):
        self.send(0, 6000)
        self.server.stop()
        shutil.rmtree(self.lake / "identity_log")
        self.expect_healed()

    def test_a_log_that_lost_its_end(self):
        self.send(0, 3000)
        self.server.stop()
        self.send(3000, 3000)
        self.server.sql("SELECT 1 AS one")
        end = time.monotonic() + 30
        while self.server.get("/api/v1/stats").json["archive_position"] < 6000 and time.monotonic() < end:
            time.sleep(0.1)
        self.server.kill()
        segment = max(path for path in (self.data / "log").glob("*.log") if path.read_bytes()[:4] != bytes(4))
        content = bytearray(segment.read_bytes())
        used = len(content.rstrip(b"\0"))
        content[used - 20_000:] = bytes(len(content) - used + 20_000)
        segment.write_bytes(content)
        done = self.check()
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("sound", done.stdout)
        self.assertIn("ends at record", done.stdout)
        with self.assertRaisesRegex(AssertionError, "the end of the log was lost"):
            self.server.start()


class Damage(Directory):
    def wait_for(self, condition, what, patience=40):
        end = time.monotonic() + patience
        while not condition():
            self.assertLess(time.monotonic(), end, f"{what}: {self.server.log_text()}")
            time.sleep(0.2)

    def test_a_damaged_state_is_seen_at_the_start(self):
        self.send(0, 600)
        self.server.stop()
        table = max((self.data / "state").glob("*.sst"), key=lambda path: path.stat().st_size)
        whole = table.read_bytes()
        erased = 0
        for part in range(1, 20, 2):
            flip(table, len(whole) * part // 20)
            try:
                self.server.start()
            except AssertionError as refusal:
                self.server.process = None
                self.assertIn("state", str(refusal))
            else:
                # What was read at the start is sound. What is read later is shown as it was, or not at all.
                for person in range(0, 300, 10):
                    answer = self.server.get(f"/api/v1/customers/anonymous_id:a-{person}")
                    if answer.status == 200:
                        erased += answer.body.decode().count("(erased)")
                    else:
                        self.assertEqual(answer.status, 503, answer)
                self.server.kill()
            table.write_bytes(whole)
        self.assertEqual(erased, 0)

    def test_a_damaged_file_of_the_archive_is_refused(self):
        self.send(0, 3000)
        self.server.stop()
        victim = max((self.lake / "events").glob("month=*/*.parquet"), key=lambda path: path.stat().st_size)
        whole = victim.read_bytes()
        for harm in (lambda: flip(victim, 40), lambda: flip_in_middle(victim), lambda: flip(victim, len(whole) - 30),
                     lambda: victim.write_bytes(whole[:-1]), lambda: victim.write_bytes(whole + b"x"), victim.unlink):
            harm()
            self.server.start()
            for answer in (self.server.post("/api/v1/sql", {"sql": "SELECT count(*) FROM events"}),
                           self.server.get("/api/v1/customers/anonymous_id:a-1/timeline")):
                self.assertEqual(answer.status, 500, answer)
                self.assertIn(victim.name, answer.json["detail"])
            self.assertEqual((self.figure("kehu_files_healthy"), self.figure("kehu_damaged_files")), (0, 1))
            self.wait_for(lambda: victim.name in self.server.log_text(), "no line in the log")
            # Events come in, customers are shown; a file that is put back is taken without a restart.
            self.assertEqual(self.server.customer("anonymous_id:a-1")["customer_id"] != "", True)
            victim.write_bytes(whole)
            self.expect_whole(3000)
            self.assertEqual((self.figure("kehu_files_healthy"), self.figure("kehu_damaged_files")), (1, 0))
            self.server.stop()

    def test_the_scrub_finds_what_is_damaged_later(self):
        self.send(0, 3000)
        self.server.stop()
        self.server.start()
        self.expect_whole(3000)
        for victim in (max((self.lake / "events").glob("month=*/*.parquet")), max((self.data / "state").glob("*.sst"))):
            flip_in_middle(victim)
        self.wait_for(lambda: self.figure("kehu_scrub_passes_total") >= 1, "no pass")
        self.assertEqual((self.figure("kehu_files_healthy"), self.figure("kehu_damaged_files")), (0, 2))
        self.assertGreater(self.figure("kehu_scrub_files_total"), 1)
        self.assertGreater(self.figure("kehu_scrub_bytes_total"), 10_000)


class Idle(Directory):
    def test_an_idle_server_writes_next_to_nothing(self):
        self.send(0, 10)
        time.sleep(7)  # what ten events leave: a commit of the archive

        def written():
            fields = dict(line.split(": ") for line in pathlib.Path(f"/proc/{self.server.process.pid}/io").read_text().splitlines())
            return int(fields["wchar"])
        commits = self.figure("kehu_log_commits_total")
        before = written()
        time.sleep(6)
        self.assertLess(written() - before, 4096, "answers, and a tick a minute")
        self.assertLessEqual(self.figure("kehu_log_commits_total") - commits, 1, "a tick a minute")
        # Time goes on all the same.
        self.assertEqual(self.server.customer("anonymous_id:a-1")["events"], 1)

    def test_an_empty_directory_is_small(self):
        self.server.start()
        time.sleep(1)
        self.server.stop()
        blocks = sum(os.stat(path).st_blocks for path in self.data.rglob("*") if path.is_file())
        self.assertLess(blocks * 512, 32 << 20)


if __name__ == "__main__":
    kehu_server.main()
