#!/usr/bin/env python3
"""Who was in a segment at any moment, and how many entered and left: over merges and un-merges, changed, deleted and new
rules, and restarts. The query is that of docs/lake.md."""
import datetime
import pathlib
import re
import time
import unittest

import kehu_server

GUIDE = pathlib.Path(__file__).resolve().parent.parent / "docs/lake.md"
AS_OF = re.search(r"```sql asof\n(.*?)```", GUIDE.read_text(), re.S)[1]
MOMENT = re.search(r"TIMESTAMPTZ '([^']+)'", AS_OF)[1]
TIME_ZONE = "Asia/Shanghai"


class SegmentHistoryTest(kehu_server.ServerTest):
    settings = {"time_zone": TIME_ZONE}

    def setUp(self):
        self.seen = []  # (moment, members)

    @staticmethod
    def name(user):
        """Nobody has two user ids, so those who are merged into others are known by e-mail."""
        return f"email:{user}@example.com" if user in "bc" else f"user_id:{user}"

    def set(self, user, **traits):
        kind, value = self.name(user).split(":")
        self.server.post_events([{"type": "identify", kind: value, "traits": traits}])

    def members(self):
        answer = self.server.get("/api/v1/segments/vip/members?limit=1000")
        return sorted(m["customer_id"] for m in answer.json["members"]) if answer.status == 200 else []

    def look(self, *users):
        """The members are these now; and so the archive says later of this moment."""
        now = self.members()
        self.assertEqual(now, sorted(self.server.customer(self.name(user))["customer_id"] for user in users))
        time.sleep(0.02)
        self.seen.append((datetime.datetime.now(datetime.timezone.utc).isoformat(), now))
        time.sleep(0.02)

    def expect_all(self, entered, left, size):
        for moment, members in self.seen:
            rows = self.server.sql(AS_OF.replace("已下单", "vip").replace(MOMENT, moment))
            self.assertEqual(sorted(row["customer_id"] for row in rows), members, moment)
        self.assertEqual(sorted(row["customer_id"] for row in self.server.sql("FROM segments")), self.seen[-1][1])
        days = self.server.get("/api/v1/segments/vip/history").json["days"]
        # A test may run over midnight.
        self.assertEqual((sum(day["entered"] for day in days), sum(day["left"] for day in days), days[-1]["size"]),
                         (entered, left, size), days[-2:])

    def join(self, winner, loser):
        answer = self.server.post("/api/v1/identities/merge",
                                  {"winner": self.name(winner), "loser": self.name(loser), "reason": "same"})
        self.assertEqual(answer.status, 200, answer)
        links = self.server.get(f"/api/v1/customers/{kehu_server.quoted(self.name(winner))}/identities").json["links"]
        return max(link["link"] for link in links if link["kind"] == "manual")

    def part(self, user, link):
        answer = self.server.post("/api/v1/identities/unmerge",
                                  {"customer": self.name(user), "link": link, "reason": "not the same"})
        self.assertEqual(answer.status, 200, answer)

    def restart(self, end):
        end()
        self.server.start()

    def wait_live(self):
        while self.server.get("/api/v1/segments/vip").json.get("state") != "live" or \
                "backfill" in self.server.get("/api/v1/segments/vip").json:
            time.sleep(0.05)

    def test_over_everything(self):
        self.server.define_rules(vip="trait.vip = true")
        self.look()
        for user in ("a", "b", "c"):
            self.set(user, vip=True)
        self.look("a", "b", "c")
        link = self.join("a", "b")
        self.look("a", "c")
        self.expect_all(3, 1, 2)
        self.restart(self.server.kill)
        self.part("a", link)
        self.look("a", "b", "c")
        self.expect_all(4, 1, 3)
        self.set("c", vip=False)
        self.look("a", "b")
        self.set("d", city="北京")
        self.server.define_rules(vip='trait.vip = true or trait.city = "北京"')
        self.wait_live()
        self.look("a", "b", "d")
        self.expect_all(4, 2, 3)
        self.restart(self.server.stop)
        # Whoever joins under the new version, and is taken apart again.
        link = self.join("d", "c")
        self.look("a", "b", "d")
        self.part("d", link)
        self.look("a", "b", "d")
        self.assertEqual(self.server.admin("DELETE", "/api/v1/segments/vip").status, 204)
        self.look()
        self.assertEqual(self.server.sql("FROM segments"), [])
        self.restart(self.server.kill)
        self.set("a", vip=False)
        self.server.define_rules(vip="trait.vip = true")
        self.wait_live()
        self.look("b")
        self.set("c", vip=True)
        self.look("b", "c")
        self.expect_all(5, 2, 2)
        self.restart(self.server.kill)
        self.look("b", "c")
        self.expect_all(5, 2, 2)
        self.restart(self.server.stop)
        self.expect_all(5, 2, 2)


if __name__ == "__main__":
    kehu_server.main()
