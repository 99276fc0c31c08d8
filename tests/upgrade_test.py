#!/usr/bin/env python3
"""Data directories of format 1, which commit fd8c8e8 wrote (data/README.md), open, are sound and answer the same; what they
become is a directory like any other: it takes events, is killed, copied and restored, and still answers the same."""
import json
import pathlib
import tarfile
import unittest

import kehu_server
import upgrade

TAR = pathlib.Path(__file__).resolve().parent / "data/upgrade-format-1.tar.xz"


class UpgradeTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.work = kehu_server.scratch(self)

    def unpack(self, name):
        with tarfile.open(TAR) as tar:
            tar.extractall(self.work, [entry for entry in tar if entry.name.split("/")[0] in (name, f"{name}.json")])
        self.before = json.loads((self.work / f"{name}.json").read_text())
        return kehu_server.Server(self.work / name)

    def start(self, server):
        server.start()
        self.addCleanup(lambda: server.process and server.kill())

    def format(self, data):
        return (data / "FORMAT").read_text()

    def expect_sound(self, data):
        checked = kehu_server.run("check", "--data", data)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def expect_answers(self, server, wanted):
        asked = upgrade.answers(server, self.before["names"])
        self.assertEqual("\n".join(upgrade.differences(wanted, asked)[:40]), "")
        return asked

    def expect_known(self, server):
        """What was there is known: its message ids, its keys, and who has which identifier."""
        once = {"event": "Once", "user_id": "u2", "message_id": "once", "time": "2026-01-01T01:23:20Z"}
        told = server.post_events([once, {**once, "properties": {"x": 4}}])
        self.assertEqual((told["repeats"], told["conflicts"]), (1, 1), told)
        events = server.customer("anonymous_id:encrypted-device")["events"]
        self.assertEqual(self.send_encrypted(server, "encrypted").status, 200)
        self.assertEqual(server.customer("anonymous_id:encrypted-device")["events"], events, "a repeat")
        self.assertEqual(self.send_encrypted(server, "encrypted_later").status, 200)
        self.assertEqual(server.customer("anonymous_id:encrypted-device")["events"], events + 1, "its key pair is there")

    def send_encrypted(self, server, which):
        return server.request("POST", f"/sa?project=default&token={kehu_server.WRITE_KEY}", self.before[which],
                              {"Content-Type": "application/x-www-form-urlencoded"})

    def expect_events_taken(self, server):
        rows = server.sql("SELECT count(*) AS n FROM events")[0]["n"]
        customer = server.customer("user_id:seg-user")
        told = server.post_events([{"event": "New", "phone": "+86 139 1234 0777", "message_id": f"new-{i}"} for i in range(50)])
        self.assertEqual(told["accepted"], 50)
        answer = server.segment("/v1/track", {"userId": "seg-user", "event": "Paid", "messageId": "new-paid"},
                                key=self.before["till_key"])
        self.assertEqual(answer.status, 200, answer)
        after = server.customer("user_id:seg-user")
        self.assertEqual((after["customer_id"], after["events"]), (customer["customer_id"], customer["events"] + 51))
        self.assertEqual(server.sql("SELECT count(*) AS n, count(DISTINCT sequence) AS s FROM events"), [{"n": rows + 51, "s": rows + 51}])
        made = server.post("/api/v1/sources", {"name": "new"})
        self.assertEqual(made.status, 201, made)

    def lives_on(self, name, end):
        server = self.unpack(name)
        self.expect_sound(server.data)
        self.assertEqual(self.format(server.data), "kehu data directory, format 1\n", "a check changes nothing")
        self.start(server)
        self.assertEqual(self.format(server.data), "kehu data directory, format 2\n")
        self.expect_answers(server, self.before["answers"])
        end(server)
        self.start(server)
        self.expect_answers(server, self.before["answers"])
        self.assertEqual(upgrade.sealed(server, self.before["names"]), self.before["sealed"])
        self.expect_known(server)
        self.expect_events_taken(server)
        asked = upgrade.answers(server, self.before["names"])
        server.stop()
        self.expect_sound(server.data)
        copied = kehu_server.run("backup", self.work / "copy", "--data", server.data)
        self.assertEqual(copied.returncode, 0, copied.stderr)
        restored = kehu_server.Server(self.work / "restored")
        done = kehu_server.run("restore", self.work / "copy", "--data", restored.data)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.start(restored)
        self.expect_answers(restored, asked)
        restored.stop()

    def test_a_stopped_directory(self):
        self.lives_on("stopped", kehu_server.Server.stop)

    def test_a_directory_with_a_log_behind_its_checkpoint(self):
        self.lives_on("killed", kehu_server.Server.kill)

    def test_rules_raise_the_format_and_nothing_else_does(self):
        """A kehu of format 2 knows no rules: it opens a directory without them, and refuses one with them by its format."""
        two, three = "kehu data directory, format 2\n", "kehu data directory, format 3\n"
        server = kehu_server.Server(self.work / "new")
        self.start(server)
        server.post_events([{"event": "Paid", "user_id": "u1"}])
        self.assertEqual(server.post("/api/v1/sources", {"name": "till"}).status, 201)
        self.assertEqual(server.post("/api/v1/rules/check", {"rule": 'ever("Paid")'}).status, 200)
        refused = server.post("/api/v1/definitions", {"files": [{"files": "segments", "name": "x", "body": {
            "kind": "segment", "name": "x", "body": {"op": "segment", "text": "nobody"}}}]})
        self.assertEqual(refused.status // 100, 4, refused)
        self.assertEqual(self.format(server.data), two)
        server.define_rules(paid='ever("Paid")')
        self.assertEqual(self.format(server.data), three)
        self.assertEqual(server.admin("DELETE", "/api/v1/segments/paid").status, 204)
        server.kill()
        self.assertEqual(self.format(server.data), three, "its versions are still there")
        self.expect_sound(server.data)
        copied = kehu_server.run("backup", self.work / "copy", "--data", server.data)
        self.assertEqual(copied.returncode, 0, copied.stderr)
        done = kehu_server.run("restore", self.work / "copy", "--data", self.work / "restored")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.format(self.work / "restored"), three)

    def test_rules_of_a_directory_of_format_2(self):
        """Kehus wrote such ones before they raised the format."""
        server = kehu_server.Server(self.work / "before")
        self.start(server)
        server.post_events([{"event": "Paid", "user_id": "u1"}])
        server.define_rules(paid='ever("Paid")')
        server.kill()
        (server.data / "FORMAT").write_text("kehu data directory, format 2\n")
        self.expect_sound(server.data)
        self.assertEqual(self.format(server.data), "kehu data directory, format 2\n", "a check changes nothing")
        self.start(server)
        self.assertEqual(self.format(server.data), "kehu data directory, format 3\n")
        self.assertEqual(server.get("/api/v1/segments/paid").json["name"], "paid")
        server.stop()
        (server.data / "FORMAT").write_text("kehu data directory, format 9\n")
        refused = kehu_server.run("serve", "--data", server.data)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("format 9", refused.stderr)
        self.assertNotIn("damage", refused.stderr)

    def test_the_comparison_sees_differences(self):
        before = {"a": [{"b": 1, "today": 5}], "c": "x"}
        self.assertEqual(upgrade.differences(before, {"a": [{"b": 1, "more": 2}], "c": "x"}), [])
        for after in ({"a": [{"b": 2}], "c": "x"}, {"a": [], "c": "x"}, {"a": [{}], "c": "x"}, {"a": [{"b": 1}]}, {}):
            self.assertTrue(upgrade.differences(before, after), after)


if __name__ == "__main__":
    kehu_server.main()
