#!/usr/bin/env python3
"""Libraries for servers in Go, Java and Python against a real server. What a library put on the wire is recorded on its
way and compared with what is stored, field by field: type, name, identifiers, properties, traits, context, time."""
import base64
import datetime
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import urllib.parse

import client_kit
import kehu_server

LIBRARIES = kehu_server.ROOT / "tests/libraries"
PYTHON = {"segment": "segment-analytics-python==2.4.0", "posthog": "posthog==7.91.1", "rudder": "rudder-sdk-python==2.1.9",
          "customerio": "customerio-cdp-analytics==1.1.0"}


class Everything:
    def __contains__(self, _):
        return True


def sent_bodies(proxy):
    """What the library sent, request by request, as JSON behind its packing."""
    for status, headers, body in proxy.seen:
        if status != 200:
            raise AssertionError(f"an answer was {status}: {body[:300]}")
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        if body.startswith((b"data", b"gzip=")):
            form = urllib.parse.parse_qs(body.decode())
            body = base64.b64decode(form.get("data_list", form.get("data"))[0])
            body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        yield json.loads(body)


def milliseconds(text):
    digits = re.sub(r"(\.\d{6})\d+", r"\1", text.replace("Z", "+00:00"))
    return int(datetime.datetime.fromisoformat(digits).timestamp() * 1000)


class LibraryTest(kehu_server.ServerTest):
    def setUp(self):
        self.proxy = client_kit.FailingProxy(self, self.server.url, Everything(), failures=())

    def run_library(self, program, arguments):
        done = subprocess.run([*program, *arguments, self.proxy.url, kehu_server.WRITE_KEY],
                                         capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def via_go(self, library):
        if shutil.which("go") is None:
            kehu_server.skip(self, "Go's libraries: go is not installed")
        source = LIBRARIES / "go"
        directory = client_kit.prepared(self, f"go-libraries-{digest(source / 'go.mod', source / 'main.go')}",
                                        [["sh", "-c", f"cp {source}/* . && go build -o clients ."]], "clients", minutes=8)
        self.run_library([directory / "clients"], [library])

    def via_java(self, library):
        if shutil.which("mvn") is None or shutil.which("javac") is None:
            kehu_server.skip(self, "Java's libraries: maven or a JDK is not installed")
        source = LIBRARIES / "java"
        fetch = "mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib"
        directory = client_kit.prepared(self, f"java-libraries-{digest(source / 'pom.xml', source / 'Clients.java')}",
                                        [["sh", "-c", f"cp {source}/* . && {fetch} && javac -cp 'lib/*' Clients.java"]],
                                        "Clients.class", minutes=8)
        self.run_library(["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{directory}/lib/*:{directory}",
                          "Clients"], [library])

    def via_python(self, library):
        modules = {"segment": "segment.analytics", "rudder": "rudderstack.analytics", "customerio": "customerio.analytics"}
        directory = client_kit.python_package(self, f"python-{library}-library-{PYTHON[library].split('==')[1]}",
                                              PYTHON[library], modules.get(library, library))
        self.run_library([directory / "bin/python", LIBRARIES / "python/program.py"], [library])

    def expect_as_sent(self, where):
        """Every message of Segment's and RudderStack's form, as it stands in the archive."""
        stored = {event["message_id"]: event for event in client_kit.events(self.server, where)}
        sent = {}
        for body in sent_bodies(self.proxy):
            for message in body["batch"]:
                sent[message["messageId"]] = {**message, "context": {**body.get("context", {}), **message.get("context", {})}}
        self.assertEqual(stored.keys() & sent.keys(), sent.keys())
        for message_id, message in sent.items():
            with self.subTest(message["type"], id=message_id):
                self.expect_message(message, stored[message_id])
        return sent

    def expect_message(self, message, event):
        self.assertEqual(event["type"], message["type"])
        name = {"track": "event", "page": "name", "screen": "name", "group": "groupId"}.get(message["type"])
        if name:
            self.assertEqual(event["event"], message[name])
        if message.get("userId"):
            self.assertEqual(event["ids"].get("user_id"), message["userId"])
        elif message.get("anonymousId"):
            self.assertEqual(event["ids"].get("anonymous_id"), message["anonymousId"])
        for part in ("properties", "traits"):
            for key, value in (message.get(part) or {}).items():
                self.assertEqual(event[part].get(key), value, f"{part}.{key}")
        self.assertEqual(event["context"].get("library"), message["context"].get("library"))
        written = message.get("originalTimestamp") or message["timestamp"]
        self.assertEqual(event["time_ms"], milliseconds(written), "a time that the library stated is not moved")

    def expect_posthog_as_sent(self):
        kinds = {"$identify": "identify", "$set": "identify", "$set_once": "identify", "$create_alias": "alias",
                 "$groupidentify": "group"}
        moved = {"distinct_id", "token", "$set", "$set_once", "$group_set", "$anon_distinct_id"}
        stored = client_kit.events(self.server, "true")
        sent = [message for body in sent_bodies(self.proxy) if "batch" in body for message in body["batch"]]
        self.assertGreaterEqual(len(sent), 5)
        for message in sent:
            with self.subTest(message["event"]):
                properties = message["properties"]
                distinct_id = message.get("distinct_id") or properties["distinct_id"]
                kind = kinds.get(message["event"], "track")
                same = [event for event in stored if event["type"] == kind and distinct_id in event["ids"].values()
                        and event["time_ms"] == milliseconds(message["timestamp"])
                        and event["message_id"] == (message.get("uuid") or event["message_id"])
                        and (kind != "track" or event["event"] == message["event"])]
                self.assertEqual(len(same), 1, message)
                event = same[0]
                for key in properties.keys() - moved:
                    self.assertEqual(event["properties"].get(key), properties[key], key)
                for key, value in (message.get("$set") or properties.get("$set") or properties.get("$group_set") or {}).items():
                    self.assertEqual(event["traits"].get(key), value, key)
                once = message.get("$set_once") or properties.get("$set_once") or {}
                self.assertEqual(event["traits"].get("$set_once", {}), once)
                self.assertEqual(event["context"]["library"]["name"], properties["$lib"])

    def expect_order(self, user, order, amount, city, currency="CNY"):
        customer = self.server.customer(f"user_id:{user}")
        self.assertEqual([(o["order_id"], o["amount"], o["currency"]) for o in customer["orders"]], [(order, amount, currency)])
        self.assertEqual(customer["traits"]["city"], city)
        return customer

    def expect_one_customer(self, *names):
        self.assertEqual(len({self.server.customer(name)["customer_id"] for name in names}), 1, names)

    def expect_nothing_rejected(self):
        self.assertEqual(self.server.get("/api/v1/rejections").json["rejections"], [])

    def test_segment(self):
        for language, via in (("go", self.via_go), ("java", self.via_java), ("python", self.via_python)):
            with self.subTest(language):
                self.proxy.seen.clear()
                via("segment")
                sent = self.expect_as_sent("true")
                self.assertEqual(len(sent), 6 if language == "python" else 7)
                user = f"{language}-segment"
                customer = self.server.customer(f"user_id:{user}")
                self.assertEqual(customer["orders"][0]["order_id"], f"{user}-1")
                self.assertEqual(customer["revenue"][0]["revenue"], 8 if language == "python" else 12.5)
                self.expect_one_customer(f"user_id:{user}", f"anonymous_id:{user}-anon", f"anonymous_id:{user}-before")
        self.expect_nothing_rejected()

    def test_rudderstack_for_go_makes_up_an_anonymous_id_a_call(self):
        self.via_go("rudder")
        sent = self.expect_as_sent("true")
        self.assertEqual(len(sent), 302, "300 clicks, one order that was enqueued twice, one identify")
        customer = self.expect_order("go-rudder", "go-rudder-1", 8, "北京")
        self.assertEqual(self.counter_of(customer, "Clicked"), 300)
        self.assertEqual(self.counter_of(customer, "Order Completed"), 1)
        browser = {"anonymousId": "go-rudder-browser"}
        self.assertEqual(self.server.segment("/v1/page", {**browser, "name": "Home"}).status, 200)
        self.assertEqual(self.server.segment("/v1/identify", {**browser, "userId": "go-rudder"}).status, 200)
        self.expect_one_customer("user_id:go-rudder", "anonymous_id:go-rudder-browser")
        self.expect_nothing_rejected()

    def test_the_form_of_segment_by_others(self):
        for library, amount, city in (("rudder", 9.5, "成都"), ("customerio", 3, "杭州")):
            with self.subTest(library):
                self.proxy.seen.clear()
                self.via_python(library)
                self.expect_as_sent("true")
                self.expect_order(f"python-{library}", f"python-{library}-1", amount, city)
        self.expect_nothing_rejected()

    def test_posthog_aliases_join_either_way_round(self):
        for language, via in (("go", self.via_go), ("python", self.via_python)):
            with self.subTest(language):
                self.proxy.seen.clear()
                via("posthog")
                user = f"{language}-posthog"
                customer = self.expect_order(user, f"{user}-1", 7.25, "广州")
                self.expect_posthog_as_sent()
                self.assertEqual(sum(counter["total"] for counter in customer["counters"]
                                     if counter["event"] in ("browse", "anon browse")), 1)
                found = self.server.get(f"/api/v1/customers?q={user}-before").json["customers"]
                self.assertEqual({entry["customer_id"] for entry in found}, {customer["customer_id"]})
        self.expect_nothing_rejected()

    def test_groups_and_items_are_no_customers(self):
        before = self.server.get("/api/v1/stats").json["customers"]
        basic = "Basic " + base64.b64encode(f"{kehu_server.WRITE_KEY}:".encode()).decode()
        for key in ("acme", "globex", "acme"):
            body = {"api_key": kehu_server.WRITE_KEY, "batch": [
                {"event": "$groupidentify", "distinct_id": f"$company_{key}", "timestamp": "2026-11-01T10:00:00Z",
                 "properties": {"$group_type": "company", "$group_key": key, "$group_set": {"plan": "pro"}}}]}
            self.assertEqual(self.server.request("POST", "/batch/", body, {"Authorization": basic}).status, 200)
        self.assertEqual(self.server.get("/api/v1/stats").json["customers"], before)

    def test_sensors(self):
        for language, via in (("go", self.via_go), ("java", self.via_java)):
            with self.subTest(language):
                self.proxy.seen.clear()
                via("sensors")
                records = [record for body in sent_bodies(self.proxy) for record in (body if isinstance(body, list) else [body])]
                self.assertEqual(sorted(record["type"] for record in records), ["item_set", "profile_set", "track", "track_signup"])
                track = next(record for record in records if record["type"] == "track")
                user = f"{language}-sensors"
                customer = self.server.customer(f"user_id:{user}")
                self.assertEqual(customer["traits"]["city"], "深圳")
                stored = client_kit.events(self.server, f"event = 'PayOrder' AND (properties->>'order_id') = '{user}-1'")
                self.assertEqual(len(stored), 1)
                self.assertEqual(stored[0]["time_ms"], track["time"])
                for key, value in track["properties"].items():
                    if not key.startswith("$"):
                        self.assertEqual(stored[0]["properties"].get(key), value, key)
                self.assertEqual(stored[0]["context"]["library"]["name"], track["lib"]["$lib"])
                self.expect_one_customer(f"user_id:{user}", f"anonymous_id:{user}-anon")
                for record in records:
                    with self.subTest(record["type"]):
                        self.expect_record(record)
        self.expect_nothing_rejected()

    def expect_record(self, record):
        kind, name = {"profile_set": ("identify", ""), "item_set": ("track", "$item_set"),
                      "track_signup": ("track", "$SignUp")}.get(record["type"], ("track", record.get("event")))
        same = [event for event in client_kit.events(self.server, "true")
                if event["type"] == kind and (event["event"] or "") == name and event["time_ms"] == record["time"]
                and event["context"].get("library", {}).get("name") == record["lib"]["$lib"]]
        self.assertEqual(len(same), 1, record)
        part = "traits" if kind == "identify" else "properties"
        for key, value in record["properties"].items():
            if not key.startswith("$"):
                self.assertEqual(same[0][part].get(key), value, key)
        if record["type"] == "item_set":
            self.assertEqual([same[0]["properties"].get(key) for key in ("item_type", "item_id")],
                             [record["item_type"], record["item_id"]])
        else:  # of a signup's two ids each is the customer's, see above
            self.assertIn(record.get("login_id", record["distinct_id"]), same[0]["ids"].values())
        self.assertEqual(same[0]["context"]["library"]["version"], record["lib"]["$lib_version"])


def digest(*paths):
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]


if __name__ == "__main__":
    kehu_server.main()
