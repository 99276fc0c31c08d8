#!/usr/bin/env python3
"""New rules on old data: a server that is told its rules behind the events comes to the members of one that had them
before, also when it is killed in between; a changed rule stays in force until the new one has been filled in."""
import datetime
import json
import os
import pty
import random
import select
import subprocess
import time
import unittest

import kehu_server
from kehu_server import run

SEED = int(os.environ.get("KEHU_SEED") or random.SystemRandom().randrange(1 << 32))
CUSTOMERS, EVENTS = (2_000, 200_000) if kehu_server.LONG else (400, 20_000)
NAMES = ["Note Viewed", "Order Completed", "Product Added", "Product Viewed", "Signed In", "Signed Up", "Checkout Started"]
RULES = """
segment 小红书兴趣 = count("Note Viewed" where channel = "xiaohongshu", last 30 days) >= 3
segment 年度高消费 = sum(revenue of "Order Completed", last 365 days) > 50000
segment 高客单 = avg(revenue of "Order Completed") >= 9000
segment 沉睡客户 = ever("Order Completed") and not did("Order Completed", last 90 days)
segment 加购未支付 = sequence("Product Added" then not "Order Completed" within 10 minutes)
segment 零食偏好 = share("Product Viewed" where category = "snacks", last 90 days) > 0.5
segment 七日未登录 = days_since(last "Signed In") >= 7
segment 黑名单 = trait.blocked = true
segment 北京客户 = trait.city in ("北京", "Beijing") and not in segment 黑名单
segment 无订单 = not ever("Order Completed")
tag 阶段 = stage("Product Viewed" then "Product Added" then "Order Completed", last 60 days)
segment 走到加购 = tag.阶段 = "Product Added"
"""


def history():
    """Nothing lies near an edge of a window, so that it does not matter when somebody looks."""
    dice = random.Random(SEED)
    midday = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0)
    events = []
    for i in range(EVENTS):
        time_ = (midday - datetime.timedelta(minutes=30 + dice.randrange(200 * 24 * 60))).isoformat()
        user = f"u{int(dice.random() ** 2 * CUSTOMERS)}"
        events.append({"type": "track", "event": dice.choice(NAMES), "user_id": user, "message_id": f"m{i}", "time": time_,
                       "channel": dice.choice(["web", "xiaohongshu"]),
                       "properties": {"revenue": dice.choice([10, "99.5", 2500, 30000]),
                                      "category": dice.choice(["snacks", "toys", "shoes"])}})
        if i % 50 == 0:
            events.append({"type": "identify", "user_id": user, "message_id": f"i{i}", "time": time_,
                           "traits": {"city": dice.choice(["北京", "上海"]), "blocked": dice.random() < 0.1}})
    return events


class BackfillTest(unittest.TestCase):
    def setUp(self):
        self.work = kehu_server.scratch(self)
        self.events = history()
        (self.work / "rules").mkdir()
        (self.work / "rules" / "all.kehu").write_text(RULES)
        print(f"KEHU_SEED={SEED}")

    def server(self, name):
        server = kehu_server.Server(self.work / name).start()
        self.addCleanup(server.kill)
        return server

    def send(self, server):
        for at in range(0, len(self.events), 5000):
            self.assertEqual(server.post_events(self.events[at:at + 5000])["rejected"], 0)

    def apply(self, server, folder="rules"):
        done = run("apply", str(self.work / folder), "--data", server.data)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def segments(self, server):
        return {segment["name"]: segment for segment in server.get("/api/v1/segments").json["segments"]}

    def wait_live(self, server, patience=60):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            segments = self.segments(server)
            if all(segment["state"] == "live" and "backfill" not in segment for segment in segments.values()):
                return segments
            time.sleep(0.1)
        self.fail(f"not filled in after {patience} s: {segments}")

    def members(self, server, name):
        done = run("segment", "members", name, "--json", "--data", server.data)
        self.assertEqual(done.returncode, 0, done.stderr)
        return sorted(json.loads(line)["identifiers"][0]["value"] for line in done.stdout.splitlines())

    def all_members(self, server):
        segments = self.wait_live(server)
        members = {name: self.members(server, name) for name in segments}
        for name, segment in self.segments(server).items():
            self.assertEqual(segment["size"], len(members[name]), name)
        return members

    def test_rules_behind_the_events_come_to_the_same(self):
        first, second, killed = (self.server(name) for name in ("before", "behind", "killed"))
        self.apply(first)
        self.send(first)
        expected = self.all_members(first)
        for name in ("年度高消费", "沉睡客户", "加购未支付", "北京客户", "无订单", "走到加购"):
            self.assertGreater(len(expected[name]), 0, name)
        self.send(second)
        self.apply(second)
        self.assertEqual(self.all_members(second), expected)

        self.send(killed)
        self.apply(killed)
        for _ in range(5):
            time.sleep(0.15)
            killed.kill()
            killed.start()
        self.assertEqual(self.all_members(killed), expected)
        second.stop()
        second.start()
        self.assertEqual(self.all_members(second), expected, "behind a restart")

    def test_the_old_version_is_in_force_until_the_new_one_is(self):
        server = self.server("changed")
        self.apply(server)
        self.send(server)
        old = self.all_members(server)["年度高消费"]
        (self.work / "other-rules").mkdir()
        (self.work / "other-rules" / "one.kehu").write_text(
            'segment 年度高消费 = sum(revenue of "Order Completed", last 364 days) > 200000\n')
        self.apply(server, "other-rules")
        seen = set()
        end = time.monotonic() + 60
        while time.monotonic() < end and len(seen) < 2:
            seen.add(tuple(self.members(server, "年度高消费")))
            if "backfill" not in self.segments(server)["年度高消费"]:
                seen.add(tuple(self.members(server, "年度高消费")))
                break
        new = self.all_members(server)["年度高消费"]
        self.assertLess(len(new), len(old))
        self.assertLessEqual(seen, {tuple(old), tuple(new)}, "never anything in between")

    def changed_rules(self, text):
        folder = self.work / f"rules-{len(list(self.work.iterdir()))}"
        folder.mkdir()
        (folder / "one.kehu").write_text(text)
        return folder.name

    def command(self, server, *arguments, code=0):
        done = run("backfill", *arguments, "--data", server.data)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_a_pause_outlives_a_restart(self):
        server = self.server("paused")
        self.send(server)
        self.assertEqual(server.get("/api/v1/backfill").json, {"state": "idle", "rules": []})
        self.assertEqual(json.loads(self.command(server, "pause", "--json"))["state"], "paused")
        self.apply(server)
        for begin in (server.kill, server.stop, None):
            time.sleep(0.5)
            state = server.get("/api/v1/backfill").json
            self.assertEqual((state["state"], state["parts_done"]), ("paused", 0), state)
            self.assertEqual(len(state["rules"]), 12)
            segment = self.segments(server)["年度高消费"]
            self.assertEqual((segment["state"], segment["backfill"]["state"]), ("backfilling", "paused"))
            self.assertEqual(set(segment["backfill"]), {"version", "state", "step", "parts_done", "parts_total",
                                                        "events_per_second", "parts_per_second"})
            if begin:
                begin()
                server.start()
        self.assertIn("PAUSED", self.command(server, "status"))
        self.assertIn("PAUSED", run("segment", "list", "--data", server.data).stdout)
        server.post_events([{"event": "Order Completed", "user_id": "late", "properties": {"revenue": 60000}}])
        self.assertEqual(server.post("/api/v1/backfill/resume").status, 200)
        self.assertIn("late", self.members_when_live(server, "年度高消费"), "events are counted meanwhile")
        whole = self.server("whole")
        self.apply(whole)
        self.send(whole)
        whole.post_events([{"event": "Order Completed", "user_id": "late", "properties": {"revenue": 60000}}])
        self.assertEqual(self.all_members(server), self.all_members(whole))

    def members_when_live(self, server, name):
        self.wait_live(server)
        return self.members(server, name)

    def test_a_pause_in_the_middle(self):
        """Records of 500 parts: with more customers there is a middle."""
        server = self.server("middle")
        for at in range(0, 12_000, 4_000):
            server.post_events([{"event": "Note Viewed", "user_id": f"u{i}", "message_id": f"m{i}"} for i in range(at, at + 4_000)])
        server.post("/api/v1/backfill/pause")
        self.apply(server, self.changed_rules('segment 看过 = count("Note Viewed", last 30 days) >= 1\n'))
        server.post("/api/v1/backfill/resume")
        seen = set()
        while True:
            state = server.get("/api/v1/backfill").json
            if state["state"] == "idle":
                break
            server.post("/api/v1/backfill/pause")
            rest = server.get("/api/v1/backfill").json
            if rest.get("parts_done"):
                time.sleep(0.3)
                later = server.get("/api/v1/backfill").json
                self.assertEqual([rest[key] for key in ("state", "step", "rules")], [later[key] for key in ("state", "step", "rules")])
                self.assertEqual(later["events_per_second"], 0)
                self.assertLessEqual(later["parts_done"] - rest["parts_done"], 4 * 500, "what was on its way")
                self.assertLess(abs(later["parts_total"] - 12_000), 2_500, "an estimate")
                seen.add((later["step"], later["parts_done"]))
                server.kill()
                server.start()
            server.post("/api/v1/backfill/resume")
            time.sleep(0.02)
        self.assertEqual(self.segments(server)["看过"]["size"], 12_000)
        print(f"{len(seen)} pauses in the middle", flush=True)

    def test_another_time_zone_of_the_project(self):
        """Rules that count in the project's days count anew; until then the old ones are in force, over a restart too."""
        (self.work / "rules" / "days.kehu").write_text("""
segment 三天 = count("Note Viewed", last 3 days) >= 1
segment 早上 = share("Product Viewed" where hour < 12) > 0.5
tag 周末 = case when count("Order Completed" where weekday >= 6) >= 2 then "yes" end
segment 自己的时区 time zone "Asia/Tokyo" = count("Note Viewed", last 5 days) >= 1
""")

        def set_zone(server):
            done = run("settings", "set", "time_zone", "America/New_York", "--data", server.data)
            self.assertEqual(done.returncode, 0, done.stderr)

        moved, fresh = self.server("moved"), self.server("fresh")
        self.apply(moved)
        self.send(moved)
        before = self.all_members(moved)
        versions = {name: segment["version"] for name, segment in self.segments(moved).items()}
        self.command(moved, "pause")
        set_zone(moved)
        moved.stop()
        moved.start()
        for name in before:
            self.assertEqual(self.members(moved, name), before[name], name)
        self.command(moved, "resume")
        set_zone(fresh)
        self.apply(fresh)
        self.send(fresh)
        after = self.all_members(moved)
        self.assertEqual(after, self.all_members(fresh))
        self.assertNotEqual(after["早上"], before["早上"])
        for name, segment in self.segments(moved).items():
            self.assertEqual(segment["version"] == versions[name], name == "自己的时区", name)
        done = run("verify", "--data", moved.data)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_a_version_is_withdrawn(self):
        server = self.server("withdrawn")
        self.apply(server)
        self.send(server)
        old = self.all_members(server)
        self.command(server, "pause")
        self.apply(server, self.changed_rules('segment 年度高消费 = sum(revenue of "Order Completed", last 364 days) > 200000\n'
                                              'segment 新的 = ever("Note Viewed")\n'
                                              'segment 用到新的 = not in segment 新的\n'))
        self.assertEqual(len(server.get("/api/v1/backfill").json["rules"]), 3)
        self.assertIn("stays in force", self.command(server, "cancel", "年度高消费"))
        self.assertIn("用到新的", self.command(server, "cancel", "新的", code=1), "another one names it")
        self.assertIn("deleted", self.command(server, "cancel", "用到新的"))
        self.assertIn("deleted", self.command(server, "cancel", "新的"))
        self.assertEqual(self.members(server, "年度高消费"), old["年度高消费"], "in force all the time")
        server.kill()
        server.start()
        self.command(server, "resume")
        self.assertEqual(self.all_members(server), old)
        self.assertIn("filled in", self.command(server, "cancel", "年度高消费", code=1))
        self.assertIn("200000", json.dumps(server.get("/api/v1/definitions/segment/versions?name=" +
                                                      kehu_server.quoted("年度高消费")).json), "its versions stay readable")
        self.assertEqual(run("verify", "--data", server.data).returncode, 0)

    def test_the_terminal_shows_how_far_it_is(self):
        server = self.server("terminal")
        self.send(server)
        master, slave = pty.openpty()
        (self.work / "rules" / "other.kehu").write_text('segment 看过 = ever("Note Viewed")\n')
        begun = subprocess.Popen([kehu_server.BINARY, "apply", self.work / "rules", "--data", server.data], stderr=slave,
                                 stdout=subprocess.PIPE, env=kehu_server.environment())
        os.close(slave)
        shown = b""
        while select.select([master], [], [], 30)[0]:
            try:
                shown += os.read(master, 4096)
            except OSError:
                break
        self.assertEqual(begun.wait(60), 0)
        begun.stdout.close()
        os.close(master)
        self.assertEqual(server.get("/api/v1/backfill").json["state"], "idle", "it waits for the last one")
        self.assertRegex(shown.decode(), r" %, (counting events|asking customers), [\d,]+ of about [\d,]+ parts")
        self.assertIn("in force", shown.decode())

    def test_without_a_server_it_waits_until_the_rules_are_in_force(self):
        """Nobody goes on filling in what the command leaves."""
        server = self.server("alone")
        self.send(server)
        server.stop()
        folder = self.changed_rules(RULES + 'tag 价值 = rfm(revenue of "Order Completed")\n'
                                    'tag 城市 = sql "SELECT customer_id, traits->>\'city\' AS value FROM customers" every day\n')
        done = run("apply", str(self.work / folder), "--data", server.data)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        waiting = json.loads(run("backfill", "status", "--json", "--data", server.data).stdout)
        self.assertEqual(waiting, {"state": "idle", "rules": []})
        done = run("apply", str(self.work / self.changed_rules(
            'tag 数 = sql "SELECT customer_id, CAST(traits->>\'city\' AS INTEGER) AS value FROM customers" every day\n')),
                   "--data", server.data)
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stderr, "not in force yet: tag 数: .*INT32")
        server.start()
        self.assertEqual(server.admin("DELETE", "/api/v1/tags/" + kehu_server.quoted("数")).status, 204)
        first = self.server("first")
        self.apply(first)
        self.send(first)
        self.assertEqual(self.all_members(server), self.all_members(first))

    def test_what_keeps_it_from_going_on_is_told_until_it_goes_on(self):
        server = self.server("stuck")
        self.send(server)
        server.stop()
        files = sorted((self.work / "stuck").glob("lake/events/**/*.parquet"))
        self.assertTrue(files)
        whole = {path: path.read_bytes() for path in files}
        for path, data in whole.items():
            path.write_bytes(data[:-40] + bytes(40))
        server.start()
        self.apply(server, self.changed_rules('segment 看过 = ever("Note Viewed")\n'))
        end = time.monotonic() + 30
        while "error" not in (state := server.get("/api/v1/backfill").json) and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(state["state"], "running")
        self.assertIn(".parquet", state["error"])
        self.assertIn(state["error"], self.command(server, "status"))
        self.assertEqual(self.segments(server)["看过"]["backfill"]["error"], state["error"])
        for path, data in whole.items():
            path.write_bytes(data)
        self.wait_live(server)
        self.assertEqual(server.get("/api/v1/backfill").json, {"state": "idle", "rules": []})

    def test_a_rule_waits_for_those_that_it_names(self):
        server = self.server("waits")
        self.send(server)
        self.apply(server)
        first = self.all_members(server)
        server.post("/api/v1/backfill/pause")
        self.apply(server, self.changed_rules('segment 无订单 = not ever("Order Completed") and not ever("Note Viewed")\n'
                                              'segment 没买 = in segment 无订单 and not (trait.city is known)\n'
                                              'segment 也没买 = in segment 没买\n'))
        server.post("/api/v1/backfill/resume")
        while True:
            now = self.segments(server)
            if now["没买"]["state"] == "live":
                self.assertNotIn("backfill", now["无订单"], "what it names is in force")
            if now["也没买"]["state"] == "live":
                self.assertEqual(now["没买"]["state"], "live")
                break
            time.sleep(0.005)
        members = self.all_members(server)
        self.assertLess(len(members["无订单"]), len(first["无订单"]) + 1)
        self.assertEqual(members["没买"], members["也没买"])
        self.assertEqual(run("verify", "--data", server.data).returncode, 0)


if __name__ == "__main__":
    kehu_server.main()
