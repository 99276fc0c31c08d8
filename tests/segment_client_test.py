#!/usr/bin/env python3
"""Segment's and RudderStack's server SDKs against a real server: the requests they were seen to send, and the SDKs
themselves where npm and PyPI can be reached."""
import base64
import gzip
import json
import re
import subprocess
import sys
import time
import unittest
import zlib

import kehu_server

NODE_SDK = "@segment/analytics-node@3.1.0"
PYTHON_SDK = "segment-analytics-python==2.3.4"
CAPTURES = kehu_server.SHARED / "vectors/captures"
CLIENTS = ["segment-node", "segment-node-retry", "segment-python", "segment-python-gzip", "segment-python-retry",
           "rudder-node", "rudder-node-nogzip", "rudder-node-retry"]

NODE_PROGRAM = """
const { Analytics } = require('@segment/analytics-node')
const [host, writeKey] = process.argv.slice(2)
const analytics = new Analytics({ writeKey, host, maxRetries: 2 })
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


def prepared(case, name, commands, ready):
    """A directory of the cache in which `commands` made the SDK available."""
    directory = kehu_server.CACHE / name
    if not (directory / ready).exists():
        directory.mkdir(parents=True, exist_ok=True)
        for command in commands:
            try:
                done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=180)
                why = (done.stderr or done.stdout).strip()[-300:] if done.returncode else ""
            except (OSError, subprocess.TimeoutExpired) as error:
                why = str(error)
            if why:
                kehu_server.skip(case, f"{name} cannot be installed here: {why}")
    return directory


class CaptureTest(kehu_server.ServerTest):
    def test_recorded_requests(self):
        if not CAPTURES.exists():
            kehu_server.skip(self, f"recorded requests: {CAPTURES} is not here")
        sent = set()
        for client in CLIENTS:
            for path in sorted((CAPTURES / client).glob("*.json")):
                capture = json.loads(path.read_text())
                if capture["method"] != "POST" or "json" not in capture:
                    continue
                with self.subTest(f"{client}/{path.name}"):
                    answer = self.replay(capture)
                    self.assertEqual((answer.status, answer.json), (200, {"success": True}))
                    body = capture["json"]
                    sent |= {event["messageId"] for event in body.get("batch", [body])}
        self.assertGreater(len(sent), 10)
        stored = {row["message_id"]: int(row["n"])
                  for row in self.server.sql("SELECT message_id, count(*) AS n FROM events GROUP BY message_id")}
        rejected = self.server.get("/api/v1/rejections?limit=1000").json["rejections"]
        for entry in rejected:  # recorded in a time that may lie ahead of this machine's clock
            self.assertEqual(entry["reason"], "time_in_future", entry)
        self.assertEqual(set(stored) <= sent, True)
        self.assertEqual(len(stored) + len(rejected), len(sent), "each message once, the retries too")
        self.assertEqual(set(stored.values()) - {1}, set())

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


class SdkTest(kehu_server.ServerTest):
    def test_node(self):
        directory = prepared(self, "segment-node", [["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix",
                                                     ".", NODE_SDK]], "node_modules/@segment/analytics-node/package.json")
        (directory / "program.js").write_text(NODE_PROGRAM)
        done = subprocess.run(["node", "program.js", self.server.url, kehu_server.WRITE_KEY], cwd=directory,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        customer = self.server.customer("user_id:node-user")
        self.assertEqual(customer["events"], 506)
        self.assertEqual(self.counter_of(customer, "Clicked"), 500)
        self.assertEqual(customer["customer_id"], self.server.customer("anonymous_id:node-anon")["customer_id"])
        self.assertEqual(customer["traits"]["city"], "上海")
        self.assertNotEqual(customer["traits"]["email"], "node@example.com")
        self.assertEqual(customer["revenue"][0]["revenue"], 12.5)

    def test_python(self):
        directory = prepared(self, "segment-python", [[sys.executable, "-m", "venv", "."],
                                                      ["bin/pip", "install", "--quiet", PYTHON_SDK],
                                                      ["bin/python", "-c", "import segment.analytics"],
                                                      ["touch", "installed"]], "installed")
        (directory / "program.py").write_text(PYTHON_PROGRAM)
        for form in ("plain", "gzip"):
            with self.subTest(form):
                done = subprocess.run(["bin/python", "program.py", self.server.url, kehu_server.WRITE_KEY, form],
                                      cwd=directory, capture_output=True, text=True, timeout=120)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                customer = self.server.customer(f"user_id:python-{form}")
                self.assertEqual(customer["events"], 303)
                self.assertEqual(customer["traits"]["city"], "北京")


if __name__ == "__main__":
    kehu_server.main()
