#!/usr/bin/env python3
"""Segment's SDKs against a real server: the requests they were seen to send, and the SDKs themselves where npm and PyPI
can be reached, in a browser too."""
import base64
import gzip
import json
import re
import time
import zlib

import client_kit
import kehu_server

NODE_SDK = "@segment/analytics-node@3.1.0"
PYTHON_SDK = "segment-analytics-python==2.3.4"
CLIENTS = ["segment-node", "segment-node-retry", "segment-python", "segment-python-gzip", "segment-python-retry",
           "segment-web", "segment-web-batch", "segment-web-cors",
           "rudder-node", "rudder-node-nogzip", "rudder-node-retry", "rudder-web", "rudder-web-batch"]

NODE_PROGRAM = """
const { Analytics } = require('@segment/analytics-node')
const [host, writeKey] = process.argv.slice(2)
const analytics = new Analytics({ writeKey, host, maxRetries: 4 })
analytics.on('error', (error) => { console.error(error); process.exitCode = 1 })
analytics.identify({ userId: 'node-user', traits: { city: '上海', email: 'node@example.com' } })
analytics.track({ anonymousId: 'node-anon', event: 'Product Viewed', properties: { product_id: 'p1' } })
analytics.track({ userId: 'node-user', anonymousId: 'node-anon', event: 'Order Completed',
                  properties: { order_id: 'node-1', total: 12.5, currency: 'CNY' } })
analytics.page({ userId: 'node-user', name: 'Home' })
analytics.screen({ userId: 'node-user', name: 'Main' })
analytics.group({ userId: 'node-user', groupId: 'g1', traits: { name: 'Group' } })
for (let i = 0; i < 500; i++) analytics.track({ userId: 'node-user', event: 'Clicked', properties: { i } })
analytics.closeAndFlush()
"""

PYTHON_PROGRAM = """
import sys
import segment.analytics as analytics
analytics.host, analytics.write_key, analytics.gzip = sys.argv[1], sys.argv[2], sys.argv[3] == 'gzip'
failures = []
analytics.on_error = lambda error, items: failures.append(error)
user = 'python-' + sys.argv[3]
analytics.identify(user, {'city': '北京'})
analytics.track(user, 'Order Completed', {'order_id': user, 'total': 8, 'currency': 'CNY'})
analytics.page(user, 'docs', 'Home')
for i in range(300):
    analytics.track(user, 'Clicked', {'i': i})
analytics.flush()
analytics.shutdown()
sys.exit(str(failures) if failures else 0)
"""


class CaptureTest(kehu_server.ServerTest):
    def test_recorded_requests(self):
        if not client_kit.CAPTURES.exists():
            kehu_server.skip(self, f"recorded requests: {client_kit.CAPTURES} is not here")
        sent = self.replay_all()
        self.assertGreater(len(sent), 10)
        stored = {row["message_id"]: int(row["n"])
                  for row in self.server.sql("SELECT message_id, count(*) AS n FROM events GROUP BY message_id")}
        rejected = self.server.get("/api/v1/rejections?limit=1000").json["rejections"]
        for entry in rejected:  # recorded in a time that may lie ahead of this machine's clock
            self.assertEqual(entry["reason"], "time_in_future", entry)
        self.assertEqual(set(stored) <= sent, True)
        self.assertEqual(len(stored) + len(rejected), len(sent), "each message once, the retries too")
        self.assertEqual(set(stored.values()) - {1}, set())
        before = client_kit.events(self.server)
        self.replay_all()
        self.assertEqual(client_kit.events(self.server), before, "a second replay adds nothing")
        self.assertEqual(self.server.get("/api/v1/rejections?limit=1000").json["rejections"], rejected)

    def replay_all(self):
        """The message ids of all recorded events, sent as they were recorded."""
        sent = set()
        for client in CLIENTS:
            for number, capture in enumerate(client_kit.captured(client)):
                if capture["method"] != "POST" or "json" not in capture:
                    continue
                with self.subTest(f"{client}/{number + 1}"):
                    answer = self.replay(capture)
                    self.assertEqual((answer.status, answer.json), (200, {"success": True}))
                    body = capture["json"]
                    if "series" not in body:
                        sent |= {event["messageId"] for event in body.get("batch", [body])}
        return sent

    def replay(self, capture):
        """The request as it was on the wire, but with a key of this server."""
        headers = dict(zip(capture["rawHeaders"][::2], capture["rawHeaders"][1::2]))
        headers = {name: value for name, value in headers.items()
                   if name.lower() not in ("host", "content-length", "connection", "transfer-encoding")}
        body = capture["json"]
        for name in list(headers):
            if name.lower() == "authorization":
                headers[name] = "Basic " + base64.b64encode(f"{kehu_server.WRITE_KEY}:".encode()).decode()
        if not any(name.lower() == "authorization" for name in headers):
            body = {**body, "writeKey": kehu_server.WRITE_KEY}
        data = json.dumps(body).encode()
        if any(name.lower() == "content-encoding" for name in headers):
            data = gzip.compress(data)
        return self.server.request("POST", re.sub(r"\?.*", "", capture["url"]), data, headers)


class ProtocolTest(kehu_server.ServerTest):
    """What Segment's documentation promises its SDKs."""

    def test_ways_to_say_the_key(self):
        event = {"type": "track", "event": "Key", "userId": "keys"}
        key = kehu_server.WRITE_KEY
        with_colon = base64.b64encode(f"{key}:".encode()).decode()
        bare = base64.b64encode(key.encode()).decode()
        cases = {
            "basic": ({"Authorization": f"Basic {with_colon}"}, event),
            "basic without the colon": ({"Authorization": f"Basic {bare}"}, event),
            "in the body": ({}, {**event, "writeKey": key}),
        }
        for name, (headers, body) in cases.items():
            with self.subTest(name):
                answer = self.server.request("POST", "/v1/track", body, headers)
                self.assertEqual((answer.status, answer.json), (200, {"success": True}), answer)
        answer = self.server.request("POST", "/v1/batch", {"batch": [event], "writeKey": key})
        self.assertEqual(answer.status, 200)
        answer = self.server.request("POST", "/v1/track", event)
        self.assertEqual(answer.status, 401)
        self.assertLessEqual({"code", "message"}, set(answer.json), "the Python SDK reads both")

    def test_every_call(self):
        bodies = {"track": {"event": "T"}, "identify": {"traits": {"a": 1}}, "page": {"name": "Home"},
                  "screen": {"name": "Main"}, "group": {"groupId": "g"}, "alias": {"previousId": "before"}}
        for call, body in bodies.items():
            for path in (f"/v1/{call}", f"/v1/{call[0]}"):
                with self.subTest(path):
                    answer = self.server.segment(path, {"userId": "calls", "messageId": path, **body})
                    self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.server.customer("user_id:calls")["events"], 12)

    def test_content_types_do_not_matter(self):
        for number, kind in enumerate(("text/plain", "application/json; charset=utf-8", "application/x-www-form-urlencoded")):
            body = {"event": "Kind", "userId": "kinds", "messageId": f"kind-{number}"}
            self.assertEqual(self.server.segment("/v1/track", body, **{"Content-Type": kind}).status, 200)
        zipped = gzip.compress(json.dumps({"event": "Kind", "userId": "kinds", "messageId": "kind-z"}).encode())
        self.assertEqual(self.server.segment("/v1/track", zipped).status, 200, "gzip is seen without its header")
        self.assertEqual(self.server.customer("user_id:kinds")["events"], 4)

    def test_encodings(self):
        event = json.dumps({"event": "Encoded", "userId": "encodings"}).encode()
        mark = "\ufeff".encode()
        batch = json.dumps({"batch": [{"type": "track", "event": "Encoded", "userId": "encodings"}]}).encode()
        for name, path, body, headers in (
                ("deflate", "/v1/track", zlib.compress(event), {"Content-Encoding": "deflate"}),
                ("identity", "/v1/track", event, {"Content-Encoding": "identity"}),
                ("a byte order mark", "/v1/track", mark + event, {}),
                ("a byte order mark in gzip", "/v1/batch", gzip.compress(mark + batch), {"Content-Encoding": "gzip"}),
                ("bulk deflate", "/api/v1/events", zlib.compress(b'{"event":"Encoded","user_id":"encodings"}'),
                 {"Content-Encoding": "deflate"})):
            with self.subTest(name):
                self.assertEqual(self.server.segment(path, body, **headers).status, 200)
        self.assertEqual(self.server.customer("user_id:encodings")["events"], 5)
        for path in ("/v1/track", "/v1/batch", "/api/v1/events"):
            with self.subTest(path):
                answer = self.server.segment(path, b"\x8b\x01\x80{}\x03", **{"Content-Encoding": "br"})
                self.assertEqual((answer.status, answer.json["code"]), (415, "unsupported_encoding"), answer)
                self.assertIn("gzip", answer.json["detail"])

    def test_a_refusal_names_the_place_once(self):
        answer = self.server.segment("/v1/track", b'{"event":"A",}')
        self.assertEqual(answer.json["detail"], "invalid JSON at byte 13: a key must be a string")

    def test_numbers_as_identifiers(self):
        for number in ("12345", "12345.0", "1.2345e4", '"12345"'):
            self.assertEqual(self.server.segment("/v1/track", '{"event":"Number","userId":%s}' % number).status, 200)
        self.assertEqual(self.server.customer("user_id:12345")["events"], 4)

    def test_what_is_refused_as_a_whole(self):
        for name, path, body in (("no JSON", "/v1/track", b"{"), ("no batch", "/v1/batch", b"{}"),
                                 ("not UTF-8", "/v1/track", b'{"event":"\xff","userId":"u"}'),
                                 ("large call", "/v1/track", json.dumps({"event": "x" * 33_000, "userId": "u"})),
                                 ("large batch", "/v1/batch", json.dumps({"batch": [{"x": "y" * 30_000}] * 18})),
                                 ("damaged gzip", "/v1/track", gzip.compress(b"{}")[:-4]),
                                 ("gzip bomb", "/v1/batch", gzip.compress(b'{"batch":[' + b" " * 50_000_000 + b"]}"))):
            with self.subTest(name):
                answer = self.server.segment(path, body)
                self.assertEqual(answer.status, 400, answer)
                self.assertEqual(answer.headers["content-type"], "application/problem+json")
        self.assertEqual(self.server.get("/api/v1/rejections").json["rejections"], [])

    def test_a_clock_that_is_wrong_is_corrected(self):
        """Segment: timestamp = receivedAt - (sentAt - originalTimestamp)."""
        now = time.time()

        def text(t):
            return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(t))
        body = {"batch": [{"type": "track", "event": "Clock", "userId": "clock", "timestamp": text(now + 40_000 - 60)}],
                "sentAt": text(now + 40_000)}
        self.assertEqual(self.server.segment("/v1/batch", body).status, 200)
        row = self.server.sql("SELECT epoch(received_at) - epoch(time) AS age FROM events WHERE event = 'Clock'")[0]
        self.assertAlmostEqual(float(row["age"]), 60, delta=2)

    def test_the_same_message_twice(self):
        body = {"batch": [{"type": "track", "event": "Twice", "userId": "twice", "messageId": "twice-1",
                           "timestamp": "2026-01-01T00:00:00.000Z"}]}
        for sent_at in ("2026-01-01T00:00:01.000Z", "2026-01-01T00:00:09.000Z"):
            self.assertEqual(self.server.segment("/v1/batch", {**body, "sentAt": sent_at}).status, 200)
        self.assertEqual(self.server.customer("user_id:twice")["events"], 1)
        self.assertEqual(self.server.get("/api/v1/rejections?reason=duplicate_conflict").json["rejections"], [])


class CrossOriginTest(kehu_server.ServerTest):
    def test_preflights(self):
        for path in ("/v1/t", "/v1/batch", "/v1/m", "/sourceConfig/", "/e/", "/api/v1/events", "/v1/projects/x/settings"):
            with self.subTest(path):
                answer = self.server.request("OPTIONS", path + "?x=1", headers={
                    "Origin": "https://shop.example", "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": "anonymousid,authorization,content-type,sentat"})
                self.assertEqual((answer.status, answer.body), (204, b""))
                wanted = {"origin": "https://shop.example", "headers": "anonymousid,authorization,content-type,sentat",
                          "methods": "GET, POST, OPTIONS"}
                self.assertEqual({name: answer.headers[f"access-control-allow-{name}"] for name in wanted}, wanted)
                self.assertGreater(int(answer.headers["access-control-max-age"]), 600)

    def test_answers_may_be_read(self):
        origin = {"Origin": "https://shop.example"}
        event = {"event": "Origin", "userId": "origin"}
        for name, answer, status in (
                ("taken", self.server.segment("/v1/t", event, **origin), 200),
                ("refused", self.server.segment("/v1/t", b"{", **origin), 400),
                ("refused at the door", self.server.segment("/v1/t", event, **origin, **{"Content-Encoding": "br"}), 415),
                ("unknown", self.server.segment("/v1/t", event, key="kwk_unknown", **origin), 401),
                ("streamed", self.server.segment("/api/v1/events", event, **origin), 200)):
            with self.subTest(name):
                self.assertEqual(answer.status, status)
                self.assertEqual(answer.headers["access-control-allow-origin"], "https://shop.example")
                self.assertEqual(answer.headers["vary"], "Origin")
        self.assertNotIn("access-control-allow-origin", self.server.segment("/v1/t", event).headers)
        answer = self.server.admin("GET", "/api/v1/stats", **origin)
        self.assertNotIn("access-control-allow-origin", answer.headers, "only what sends events is open")
        self.assertEqual(self.server.request("OPTIONS", "/api/v1/stats", headers=origin).status, 405)


class SourceTest(kehu_server.ServerTest):
    def make_source(self, name, **more):
        created = self.server.post("/api/v1/sources", {"name": name, "channel": "web"})
        self.assertEqual(created.status, 201, created)
        if more:
            changed = self.server.admin("PATCH", f"/api/v1/sources/{name}", more)
            self.assertEqual(changed.status, 200, changed)
            self.assertEqual({member: changed.json[member] for member in more}, more)
        return created.json["write_key"]

    def test_events_go_to_the_source_of_their_own_key(self):
        first, second = self.make_source("first"), self.make_source("second")
        batch = [{"type": "track", "event": "Keyed", "userId": "keyed", "messageId": f"keyed-{key}", "writeKey": key}
                 for key in (first, second, "kwk_unknown")]
        batch.append({"type": "track", "event": "Keyed", "userId": "keyed", "messageId": "keyed-none"})
        batch.append({"type": "track", "userId": "keyed", "messageId": "keyed-broken", "writeKey": second})
        self.assertEqual(self.server.request("POST", "/v1/b", {"batch": batch, "writeKey": first}).status, 200)
        stored = {event["message_id"]: (event["source"], event["channel"]) for event in client_kit.events(self.server, "message_id LIKE 'keyed-%'")}
        self.assertEqual(stored, {f"keyed-{first}": ("first", "web"), f"keyed-{second}": ("second", "web"),
                                  "keyed-kwk_unknown": ("first", "web"), "keyed-none": ("first", "web")})
        rejected = self.server.get("/api/v1/rejections?reason=missing_event_name").json["rejections"]
        self.assertEqual([(entry["reason"], entry["source"]) for entry in rejected], [("missing_event_name", "second")])

    def test_a_source_has_a_limit(self):
        key = self.make_source("limited", events_per_second=200)
        event = {"event": "Limited", "userId": "limited"}
        taken, refused, start = 0, [], time.monotonic()
        while time.monotonic() < start + 6:
            batch = {"batch": [{"type": "track", **event}] * 20}
            answer = self.server.segment("/v1/batch", batch, key=key)
            if answer.status == 200:
                taken += 20
            else:
                refused.append(answer)
                time.sleep(0.002)
        length = time.monotonic() - start
        for answer in refused:
            self.assertEqual((answer.status, answer.json["code"]), (429, "rate_limited"), answer)
            self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)
            self.assertEqual(answer.headers["retry-after"], answer.headers["x-ratelimit-reset"])
        self.assertTrue(refused)
        # What a second gives is there at the start, and the last batch may be on credit.
        self.assertLessEqual(taken, 200 * (length + 1) + 20)
        self.assertGreaterEqual(taken, 200 * length)
        self.assertEqual(self.server.segment("/v1/track", event).status, 200, "another source is not touched")
        beacon = self.server.request("POST", f"/beacon/v1/batch?writeKey={key}", {"batch": [event] * 400})
        while beacon.status == 200:
            beacon = self.server.request("POST", f"/beacon/v1/batch?writeKey={key}", {"batch": [event] * 400})
        self.assertEqual((beacon.status, beacon.body), (429, b"max requests limit reached"))
        posthog = self.server.request("POST", "/e/", {"api_key": key, "event": "E", "distinct_id": "u"})
        self.assertEqual(posthog.status, 503, "posthog-js drops its events on a 4xx")
        bulk = self.server.segment("/api/v1/events", {"event": "E", "user_id": "u"}, key=key)
        self.assertEqual(bulk.status, 429, bulk)
        metrics = self.server.request("GET", "/metrics").body.decode()
        self.assertGreaterEqual(int(re.search(r"^kehu_rate_limited_requests_total (\d+)", metrics, re.M)[1]), len(refused))

    def test_limits_are_checked(self):
        self.make_source("checked")
        for value in (-1, "many", 1.5, 10**12):
            answer = self.server.admin("PATCH", "/api/v1/sources/checked", {"events_per_second": value})
            self.assertEqual((answer.status, answer.json["code"]), (400, "invalid_field"), value)

    def test_the_limit_of_an_address(self):
        key = self.make_source("by-address", events_per_second_per_address=1)
        event = {"event": "Address", "userId": "address"}
        self.assertEqual(self.server.segment("/v1/track", event, key=key).status, 200)
        self.assertEqual(self.server.segment("/v1/track", event, key=key).status, 429)
        time.sleep(1.05)
        self.assertEqual(self.server.segment("/v1/track", event, key=key).status, 200)

    def test_limits_outlive_a_restart(self):
        self.make_source("kept", events_per_second=7)
        self.server.stop()
        self.server.start()
        sources = {source["name"]: source for source in self.server.get("/api/v1/sources").json["sources"]}
        self.assertEqual(sources["kept"]["events_per_second"], 7)


CALLS = """
  analytics.identify("web-user", { city: "上海", email: "web@example.com" });
  analytics.page("Shop", "Home", { section: 3 });
  analytics.track("Order Completed", { order_id: "web-1", total: 12.5, currency: "CNY", nested: { list: [1, "二"] } });
  analytics.group("g1", { plan: "pro" });
  analytics.screen("Main", { tab: 2 });
"""
# Segment's snippet, shortened to what it does: it queues calls until the script is there.
SNIPPET = """<!doctype html><title>Shop</title><script>
  window.finished = false;
  const analytics = window.analytics = [];
  for (const name of ["identify", "page", "track", "group", "screen", "ready"]) {
    analytics[name] = (...args) => analytics.push([name, ...args]);
  }
  analytics._writeKey = %(key)r; analytics._cdn = %(url)r; analytics._loadOptions = %(options)s;
  %(calls)s
  analytics.ready(() => { window.finished = true; });
</script><script async src="%(url)s/analytics.js/v1/%(key)s/analytics.min.js"></script>"""


class BrowserTest(kehu_server.ServerTest):
    def browse(self, url=None, options="{}"):
        page = SNIPPET % {"key": kehu_server.WRITE_KEY, "url": url or self.server.url, "calls": CALLS, "options": options}
        seen = client_kit.browse(self, {"/": page}, patience=3000)
        self.assertEqual(seen["elsewhere"], [], "nothing is loaded from or sent to anybody else")
        return seen

    def expect_calls(self, events, paths):
        """What arrived, field by field, against CALLS."""
        calls = {event["type"]: event for event in events}
        self.assertEqual(sorted(event["type"] for event in events), ["group", "identify", "page", "screen", "track"])
        for event in events:
            self.assertEqual(event["channel"], "web")
            self.assertEqual(event["ids"]["user_id"], "web-user")
            self.assertEqual(event["context"]["library"]["name"], "analytics.js")
            self.assertIn("Chrome", event["context"]["userAgent"])
            self.assertEqual(event["context"]["page"]["title"], "Shop")
            self.assertLess(abs(event["time_ms"] - event["received_ms"]), 10_000)
        self.assertEqual(len({event["ids"]["anonymous_id"] for event in events}), 1)
        self.assertEqual(calls["identify"]["traits"]["city"], "上海")
        self.assertNotIn("web@example.com", json.dumps(calls["identify"]))
        self.assertEqual(calls["track"]["event"], "Order Completed")
        self.assertEqual(calls["track"]["properties"],
                         {"order_id": "web-1", "total": 12.5, "currency": "CNY", "nested": {"list": [1, "二"]}})
        self.assertEqual(calls["page"]["event"], "Home")
        self.assertLessEqual({"section": 3, "category": "Shop", "title": "Shop"}.items(), calls["page"]["properties"].items())
        self.assertEqual((calls["group"]["event"], calls["group"]["traits"]), ("g1", {"plan": "pro"}))
        self.assertEqual((calls["screen"]["event"], calls["screen"]["properties"]["tab"]), ("Main", 2))

    def test_analytics_next(self):
        if self.server.request("GET", f"/analytics.js/v1/{kehu_server.WRITE_KEY}/analytics.min.js").status == 404:
            kehu_server.skip(self, "Segment's browser SDK: `make setup` could not fetch it")
        seen = self.browse()
        self.assertEqual([error for error in seen["errors"] if "favicon" not in error and "404" not in error], [])
        self.expect_calls(client_kit.events(self.server), "pitgs")
        sent = [answer for answer in seen["answers"] if re.search(r"/v1/[pitgs]$", answer)]
        self.assertEqual(({answer.split(" ")[0] for answer in sent}, len(sent)), ({"200"}, 5), sent)

    def test_batching_through_failures(self):
        server = kehu_server.Server(self.work / "batching").start()
        self.addCleanup(server.stop)
        proxy = client_kit.FailingProxy(self, server.url, {"/v1/b", "/v1/batch"})
        host = proxy.url.removeprefix("http://")
        options = json.dumps({"integrations": {"Segment.io": {
            "apiHost": f"{host}/v1", "protocol": "http",
            "deliveryStrategy": {"strategy": "batching", "config": {"size": 5, "timeout": 300}}}}})
        page = SNIPPET % {"key": kehu_server.WRITE_KEY, "url": server.url, "calls": CALLS, "options": options}
        client_kit.browse(self, {"/": page}, patience=9000)
        self.assertEqual([status for status, _, _ in proxy.seen][:3], [429, 503, 200])
        self.expect_calls(client_kit.events(server), "b")
        self.assertEqual(server.customer("user_id:web-user")["revenue"][0]["revenue"], 12.5, "once")

    def test_settings_name_only_us(self):
        answer = self.server.request("GET", f"/v1/projects/{kehu_server.WRITE_KEY}/settings",
                                     headers={"Host": "us.example:8443", "X-Forwarded-Proto": "https"})
        self.assertEqual(answer.status, 200)
        segment = answer.json["integrations"]["Segment.io"]
        self.assertEqual((segment["apiHost"], segment["protocol"]), ("us.example:8443/v1", "https"))
        self.assertEqual(list(answer.json["integrations"]), ["Segment.io"])
        self.assertEqual(self.server.request("GET", "/v1/projects/kwk_unknown/settings").status, 401)

    def test_reports_are_counted(self):
        body = {"series": [{"type": "Counter", "metric": "analytics_js.invoke", "value": 1, "tags": {}}] * 3}
        self.assertEqual(self.server.request("POST", "/v1/m", body, {"Content-Type": "text/plain"}).status, 200)
        self.assertEqual(self.server.request("POST", "/v1/m", b"nonsense").status, 200)
        metrics = self.server.request("GET", "/metrics").body.decode()
        self.assertGreaterEqual(int(re.search(r"^kehu_sdk_reports_total (\d+)", metrics, re.M)[1]), 3)

    def test_files_of_the_bundle(self):
        folder = kehu_server.ROOT / "third_party/analytics-next"
        for path in folder.glob("*.bundle.*.js"):
            self.assertEqual(self.server.request("GET", f"/analytics-next/bundles/{path.name}").body, path.read_bytes(), path.name)
        answer = self.server.request("GET", "/analytics-next/bundles/nothing.js")
        self.assertEqual(answer.status, 404)
        for path in ("/analytics-next/bundles/..%2f..%2fMakefile", "/analytics.js/v1/%22%3Balert(1)%2F%2F/analytics.min.js"):
            self.assertEqual(self.server.request("GET", path).status, 404, path)


class SdkTest(kehu_server.ServerTest):
    def test_node(self):
        directory = client_kit.node_packages(self, "segment-node", NODE_SDK)
        client_kit.run_program(self, directory, NODE_PROGRAM, self.server.url, kehu_server.WRITE_KEY)
        self.expect_node_calls()

    def test_node_through_failures(self):
        """The failures come after the events are durable: the SDK sends them again, and they count once."""
        directory = client_kit.node_packages(self, "segment-node", NODE_SDK)
        proxy = client_kit.FailingProxy(self, self.server.url, {"/v1/batch"})
        program = NODE_PROGRAM.replace("node-user", "retry-user").replace("node-anon", "retry-anon").replace("node-1", "retry-1")
        client_kit.run_program(self, directory, program, proxy.url, kehu_server.WRITE_KEY)
        self.assertEqual([status for status, _, _ in proxy.seen if status != 200], [429, 503])
        self.assertTrue(any(int(headers.get("X-Retry-Count", 0)) > 0 for _, headers, _ in proxy.seen))
        customer = self.server.customer("user_id:retry-user")
        self.assertEqual((customer["events"], customer["revenue"][0]["revenue"]), (506, 12.5))
        self.assertEqual(self.server.get("/api/v1/rejections").json["rejections"], [])

    def expect_node_calls(self):
        customer = self.server.customer("user_id:node-user")
        self.assertEqual(customer["events"], 506)
        self.assertEqual(self.counter_of(customer, "Clicked"), 500)
        self.assertEqual(customer["customer_id"], self.server.customer("anonymous_id:node-anon")["customer_id"])
        self.assertEqual(customer["traits"]["city"], "上海")
        self.assertNotEqual(customer["traits"]["email"], "node@example.com")
        self.assertEqual(customer["revenue"][0]["revenue"], 12.5)
        arrived = client_kit.events(self.server, "message_id LIKE 'node-next-%'")
        self.assertEqual(sorted(event["properties"]["i"] for event in arrived if event["event"] == "Clicked"), list(range(500)))
        calls = {event["type"]: event for event in arrived if event["event"] != "Clicked"}
        self.assertEqual((calls["page"]["event"], calls["screen"]["event"], calls["group"]["event"]), ("Home", "Main", "g1"))
        self.assertEqual(calls["group"]["traits"], {"name": "Group"})
        self.assertEqual(calls["track"]["properties"], {"order_id": "node-1", "total": 12.5, "currency": "CNY"})
        self.assertEqual(calls["track"]["context"]["library"]["name"], "@segment/analytics-node")

    def test_python(self):
        directory = client_kit.python_package(self, "segment-python", PYTHON_SDK, "segment.analytics")
        for form in ("plain", "gzip"):
            with self.subTest(form):
                client_kit.run_program(self, directory, PYTHON_PROGRAM, self.server.url, kehu_server.WRITE_KEY, form)
                customer = self.server.customer(f"user_id:python-{form}")
                self.assertEqual(customer["events"], 303)
                self.assertEqual(customer["traits"]["city"], "北京")

    def test_python_through_failures(self):
        directory = client_kit.python_package(self, "segment-python", PYTHON_SDK, "segment.analytics")
        proxy = client_kit.FailingProxy(self, self.server.url, {"/v1/batch"})
        program = PYTHON_PROGRAM.replace("'python-'", "'again-'")
        client_kit.run_program(self, directory, program, proxy.url, kehu_server.WRITE_KEY, "plain")
        self.assertEqual([status for status, _, _ in proxy.seen if status != 200], [429, 503])
        customer = self.server.customer("user_id:again-plain")
        self.assertEqual((customer["events"], customer["revenue"][0]["revenue"]), (303, 8))


if __name__ == "__main__":
    kehu_server.main()
