#!/usr/bin/env python3
"""New rules on old data: a server that is told its rules behind the events comes to the members of one that had them
before, also when it is killed in between; a changed rule stays in force until the new one has been filled in."""
import datetime
import json
import os
import random
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


if __name__ == "__main__":
    kehu_server.main()
