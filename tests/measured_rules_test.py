#!/usr/bin/env python3
"""Rules that depend on all customers together: percentiles, the RFM score, and tags that a statement fills. What a server
that was killed and started again comes to is what the numbers of the test say."""
import base64
import datetime
import json
import shutil
import time
import unittest

import kehu_server
from kehu_server import run

CUSTOMERS = 200
RULES = """
分群 前两成 = 百分位(总和("Order Completed" 的 revenue)) >= 80
tag 层级 = case when percentile(sum(revenue of "Order Completed")) >= 80 then "高"
               when percentile(sum(revenue of "Order Completed")) >= 40 then "中" else "低" end
标签 价值 = 价值分("Order Completed" 的 revenue, 最近30天)
标签 城市等级 负责人 "li" = SQL "SELECT customer_id, CASE WHEN traits->>'city' IN ('北京', '上海') THEN '一线' ELSE '其他' END AS value"
  "FROM customers WHERE traits->>'city' IS NOT NULL" 每小时
segment 一线高消费 = tag.城市等级 = "一线" and in segment 前两成
"""
CHECKS = """
tag 常用城市 = top(city of "Order Completed")
segment 上海客户 = trait.city = "上海"
对照 合作方城市 负责人 "li" 说明 "who pays for it" = 特征.city 来自 "partner_x" 符合 标签.常用城市 至少 80%
"""
# Two customers in each hundredth.
HIGH = {f"u{i}" for i in range(CUSTOMERS * 80 // 100, CUSTOMERS)}


class MeasuredRulesTest(unittest.TestCase):
    def setUp(self):
        self.work = kehu_server.scratch(self)
        (self.work / "rules").mkdir()
        (self.work / "rules" / "all.kehu").write_text(RULES)
        self.server = kehu_server.Server(self.work / "data").start()
        self.addCleanup(self.server.kill)

    def send(self):
        """u0 has spent 1, u1 2, and so on, all of them today; every third one has no city."""
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        events = []
        for i in range(CUSTOMERS):
            events.append({"type": "track", "event": "Order Completed", "user_id": f"u{i}", "message_id": f"o{i}", "time": now,
                           "properties": {"revenue": i + 1}})
            if i % 3:
                events.append({"type": "identify", "user_id": f"u{i}", "message_id": f"i{i}", "time": now,
                               "traits": {"city": "北京" if i % 3 == 1 else "西安"}})
        self.assertEqual(self.server.post_events(events)["rejected"], 0)

    def apply(self):
        done = run("apply", str(self.work / "rules"), "--data", self.server.data)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    eventually = kehu_server.eventually

    def tag(self, name):
        return self.server.get(f"/api/v1/tags/{kehu_server.quoted(name)}").json

    def members(self, name):
        done = run("segment", "members", name, "--json", "--data", self.server.data)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {json.loads(line)["identifiers"][0]["value"] for line in done.stdout.splitlines()}

    def tags_of(self, user):
        return self.server.get(f"/api/v1/customers/user_id:{user}").json["tags"]

    def expect_all(self):
        self.eventually(lambda: self.members("前两成"), HIGH)
        self.eventually(lambda: self.members("一线高消费"), {user for user in HIGH if int(user[1:]) % 3 == 1})
        self.eventually(lambda: self.tags_of("u1"), {"层级": "低", "价值": "551", "城市等级": "一线"})
        self.eventually(lambda: self.tags_of("u199"), {"层级": "高", "价值": "555", "城市等级": "一线"})
        self.eventually(lambda: self.tags_of("u99"), {"层级": "中", "价值": "553"})

    def test_measured_killed_and_started_again(self):
        self.send()
        self.apply()
        for _ in range(3):
            time.sleep(0.1)
            self.server.kill()
            self.server.start()
        self.expect_all()
        measured = self.tag("层级")["measured"]
        self.assertEqual([(each["of"], each["customers"]) for each in measured],
                         [('sum(revenue of "Order Completed")', CUSTOMERS)])
        self.assertEqual(len(self.tag("价值")["measured"]), 3)
        statement = self.tag("城市等级")
        self.assertEqual((statement["state"], statement["owner"], statement["run"]["customers"]),
                         ("live", "li", CUSTOMERS - (CUSTOMERS + 2) // 3))
        self.assertNotIn("error", statement["run"])
        self.assertEqual({each["name"] for each in self.server.get("/api/v1/tags").json["tags"]}, {"层级", "价值", "城市等级"})

        # Live, by the cuts as they are; and the archive agrees.
        self.assertEqual(self.server.post_events([{"type": "track", "event": "Order Completed", "user_id": "u0",
                                                   "message_id": "more", "properties": {"revenue": 1000}}])["rejected"], 0)
        self.eventually(lambda: self.tags_of("u0")["层级"], "高")
        done = run("verify", "层级", "--data", self.server.data)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("equal", done.stdout)
        done = run("verify", "前两成", "--data", self.server.data)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = run("verify", "城市等级", "--data", self.server.data)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("not compared", done.stdout)

        self.server.stop()
        self.server.start()
        self.assertEqual(self.tag("层级")["measured"], measured, "not due, not measured again")
        self.assertEqual(self.tags_of("u0")["层级"], "高")

    def test_a_preview_knows_what_was_measured(self):
        self.send()
        self.apply()
        self.expect_all()
        preview = self.server.post("/api/v1/rules/preview", {
            "rule": 'percentile(sum(revenue of "Order Completed")) >= 90', "time_zone": ""}).json
        self.assertEqual(preview["size"], CUSTOMERS // 10)

    def test_what_a_statement_found_is_a_fact_to_previews_and_verifications(self):
        """Of its last run, also of customers who have merged since."""
        self.send()
        self.apply()
        self.expect_all()
        first = {f"u{i}" for i in range(CUSTOMERS) if i % 3 == 1}
        size = lambda rule: self.server.post("/api/v1/rules/preview", {"rule": rule}).json["size"]
        self.assertEqual(size('tag.城市等级 = "一线"'), len(first))
        self.assertEqual(size("tag.城市等级 is known"), CUSTOMERS - (CUSTOMERS + 2) // 3)
        self.assertEqual(size('tag.城市等级 is unknown'), (CUSTOMERS + 2) // 3)
        self.assertEqual(size('tag.城市等级 = "一线" and did("Order Completed" where revenue <= 30, today)'), 10)
        self.assertEqual(size("in segment 一线高消费"), len(first & HIGH))
        preview = self.server.post("/api/v1/rules/preview", {"rule": "tag.城市等级"}).json
        self.assertEqual({each["value"]: each["size"] for each in preview["values"]},
                         {"一线": len(first), "其他": CUSTOMERS - (CUSTOMERS + 2) // 3 - len(first)})
        # u1 has one and somebody else none: both have it behind their parting, until the next run.
        self.assertEqual(self.server.post_events([{"type": "track", "event": "A", "phone": "13800001111", "message_id": "a"}])["rejected"], 0)
        other = self.server.customer("phone:13800001111")["customer_id"]
        merged = self.server.post("/api/v1/identities/merge", {"winner": other, "loser": "user_id:u1", "reason": "one"})
        self.assertEqual(merged.status, 200, merged)
        self.assertEqual(size('tag.城市等级 = "一线"'), len(first))
        link = self.server.get("/api/v1/customers/user_id:u1/identities").json["links"][-1]["link"]
        parted = self.server.post("/api/v1/identities/unmerge", {"customer": "user_id:u1", "link": link, "reason": "two"})
        self.assertEqual(parted.status, 200, parted)
        self.assertEqual(size('tag.城市等级 = "一线"'), len(first) + 1)
        for name in ("一线高消费", "前两成"):
            done = run("verify", name, "--data", self.server.data)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("equal", done.stdout)

    def test_a_preview_measures_what_no_rule_asked_for(self):
        """Two customers in each hundredth, and no rule at all."""
        self.send()
        preview = lambda rule, **more: self.server.post("/api/v1/rules/preview", {"rule": rule, **more}).json
        self.assertEqual(preview('percentile(sum(revenue of "Order Completed")) >= 90')["size"], CUSTOMERS // 10)
        self.assertEqual(preview('percentile(sum(revenue of "Order Completed" where revenue <= 100)) = 99')["size"], 2)
        self.assertEqual(preview('percentile(sum(revenue of "Order Completed", last 30 days)) < 50', time_zone="UTC")["size"],
                         CUSTOMERS // 2)
        self.assertEqual(preview('percentile(avg(revenue of "Nothing")) >= 0')["size"], 0)
        scores = preview('rfm(revenue of "Order Completed", last 30 days)')
        self.assertEqual({each["value"]: each["size"] for each in scores["values"]},
                         {f"55{fifth}": CUSTOMERS // 5 for fifth in range(1, 6)})
        # Saved, the rule comes to the same.
        (self.work / "rules" / "all.kehu").write_text(
            'segment 前一成 = percentile(sum(revenue of "Order Completed")) >= 90\n')
        self.apply()
        self.eventually(lambda: len(self.members("前一成")), CUSTOMERS // 10)

    def test_a_wrong_statement_is_said_and_the_version_before_stays(self):
        self.send()
        self.apply()
        self.expect_all()
        (self.work / "rules" / "all.kehu").write_text(RULES.replace("'其他' END", "CAST(CAST(traits->>'city' AS INTEGER) AS VARCHAR) END"))
        self.apply()
        self.eventually(lambda: "backfill" in self.tag("城市等级"), True)
        time.sleep(1)
        self.assertIn("backfill", self.tag("城市等级"), "it does not come into force")
        self.eventually(lambda: self.tags_of("u1"), {"层级": "低", "价值": "551", "城市等级": "一线"})
        exported = self.work / "exported"
        done = run("export", str(exported), "--data", self.server.data)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = "".join(path.read_text() for path in exported.rglob("*.kehu"))
        self.assertIn("AS INTEGER", text)
        self.assertIn("percentile(sum(revenue of", text)

    def test_a_partner_that_is_wrong_is_not_believed(self):
        """The partner knows the city of 150 customers, and of 100 of them a wrong one."""
        events = []
        for i in range(150):
            events.append({"type": "track", "event": "Order Completed", "user_id": f"u{i}", "message_id": f"o{i}",
                           "properties": {"city": "北京"}})
        self.assertEqual(self.server.post_events(events)["rejected"], 0)
        created = self.server.post("/api/v1/sources", {"name": "partner_x"})
        self.assertEqual(created.status, 201, created)
        key = created.json["write_key"]

        def say(city_of, suffix):
            said = [{"type": "identify", "user_id": f"u{i}", "message_id": f"p{i}{suffix}", "traits": {"city": city_of(i)}}
                    for i in range(150)]
            answer = self.server.request("POST", "/api/v1/events", "\n".join(map(json.dumps, said)),
                                         {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()})
            self.assertEqual((answer.status, answer.json["rejected"]), (200, 0), answer)

        (self.work / "rules" / "all.kehu").write_text(CHECKS)
        self.apply()
        check = lambda: self.server.get(f"/api/v1/checks/{kehu_server.quoted('合作方城市')}").json
        self.eventually(lambda: check()["state"], "not compared yet")
        self.assertEqual(check()["measured"]["compared"], 0)
        self.assertEqual(self.server.admin("DELETE", f"/api/v1/checks/{kehu_server.quoted('合作方城市')}").status, 204)
        say(lambda i: "北京" if i < 50 else "上海", "")
        self.apply()
        self.eventually(lambda: check()["state"], "quarantined")
        measured = check()["measured"]
        self.assertEqual((measured["compared"], measured["agreed"], measured["share"]), (150, 50, 0.3333))
        self.assertEqual((check()["at_least"], check()["owner"], len(check()["history"])), (0.8, "li", 1))
        self.eventually(lambda: self.members("上海客户"), set())
        customer = self.server.get("/api/v1/customers/user_id:u149").json
        self.assertEqual(customer["traits"]["city"], "上海", "readable, but not believed")
        quarantined = customer["trait_sources"]["city"]["quarantined"]
        self.assertEqual((quarantined["check"], quarantined["agreed"], quarantined["compared"]), ("合作方城市", 50, 150))
        why = self.server.get(f"/api/v1/segments/{kehu_server.quoted('上海客户')}/why/user_id:u149").json
        reason = [each for each in why["reasons"] if each["rule"] == "trait.city"][0]
        self.assertEqual((reason["value"], reason["quarantined"]["share"]), (None, 0.3333))
        done = run("verify", "上海客户", "--data", self.server.data)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        preview = self.server.post("/api/v1/rules/preview", {"rule": 'trait.city = "上海"'}).json
        self.assertEqual(preview["size"], 0)
        log = lambda: self.server.sql("SELECT name, compares, source, compared, agreed, round(share, 4) AS share, at_least, quarantined "
                                      "FROM check_log ORDER BY time")
        first = {"name": "合作方城市", "compares": "trait.city", "source": "partner_x", "compared": 150, "agreed": 50,
                 "share": 0.3333, "at_least": 0.8, "quarantined": True}
        self.assertEqual([row for row in log() if row["compared"]], [first])
        self.server.kill()
        self.server.start()
        self.assertEqual((check()["state"], self.members("上海客户")), ("quarantined", set()))
        self.assertEqual([row for row in log() if row["compared"]], [first])
        # A table that is lost, as one that is new, begins with what the state has.
        self.server.stop()
        shutil.rmtree(self.work / "data" / "lake" / "check_log")
        self.server.start()
        self.assertEqual([row for row in log() if row["compared"]], [first])

        # Deleted, it holds nobody back any more; written again, it measures the partner as he is by now.
        quoted = kehu_server.quoted("合作方城市")
        refused = self.server.admin("DELETE", f"/api/v1/tags/{kehu_server.quoted('常用城市')}")
        self.assertEqual(refused.status, 409, refused)
        self.assertEqual(self.server.admin("DELETE", f"/api/v1/checks/{quoted}").status, 204)
        self.eventually(lambda: len(self.members("上海客户")), 100)
        say(lambda i: "北京", "again")
        self.apply()
        self.eventually(lambda: check()["state"], "trusted")
        self.assertEqual(check()["measured"]["share"], 1)
        self.assertEqual(log(), [first, {**first, "agreed": 150, "share": 1.0, "quarantined": False}], "the old check's point stays")
        self.server.stop()
        checked = run("check", "--data", self.server.data)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.server.start()
        exported = self.work / "exported"
        done = run("export", str(exported), "--data", self.server.data)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = "".join(path.read_text() for path in exported.rglob("*.kehu"))
        self.assertIn('check 合作方城市', text)


if __name__ == "__main__":
    kehu_server.main()
