#!/usr/bin/env python3
"""RudderStack's SDKs against a real server, on servers and in a browser, and its pixel and beacon."""
import base64
import gzip
import json
import re

import client_kit
import kehu_server

NODE_SDK = "@rudderstack/rudder-sdk-node@3.0.13"
WEB_SDK = "@rudderstack/analytics-js@3.34.1"
PYTHON_SDK = "rudder-sdk-python==2.1.9"

NODE_PROGRAM = """
const Analytics = require('@rudderstack/rudder-sdk-node')
const [dataPlaneUrl, writeKey, user, gzip] = process.argv.slice(2)
const client = new Analytics(writeKey, { dataPlaneUrl, flushAt: 20, gzip: gzip === 'gzip' })
client.identify({ userId: user, traits: { city: '上海', email: 'rudder@example.com' } })
client.track({ userId: user, event: 'Order Completed', properties: { order_id: user, total: 12.5, currency: 'CNY' } })
client.page({ userId: user, name: 'Home', properties: { section: 3 } })
client.screen({ userId: user, name: 'Main' })
client.group({ userId: user, groupId: 'g1', traits: { plan: 'pro' } })
client.alias({ userId: user, previousId: user + '-before' })
for (let i = 0; i < 50; i++) client.track({ userId: user, event: 'Clicked', properties: { i } })
client.flush().then(() => setTimeout(() => process.exit(0), 500), (error) => { console.error(error); process.exit(1) })
"""

PYTHON_PROGRAM = """
import sys
import rudderstack.analytics as analytics
analytics.dataPlaneUrl, analytics.write_key, user = sys.argv[1:4]
analytics.gzip = sys.argv[4] == 'gzip'
failures = []
analytics.on_error = lambda error, items: failures.append(error)
analytics.identify(user, {'city': '北京'})
analytics.track(user, 'Order Completed', {'order_id': user, 'total': 8, 'currency': 'CNY'})
analytics.page(user, 'docs', 'Home')
for i in range(150):
    analytics.track(user, 'Clicked', {'i': i})
analytics.flush()
analytics.shutdown()
sys.exit(str(failures) if failures else 0)
"""

PAGE = """<!doctype html><title>Rudder</title><script src="/sdk.js"></script><script>
  window.finished = false;
  const analytics = new rudderanalytics.RudderAnalytics();
  analytics.load(%(key)r, %(url)r, { configUrl: %(url)r, logLevel: "ERROR", %(options)s });
  analytics.identify("web-user", { city: "上海", email: "web@example.com" });
  analytics.page("Shop", "Home", { section: 3 });
  analytics.track("Order Completed", { order_id: "web-1", total: 12.5, currency: "CNY", nested: { list: [1, "二"] } });
  analytics.group("g1", { plan: "pro" });
  analytics.alias("web-user-2", "web-user");
  analytics.ready(() => setTimeout(() => { window.finished = true; }, 500));
</script>"""


class NodeTest(kehu_server.ServerTest):
    def test_node(self):
        directory = client_kit.node_packages(self, "rudder-node", NODE_SDK)
        for user, form in (("node-gzip", "gzip"), ("node-plain", "plain")):
            with self.subTest(form):
                client_kit.run_program(self, directory, NODE_PROGRAM, self.server.url, kehu_server.WRITE_KEY, user, form)
                self.expect_calls(user)

    def test_node_through_failures(self):
        directory = client_kit.node_packages(self, "rudder-node", NODE_SDK)
        proxy = client_kit.FailingProxy(self, self.server.url, {"/v1/batch"})
        client_kit.run_program(self, directory, NODE_PROGRAM, proxy.url, kehu_server.WRITE_KEY, "node-again", "gzip")
        self.assertEqual([status for status, _, _ in proxy.seen][:3], [429, 503, 200])
        kinds = {(headers.get("Content-Type"), headers.get("Content-Encoding")) for _, headers, _ in proxy.seen}
        self.assertEqual(kinds, {("application/x-www-form-urlencoded", "gzip")}, "gzip that is labelled as a form")
        sent_at = {json.loads(gzip.decompress(body))["sentAt"] for _, _, body in proxy.seen[:3]}
        self.assertEqual(len(sent_at), 1, "sentAt stays that of the first try")
        self.expect_calls("node-again")

    def expect_calls(self, user):
        events = client_kit.events(self.server, f"identifiers LIKE '%\"{user}\"%'")
        calls = {event["type"]: event for event in events if event["event"] != "Clicked"}
        self.assertEqual(len(events), 56)
        self.assertEqual(sorted(event["properties"]["i"] for event in events if event["event"] == "Clicked"), list(range(50)))
        for event in events:
            self.assertEqual((event["ids"]["user_id"], event["channel"]), (user, "server"))
            self.assertLess(abs(event["time_ms"] - event["received_ms"]), 30_000)
        self.assertEqual(calls["identify"]["traits"]["city"], "上海")
        self.assertNotIn("rudder@example.com", json.dumps(calls["identify"]))
        self.assertEqual(calls["track"]["properties"], {"order_id": user, "total": 12.5, "currency": "CNY"})
        self.assertEqual((calls["page"]["event"], calls["page"]["properties"]["section"]), ("Home", 3))
        self.assertEqual((calls["screen"]["event"], calls["group"]["event"]), ("Main", "g1"))
        self.assertEqual(calls["group"]["traits"], {"plan": "pro"})
        customer = self.server.customer(f"user_id:{user}")
        self.assertEqual((customer["events"], customer["traits"]["city"]), (56, "上海"))
        self.assertEqual(customer["revenue"][0]["revenue"], 12.5)

    def test_python(self):
        directory = client_kit.python_package(self, "rudder-python", PYTHON_SDK, "rudderstack.analytics")
        for form in ("plain", "gzip"):
            with self.subTest(form):
                user = f"python-{form}"
                client_kit.run_program(self, directory, PYTHON_PROGRAM, self.server.url, kehu_server.WRITE_KEY, user, form)
                customer = self.server.customer(f"user_id:{user}")
                self.assertEqual((customer["events"], customer["traits"]["city"]), (153, "北京"))
                self.assertEqual(customer["revenue"][0]["revenue"], 8)
                self.assertEqual(self.counter_of(customer, "Clicked"), 150)


class BrowserTest(kehu_server.ServerTest):
    def browse(self, target, options=""):
        directory = client_kit.node_packages(self, "rudder-web", WEB_SDK)
        sdk = client_kit.package_file(directory, "@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js")
        page = PAGE % {"key": kehu_server.WRITE_KEY, "url": target, "options": options}
        seen = client_kit.browse(self, {"/": page, "/sdk.js": sdk}, patience=8000)
        self.assertEqual(seen["elsewhere"], [], "nothing is loaded from or sent to anybody else")
        return seen

    def expect_calls(self, server):
        events = client_kit.events(server)
        self.assertEqual(sorted(event["type"] for event in events), ["alias", "group", "identify", "page", "track"])
        calls = {event["type"]: event for event in events}
        for event in events:
            self.assertEqual(event["channel"], "web")
            self.assertIn("Chrome", event["context"]["userAgent"])
            self.assertLess(abs(event["time_ms"] - event["received_ms"]), 30_000)
        self.assertEqual(calls["identify"]["ids"]["user_id"], "web-user")
        self.assertEqual(calls["identify"]["traits"]["city"], "上海")
        self.assertNotIn("web@example.com", json.dumps(events))
        self.assertEqual(calls["track"]["properties"],
                         {"order_id": "web-1", "total": 12.5, "currency": "CNY", "nested": {"list": [1, "二"]}})
        self.assertLessEqual({"section": 3, "category": "Shop", "title": "Rudder"}.items(), calls["page"]["properties"].items())
        self.assertEqual((calls["page"]["event"], calls["group"]["event"]), ("Home", "g1"))
        self.assertEqual(calls["group"]["traits"], {"plan": "pro"})
        customer = server.customer("user_id:web-user")
        self.assertEqual(customer["revenue"][0]["revenue"], 12.5)

    def test_analytics_js(self):
        seen = self.browse(self.server.url)
        self.assertEqual([error for error in seen["errors"] if "404" not in error], [])
        self.expect_calls(self.server)

    def test_batches_through_failures(self):
        server = kehu_server.Server(self.work / "failures").start()
        self.addCleanup(server.stop)
        proxy = client_kit.FailingProxy(self, server.url, {"/v1/batch"})
        self.browse(proxy.url, "queueOptions: { batch: { enabled: true, maxItems: 5, flushInterval: 500 }, minRetryDelay: 500 },")
        self.assertEqual([status for status, _, _ in proxy.seen][:3], [429, 503, 200])
        self.expect_calls(server)


class GatewayTest(kehu_server.ServerTest):
    KEY = f"?writeKey={kehu_server.WRITE_KEY}"

    def test_source_config(self):
        basic = "Basic " + base64.b64encode(f"{kehu_server.WRITE_KEY}:".encode()).decode()
        for name, path, headers in (("by the header", "/sourceConfig/?p=npm&v=3", {"Authorization": basic}),
                                    ("by the query", "/sourceConfig" + self.KEY, {})):
            with self.subTest(name):
                answer = self.server.request("GET", path, headers=headers)
                source = answer.json["source"]
                self.assertEqual((answer.status, source["enabled"], source["destinations"]), (200, True, []))
                self.assertEqual(source["writeKey"], kehu_server.WRITE_KEY)
        answer = self.server.request("GET", "/sourceConfig/?writeKey=kwk_unknown")
        self.assertEqual((answer.status, answer.body), (401, b"invalid write key"))

    def test_pixels(self):
        track = self.server.request("GET", f"/pixel/v1/track{self.KEY}&anonymousId=pixel&event=Mail%20Opened&messageId=pixel-1"
                                    "&properties.campaign=%E6%98%A5&properties.total=3&context.locale=zh-CN")
        page = self.server.request("GET", f"/pixel/v1/page{self.KEY}&userId=pixel-user&anonymousId=pixel")
        for answer in (track, page):
            self.assertEqual((answer.status, answer.headers["content-type"], answer.body[:6]), (200, "image/gif", b"GIF89a"))
            self.assertEqual(len(answer.body), 43)
        events = client_kit.events(self.server, "identifiers LIKE '%pixel%'")
        self.assertEqual([(event["type"], event["event"], event["channel"]) for event in events],
                         [("track", "Mail Opened", "web"), ("page", "Unknown Page", "web")])
        self.assertEqual(events[0]["properties"], {"campaign": "春", "total": "3"})
        self.assertEqual((events[0]["context"], events[0]["message_id"]), ({"locale": "zh-CN"}, "pixel-1"))
        self.assertEqual(events[1]["ids"], {"user_id": "pixel-user", "anonymous_id": "pixel"})
        answer = self.server.request("GET", "/pixel/v1/track?writeKey=kwk_unknown&event=E&userId=u")
        self.assertEqual((answer.status, answer.body), (401, b"invalid write key"))

    def test_beacon(self):
        batch = {"batch": [{"type": "track", "event": "Left", "anonymousId": "beacon", "messageId": "beacon-1"}]}
        for _ in range(2):
            answer = self.server.request("POST", f"/beacon/v1/batch{self.KEY}", json.dumps(batch), {"Content-Type": "text/plain"})
            self.assertEqual((answer.status, answer.body), (200, b"OK"))
        self.assertEqual(self.server.customer("anonymous_id:beacon")["events"], 1)

    def test_the_gateways_words(self):
        large = json.dumps({"batch": [{"x": "y" * 30_000}] * 140})
        self.assertGreater(len(large), 4000 * 1024)
        for name, query, body, status, text in (
                ("no JSON", self.KEY, b"{", 400, b"invalid json"),
                ("no batch", self.KEY, b"{}", 400, b"empty batch payload"),
                ("too large", self.KEY, large, 413, b"request size exceeds max limit"),
                ("another key", "?writeKey=kwk_unknown", b'{"batch":[]}', 401, b"invalid write key")):
            with self.subTest(name):
                answer = self.server.request("POST", "/beacon/v1/batch" + query, body)
                self.assertEqual((answer.status, answer.body), (status, text))
                self.assertTrue(re.match("text/plain", answer.headers["content-type"]))
        pieces = iter([large.encode()])  # without a Content-Length: in chunks
        answer = self.server.request("POST", "/beacon/v1/batch" + self.KEY, pieces)
        self.assertEqual((answer.status, answer.body), (413, b"request size exceeds max limit"))

    def test_a_batch_larger_than_segments(self):
        event = {"type": "track", "event": "Large", "anonymousId": "large", "properties": {"text": "y" * 30_000}}
        body = json.dumps({"batch": [{**event, "messageId": f"large-{i}"} for i in range(40)]})
        self.assertGreater(len(body), 1000 * 1024)
        self.assertEqual(self.server.request("POST", "/beacon/v1/batch" + self.KEY, body).status, 200)
        self.assertEqual(self.server.customer("anonymous_id:large")["events"], 40)


if __name__ == "__main__":
    kehu_server.main()
