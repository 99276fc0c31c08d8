#!/usr/bin/env python3
"""Orders in other words and channels in any spelling, from outside: docs/vocabulary.md, docs/channels.md."""
import json
import re
import unittest

import kehu_server

KEY = kehu_server.WRITE_KEY
GUIDE = (kehu_server.ROOT / "docs/vocabulary.md").read_text()
TIME = 1_760_000_000_000


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def revenue(customer):
    return {r["currency"]: (r["orders"], r["revenue"], r["refunded"]) for r in customer["revenue"]}


class OrdersTest(kehu_server.ServerTest):
    """Without any settings."""

    def sensors(self, user, event, properties, number):
        """A record as sa-sdk-node sends it."""
        record = {"type": "track", "event": event, "time": TIME + number, "distinct_id": user, "time_free": True,
                  "properties": {"$lib": "Node", "$lib_version": "1.2.6", "$is_login_id": True, **properties},
                  "lib": {"$lib": "Node", "$lib_method": "code", "$lib_version": "1.2.6"}}
        answer = self.server.request("POST", f"/sa?token={KEY}", json.dumps(record),
                                     {"Content-Type": "application/json"})
        self.assertEqual(answer.status, 200, answer)

    def test_sensors(self):
        self.sensors("sa-1", "SubmitOrder", {"order_id": "S1", "order_amount": 120}, 1)
        self.sensors("sa-1", "PayOrder", {"order_id": "S1", "order_amount": "￥1,099.00"}, 2)
        self.sensors("sa-1", "PayOrderDetail", {"order_id": "S1", "product_price": 1099, "order_amount": 1099}, 3)
        self.sensors("sa-1", "OrderCompleted", {"OrderId": "S2", "PaymentAmount": 5.5, "currency": "人民币"}, 4)
        self.sensors("sa-1", "RefundOrder", {"order_id": "S1", "order_amount": "99元"}, 5)
        customer = self.server.customer("user_id:sa-1")
        self.assertEqual(revenue(customer), {"CNY": (2, 1104.5, 99)})
        self.assertEqual({o["order_id"]: o["status"] for o in customer["orders"]},
                         {"S1": "partly_refunded", "S2": "completed"})
        self.assertEqual(customer["channels"][0]["channel"], "server")
        totals = [m for m in customer["metrics"] if (m["event"], m["property"]) == ("Order Completed", "total")]
        self.assertEqual((totals[0]["count"], totals[0]["sum"]), (2, 1104.5))

    def test_other_vocabularies(self):
        item = {"item_id": "SKU_1", "item_category": "tea", "price": "10.01", "quantity": 3}
        events = [
            ("ga4-1", "purchase", {"transaction_id": "T1", "value": 30.03, "currency": "USD", "items": [item]}),
            ("ga4-1", "view_item", {"currency": "USD", "items": [item]}),
            ("ga4-1", "refund", {"transaction_id": "T1", "value": 10.01, "currency": "USD"}),
            ("shop-1", "orders/paid", {"id": 450789469, "total_price": "409.94", "currency": "USD",
                                       "line_items": [{"price": "199.00", "quantity": 1}]}),
            ("shop-1", "refunds/create", {"id": 929361464, "order_id": 450789469,
                                          "transactions": [{"amount": "41.94"}]}),
            ("yz-1", "trade_TradePaid", {"tid": "E2026", "payment": "88.00", "total_fee": "100.00"}),
            ("ph-1", "order_completed", {"order_id": "P1", "revenue": "12,50", "currency": "eur"}),
        ]
        self.server.post_events([{"user_id": u, "event": e, "properties": p} for u, e, p in events])
        ga4 = self.server.customer("user_id:ga4-1")
        self.assertEqual(revenue(ga4), {"USD": (1, 30.03, 10.01)})
        top = {(m["event"], m["property"]): m["top"][0]["value"] for m in ga4["metrics"] if m["kind"] == "top"}
        self.assertEqual(top[("Product Viewed", "category")], "tea")
        self.assertEqual(top[("Order Completed", "products[].category")], "tea")
        self.assertEqual(revenue(self.server.customer("user_id:shop-1")), {"USD": (1, 409.94, 41.94)})
        self.assertEqual(revenue(self.server.customer("user_id:yz-1")), {"CNY": (1, 88, 0)})
        self.assertEqual(revenue(self.server.customer("user_id:ph-1")), {"EUR": (1, 12.5, 0)})

    def test_amounts_that_cannot_be_read_are_seen(self):
        self.server.post_events([
            {"user_id": "un-1", "event": "Order Completed", "properties": {"order_id": "A1", "total": "about 99"}},
            {"user_id": "un-1", "event": "Order Completed",
             "properties": {"order_id": "A2", "total": 5, "currency": "coins"}}])
        customer = self.server.customer("user_id:un-1")
        orders = {o["order_id"]: o for o in customer["orders"]}
        self.assertEqual((orders["A1"]["amount"], orders["A1"]["amount_unread"]), (None, True))
        self.assertEqual((orders["A2"]["currency"], orders["A2"]["currency_unread"]), ("", True))
        self.assertNotIn("amount_unread", orders["A2"])
        self.assertEqual((customer["amounts_unread"], customer["currencies_unread"]), (1, 1))
        metrics = self.server.get("/metrics").body.decode()
        self.assertGreaterEqual(int(re.search(r"^kehu_amounts_unread_total (\d+)", metrics, re.M)[1]), 2)

    def test_sql_says_what_the_customer_says(self):
        amounts = ["1,299.00", 99.5, "¥7", "9元9", True, None, "12,50", "(3)", "  "]
        events = []
        for i, amount in enumerate(amounts):
            order = {"order_id": f"q{i}", "total": amount, "currency": "CNY"}
            events.append({"user_id": "sql-1", "event": "Order Completed", "properties": order})
            if i % 2:
                events.append({"user_id": "sql-1", "event": "Order Refunded",
                               "properties": {"order_id": f"q{i}", "total": "￥2" if i % 3 else None}})
            if i % 4 == 2:
                events.append({"user_id": "sql-1", "event": "order_updated",
                               "properties": {"order_id": f"q{i}", "items": [{"price": "2", "quantity": i}]}})
        events.append({"user_id": "sql-1", "event": "Order Cancelled", "properties": {"order_id": "q1"}})
        events.append({"user_id": "sql-1", "event": "Order Line",
                       "properties": {"order_id": "lines", "price": "2.5", "quantity": 3}})
        for i, event in enumerate(events):
            event["time"] = f"2026-11-01T10:{i:02}:00Z"
        self.server.post_events(events)
        customer = self.server.customer("user_id:sql-1")
        rows = self.server.sql(
            "SELECT order_id, status, currency, amount::DOUBLE AS amount, refunded::DOUBLE AS refunded, lines, "
            f"amount_unread FROM orders WHERE customer_id = '{customer['customer_id']}' ORDER BY order_id")
        want = [{"order_id": o["order_id"], "status": o["status"], "currency": o["currency"], "amount": o["amount"],
                 "refunded": o["refunded"], "lines": o["lines"], "amount_unread": o.get("amount_unread", False)}
                for o in sorted(customer["orders"], key=lambda o: o["order_id"])]
        self.assertEqual(rows, want)
        self.assertEqual(len(rows), len(amounts) + 1)

    def test_channels(self):
        spelt = {"email": "email", "SMS": "sms", "企业微信": "wecom", "WhatsApp": "whatsapp", "门店": "shop", "App": "app",
                 "WEB": "web", "mini-program": "mini_program", "Call Center": "service", "抖音旗舰店": "抖音旗舰店",
                 "TikTok-Shop": "tiktok-shop"}
        self.server.post_events([{"user_id": "ch-1", "event": f"E{i}", "channel": channel}
                                 for i, channel in enumerate(spelt)])
        customer = self.server.customer("user_id:ch-1")
        self.assertEqual(sorted(c["channel"] for c in customer["channels"]), sorted(spelt.values()))
        self.assertEqual(sorted(e["channel"] for e in customer["recent_events"]), sorted(spelt.values()))
        rows = self.server.sql("SELECT event, channel FROM events WHERE "
                               f"customer_id = '{customer['customer_id']}' ORDER BY sequence")
        self.assertEqual([r["channel"] for r in rows], list(spelt.values()))
        metrics = self.server.get("/metrics").body.decode()
        self.assertGreaterEqual(int(re.search(r"^kehu_unlisted_channels_total (\d+)", metrics, re.M)[1]), 2)

    def test_the_library_and_the_source_give_the_channel(self):
        def of_library(user, library):
            self.server.segment("/v1/track", {"userId": user, "event": "E", "context": {"library": {"name": library}}})
            return self.server.customer(f"user_id:{user}")["channels"][0]["channel"]
        self.assertEqual(of_library("lib-1", "@segment/analytics-node"), "server")
        self.assertEqual(of_library("lib-2", "analytics-python"), "server")
        self.assertEqual(of_library("lib-3", "analytics.js"), "web")
        self.assertEqual(of_library("lib-4", "analytics-kotlin"), "app")
        self.server.segment("/v1/page", {"userId": "lib-5", "name": "Home"})
        self.assertEqual(self.server.customer("user_id:lib-5")["channels"][0]["channel"], "web")
        answer = self.server.request("POST", "/batch/", {"api_key": KEY, "batch": [
            {"event": "e", "distinct_id": "lib-6", "properties": {"$lib": "posthog-python"}}]})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.server.customer("user_id:lib-6")["channels"][0]["channel"], "server")

        made = self.server.post("/api/v1/sources", {"name": "wecom-desk", "channel": "企微"})
        self.assertEqual((made.status, made.json["channel"]), (201, "wecom"), made)
        key = made.json["write_key"]
        self.server.segment("/v1/track", {"userId": "lib-7", "event": "E", "context": {
            "library": {"name": "analytics-python"}}}, key=key)
        self.assertEqual(self.server.customer("user_id:lib-7")["channels"][0]["channel"], "wecom")

    def test_replay_gives_the_same(self):
        self.server.post_events([{"user_id": "re-1", "event": "PayOrder", "channel": "zeppelin",
                                  "properties": {"order_id": "R1", "order_amount": "1.2万元"}}])
        before = self.server.customer("user_id:re-1")
        self.server.kill()
        self.server.start()
        after = self.server.customer("user_id:re-1")
        for changing in ("as_of", "log_position"):
            before.pop(changing), after.pop(changing)
        self.assertEqual(after, before)
        self.assertEqual(revenue(after), {"CNY": (1, 12000, 0)})
        self.assertEqual(after["channels"][0]["channel"], "zeppelin")


class SettingsTest(kehu_server.ServerTest):
    """The guide's own example."""

    def test_the_guide(self):
        [example] = blocks("json")
        answer = self.server.admin("PUT", "/api/v1/settings", example)
        self.assertEqual(answer.status, 200, answer)
        made = self.server.post("/api/v1/sources", {"name": "shopify-us"})
        key = made.json["write_key"]
        pay = {"event": "PayOrder", "properties": {"orderId": "o1", "pay": {"total": "88元"}, "total": 1}}
        self.server.post_events([
            {"user_id": "g-1", "event": "下单支付", "properties": {"实付金额": "1,299", "订单号": "d1"}},
            {"user_id": "g-1", "event": "退货", "properties": {"order_id": "d1", "amount": 299}},
            {"user_id": "g-1", **pay},
            {"user_id": "g-1", "event": "purchase", "properties": {"transaction_id": "t", "value": 5}}])
        self.server.segment("/v1/track", {"userId": "g-2", "event": "orders/paid",
                                          "properties": {"id": 1, "total_price": "9.99"}}, key=key)
        self.server.segment("/v1/track", {"userId": "g-2", "event": "SubmitOrder",
                                          "properties": {"order_id": "2", "order_amount": 1}}, key=key)
        self.assertEqual(revenue(self.server.customer("user_id:g-1")), {"CNY": (2, 1387, 299)})
        self.assertEqual(revenue(self.server.customer("user_id:g-2")), {"USD": (1, 9.99, 0)})

        [statement] = blocks("sql")
        rows = {r["currency"]: (r["orders"], float(r["revenue"]), float(r["refunded"]))
                for r in self.server.sql(statement)}
        self.assertEqual(rows, {"CNY": (2, 1387, 299), "USD": (1, 9.99, 0)})

        # SQL reads the past in the words of now.
        changed = json.loads(example)
        del changed["vocabulary"]["events"]["purchase"]
        self.assertEqual(self.server.admin("PUT", "/api/v1/settings", changed).status, 200)
        rows = self.server.sql("SELECT order_id FROM orders ORDER BY 1")
        self.assertEqual([r["order_id"] for r in rows], ["1", "d1", "o1", "t"])

    def test_a_metric_finds_the_amount_that_the_order_finds(self):
        before = self.server.get("/api/v1/settings").json
        meaning = {"means": "Order Refunded", "order_id": "单", "amount": ["退款.a", "退款.b"]}
        words = {"events": {"退": meaning, "付": {**meaning, "means": "Order Completed", "amount": "实付"}}, "currency": "CNY"}
        try:
            changed = self.server.admin("PUT", "/api/v1/settings", {**before, "vocabulary": words})
            self.assertEqual(changed.status, 200, changed)
            self.server.post_events([
                {"event": "付", "user_id": "found-1", "properties": {"单": "1", "实付": "1,299元", "total": 1}},
                {"event": "付", "user_id": "found-1", "properties": {"单": "2", "实付": "?", "total": "20"}},
                {"event": "退", "user_id": "found-1", "properties": {"单": "1", "退款": {"a": "n/a", "b": "１５"}, "total": 7}},
                {"event": "退", "user_id": "found-1", "properties": {"单": "2", "退款": {"a": "n/a", "b": "?"}}}])
        finally:
            self.server.admin("PUT", "/api/v1/settings", {k: v for k, v in before.items() if k != "version"})
        customer = self.server.customer("user_id:found-1")
        sums = {m["event"]: (m["count"], m["sum"], m["unread"]) for m in customer["metrics"] if m["property"] == "total"}
        self.assertEqual(sums, {"Order Completed": (1, 1299, 1), "Order Refunded": (1, 15, 1)})
        self.assertEqual(revenue(customer), {"CNY": (2, 1299, 15)})

    def test_what_is_wrong_is_said(self):
        cases = [
            ({"events": {"A": "Order Complete"}}, "/vocabulary/events/A: expected one of Order Completed"),
            ({"use": ["shopware"]}, "/vocabulary/use/0: expected one of segment, sensors"),
            ({"currency": "coins"}, "/vocabulary/currency: expected a currency"),
            ({"events": {"A": {"means": "Order Completed", "price": "a..b"}}}, "a path"),
            ({"event": {}}, "one of the fields use, currency, events, sources"),
            ({"events": {"A": {"amount": "a"}}}, "means"),
        ]
        for vocabulary, want in cases:
            answer = self.server.admin("PUT", "/api/v1/settings", {"vocabulary": vocabulary})
            self.assertEqual(answer.status, 400, vocabulary)
            self.assertIn(want, answer.body.decode(), vocabulary)

    def test_the_guide_names_every_table(self):
        source = (kehu_server.ROOT / "src/model/vocabulary.cc").read_text()
        names = re.search(r"kTableNames\[\] = \{(.*?)\}", source, re.DOTALL)[1]
        for name in re.findall(r'"(\w+)"', names):
            self.assertIn(f"| `{name}` |", GUIDE)


if __name__ == "__main__":
    kehu_server.main()
