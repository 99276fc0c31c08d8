#!/usr/bin/env python3
"""The debugger: a developer who wires an SDK sees each request as it was received and as it was understood, with every
step's verdict, and no personal value in clear."""
import base64
import contextlib
import gzip
import json
import socket
import time
import urllib.parse
import zlib

import client_kit
import kehu_server
import websocket_client
from kehu_server import ADMIN_TOKEN
from websocket_client import PING, PONG, TEXT

EMAIL, PHONE, ID_CARD = "canary.bird@example.com", "13987654321", "11010519491231002X"
LANDLINE = "0571-5550199"  # personal only by the name of its field
CANARIES = [EMAIL, PHONE, ID_CARD, LANDLINE]
PERSON = {"email": EMAIL, "phone": PHONE, "id_card": ID_CARD}


class Watcher(websocket_client.WebSocket):
    """A developer in front of the debugger of one source."""

    def __init__(self, server, query):
        super().__init__(server.port, "/api/v1/live" + query, {"Authorization": f"Bearer {ADMIN_TOKEN}"})
        self.texts = []

    def message(self):
        while True:
            opcode, payload = self.frame()
            if opcode == PING:
                self.send_frame(PONG, payload)
            elif opcode == TEXT:
                self.texts.append(payload.decode())
                return json.loads(payload)

    def request(self, **wanted):
        """The next request that is through, and of which these members of `request` are true."""
        while True:
            message = self.message()
            if message["kind"] == "request" and message["complete"] and wanted.items() <= message["request"].items():
                return message


def step(message, name):
    return next((step for step in message["steps"] if step["step"] == name), None)


def verdicts(message):
    return {step["step"]: step["verdict"] for step in message["steps"]}


GOOD = {"key": "passed", "rate_limit": "passed", "coding": "passed", "parse": "passed", "decode": "passed", "log": "passed",
        "apply": "passed", "answer": "passed"}


class DebuggerTest(kehu_server.ServerTest):
    def setUp(self):
        """Each case has a source of its own."""
        self.source = self.id().split(".")[-1]
        self.key = self.server.post("/api/v1/sources", {"name": self.source}).json["write_key"]
        self.basic = {"Authorization": "Basic " + base64.b64encode(f"{self.key}:".encode()).decode()}

    def watch(self, query=None):
        watcher = Watcher(self.server, f"?source={self.source}" if query is None else query)
        self.assertEqual(watcher.status, 101)
        self.addCleanup(watcher.close)
        self.addCleanup(self.assert_nothing_personal, watcher)
        return watcher

    def assert_nothing_personal(self, watcher):
        for text in watcher.texts:
            self.assertNotIn(self.key, text)
            self.assertNotIn(self.basic["Authorization"][6:], text)
            for canary in CANARIES:
                self.assertNotIn(canary, text)
                self.assertNotIn(urllib.parse.quote(canary), text)
                for shift in range(3):
                    code = base64.b64encode(b"\0" * shift + canary.encode()).decode()
                    self.assertNotIn(code[4 if shift else 0:-4], text)

    def segment(self, path, body, **headers):
        return self.server.segment(path, body, self.key, **headers)

    def send(self, method, path, body=None, headers=None):
        self.server.close_connection()
        return self.server.request(method, path, body, {**self.basic, **(headers or {})})

    def test_a_request_step_by_step(self):
        watcher = self.watch()
        self.segment("/v1/identify", {"anonymousId": "steps-a", "messageId": "steps-0", "traits": PERSON})
        first = watcher.request(path="/v1/identify")["events"][0]
        self.assertEqual(first["customer"], "created")
        self.assertIn({"type": "email", "value": "c***@example.com"}, first["identifiers"])
        stale = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 7200))
        body = {"batch": [
            {"type": "track", "event": "Order Completed", "userId": "steps-1", "anonymousId": "steps-a", "messageId": "steps-1",
             "timestamp": stale, "properties": {"total": 5, **PERSON},
             "context": {"library": {"name": "some-sdk", "version": "1.2"}}},
            {"type": "track", "userId": "steps-1", "properties": PERSON}],
            "sentAt": stale}
        answer = self.segment("/v1/batch", body, **{"User-Agent": "sdk/1", "X-Retry-Count": "0"})
        self.assertEqual(answer.status, 200)
        message = watcher.request(path="/v1/batch")
        request = message["request"]
        self.assertEqual((message["source"], message["verdict"], message["complete"]), (self.source, "partly", True))
        self.assertEqual((request["protocol"], request["method"], request["remote"], request["library"]),
                         ("segment", "POST", "127.0.0.1", "some-sdk 1.2"))
        self.assertEqual((request["headers"]["User-Agent"], request["headers"]["X-Retry-Count"]), ("sdk/1", "0"))
        self.assertEqual(message["body"]["bytes"], len(json.dumps(body, ensure_ascii=False).encode()))
        shown = json.loads(message["body"]["text"])
        self.assertEqual(shown["batch"][0]["properties"], {"total": 5, "email": "c***@example.com", "phone": "139****4321",
                                                           "id_card": "110105********002X"})
        self.assertEqual(verdicts(message), {**GOOD, "decode": "partly"})
        self.assertEqual((step(message, "decode")["accepted"], step(message, "decode")["rejected"]), (1, 1))
        log = step(message, "log")
        self.assertEqual((log["new"], log["rejected"], log["last"] - log["first"]), (1, 1, 1))
        good, bad = message["events"]
        customer = self.server.customer("user_id:steps-1")
        self.assertEqual((good["verdict"], good["type"], good["event"], good["message_id"], good["sequence"], good["customer_id"]),
                         ("accepted", "track", "Order Completed", "steps-1", log["first"], customer["customer_id"]))
        self.assertEqual(good["original_time"], stale)
        self.assertEqual(good["time"], message["received_at"])
        self.assertGreater(good["corrected_ms"], 7_000_000)
        self.assertEqual(good["properties"]["phone"], "139****4321")
        self.assertEqual((bad["verdict"], bad["reason"], bad["path"]), ("rejected", "missing_event_name", "/batch/1"))
        self.assertTrue(bad["detail"])
        self.assertEqual((message["answer"]["status"], message["answer"]["body"]), (200, answer.body.decode()))
        self.assertGreater(message["answer"]["micros"], 0)

    def test_joins_repeats_and_conflicts(self):
        watcher = self.watch()
        for number, identifiers in enumerate(({"anonymousId": "join-a"}, {"userId": "join-u"},
                                              {"anonymousId": "join-a", "userId": "join-u"})):
            self.segment("/v1/track", {"event": "A", "messageId": f"join-{number}", **identifiers})
        first, second, third = (watcher.request()["events"][0] for _ in range(3))
        self.assertEqual((first["customer"], second["customer"], third["customer"]), ("created", "created", "known"))
        self.assertEqual({third["customer_id"], *third["joined"]}, {first["customer_id"], second["customer_id"]})
        event = {"type": "track", "event": "A", "userId": "twice", "messageId": "twice"}
        self.segment("/v1/batch", {"batch": [event, event]})
        message = watcher.request()
        self.assertEqual([e["verdict"] for e in message["events"]], ["accepted", "repeat"])
        self.assertEqual((message["verdict"], step(message, "log")["repeats"]), ("passed", 1))
        self.segment("/v1/track", {**event, "properties": {"n": 2}})
        message = watcher.request()
        self.assertEqual((message["events"][0]["verdict"], message["verdict"]), ("conflict", "failed"))

    def test_the_last_ones_come_at_once(self):
        watcher = self.watch()
        for i in range(25):
            self.segment("/v1/track", {"event": "Ring", "userId": "ring", "messageId": f"ring-{i}"})
        while watcher.request()["events"][0]["message_id"] != "ring-24":
            pass
        later = self.watch()
        ids = [later.request()["events"][0]["message_id"] for _ in range(20)]
        self.assertEqual(ids, [f"ring-{i}" for i in range(5, 25)])
        answer = self.server.get("/api/v1/sources/" + self.source + "/requests")
        self.assertEqual([r["events"][0]["message_id"] for r in answer.json["requests"]], ids[::-1])
        self.assertEqual(self.server.get("/api/v1/sources/nobody/requests").status, 404)

    def test_subscribing(self):
        for query, status in (("?subscribe=requests", 404), ("?source=nobody", 404), ("?subscribe=events,nonsense", 400),
                              (f"?subscribe=requests&source={self.source}", 101),
                              (f"?subscribe=requests,events,customers,counts&source={self.source}", 101)):
            watcher = Watcher(self.server, query)
            self.addCleanup(watcher.close)
            self.assertEqual(watcher.status, status, query)
        watcher = self.watch("")
        for wrong in ({"subscribe": ["requests"]}, {"subscribe": ["requests"], "source": "nobody"},
                      {"subscribe": ["events", "nonsense"]}):
            watcher.send_text(json.dumps(wrong))
            answer = watcher.message()
            self.assertEqual((answer["kind"], answer["code"]), ("error", "bad_subscription"))
        watcher.send_text(json.dumps({"subscribe": ["requests"], "source": self.source}))
        self.assertEqual(watcher.message()["kind"], "subscribed")
        self.segment("/v1/track", {"event": "Sub", "userId": "sub", "messageId": "sub"})
        while watcher.request()["events"][0].get("message_id") != "sub":
            pass

    def test_each_protocol(self):
        watcher = self.watch()
        sensors = {"type": "track", "event": "Viewed", "distinct_id": "sa-1", "time": int(time.time() * 1000),
                   "properties": {"$lib": "js", "$lib_version": "1.27", **PERSON}}
        packed = urllib.parse.quote(base64.b64encode(gzip.compress(json.dumps([sensors]).encode())))
        plain = urllib.parse.quote(base64.b64encode(json.dumps({**sensors, "distinct_id": "sa-2"}).encode()))
        broken = urllib.parse.quote(base64.b64encode(json.dumps({**sensors, "event": "1 no name"}).encode()))
        posthog = {"api_key": self.key, "event": "Viewed", "distinct_id": "ph-1",
                   "properties": {"$lib": "posthog-node", "$lib_version": "5", **PERSON}}
        cloud = {"specversion": "1.0", "id": "ce-1", "source": "/s", "type": "Viewed", "data": {"user_id": "ce-u", **PERSON}}
        track = {"event": "Viewed", "userId": "p-1", "traits": PERSON}
        cases = [
            ("segment", 1, "POST", "/v1/track", track, {"Content-Type": "application/json"}),
            ("segment", 0, "POST", "/v1/track", {"userId": "p-1"}, {}),
            ("segment", 1, "POST", "/v1/track", gzip.compress(json.dumps(track).encode()), {"Content-Encoding": "gzip"}),
            ("segment", 1, "POST", "/v1/track", zlib.compress(json.dumps(track).encode()), {"Content-Encoding": "deflate"}),
            ("rudder", 1, "POST", "/v1/track", {**track, "anonymousId": "r"}, {"AnonymousId": "cg=="}),
            ("rudder", 1, "POST", "/beacon/v1/batch?writeKey=" + self.key, {"batch": [{"type": "track", **track}]}, {}),
            ("rudder", 1, "GET", f"/pixel/v1/track?writeKey={self.key}&event=Seen&userId=px&traits.email={EMAIL}"
             f"&properties.note={PHONE}", None, {}),
            ("rudder", 0, "GET", f"/pixel/v1/track?writeKey={self.key}&userId=px", None, {}),
            ("sensors", 1, "POST", f"/sa?project={self.key}", f"data_list={packed}&gzip=1", {}),
            ("sensors", 1, "GET", f"/sa.gif?project={self.key}&data={plain}", None, {}),
            ("sensors", 0, "POST", f"/sa?project={self.key}", f"data={broken}", {}),
            ("sensors", 0, "POST", f"/sa?project={self.key}", "data=%25%25%25", {}),
            ("posthog", 1, "POST", "/e/", posthog, {}),
            ("posthog", 1, "POST", "/batch/?compression=gzip-js",
             gzip.compress(json.dumps({"api_key": self.key, "batch": [posthog]}).encode()), {"Content-Type": "text/plain"}),
            ("posthog", 0, "POST", "/e/", {**posthog, "event": ""}, {}),
            ("cloud_events", 1, "POST", "/api/v1/cloudevents", cloud, {"Content-Type": "application/cloudevents+json"}),
            ("cloud_events", 1, "POST", "/api/v1/cloudevents", {"user_id": "ce-b", **PERSON},
             {"Content-Type": "application/json", "ce-id": "2", "ce-type": "B", "ce-source": EMAIL, "ce-specversion": "1.0",
              "ce-phone": LANDLINE}),
            ("cloud_events", 0, "POST", "/api/v1/cloudevents", {**cloud, "id": "ce-3", "type": 7},
             {"Content-Type": "application/cloudevents+json"}),
            ("events", 1, "POST", "/api/v1/events", json.dumps({"event": "Viewed", "user_id": "b-1", **PERSON}), {}),
            ("events", 1, "POST", "/api/v1/events", gzip.compress(json.dumps({"event": "V", "user_id": "b-2", **PERSON}).encode()),
             {"Content-Encoding": "gzip"}),
            ("events", 0, "POST", "/api/v1/events", '{"event": "Viewed", "email": "%s", broken\n' % EMAIL, {}),
        ]
        for protocol, accepted, method, path, body, headers in cases:
            with self.subTest(protocol=protocol, path=path[:24], accepted=accepted):
                answer = self.send(method, path, body, headers)
                message = watcher.request()
                self.assertEqual((message["request"]["protocol"], message["request"]["path"], message["request"]["method"]),
                                 (protocol, path.split("?")[0], method), message)
                self.assertEqual(message["answer"]["status"], answer.status, message)
                if accepted:
                    self.assertEqual(verdicts(message), GOOD, message)
                    self.assertEqual([e["verdict"] for e in message["events"]], ["accepted"])
                    self.assertIn("customer_id", message["events"][0])
                else:
                    self.assertEqual((message["verdict"], verdicts(message)["decode"]), ("failed", "failed"))
                    self.assertEqual([e["verdict"] for e in message["events"]], ["rejected"])
                    self.assertTrue(message["events"][0]["reason"])

    def test_what_is_unpacked(self):
        watcher = self.watch()
        event = json.dumps({"event": "Packed", "userId": "packed", "properties": {"text": "x" * 2000}}).encode()
        self.send("POST", "/v1/track", gzip.compress(event), {"Content-Encoding": "gzip"})
        message = watcher.request()
        self.assertEqual(message["body"]["bytes"], len(gzip.compress(event)))
        self.assertEqual(message["body"]["unpacked_bytes"], len(event))
        self.assertEqual(json.loads(message["body"]["text"]), json.loads(event))
        self.assertIn(f"unpacked to {len(event)}", step(message, "coding")["detail"])
        self.send("POST", "/api/v1/events", gzip.compress(event), {"Content-Encoding": "gzip"})
        message = watcher.request()
        self.assertEqual(json.loads(message["body"]["text"]), json.loads(event))
        # Much is cut, and still nothing personal is in it.
        lines = "".join(json.dumps({"event": "Many", "user_id": f"many-{n}", **PERSON}) + "\n" for n in range(500))
        self.send("POST", "/api/v1/events", lines)
        message = watcher.request()
        self.assertLess(len(message["body"]["text"]), 20_000)
        self.assertEqual((message["body"]["unpacked_bytes"], len(message["events"]), message["more_events"]),
                         (len(lines), 20, 480))
        self.assertEqual(step(message, "log")["new"], 500)

    def test_refusals_of_a_known_key(self):
        key = self.basic
        watcher = self.watch()

        def refused(method, path, body=None, **headers):
            self.server.close_connection()
            answer = self.server.request(method, path, body, {**key, **headers})
            message = watcher.request()
            self.assertEqual((message["verdict"], message["answer"]["status"]), ("failed", answer.status), message)
            return answer.status, next(s["step"] for s in message["steps"] if s["verdict"] == "failed")

        self.assertEqual(refused("POST", "/v1/track", "{nope"), (400, "parse"))
        self.assertEqual(refused("POST", "/v1/track", b"\x1f\x8b broken"), (400, "coding"))
        self.assertEqual(refused("POST", "/v1/track", "{}", **{"Content-Encoding": "br"}), (415, "coding"))
        self.assertEqual(refused("POST", "/api/v1/events", gzip.compress(b"{}")[:-9], **{"Content-Encoding": "gzip"}),
                         (400, "coding"))
        # Announced, and on the way.
        with socket.create_connection(("127.0.0.1", self.server.port)) as client:
            client.sendall(f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: {key['Authorization']}\r\n"
                           "Content-Length: 99999999\r\n\r\n".encode())
            message = watcher.request()
        self.assertEqual((message["answer"]["status"], message["body"]["bytes"]), (413, 99999999))
        with socket.create_connection(("127.0.0.1", self.server.port)) as client:
            client.sendall(f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: {key['Authorization']}\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n500000\r\n".encode() + b"x" * 0x500000)
            self.assertEqual(watcher.request()["answer"]["status"], 413)
        with socket.create_connection(("127.0.0.1", self.server.port)) as client:
            client.sendall(f"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: {key['Authorization']}\r\n"
                           "Content-Length: 1000\r\n\r\n{\"event\":".encode())
        message = watcher.request()
        self.assertIn("did not come to its end", step(message, "coding")["detail"])
        # More than the source may send.
        self.server.admin("PATCH", "/api/v1/sources/" + self.source, {"events_per_second": 1})
        self.server.request("POST", "/v1/batch", {"batch": [{"type": "track", "event": "A", "userId": "u"}] * 30}, key)
        watcher.request()
        for method, path, body, status in (("POST", "/v1/track", {"event": "A", "userId": "u"}, 429),
                                           ("POST", "/api/v1/events", "{}", 429),
                                           ("POST", f"/sa?project={self.key}",
                                            "data=" + base64.b64encode(b"{}").decode(), 503)):
            self.assertEqual(refused(method, path, body), (status, "rate_limit"))

    def test_an_upload_that_goes_wrong_on_its_way(self):
        """Parts that were submitted before the broken one, while nobody looked, are none of the recorded request."""
        for n in range(30):
            lines = [json.dumps({"event": "Fine", "user_id": "u", "message_id": f"{n}-{i}"}) for i in range(8)] + ["no JSON"]
            chunks = b"".join(b"%x\r\n%s\n\r\n" % (len(line) + 1, line.encode()) for line in lines)
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as client:
                client.sendall(f"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                               f"Authorization: {self.basic['Authorization']}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
                               + chunks + b"0\r\n\r\n")
                answer = b"".join(iter(lambda: client.recv(65536), b""))
            self.assertIn(b'"accepted":8', answer)
        for message in (watcher := self.watch()).message(), watcher.message():
            self.assertTrue(message["complete"], message)
            log = step(message, "log")
            self.assertEqual((log["rejected"], log["first"], log["new"]), (1, log["last"], 0), message)
            self.assertEqual([event["verdict"] for event in message["events"]], ["rejected"])
        self.send("POST", "/api/v1/events", iter([b"{}\n", b"no JSON\n"]))
        message = watcher.request()
        while message["body"]["unpacked_bytes"] == 0:
            message = watcher.request()
        self.assertEqual(step(message, "coding")["detail"], "in chunks, 11 bytes unpacked")

    def test_what_went_wrong_is_there_before_anybody_looks(self):
        for event in ({"event": "Fine", "userId": "u"}, {"userId": "u", "properties": PERSON}):
            self.assertEqual(self.segment("/v1/track", event).status, 200)
        self.send("POST", "/api/v1/events", "no JSON\n")
        watcher = self.watch()
        first, second = watcher.request(), watcher.request()
        self.assertEqual([first["events"][0]["verdict"], second["events"][0]["reason"]], ["rejected", "invalid_json"])
        self.assertEqual(second["request"]["path"], "/api/v1/events")
        self.segment("/v1/track", {"event": "Fine", "userId": "u"})
        self.assertEqual(watcher.request()["verdict"], "passed")

    def test_other_sources_are_not_shown(self):
        key = self.server.post("/api/v1/sources", {"name": "other", "channel": "web"}).json["write_key"]
        watcher = self.watch()
        self.server.segment("/v1/track", {"event": "Other", "userId": "u", "messageId": "other-1"}, key)
        self.segment("/v1/track", {"event": "Mine", "userId": "u", "messageId": "mine-1"})
        self.assertEqual(watcher.request()["events"][0]["message_id"], "mine-1")

    def test_messages_of_a_stream(self):
        watcher = self.watch()
        stream = websocket_client.WebSocket(self.server.port, "/api/v1/stream", {**self.basic, "User-Agent": "streamer/1"})
        self.addCleanup(stream.close)
        stream.send_text(json.dumps({"event": "Streamed", "user_id": "st-1", "message_id": "st-1", **PERSON}))
        message = watcher.request(protocol="stream")
        self.assertEqual((message["request"]["method"], message["request"]["path"], message["request"]["library"]),
                         ("MESSAGE", "/api/v1/stream", "streamer/1"))
        self.assertEqual(verdicts(message), GOOD)
        self.assertEqual((message["answer"]["body"], message["events"][0]["message_id"]), ("ack 1", "st-1"))
        self.assertNotIn("status", message["answer"])
        stream.send_text("{broken")
        message = watcher.request(protocol="stream")
        self.assertEqual((message["verdict"], message["events"][0]["reason"]), ("failed", "invalid_json"))
        # Many messages at once: each is one request, with its own events only.
        for n in range(10):
            stream.send_text(json.dumps({"event": "Burst", "user_id": "st-1", "message_id": f"burst-{n}"}))
        for n in range(10):
            message = watcher.request(protocol="stream")
            self.assertEqual([e["message_id"] for e in message["events"]], [f"burst-{n}"])
            self.assertEqual(step(message, "log")["new"], 1)

    def test_rows_of_a_file(self):
        watcher = self.watch()
        work = kehu_server.scratch(self)
        (work / "rows.csv").write_text(f"who,phone,at\nimport-1,{PHONE},2026-11-20 10:00:00\nnull,,2026-11-20 10:00:00\n")
        (work / "map.toml").write_text('[file]\nformat = "csv"\n[identifiers]\nuser_id = "who"\nphone = "phone"\n'
                                       '[time]\ncolumn = "at"\n[event]\nname = "Imported"\n')
        done = kehu_server.run("import", "--url", self.server.url, "--key", self.key, "--map", work / "map.toml",
                               work / "rows.csv")
        self.assertEqual(done.returncode, 0, done.stderr)
        message = watcher.request()
        self.assertEqual((message["request"]["protocol"], message["request"]["library"]), ("import", "kehu import"))
        self.assertEqual([e["verdict"] for e in message["events"]], ["accepted", "rejected"])
        self.assertEqual(message["events"][1]["origin"], "rows.csv:3")

    def test_a_dry_run_is_only_checked(self):
        watcher = self.watch()
        record = {"type": "track", "event": "Dry", "distinct_id": "dry", "time": int(time.time() * 1000), "properties": PERSON}
        data = urllib.parse.quote(base64.b64encode(json.dumps(record).encode()))
        self.send("POST", f"/debug?project={self.key}", f"data={data}", {"Dry-Run": "true"})
        message = watcher.request(path="/debug")
        self.assertEqual((message["verdict"], message["events"][0]["verdict"]), ("passed", "not_stored"))
        self.assertIn("only checked", step(message, "log")["detail"])

    def test_a_flood_is_sampled(self):
        watcher = self.watch()
        event = {"event": "Flood", "userId": "flood"}
        start, sent, seen, skipped = time.monotonic(), 0, 0, 0
        while time.monotonic() - start < 2 and sent < 2000:
            self.segment("/v1/track", event)
            sent += 1
        self.segment("/v1/track", {**event, "messageId": "flood-probe"})
        time_left = time.monotonic() + 20
        last = None
        while time.monotonic() < time_left:
            self.segment("/v1/track", {**event, "messageId": "flood-last"})
            last = watcher.request()
            seen += 1
            skipped += last.get("skipped", 0)
            if last["events"] and last["events"][0].get("message_id") == "flood-last":
                break
        if sent < 200:
            kehu_server.skip(self, "a flood: this machine is too busy to make one")
        self.assertGreater(skipped, 0, f"{sent} were sent, {seen} were shown")
        self.assertLess(seen, sent)


class CaptureTest(kehu_server.ServerTest):
    """What real clients put on the wire, byte by byte."""

    CLIENTS = [("segment-node", "WK_TEST", "segment", "@segment/analytics-node"),
               ("segment-python-gzip", "WK_TEST", "segment", "analytics-python"),
               ("rudder-node", "WK_TEST", "segment", "analytics-node"),
               ("rudder-web-batch", "WK_WEB", "rudder", "RudderLabs"),
               ("sa-node", "default", "sensors", "Node"),
               ("sa-miniprogram", "default", "sensors", "MiniProgram"),
               ("posthog-node", "phc_test", "posthog", "posthog-node")]

    @classmethod
    def setUpClass(cls):
        pass

    def test_captures(self):
        if not client_kit.CAPTURES.exists():
            kehu_server.skip(self, "recorded requests: they are not here")
        for client, key, protocol, library in self.CLIENTS:
            with self.subTest(client):
                work = kehu_server.scratch(self)
                server = kehu_server.Server(work / "data", env={"KEHU_WRITE_KEY": key}).start()
                try:
                    with contextlib.closing(Watcher(server, "?source=default")) as watcher:
                        self.replay(watcher, server, client, protocol, library)
                finally:
                    server.stop()

    def replay(self, watcher, server, client, protocol, library):
        for path in sorted((client_kit.CAPTURES / client).glob("conn*.raw")):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(path.read_bytes())
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
        message = watcher.request()
        self.assertEqual(message["request"]["protocol"], protocol, message)
        self.assertIn(library, message["request"]["library"])
        self.assertEqual({event["verdict"] for event in message["events"]}, {"accepted"}, message)
        self.assertNotIn("a@b.c", "".join(watcher.texts))


if __name__ == "__main__":
    kehu_server.main()
