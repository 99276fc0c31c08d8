#!/usr/bin/env python3
"""The door: strangers, keys, paths, times, repeated keys, and answers that make clients do the right thing."""
import base64
import gzip
import json
import pathlib
import selectors
import socket
import time
import urllib.parse
import zlib

import kehu_server
import websocket_client
from kehu_server import WRITE_KEY, quoted
from websocket_client import CLOSE, CONTINUATION, PONG, TEXT, frame


def resident_kib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def basic(key):
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"


class Flood:
    """Connections that send as much as they are let and then fall silent."""

    def __init__(self, port, requests):
        self.selector = selectors.DefaultSelector()
        self.open = {}
        for data in requests:
            one = socket.create_connection(("127.0.0.1", port), timeout=30)
            one.setblocking(False)
            self.open[one] = memoryview(data)
            self.selector.register(one, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def run(self, seconds, look):
        end = time.monotonic() + seconds
        while self.open and time.monotonic() < end:
            for key, events in self.selector.select(0.1):
                self.move(key.fileobj, events)
            look()

    def move(self, one, events):
        try:
            if events & selectors.EVENT_READ and not one.recv(65536):
                return self.drop(one)
            if events & selectors.EVENT_WRITE:
                self.open[one] = self.open[one][one.send(self.open[one][:262144]):]
                if not self.open[one]:
                    self.selector.modify(one, selectors.EVENT_READ)
        except BlockingIOError:
            pass
        except OSError:
            self.drop(one)

    def drop(self, one):
        self.selector.unregister(one)
        del self.open[one]
        one.close()

    def close(self):
        for one in list(self.open):
            self.drop(one)


class StrangersTest(kehu_server.ServerTest):
    """200 connections that send 8 MiB without a key and fall silent."""

    def test_silent_strangers_cost_little_and_are_closed(self):
        def request(path, size, framing="Content-Length: {}"):
            head = f"POST {path} HTTP/1.1\r\nHost: a\r\n" + framing.format(size)
            return head.encode() + b"\r\n\r\n" + b" " * (size - 10)
        chunked = b"POST /e/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3ffff0\r\n" + b" " * (0x3ffff0 - 10)
        kinds = [request("/api/v1/rejections", 8 << 20), request("/e/", 4 << 20), request("/v1/batch", 4 << 20),
                 request("/sa", 3 << 20), request("/api/v1/cloudevents", 4 << 20), request("/batch/", 4 << 20),
                 request("/beacon/v1/batch", 4_000_000), chunked]
        self.server.request("GET", "/healthz")
        before = resident_kib(self.server.process)
        peak = before
        flood = Flood(self.server.port, [kinds[i % len(kinds)] for i in range(200)])
        self.addCleanup(flood.close)

        def look():
            nonlocal peak
            peak = max(peak, resident_kib(self.server.process))
        start = time.monotonic()
        flood.run(30, look)
        print(f"strangers: 200 connections, memory +{(peak - before) / 1024:.1f} MiB, closed after "
              f"{time.monotonic() - start:.1f} s", flush=True)
        self.assertEqual(len(flood.open), 0, "all are closed within 30 s")
        self.assertLess(peak - before, 64 * 1024)
        self.assertEqual(self.server.post_events([{"event": "A", "user_id": "u"}])["accepted"], 1)

    def test_memory_goes_back_to_the_system(self):
        """Of bodies of known senders, which may take much more, and then leave."""
        self.server.request("GET", "/healthz")
        before = resident_kib(self.server.process)
        head = "POST /e/ HTTP/1.1\r\nHost: a\r\n" + "".join(f"{n}: {v}\r\n" for n, v in basic(WRITE_KEY).items())
        body = f"{head}Content-Length: {4 << 20}\r\n\r\n".encode() + b" " * ((4 << 20) - 10)
        flood = Flood(self.server.port, [body] * 40)
        self.addCleanup(flood.close)
        peak = before
        end = time.monotonic() + 15
        while peak - before < 120 * 1024 and time.monotonic() < end:
            flood.run(0.2, lambda: None)
            peak = max(peak, resident_kib(self.server.process))
        self.assertGreater(peak - before, 120 * 1024, "they are held")
        flood.close()
        end = time.monotonic() + 40  # it is looked at once a second, over ten seconds
        while (left := resident_kib(self.server.process) - before) > 48 * 1024 and time.monotonic() < end:
            time.sleep(0.5)
        self.assertLess(left, 48 * 1024, f"of {(peak - before) // 1024} MiB")


class UnfinishedMessagesTest(kehu_server.ServerTest):
    """400 streams that send most of a message, and then pongs."""

    def test_they_share_the_memory_of_bodies_and_are_closed(self):
        self.server.request("GET", "/healthz")
        before = resident_kib(self.server.process)
        streams = []
        for _ in range(400):
            one = websocket_client.WebSocket(self.server.port, f"/api/v1/stream?writeKey={WRITE_KEY}")
            self.assertEqual(one.status, 101)
            self.addCleanup(one.close)
            streams.append(one)
        pieces = [frame(TEXT if i == 0 else CONTINUATION, b" " * 100_000, False, mask=b"1234") for i in range(9)]
        start, peak, told = time.monotonic(), before, {}
        sent = False
        while len(told) < len(streams) and time.monotonic() < start + 40:
            for number, one in enumerate(streams):
                if number in told:
                    continue
                try:
                    one.socket.settimeout(2)
                    one.socket.sendall(frame(PONG, mask=b"1234") if sent else b"".join(pieces))
                    one.socket.settimeout(0.001)
                    opcode, payload = one.frame()
                    if opcode == CLOSE:
                        told[number] = int.from_bytes(payload[:2], "big")
                except TimeoutError:
                    pass
                except OSError:  # more was sent than it had read when it closed
                    told.setdefault(number, 0)
                if number % 50 == 0:
                    peak = max(peak, resident_kib(self.server.process))
            sent = True
            time.sleep(0.5)
        counts = {code: list(told.values()).count(code) for code in sorted(set(told.values()))}
        print(f"unfinished messages: 400 streams, memory +{(peak - before) / 1024:.1f} MiB, closed with {counts} "
              f"after {time.monotonic() - start:.1f} s", flush=True)
        self.assertEqual(len(told), len(streams), "all are closed within 40 s")
        self.assertGreater(counts.get(1008, 0), 100, "for their silence")
        self.assertGreater(400 - counts.get(1008, 0), 50, "for want of memory")
        self.assertLess(peak - before, 320 * 1024)
        self.assertEqual(self.server.post_events([{"event": "A", "user_id": "u"}])["accepted"], 1)


class KeysTest(kehu_server.ServerTest):
    def ask(self, path, headers, body=b"{}"):
        """The answer to a header that announces a body which never comes; None when the body is waited for."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=2) as plain:
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            plain.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n{lines}\r\n".encode())
            try:
                return int(plain.recv(4096).split()[1])
            except TimeoutError:
                return None

    def test_a_key_in_sight_is_checked_before_the_body(self):
        wrong = basic("kwk_wrong")
        for path, headers, want in (
                ("/v1/batch", wrong, 401), ("/v1/track?writeKey=kwk_wrong", {}, 401), ("/v1/import/", wrong, 401),
                ("/v1/batch", {"Authorization": "Bearer kwk_wrong"}, 401), ("/e/", wrong, 401), ("/batch/", wrong, 401),
                ("/flags/", wrong, 401), ("/beacon/v1/batch?writeKey=kwk_wrong", {}, 401), ("/sa", wrong, 403),
                ("/sa?token=kwk_wrong", {}, 403), ("/api/v1/cloudevents", wrong, 401), ("/api/v1/cloudevents", {}, 401),
                ("/api/v1/rejections", wrong, 401), ("/api/v1/rejections", {}, 401), ("/api/v1/events", {}, 401),
                ("/v1/batch", basic(WRITE_KEY), None), ("/v1/batch", {}, None), ("/e/", {}, None)):
            with self.subTest(path=path, headers=headers):
                self.assertEqual(self.ask(path, headers), want)

    def test_the_key_of_the_environment_obeys(self):
        def status():
            return self.server.segment("/v1/track", {"event": "A", "userId": "u"}).status
        keys = self.server.get("/api/v1/sources").json["sources"][0]["keys"]
        given = [key for key in keys if key.get("from") == "environment"]
        self.assertEqual(len(given), 1)
        self.assertEqual(status(), 200)
        self.assertEqual(self.server.admin("PATCH", "/api/v1/sources/default", {"enabled": False}).status, 200)
        self.assertEqual(status(), 401)
        self.assertEqual(self.server.request("POST", "/api/v1/events", "{}", basic(WRITE_KEY)).status, 401)
        self.server.admin("PATCH", "/api/v1/sources/default", {"enabled": True})
        self.assertEqual(status(), 200)
        hint = given[0]["hint"]
        self.assertEqual(self.server.admin("DELETE", f"/api/v1/sources/default/keys/{quoted(hint)}").status, 200)
        self.assertEqual(status(), 401)
        self.server.stop()
        self.server.start()
        self.assertEqual(status(), 401, "taken away for good")
        listed = self.server.get("/api/v1/sources").json["sources"][0]["keys"]
        self.assertEqual([bool(key.get("revoked")) for key in listed if key["hint"] == hint], [True])

    def test_names_of_keys(self):
        made = self.server.post("/api/v1/sources", {"name": "hints"}).json
        second = self.server.post("/api/v1/sources/hints/keys").json["write_key"]
        keys = [made["write_key"], second]
        hints = [key["hint"] for key in self.server.get("/api/v1/sources").json["sources"][-1]["keys"]]
        self.assertEqual(hints, [key[:12] + "…" for key in keys])

        def revoke(name):
            return self.server.admin("DELETE", f"/api/v1/sources/hints/keys/{quoted(name)}")
        answer = revoke("kwk_")
        self.assertEqual((answer.status, answer.json["code"]), (409, "ambiguous_key"))
        self.assertEqual(revoke("kwk_zzzz").status, 404)
        for wrong in (keys[1][:-1], keys[1] + "0", keys[1][:-8] + "zzzzzzzz", keys[1][:13], keys[1][:20], hints[1] + "…0"):
            self.assertEqual(revoke(wrong).status, 404, "its beginning is right, its end is not: " + wrong)
            self.assertEqual(self.server.segment("/v1/track", {"event": "A", "userId": "u"}, key=keys[1]).status, 200)
        self.assertEqual(revoke(keys[1]).status, 200, "the whole key names it")
        self.assertEqual(revoke(keys[0][:8]).status, 200, "the first eight, while they are enough")
        self.assertEqual(revoke(hints[0]).status, 404, "it is revoked already")

    def test_a_token_is_no_write_key(self):
        data = kehu_server.scratch(self) / "data"
        self.assertEqual(kehu_server.run("source", "add", "shop", "--data", data).returncode, 1)
        kehu_server.Server(data).start().stop()
        own = json.loads(kehu_server.run("keys", "--data", data, "--json").stdout)
        later = kehu_server.run("source", "add", "shop", "--data", data).stdout.split()[-1]
        of_key, of_token = "is the admin token too", "is a write key of the source"
        for token, key, why in (("the-same-text", "the-same-text", of_key), ("the-same-text", "the-same-text \n", of_key),
                                ("\tthe-same-text", "the-same-text", of_key), ("", own["admin_token"], of_key),
                                (own["write_keys"][0]["key"], "", of_token), (later + "\n", "", of_token)):
            with self.subTest(token=token, key=key):
                done = kehu_server.run("serve", "--data", data, "--listen", "127.0.0.1:0",
                                       env={"KEHU_ADMIN_TOKEN": token, "KEHU_WRITE_KEY": key})
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(why, done.stdout + done.stderr)

    def test_blanks_around_a_token_do_not_count(self):
        server = kehu_server.Server(kehu_server.scratch(self) / "data",
                                    env={"KEHU_ADMIN_TOKEN": f" {kehu_server.ADMIN_TOKEN}\r\n", "KEHU_WRITE_KEY": f"{WRITE_KEY}\n"}).start()
        self.addCleanup(server.stop)
        self.assertEqual((server.get("/api/v1/stats").status, server.segment("/v1/page", {"userId": "u"}).status), (200, 200))

    def test_the_admin_token_is_a_bearer(self):
        for headers, want in ((basic(kehu_server.ADMIN_TOKEN), 401),
                              ({"Authorization": f"Bearer {kehu_server.ADMIN_TOKEN}"}, 200)):
            self.assertEqual(self.server.request("GET", "/api/v1/stats", None, headers).status, want)

    def test_other_sites_cannot_administrate(self):
        here = f"127.0.0.1:{self.server.port}"
        for headers, want in (({"Origin": "https://evil.example"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403),
                              ({"Origin": "null"}, 403), ({"Sec-Fetch-Site": "same-site"}, 403),
                              ({"Origin": f"http://{here}"}, 200), ({"Sec-Fetch-Site": "same-origin"}, 200),
                              ({"Sec-Fetch-Site": "none"}, 200), ({}, 200)):
            answer = self.server.admin("POST", "/api/v1/sql", {"sql": "SELECT 1"}, **{**headers, "Content-Type": "text/plain"})
            self.assertEqual(answer.status, want, headers)

    def test_wrong_tokens_are_slowed_and_told(self):
        server = kehu_server.Server(kehu_server.scratch(self) / "data").start()
        self.addCleanup(server.stop)
        statuses = [server.request("GET", "/api/v1/stats", None, {"Authorization": f"Bearer guess-{i}"}).status
                    for i in range(620)]
        self.assertEqual(statuses[:300], [401] * 300)
        self.assertIn(429, statuses)
        self.assertIn("GET /api/v1/stats from 127.0.0.1 was answered 401", server.log_text())
        self.assertNotIn("guess-", server.log_text())


class PathsTest(kehu_server.ServerTest):
    def figures(self):
        text = self.server.request("GET", "/metrics").body.decode()
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#")}

    def test_what_published_libraries_send_arrives(self):
        event = {"type": "track", "event": "Path", "userId": "paths"}
        batch = {"batch": [event], "writeKey": WRITE_KEY}
        record = {"type": "track", "event": "Path", "distinct_id": "paths", "time": int(time.time() * 1000),
                  "properties": {}, "_track_id": 5}
        packed = urllib.parse.urlencode({"data": base64.b64encode(json.dumps(record).encode()).decode()})
        paths = [("/v1/import/", batch), ("//v1/import/", batch), ("/v1/import", batch), ("//v1//batch//", batch),
                 ("/v1/batch/", batch), ("/sdk/batch", batch), ("/sdk/batch/", batch), ("/v1/t/", {**event, "writeKey": WRITE_KEY}),
                 ("/v1/track/", {**event, "writeKey": WRITE_KEY}), ("/v1/%62atch", batch),
                 ("/e", {"api_key": WRITE_KEY, "event": "Path", "distinct_id": "paths"}),
                 ("//e//", {"api_key": WRITE_KEY, "event": "Path", "distinct_id": "paths"}),
                 ("//i/v0/e/", {"api_key": WRITE_KEY, "event": "Path", "distinct_id": "paths"}),
                 (f"/sa/?project={WRITE_KEY}", packed), (f"//sa?token={WRITE_KEY}", packed)]
        for i, (path, body) in enumerate(paths):
            with self.subTest(path=path):
                headers = {"Content-Type": "application/json" if isinstance(body, dict) else "application/x-www-form-urlencoded"}
                answer = self.server.request("POST", path, body, headers)
                self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.server.request("POST", "/api/v1/events/", '{"event":"Path","user_id":"paths"}', basic(WRITE_KEY)).status, 200)
        self.assertEqual(self.server.request("GET", "/healthz/").status, 200)
        rows = self.server.sql("SELECT count(*) AS n FROM events WHERE event = 'Path'")
        self.assertGreaterEqual(rows[0]["n"], 14)

    def test_unknown_paths_and_keys_show(self):
        before = self.figures()
        self.assertEqual(self.server.segment("/v2/batch", {"batch": []}).status, 404)
        self.assertEqual(self.server.segment("/v1/batch", {"batch": []}, key="kwk_nobody").status, 401)
        self.assertEqual(self.server.segment("/v1/batch", {"batch": []}).status, 200)
        after = self.figures()
        for line, moved in (('{method="any",route="none",status="404"}', 1),
                            ('{method="POST",route="/v1/batch",status="401"}', 1),
                            ('{method="POST",route="/v1/batch",status="200"}', 1)):
            name = "kehu_http_requests_total" + line
            self.assertEqual(after.get(name, 0) - before.get(name, 0), moved, name)
        self.assertEqual(after["kehu_unclaimed_requests_total"] - before["kehu_unclaimed_requests_total"], 1)
        requests = self.server.get("/api/v1/sources/default/requests").json["requests"]
        lost = [r for r in requests if "/v2/batch" in json.dumps(r)]
        self.assertEqual(len(lost), 1, "a wrong path with a good key shows in the debugger of its source")
        self.assertIn("nothing is served at this path", json.dumps(lost))
        unclaimed = self.server.get("/api/v1/sources/default/requests").json["unclaimed"]
        self.assertEqual((unclaimed["last"][0]["path"], unclaimed["last"][0]["status"]), ("/v1/batch", 401))
        self.assertNotIn("kwk_nobody", json.dumps([after, unclaimed]))

    def test_the_access_log_names_routes(self):
        server = kehu_server.Server(kehu_server.scratch(self) / "data", "--access-log").start()
        server.get("/api/v1/customers/" + quoted("phone:13712345678"))
        server.request("GET", f"/v1/projects/{WRITE_KEY}/settings")
        server.request("POST", f"/v1/track?writeKey={WRITE_KEY}", "{}")
        server.request("GET", "/nothing/13712345678")
        server.stop()
        log = server.log.read_text()
        for route in ("/api/v1/customers/:customer", "/v1/projects/:key/settings", "/v1/track", "none"):
            self.assertIn(f'"route":"{route}"', log)
        self.assertNotIn("13712345678", log)
        self.assertNotIn(WRITE_KEY, log)


class TimesTest(kehu_server.ServerTest):
    def event(self, name):
        rows = self.server.sql(f"SELECT epoch_us(time) AS t, epoch_us(original_time) AS o, epoch_us(received_at) AS r, context "
                               f"FROM events WHERE event = '{name}'")
        self.assertEqual(len(rows), 1, (name, rows))
        return rows[0]

    def batch(self, name, timestamp, sent_at, **more):
        body = {"batch": [{"type": "track", "event": name, "userId": "t", "timestamp": timestamp}], "sentAt": sent_at, **more}
        self.assertEqual(self.server.segment("/v1/batch", body).status, 200)

    def test_delay_moves_nothing(self):
        now = time.time()
        for name, late in (("quick", 0.3), ("slow", 9.0), ("ahead", -5.0)):
            self.batch(name, "2026-11-11T23:59:59.900+08:00", iso(now - late))
            self.assertEqual(self.event(name)["t"], 1794412799900000)
        self.batch("wrong clock", iso(now - 3600 - 60), iso(now - 3600))
        self.assertAlmostEqual(self.event("wrong clock")["t"] / 1e6, now - 60, delta=5)

    def test_posthog_and_plain_too(self):
        now = time.time()
        body = {"api_key": WRITE_KEY, "sent_at": iso(now - 2), "batch": [
            {"event": "ph", "distinct_id": "t", "timestamp": "2026-11-11T15:59:59.900Z"}]}
        self.assertEqual(self.server.request("POST", "/batch/", body).status, 200)
        self.server.post_events([{"event": "plain", "user_id": "t", "time": "2026-11-11T15:59:59.900Z", "sent_at": iso(now - 2)}])
        for name in ("ph", "plain"):
            self.assertEqual(self.event(name)["t"], 1794412799900000)

    def test_a_time_ahead_by_a_zone_is_kept_and_flagged(self):
        now = time.time()
        true = now - 10
        self.batch("zoned", iso(true + 28800), iso(now))
        event = self.event("zoned")
        self.assertEqual(json.loads(event["context"])["timeAhead"], "+08:00")
        self.assertEqual(event["t"], event["r"], "it is ordered by its arrival")
        self.assertAlmostEqual(event["o"] / 1e6, true + 28800, delta=1)
        metrics = self.server.request("GET", "/metrics").body.decode()
        self.assertIn("kehu_times_ahead_total 1\n", metrics)
        self.batch("no zone", iso(now + 10 * 86400), iso(now))
        self.assertEqual(self.server.sql("SELECT count(*) AS n FROM events WHERE event = 'no zone'")[0]["n"], 0)

    def test_numbers_that_are_no_times(self):
        before = sum(c["total"] for c in self.server.get("/api/v1/rejections/counts").json["counts"] if c["reason"] == "invalid_time")
        wrong = [20261101, 20261101120000, 202611011200, 0, 1, -1, "20261101", "0", "1970-01-01T00:00:00Z"]
        self.server.post_events([{"event": "number", "user_id": "t", "time": value} for value in wrong])
        for value in wrong:
            self.server.segment("/v1/track", {"event": "number", "userId": "t", "timestamp": value})
            self.server.request("POST", "/e/", {"api_key": WRITE_KEY, "event": "number", "distinct_id": "t", "timestamp": value})
        counts = self.server.get("/api/v1/rejections/counts").json["counts"]
        self.assertEqual(sum(c["total"] for c in counts if c["reason"] == "invalid_time") - before, 3 * len(wrong))
        for value, micros in ((1704067200, 1704067200000000), ("1704067200", 1704067200000000),
                              ("1704067200123", 1704067200123000), (1704067200123456789, 1704067200123457)):
            name = f"good {value}"
            self.server.segment("/v1/track", {"event": name, "userId": "t", "timestamp": value})
            self.assertAlmostEqual(self.event(name)["t"], micros, delta=1)

    def test_nine_digits(self):
        self.server.segment("/v1/track", {"event": "nano", "userId": "t", "timestamp": "2026-11-28T23:51:36.822518049Z"})
        self.server.segment("/v1/track", {"event": "nano8", "userId": "t", "timestamp": "2026-11-28T23:51:36.822518049+08:00"})
        self.assertEqual(self.event("nano")["o"] - self.event("nano8")["o"], 8 * 3600 * 1000000)
        self.assertEqual(self.event("nano")["o"] % 1000000, 822518)

    def test_python_of_sensors_counts_milliseconds(self):
        properties = {f"p{i}": f"2024-01-02 03:04:05.{end}" for i, end in enumerate(("7", "70", "700", "0"))}
        for name, library in (("py", "python"), ("js", "js")):
            record = {"type": "track", "event": name, "distinct_id": "t", "time": int(time.time() * 1000),
                      "lib": {"$lib": library}, "properties": properties}
            data = urllib.parse.urlencode({"data": base64.b64encode(json.dumps(record).encode()).decode()})
            self.assertEqual(self.server.request("POST", f"/sa?project={WRITE_KEY}", data).status, 200)
        def stored(name):
            return json.loads(self.server.sql(f"SELECT properties FROM events WHERE event = '{name}'")[0]["properties"])
        self.assertEqual([stored("py")[f"p{i}"][-4:] for i in range(4)], [".007", ".070", ".700", ".000"])
        self.assertEqual(stored("js"), properties)


class ObjectsTest(kehu_server.ServerTest):
    def properties(self, user):
        return self.server.sql(f"SELECT properties, traits FROM events WHERE list_contains(list_transform(identifiers, i -> i.value), '{user}')")

    def test_an_empty_list_is_an_empty_object(self):
        self.server.post_events([{"event": "E", "user_id": "php-1", "properties": [], "context": [], "traits": [], "identifiers": []}])
        self.assertEqual(self.server.customer("user_id:php-1")["events"], 1)
        for path, body in (("/v1/track", {"event": "E", "properties": [], "context": []}), ("/v1/identify", {"traits": []}),
                           ("/v1/page", {"name": "P", "properties": [], "context": {"traits": []}}),
                           ("/v1/batch", {"context": [], "batch": [{"type": "track", "event": "E", "userId": "php-2", "properties": []}]})):
            self.assertEqual(self.server.segment(path, {"userId": "php-2", **body}).status, 200)
        self.assertEqual(self.server.customer("user_id:php-2")["events"], 4)
        self.server.request("POST", "/e/", {"api_key": WRITE_KEY, "event": "E", "distinct_id": "php-3", "properties": [], "$set": []})
        self.assertEqual(self.server.customer("user_id:php-3")["events"], 1)
        record = {"type": "track", "event": "E", "login_id": "php-4", "distinct_id": "php-4", "time": int(time.time() * 1000),
                  "properties": [], "lib": [], "identities": []}
        data = urllib.parse.urlencode({"data": base64.b64encode(json.dumps(record).encode()).decode()})
        self.assertEqual(self.server.request("POST", f"/sa?project={WRITE_KEY}", data).status, 200)
        self.assertEqual(self.server.customer("user_id:php-4")["events"], 1)
        answer = self.server.post_events([{"event": "E", "user_id": "php-5", "properties": [1]}])
        self.assertEqual(answer["rejected_by_reason"], {"invalid_field": 1})

    def test_repeated_keys_have_one_meaning(self):
        order = '"event":"Order Completed","time":"2026-11-01T10:00:00Z"'
        self.server.post_events([
            f'{{{order},"user_id":"dup-1","total":99.5,"properties":{{"order_id":"DK1","total":100,"currency":"CNY"}}}}',
            f'{{{order},"user_id":"dup-2","properties":{{"order_id":"DK2","total":1,"total":2,"currency":"CNY"}}}}',
            '{"type":"identify","user_id":"dup-2","traits":{"level":"gold","level":"silver","phone":"13711112222","phone":"13711113333"}}',
            '{"event":"Nested","user_id":"dup-3","properties":{"a":{"b":1,"b":2},"list":[{"c":1,"c":2}]},"context":{"x":1,"x":2}}',
            '{"event":"Ids","user_id":"dup-4","user_id":"dup-5"}'])
        for user, total in (("dup-1", 100), ("dup-2", 2)):
            rows = self.server.sql("SELECT (properties->>'total')::DOUBLE AS t, properties FROM events WHERE properties->>'order_id' = "
                                   f"'DK{user[-1]}'")
            self.assertEqual(rows[0]["t"], total)
            self.assertEqual(rows[0]["properties"].count('"total"'), 1)
            self.assertEqual(self.server.customer(f"user_id:{user}")["revenue"][0]["revenue"], total)
        self.assertIn('"silver"', json.dumps(self.server.customer("user_id:dup-2")))
        self.assertNotIn('"gold"', json.dumps(self.server.customer("user_id:dup-2")))
        traits = self.server.sql("SELECT traits FROM events WHERE type = 'identify' AND traits LIKE '%level%'")[0]["traits"]
        self.assertEqual((traits.count('"level"'), traits.count('"phone"'), "1371111" in traits), (1, 1, False))
        nested = self.server.sql("SELECT properties, context FROM events WHERE event = 'Nested'")[0]
        self.assertEqual(nested["properties"], '{"a":{"b":2},"list":[{"c":2}]}')
        self.assertEqual(nested["context"].count('"x"'), 1)
        self.assertEqual(self.server.customer("user_id:dup-5")["events"], 1)
        self.assertEqual(self.server.get("/api/v1/customers/user_id:dup-4").status, 404)

    def test_repeated_keys_of_other_protocols(self):
        now = int(time.time() * 1000)
        for order, record in enumerate((
                '"lib":{"$lib":"js","$lib":"python"},"properties":{"$os":"a","$os":"b","$url":"u1","$url":"u2","p":1,"p":2}',
                '"properties":{"$os":"a","$os":"b","$url":"u1","$url":"u2","$lib":"Node","p":1,"p":2},"lib":{"$lib":"js","$lib":"python"}')):
            data = f'{{"type":"track","event":"Twice{order}","distinct_id":"tw-0","distinct_id":"tw-1","time":1,"time":{now},{record}}}'
            form = urllib.parse.urlencode({"data": base64.b64encode(data.encode()).decode()})
            self.assertEqual(self.server.request("POST", f"/sa?project={WRITE_KEY}", form).status, 200)
        body = (f'{{"api_key":"{WRITE_KEY}","event":"Twice2","distinct_id":"tw-0","distinct_id":"tw-1","properties":{{"p":1,"p":2,'
                '"$os":"a","$os":"b","$lib":"web","$lib":"python","$current_url":"u1","$current_url":"u2"}}')
        self.server.request("POST", "/e/", body)
        for name in ("Twice0", "Twice1", "Twice2"):
            [row] = self.server.sql(f"SELECT properties, context FROM events WHERE event = '{name}'")
            properties, context = (json.loads(row[part]) for part in ("properties", "context"))
            self.assertEqual(properties["p"], 2, name)
            self.assertEqual([context["library"]["name"], context["os"]["name"], context["page"]["url"]], ["python", "b", "u2"], name)
            self.assertLessEqual({properties.get("$os", "b"), properties.get("$url", "u2")}, {"b", "u2"}, name)
        self.assertEqual(self.server.get("/api/v1/customers/anonymous_id:tw-0").status, 404)

    def test_a_second_batch_is_refused(self):
        event = '{"type":"track","event":"B","userId":"two"}'
        self.assertEqual(self.server.segment("/v1/batch", f'{{"batch":[{event}],"batch":[{event}]}}').status, 400)
        answer = self.server.request("POST", "/batch/", f'{{"api_key":"{WRITE_KEY}","batch":[],"batch":[]}}')
        self.assertEqual(answer.status, 400)

    def test_replay_is_as_strict_as_the_door(self):
        self.server.segment("/v1/batch", {"batch": [{"event": "No Type", "userId": "strict", "messageId": "st-1"}]})
        answer = self.server.post("/api/v1/rejections/replay?reason=missing_type").json
        self.assertEqual(answer["repaired"], 0)
        self.assertGreaterEqual(answer["still_rejected"], 1)
        done = kehu_server.run("rejections", "replay", "--data", self.server.data)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--all", done.stderr)
        self.assertEqual(kehu_server.run("rejections", "replay", "--all", "--data", self.server.data).returncode, 0)

    def test_a_text_is_shown_with_its_quotes(self):
        self.server.segment("/v1/batch", '{"batch":["undefined"]}')
        rejection = self.server.get("/api/v1/rejections?reason=not_an_object").json["rejections"][0]["id"]
        shown = kehu_server.run("rejections", "show", rejection, "--data", self.server.data).stdout
        self.assertIn('\n"undefined"\n', shown)


class PersonalPlacesTest(kehu_server.ServerTest):
    """A phone number, an address and an ID card, wherever a client puts them: nothing of it is on the disk in clear."""
    VALUES = ("13912345678", "li.na@example.com", "11010519491231002X")

    def test_nothing_is_in_clear(self):
        for number, value in enumerate(self.VALUES):
            user = {"user_id": f"pp-{number}", "time": "2026-11-01T10:00:00Z"}
            events = [
                {"event": "A", "properties": {"k": value, "deep": [{"k": [value]}], "text": json.dumps({"k": value})}}, {"event": value},
                {"event": "A", "channel": value}, {"event": "A", "context": {"channel": value, "page": {"title": value}}},
                {"event": "A", "message_id": value}, {"event": "A", "message_id": f"row:{value}~a1b0f4"},
                {"type": "page", "name": value}, {"type": "screen", "name": value}, {"type": "group", "group_id": value},
                {"type": "identify", "traits": {"k": value, "$set_once": {"k": value}, "$append": {"k": value}}},
                {"event": "A", "k": value}, {"event": "A", "device_id": value}, {"event": "A", "identifiers": {"open_id": value}}]
            for _ in range(2):
                answer = self.server.post_events([{**user, **event} for event in events])
            self.assertEqual((answer["repeats"], answer["rejected"]), (len(events), 0), "what is hidden is known again")
            self.server.segment("/v1/batch", {"batch": [
                {"type": "track", "event": "S", "userId": value, "anonymousId": value, "messageId": f"s-{value}", "channel": value},
                {"type": "page", "name": value, "userId": f"pp-{number}"}, {"type": "group", "groupId": value, "userId": f"pp-{number}"}]})
            group = {"$group_type": "family", "$group_key": value, "$groups": {"family": value}}
            self.server.request("POST", "/e/", {"api_key": WRITE_KEY, "event": "$groupidentify", "distinct_id": value, "uuid": value, "properties": group})
            event = {"specversion": "1.0", "id": value, "source": "s", "type": "C", "subject": value, "data": {"k": value}}
            self.server.request("POST", "/api/v1/cloudevents", json.dumps(event), {**basic(WRITE_KEY), "Content-Type": "application/cloudevents+json"})
            work = kehu_server.scratch(self)
            (work / "m.toml").write_text('[file]\n[rows]\nidentity = ["who"]\n[identifiers]\nuser_id = "u"\n[time]\ncolumn = "t"\n'
                                         '[event]\nname = "Row"\n[properties]\nk = "who"\n')
            (work / "rows.csv").write_text(f"u,who,t\npp-{number},{value},2026-11-01\n")
            for known in (0, 1):
                done = kehu_server.run("import", "--url", self.server.url, "--key", WRITE_KEY, "--map", work / "m.toml", "--json", work / "rows.csv")
                self.assertEqual(json.loads(done.stdout)["repeats"], known, done)
            self.assertEqual(self.server.customer(f"user_id:pp-{number}")["channels"][0]["channel"], "unknown")
        for value in self.VALUES:
            for part in ("event", "message_id", "channel", "source", "properties", "traits", "context", "identifiers"):
                found = self.server.sql(f"SELECT event, {part}::VARCHAR AS part FROM events WHERE contains(lower({part}::VARCHAR), lower('{value}'))")
                self.assertEqual(found, [], part)
        self.server.stop()
        for path in [*self.server.data.rglob("*"), self.server.log]:
            content = path.read_bytes().lower() if path.is_file() else b""
            for value in self.VALUES:
                self.assertNotIn(value.lower().encode(), content, path)
        self.server.start()


class StatusesTest(kehu_server.ServerTest):
    def test_a_bomb_is_a_bad_request(self):
        bomb = gzip.compress(b" " * 20_000_000)
        answer = self.server.request("POST", "/api/v1/events", bomb, basic(WRITE_KEY))
        self.assertEqual((answer.status, answer.headers.get("retry-after")), (400, None))
        self.assertEqual(self.server.segment("/v1/batch", bomb).status, 400)

    def test_deflate_with_and_without_its_header(self):
        event = json.dumps({"event": "D", "user_id": "deflate", "userId": "deflate"}).encode()
        raw = zlib.compressobj(wbits=-15)
        raw = raw.compress(event) + raw.flush()
        for path in ("/v1/track", "/api/v1/events"):
            for body in (zlib.compress(event), raw, gzip.compress(event)):
                coding = {"Content-Encoding": "gzip" if body[:2] == b"\x1f\x8b" else "deflate"}
                answer = self.server.request("POST", path, body, {**basic(WRITE_KEY), **coding})
                self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.server.customer("user_id:deflate")["events"], 6)
        sensors = json.dumps({"type": "track", "event": "D", "distinct_id": "deflate", "time": 1_760_000_000_000,
                              "properties": {"$is_login_id": True, "$lib": "Node"}})
        form = b"data=" + base64.b64encode(sensors.encode()).replace(b"+", b"%2B").replace(b"=", b"%3D")
        posthog = json.dumps({"api_key": WRITE_KEY, "batch": [{"event": "D", "distinct_id": "deflate",
                                                               "properties": {"$is_identified": True}}]}).encode()
        for path, plain in ((f"/sa?token={WRITE_KEY}", form), (f"/debug?token={WRITE_KEY}", form), ("/batch/", posthog)):
            for wbits in (15, -15):
                packer = zlib.compressobj(wbits=wbits)
                answer = self.server.request("POST", path, packer.compress(plain) + packer.flush(),
                                             {"Content-Encoding": "deflate"})
                self.assertEqual(answer.status, 200, f"{path} {answer}")
        self.assertEqual(self.server.get("/api/v1/rejections?reason=unreadable_body").json["rejections"], [])
        self.assertGreaterEqual(self.server.customer("user_id:deflate")["events"], 9)

    def test_a_list_is_no_object_but_an_empty_one_is(self):
        for traits, status in (({"$set_once": []}, "accepted"), ({"$add": [], "$append": []}, "accepted"), ([], "accepted"),
                               ({"$set_once": [1]}, "rejected"), ({"$add": [1]}, "rejected"), ([1], "rejected")):
            answer = self.server.request("POST", "/api/v1/events", json.dumps({"type": "identify", "user_id": "php", "traits": traits}),
                                         basic(WRITE_KEY))
            self.assertEqual(answer.json[status], 1, f"{traits} {answer}")
        for properties, accepted in (({"$set": []}, True), ({"$set_once": [], "$set": {"a": 1}}, True), ({"$set": None}, True),
                                     ({"$set": ["q"]}, False), ({"$set_once": [1]}, False), ({"$set": "text"}, False)):
            before = self.server.get("/api/v1/stats").json
            body = {"api_key": WRITE_KEY, "event": "$set", "distinct_id": "php", "properties": properties}
            self.server.request("POST", "/capture/", json.dumps(body), {})
            after = self.server.get("/api/v1/stats").json
            self.assertEqual((after["events"] - before["events"], after["rejections"] - before["rejections"]),
                             (1, 0) if accepted else (0, 1), properties)

    def test_many_short_broken_lines_keep_their_neighbours(self):
        for broken, name in (("1,2\n", "short-1"), ("{\n", "short-2")):
            good = json.dumps({"event": "Good", "user_id": name})
            answer = self.server.request("POST", "/api/v1/events", good + "\n" + broken * 40_000 + good + "\n", basic(WRITE_KEY))
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual((answer.json["accepted"], answer.json["rejected"]), (2, 40_000))

    def test_cloud_events_count_repeats(self):
        event = {"specversion": "1.0", "id": "1", "source": "s", "type": "T", "subject": "order 50%"}
        headers = {**basic(WRITE_KEY), "Content-Type": "application/cloudevents+json"}
        counted = [self.server.request("POST", "/api/v1/cloudevents", json.dumps(event), headers).json for _ in range(2)]
        self.assertEqual([(c["accepted"], c["repeats"]) for c in counted], [(1, 0), (0, 1)])

    def test_answers_about_customers_stay_in_no_cache(self):
        self.server.post_events([{"event": "A", "user_id": "cache", "phone": "13712340000"}])
        for answer in (self.server.get("/api/v1/customers/user_id:cache"), self.server.get("/api/v1/customers?q=cache"),
                       self.server.post("/api/v1/customers/user_id:cache/reveal", {"field": "phone", "reason": "test"})):
            self.assertEqual((answer.status, answer.headers.get("cache-control")), (200, "no-store"))


class IntakeTest(kehu_server.ServerTest):
    """Habits of published libraries, as they were seen on the wire."""

    def test_segment_and_its_relatives(self):
        event = {"type": "track", "event": "Wire", "anonymousId": None, "name": None}
        ids = ["node-next-1764-2216ea5d-0042-4ec8-96a5-2002b6f89a78", "node-next-1764-ea5d0042-0ec8-46a5-a002-b6f89a7899e1"]
        body = {"writeKey": WRITE_KEY, "context": {"library": {"name": "analytics-java", "version": "3.5.4"}}, "sequence": 1,
                "batch": [{**event, "userId": "wire-1", "messageId": one} for one in ids]}
        self.assertEqual(self.server.request("POST", "//v1/import/", body).status, 200, "key in the body, no header")
        self.assertEqual(self.server.segment("/v1/batch", {**body, "batch": [{**event, "userId": "wire-2"}]}).status, 200)
        packed = gzip.compress(json.dumps({"batch": [{**event, "userId": "wire-3"}], "sent_at": iso(time.time())}).encode())
        answer = self.server.request("POST", "/v1/batch", packed,
                                     {**basic(WRITE_KEY), "Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(answer.status, 200)
        for user, events in (("wire-1", 2), ("wire-2", 1), ("wire-3", 1)):
            customer = self.server.customer(f"user_id:{user}")
            self.assertEqual((customer["events"], len(customer["identifiers"])), (events, 1), user)
        rows = self.server.sql("SELECT DISTINCT context->'library'->>'name' AS name FROM events WHERE message_id LIKE 'node-next%'")
        self.assertEqual(rows, [{"name": "analytics-java"}])

    def test_track_ids_of_sensors_of_any_size(self):
        for track_id in (-37695265, 7719052853):
            record = {"type": "track", "event": "Sized", "login_id": "sized", "distinct_id": "sized", "_track_id": track_id,
                      "time": int(time.time() * 1000), "properties": {}}
            data = urllib.parse.urlencode({"data": base64.b64encode(json.dumps(record).encode()).decode()})
            for _ in range(2):
                self.assertEqual(self.server.request("POST", f"/sa?project={WRITE_KEY}", data).status, 200)
        self.assertEqual(self.server.customer("user_id:sized")["events"], 2)

    def test_profiles_of_sensors(self):
        for kind, properties in (("profile_set", {"n": 1, "m": 5}), ("profile_increment", {"$is_login_id": True, "n": 2}),
                                 ("profile_set", {"k": 1}), ("profile_unset", {"$is_login_id": True, "k": True})):
            record = {"type": kind, "login_id": "profiled", "distinct_id": "profiled", "time": int(time.time() * 1000),
                      "properties": properties}
            data = urllib.parse.urlencode({"data": base64.b64encode(json.dumps(record).encode()).decode()})
            self.assertEqual(self.server.request("POST", f"/sa?project={WRITE_KEY}", data).status, 200)
            time.sleep(0.002)
        self.assertEqual(self.server.customer("user_id:profiled")["traits"].keys(), {"n", "m"})

    def test_an_item_without_a_distinct_id(self):
        record = {"type": "item_set", "item_type": "book", "item_id": "b-1", "time": int(time.time() * 1000), "properties": {"price": 5}}
        data = urllib.parse.urlencode({"data": base64.b64encode(json.dumps(record).encode()).decode()})
        self.assertEqual(self.server.request("POST", f"/sa?project={WRITE_KEY}", data).status, 200)
        self.assertEqual(self.server.sql("SELECT count(*) AS n FROM events WHERE event = '$item_set'")[0]["n"], 1)


if __name__ == "__main__":
    kehu_server.main()
