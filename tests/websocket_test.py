#!/usr/bin/env python3
"""The live feed, as a page uses it."""
import json
import time

import kehu_server
import websocket_client
from websocket_client import CLOSE, PING, PONG, TEXT


class WebSocket(websocket_client.WebSocket):
    """A page at the live feed."""

    def __init__(self, server, query="", headers=None):
        super().__init__(server.port, f"/api/v1/live{query}", headers)

    def send(self, value):
        self.send_text(value if isinstance(value, str) else json.dumps(value))

    def next(self, kind=None):
        """The next message, of one kind if given; pings are answered."""
        while True:
            opcode, payload = self.frame()
            if opcode == PING:
                self.send_frame(PONG, payload)
            elif opcode == TEXT:
                message = json.loads(payload)
                if kind is None or message["kind"] == kind:
                    return message
            elif opcode == CLOSE:
                raise ConnectionError(f"closed with {int.from_bytes(payload[:2], 'big')}")


class LiveFeedTest(kehu_server.ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.define_rules(live_buyers='count("Bought") >= 1', live_fans='count("Bought") >= 2',
                                live_number=['count("Bought")'])

    def open(self, query="", **headers):
        headers = headers or {"Authorization": f"Bearer {kehu_server.ADMIN_TOKEN}"}
        ws = WebSocket(self.server, query, headers)
        self.addCleanup(ws.close)
        return ws

    def subscribed(self, *kinds, **filters):
        ws = self.open()
        ws.send({"subscribe": list(kinds), **filters})
        self.assertEqual(ws.next()["kind"], "subscribed")
        return ws

    def test_who_may(self):
        self.assertEqual(self.open(Authorization="Bearer wrong").status, 401)
        self.assertEqual(self.open(Accept="*/*").status, 401)
        self.assertEqual(self.open(f"?access_token={kehu_server.ADMIN_TOKEN}", Accept="*/*").status, 101)
        self.assertEqual(self.server.get("/api/v1/live").status, 426)

    def test_a_segment_that_is_not_there_is_not_subscribed_to(self):
        ws = self.subscribed("memberships", segment="live_buyers")
        ws.send({"subscribe": ["memberships"], "segment": "live_buyer"})
        refused = ws.next()
        self.assertEqual((refused["kind"], refused["code"]), ("error", "unknown_segment"), refused)
        self.assertIn("live_buyer", refused["detail"])
        ws.send({"subscribe": ["memberships"], "segment": "live_number"})
        self.assertEqual(ws.next()["kind"], "error", "a tag is no segment")
        self.assertEqual(self.open("?subscribe=memberships&segment=live_buyer").status, 404)
        self.assertEqual(self.open("?subscribe=memberships&segment=live_buyers").status, 101)

    def test_events(self):
        ws = self.subscribed("events")
        self.server.post_events([{"event": "Order Completed", "user_id": "live-1", "message_id": "live-m",
                                  "phone": "13912349999", "properties": {"total": 5, "city": "上海"}}])
        message = ws.next("event")
        self.assertEqual(message["event"], "Order Completed")
        self.assertEqual(message["properties"], {"total": 5, "city": "上海"})
        self.assertEqual(message["message_id"], "live-m")
        self.assertTrue(message["new_customer"])
        self.assertEqual(message["customer_id"], self.server.customer("user_id:live-1")["customer_id"])

    def test_an_event_is_seen_soon(self):
        ws = self.subscribed("events", event="Soon")
        took = []
        for i in range(20):
            start = time.monotonic()
            self.server.post_events([{"event": "Soon", "user_id": "soon", "message_id": f"soon-{i}"}])
            self.assertEqual(ws.next("event")["message_id"], f"soon-{i}")
            took.append(time.monotonic() - start)
        self.assertLess(sorted(took)[10], 0.5, took)

    def test_customers_and_joins(self):
        ws = self.subscribed("customers")
        self.server.post_events([{"event": "A", "anonymous_id": "join-a"}])
        first = ws.next("customer")
        self.assertEqual(first["change"], "created")
        self.server.post_events([{"event": "A", "user_id": "join-u"}])
        second = ws.next("customer")
        self.server.post_events([{"event": "A", "user_id": "join-u", "anonymous_id": "join-a"}])
        changes = [ws.next("customer") for _ in range(2)]
        joined = [c for c in changes if c["change"] == "joined"]
        self.assertEqual(len(joined), 1, changes)
        self.assertEqual({joined[0]["from"], joined[0]["customer_id"]}, {first["customer_id"], second["customer_id"]})

    def test_filters(self):
        self.server.post_events([{"event": "A", "user_id": "only"}])
        customer = self.server.customer("user_id:only")["customer_id"]
        ws = self.subscribed("events", customer=customer, event="Wanted")
        self.server.post_events([{"event": "Wanted", "user_id": "other"}, {"event": "Unwanted", "user_id": "only"},
                                 {"event": "Wanted", "user_id": "only", "message_id": "wanted"}])
        self.assertEqual(ws.next("event")["message_id"], "wanted")

    def test_memberships(self):
        all_of_them = self.subscribed("memberships")
        buyers = self.subscribed("memberships", segment="live_buyers")
        self.server.post_events([{"event": "Bought", "user_id": "member"}])
        customer = self.server.customer("user_id:member")["customer_id"]
        entered = buyers.next("membership")
        self.assertEqual({key: entered[key] for key in ("segment", "customer_id", "change", "value")},
                         {"segment": "live_buyers", "customer_id": customer, "change": "entered", "value": True})
        self.assertGreater(entered["sequence"], 0)
        self.assertRegex(entered["at"], r"^\d{4}-\d\d-\d\dT.*Z$")
        of_one = self.subscribed("memberships", customer=customer)
        self.server.post_events([{"event": "Bought", "anonymous_id": "another"}, {"event": "Bought", "user_id": "member"}])
        self.assertNotEqual(buyers.next("membership")["customer_id"], customer)
        changes = [all_of_them.next("membership") for _ in range(6)]
        self.assertEqual(sorted(m.get("segment", m.get("tag")) for m in changes),
                         ["live_buyers", "live_buyers", "live_fans", "live_number", "live_number", "live_number"])
        self.assertEqual([m["value"] for m in changes if "tag" in m and m["customer_id"] == customer], [1, 2])
        own = [of_one.next("membership") for _ in range(2)]
        self.assertEqual(sorted((m["change"], m["value"]) for m in own), [("entered", True), ("set", 2)])
        # Whom another takes in leaves.
        merged = self.server.post("/api/v1/identities/merge",
                         {"winner": "anonymous_id:another", "loser": "user_id:member", "reason": "one"})
        self.assertEqual(merged.status, 200, merged)
        left = [of_one.next("membership") for _ in range(3)]
        self.assertEqual(sorted(m["change"] for m in left), ["cleared", "left", "left"])

    def test_a_segment_from_day_to_day(self):
        self.server.post_events([{"event": "Bought", "user_id": f"history-{i}"} for i in range(3)])
        path = "/api/v1/segments/live_buyers"
        answer = self.server.get(f"{path}/history")
        self.assertEqual(answer.status, 200, answer)
        days = answer.json["days"]
        self.assertEqual(len(days), 30)
        size = self.server.get(path).json["size"]
        self.assertEqual(days[-1]["size"], size)
        self.assertEqual(sum(day["entered"] - day["left"] for day in days), size)
        one = self.server.get(f"{path}/history?from={days[-1]['day']}&to={days[-1]['day']}")
        self.assertEqual(one.json["days"], days[-1:])
        for query in ("from=yesterday", "from=2026-11-02&to=2026-11-01", "from=2001-01-01&to=2026-11-01", "form=2026-11-01"):
            self.assertEqual(self.server.get(f"{path}/history?{query}").status, 400, query)
        self.assertEqual(self.server.get("/api/v1/segments/nobody/history").status, 404)

    def test_counts(self):
        ws = self.subscribed("counts")
        end = time.monotonic() + 10
        first = None
        while time.monotonic() < end:
            self.server.post_events([{"event": "Counted", "user_id": "counts"}])
            message = ws.next("counts")
            if first is not None and message["events"] > first["events"]:
                self.assertGreaterEqual(message["customers"], 1)
                return
            first = first or message
            time.sleep(0.3)
        self.fail("the counts did not move")

    def test_a_change_of_subscription(self):
        ws = self.subscribed("counts")
        ws.send({"subscribe": ["events"], "event": "Later"})
        self.assertEqual(ws.next("subscribed")["kind"], "subscribed")
        self.server.post_events([{"event": "Later", "user_id": "later"}])
        self.assertEqual(ws.next("event")["event"], "Later")

    def test_nonsense_is_answered(self):
        ws = self.open()
        ws.send("no JSON")
        self.assertEqual(ws.next()["code"], "bad_subscription")
        ws.send({"subscribe": "events"})
        self.assertEqual(ws.next()["code"], "bad_subscription")

    def test_a_slow_reader_is_told_and_hurts_nobody(self):
        slow = self.open("?subscribe=events")
        text = "x" * 20_000
        start = time.monotonic()
        for i in range(0, 1200, 100):
            self.server.post_events([{"event": "Flood", "user_id": "flood", "message_id": f"flood-{i + j}",
                                      "properties": {"text": text}} for j in range(100)])
        self.assertLess(time.monotonic() - start, 30)
        seen = 0
        while True:
            message = slow.next()
            if message["kind"] == "missed":
                self.assertGreater(message["messages"], 0)
                break
            seen += 1
            self.assertLess(seen, 1200, "nothing was dropped, although the reader slept")


if __name__ == "__main__":
    kehu_server.main()
