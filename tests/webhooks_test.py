#!/usr/bin/env python3
"""Webhooks: each change of a segment or tag reaches a real receiver at least once, with one id and signatures that the
published library of the specification verifies, whatever happens to the receiver and to the server."""
import collections
import glob
import http.server
import json
import os
import random
import socket
import sys
import threading
import time
import unittest

import client_kit
import kehu_server
from kehu_server import run

LIBRARY = "standardwebhooks==1.0.0"
ROUNDS = 40 if kehu_server.LONG else 6


def library(case):
    directory = client_kit.python_package(case, "standardwebhooks-1.0.0", LIBRARY, "standardwebhooks")
    sys.path[:0] = [path for path in glob.glob(str(directory / "lib/python*/site-packages")) if path not in sys.path]
    from standardwebhooks import webhooks
    return webhooks


class Receiver:
    """Somebody outside; `answer` says what is answered: a status, or None to close the connection."""

    def __init__(self, case, port=None):
        self.port = port or kehu_server.free_port()
        self.lock = threading.Lock()
        self.came = []  # (headers, body, status), each attempt
        self.answer = lambda body: 204
        self.http = None
        self.start()
        case.addCleanup(self.stop)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hooks?from=kehu"

    def start(self):
        receiver = self

        class Handler(client_kit.Handler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.answer(json.loads(body))
                with receiver.lock:
                    receiver.came.append((dict(self.headers.items()), body, status))
                if status is None:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.reply(status, [], b"")

        class Server(client_kit.QuietServer):
            allow_reuse_address = True
            daemon_threads = True

        self.http = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        if self.http is not None:
            self.http.shutdown()
            self.http.server_close()
            self.http = None

    def taken(self):
        """id → message, in the order in which they were first taken."""
        with self.lock:
            came = list(self.came)
        messages = {}
        for headers, body, status in came:
            if status is not None and 200 <= status < 300:
                messages.setdefault(headers["webhook-id"], json.loads(body))
        return messages

    def of_type(self, *types):
        return [m for m in self.taken().values() if m["type"] in types]


class WebhooksTest(unittest.TestCase):
    def setUp(self):
        self.library = library(self)
        self.work = kehu_server.scratch(self)
        self.server = kehu_server.Server(self.work / "data", "--private-webhooks").start()
        self.addCleanup(lambda: self.server.process and self.server.kill())
        self.receiver = Receiver(self)

    def create(self, name="crm", **more):
        answer = self.server.post("/api/v1/webhooks", {"name": name, "url": self.receiver.url, **more})
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def webhook(self, name="crm"):
        return self.server.get(f"/api/v1/webhooks/{name}").json

    def set(self, user, **traits):
        self.server.post_events([{"type": "identify", "user_id": user, "traits": traits}])

    def wait(self, what, patience=60):
        end = time.time() + patience
        while not what():
            self.assertLess(time.time(), end, (self.server.get("/api/v1/webhooks").json, len(self.receiver.came)))
            time.sleep(0.02)

    def settled(self, name="crm"):
        hook = self.webhook(name)
        return hook["pending"] == 0 and hook["messages"] > 0

    def verify(self, secret, headers, body):
        return self.library.Webhook(secret).verify(body, headers)

    def test_what_is_told(self):
        secret = self.create()["secret"]
        self.assertTrue(secret.startswith("whsec_"))
        self.server.define_rules(vip="trait.vip = true", city=["trait.city"])
        self.server.post_events([{"type": "identify", "user_id": "u1", "phone": "13912345678",
                                  "traits": {"vip": True, "city": "北京"}}])
        self.set("u1", vip=False, city="上海")
        self.wait(lambda: len(self.receiver.of_type("segment.entered", "segment.left", "tag.changed")) == 4)
        self.wait(self.settled)
        customer = self.server.customer("user_id:u1")["customer_id"]
        for headers, body, _ in self.receiver.came:
            self.assertEqual(self.verify(secret, headers, body), json.loads(body))
            with self.assertRaises(self.library.WebhookVerificationError):
                self.verify(secret, headers, body + b" ")
            self.assertEqual(set(json.loads(body)), {"type", "timestamp", "data"})
            self.assertNotIn(b"13912345678", body, "masked as everywhere")
        entered, = self.receiver.of_type("segment.entered")
        left, = self.receiver.of_type("segment.left")
        self.assertEqual([(m["data"]["name"], m["data"]["before"], m["data"]["after"], m["data"]["customer_id"])
                          for m in (entered, left)], [("vip", False, True, customer), ("vip", True, False, customer)])
        self.assertEqual(entered["data"]["since"], entered["timestamp"])
        self.assertEqual({i["type"] for i in entered["data"]["identifiers"]}, {"user_id", "phone"})
        self.assertEqual([(m["data"]["before"], m["data"]["after"]) for m in self.receiver.of_type("tag.changed")],
                         [(None, "北京"), ("北京", "上海")])
        hook = self.webhook()
        self.assertEqual((hook["delivered"], hook["refused"]), (hook["messages"], 0))
        self.assertNotIn("secret", hook, "shown once")
        self.assertEqual(self.server.admin("DELETE", "/api/v1/segments/vip").status, 204)
        self.wait(lambda: [m["data"]["name"] for m in self.receiver.of_type("segment.deleted")] == ["vip"])

    def test_only_what_is_wanted(self):
        self.server.define_rules(vip="trait.vip = true", other="trait.vip = true", city=["trait.city"])
        self.create(segments=["vip"], tags=[])
        wrong = self.server.post("/api/v1/webhooks", {"name": "b", "url": self.receiver.url, "segments": ["nobody"]})
        self.assertEqual(wrong.status, 400, wrong)
        self.assertIn("nobody", wrong.json["detail"])
        self.set("u1", vip=True, city="北京")
        self.wait(self.settled)
        self.assertEqual([(m["type"], m["data"]["name"]) for m in self.receiver.taken().values()], [("segment.entered", "vip")])
        self.assertEqual(self.server.admin("PATCH", "/api/v1/webhooks/crm", {"segments": "all"}).status, 200)
        self.set("u2", vip=True)
        self.wait(lambda: len(self.receiver.of_type("segment.entered")) == 3)

    def test_the_secret_is_rotated(self):
        first = self.create()["secret"]
        self.server.define_rules(vip="trait.vip = true")

        def last():
            count = len(self.receiver.came)
            self.set(f"u{count}", vip=True)
            self.wait(lambda: len(self.receiver.came) > count)
            return self.receiver.came[-1][:2]

        self.verify(first, *last())
        second = self.server.post("/api/v1/webhooks/crm/rotate", {"overlap_s": 2}).json
        self.assertEqual(len(second["secrets"]), 2)
        self.server.kill()
        self.server.start()
        both = last()
        self.assertEqual(self.verify(first, *both), self.verify(second["secret"], *both))
        time.sleep(2.1)
        new = last()
        self.verify(second["secret"], *new)
        with self.assertRaises(self.library.WebhookVerificationError):
            self.verify(first, *new)
        given = "whsec_" + "A" * 40
        self.server.post("/api/v1/webhooks/crm/rotate", {"overlap_s": 0, "secret": given})
        self.verify(given, *last())
        for path in self.work.rglob("*"):
            if path.is_file():
                self.assertNotIn(first[6:].encode(), path.read_bytes(), path)

    def test_killed_again_and_again(self):
        seed = int(os.environ.get("KEHU_SEED") or random.randrange(1 << 30))
        print(f"KEHU_SEED={seed}", flush=True)
        dice = random.Random(seed)
        self.create()
        self.server.define_rules(vip="trait.vip = true", city=["trait.city"])

        def unreliable(_):
            luck = dice.random()
            time.sleep(0.3 if luck > 0.97 else 0)
            return 503 if luck < 0.1 else None if luck < 0.15 else 204

        self.receiver.answer = unreliable
        for _ in range(ROUNDS):
            self.server.post_events([{"type": "identify", "user_id": f"u{dice.randrange(25)}",
                                      "traits": {"vip": dice.random() < 0.5, "city": dice.choice(["北京", "上海", "广州"])}}
                                     for _ in range(150)])
            time.sleep(dice.random() * 0.5)
            self.server.kill()
            if dice.random() < 0.5:
                self.receiver.stop()
                self.server.start()
                time.sleep(dice.random())
                self.receiver.start()
            else:
                self.server.start()
        self.receiver.answer = lambda _: 204
        self.wait(self.settled, patience=120)
        told = self.receiver.of_type("segment.entered", "segment.left", "tag.changed")
        changes = self.server.sql("SELECT kind, name, customer_id, change, value FROM segment_log WHERE live "
                                  "AND customer_id IS NOT NULL ORDER BY sequence, ordinal")
        self.assertGreater(len(changes), ROUNDS)
        self.assertEqual(len(told), len(changes), "each change has one id")
        wanted, got = collections.defaultdict(list), collections.defaultdict(list)
        for row in changes:
            wanted[row["customer_id"]].append((row["name"], row["value"]))
        for message in told:
            after = message["data"]["after"]
            got[message["data"]["customer_id"]].append((message["data"]["name"], json.dumps(after, ensure_ascii=False)))
        self.assertEqual(got, wanted, "in order, for each customer")
        hook = self.webhook()
        self.assertEqual((hook["delivered"], hook["refused"]), (hook["messages"], 0), "counted once")
        bodies = collections.defaultdict(set)
        for headers, body, _ in self.receiver.came:
            data = json.loads(body)["data"]
            data.pop("identifiers", None)
            bodies[headers["webhook-id"]].add(json.dumps(data, sort_keys=True))
        self.assertEqual({len(each) for each in bodies.values()}, {1}, "a repeat is the same message")
        print(f"{len(told)} changes, {ROUNDS} kills, {len(self.receiver.came)} requests", flush=True)

    def test_a_back_fill_is_one_message(self):
        self.server.post_events([{"event": "Paid", "user_id": f"u{i}", "message_id": f"m{i}"} for i in range(500)])
        self.create()
        self.server.define_rules(paid='ever("Paid")')
        self.wait(lambda: self.server.get("/api/v1/segments/paid").json["state"] == "live")
        self.wait(self.settled)
        self.assertEqual([(m["type"], m["data"]["size"]) for m in self.receiver.taken().values()], [("segment.updated", 500)])
        self.server.post_events([{"event": "Paid", "user_id": "new"}])
        self.wait(lambda: len(self.receiver.of_type("segment.entered")) == 1)
        # One that names it is computed anew when it is another rule.
        self.server.define_rules(not_paid="not in segment paid")
        self.wait(lambda: self.server.get("/api/v1/segments/not_paid").json["state"] == "live")
        self.server.define_rules(paid='count("Paid") >= 2')
        self.wait(lambda: [m["data"]["size"] for m in self.receiver.of_type("segment.updated")
                           if m["data"]["name"] == "not_paid"][-1:] == [501])
        self.assertEqual(len(self.receiver.of_type("segment.entered", "segment.left")), 1)

    def test_a_receiver_that_fails_is_given_up(self):
        self.create(give_up_after_s=2)
        self.server.define_rules(vip="trait.vip = true")
        self.wait(self.settled)
        self.receiver.answer = lambda _: 500
        for user in ("a", "b", "c"):
            self.set(user, vip=True)
        self.wait(lambda: not self.webhook()["enabled"])
        hook = self.webhook()
        self.assertIn("500", hook["disabled_because"])
        self.assertEqual(hook["pending"], 3)
        self.assertIn("is disabled", self.server.log_text())
        self.set("d", vip=True)
        self.receiver.answer = lambda _: 204
        self.server.kill()
        self.server.start()
        time.sleep(1.5)
        self.assertEqual(self.webhook()["pending"], 3, "it is told nothing of d, and what was pending waits")
        self.assertEqual(self.server.admin("PATCH", "/api/v1/webhooks/crm", {"enabled": True}).status, 200)
        self.wait(self.settled)
        self.assertEqual(len(self.receiver.of_type("segment.entered")), 3)
        self.receiver.answer = lambda _: 410
        self.set("e", vip=True)
        self.wait(lambda: "410" in self.webhook().get("disabled_because", ""))
        self.assertEqual(self.server.admin("DELETE", "/api/v1/webhooks/crm").status, 204)
        self.wait(lambda: [c["pending"] for c in self.server.get("/api/v1/outbox").json["channels"]] == [0])
        again = self.create()
        self.assertEqual((again["enabled"], again["refused"]), (True, 1))

    def test_one_message_that_fails_holds_up_its_customer_alone(self):
        self.create(give_up_after_s=3)
        self.server.define_rules(vip="trait.vip = true")
        poison = {}
        self.receiver.answer = lambda body: 500 if body["data"].get("customer_id", "") == poison.get("id") else 204
        self.set("bad", vip=True)
        self.wait(self.settled)
        poison["id"] = self.server.customer("user_id:bad")["customer_id"]
        self.set("bad", vip=False)
        for i in range(50):
            self.set(f"u{i}", vip=True)
        self.wait(lambda: len(self.receiver.of_type("segment.entered")) == 51)

        def kept_alive():
            self.set(f"v{time.time()}", vip=True)
            time.sleep(0.1)
            return self.webhook()["refused"] == 1
        self.wait(kept_alive)
        self.assertTrue(self.webhook()["enabled"])

    def test_one_that_is_slow_holds_up_nobody_else(self):
        slow = Receiver(self)
        slow.answer = lambda _: time.sleep(1) or 204
        self.create("slow", url=slow.url)
        self.create("quick")
        self.server.define_rules(vip="trait.vip = true")
        self.server.post_events([{"type": "identify", "user_id": f"u{i}", "traits": {"vip": True}} for i in range(300)])
        began = time.time()
        self.wait(lambda: len(self.receiver.of_type("segment.entered")) == 300)
        self.assertLess(time.time() - began, 15)
        self.assertLess(len(slow.came), 300)

    def test_commands(self):
        where = ("--data", self.work / "data")
        made = run("webhook", "create", "till", self.receiver.url, "--tags", "none", *where)
        self.assertEqual(made.returncode, 0, made.stderr)
        secret = made.stdout.split("secret, shown this once: ")[1].strip()
        self.assertEqual(run("webhook", "test", "till", *where).returncode, 0)
        headers, body, _ = self.receiver.came[-1]
        self.assertEqual(self.verify(secret, headers, body)["type"], "webhook.test")
        listed = run("webhook", "ls", *where).stdout
        self.assertIn("segments: all; tags: none", listed)
        self.assertNotIn(secret, listed)
        rotated = run("webhook", "rotate", "till", "--overlap", "60", *where)
        self.assertIn("whsec_", rotated.stdout)
        self.assertEqual(run("webhook", "set", "till", "--enabled", "false", *where).returncode, 0)
        self.receiver.answer = lambda _: 404
        tried = run("webhook", "test", "till", *where)
        self.assertEqual(tried.returncode, 1)
        self.assertIn("404", tried.stderr)
        self.assertEqual(run("webhook", "delete", "till", *where).returncode, 0)
        self.assertEqual(run("webhook", "delete", "till", *where).returncode, 1)

    def test_wrong_ones(self):
        for wrong, said in [({"url": "ftp://x/"}, "url"), ({"url": "http://a:b@host/"}, "url"), ({"segments": 3}, "segments"),
                            ({"give_up_after_s": 0}, "give_up_after_s"), ({"colour": 1}, "colour"), ({"secret": "x"}, "whsec_"),
                            ({"name": "a/b"}, "name")]:
            answer = self.server.post("/api/v1/webhooks", {"name": "w", "url": self.receiver.url, **wrong})
            self.assertEqual(answer.status, 400, (wrong, answer))
            self.assertIn(said, answer.json["detail"])
        self.create()
        self.assertEqual(self.server.post("/api/v1/webhooks", {"name": "crm", "url": self.receiver.url}).status, 409)
        for method, path in [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate"), ("POST", "/test")]:
            answer = self.server.admin(method, f"/api/v1/webhooks/nobody{path}", {} if method in ("PATCH", "POST") and path != "/test" else None)
            self.assertEqual(answer.status, 404, (method, path, answer))

    def test_private_addresses_are_refused(self):
        self.server.stop()
        self.server.arguments = ()
        self.server.start()
        self.create()
        self.create("named", url=f"http://localhost:{self.receiver.port}/")
        for name in ("crm", "named"):
            tried = self.server.post(f"/api/v1/webhooks/{name}/test").json
            self.assertFalse(tried["delivered"])
            self.assertIn("public", tried["failure"])
        self.server.define_rules(vip="trait.vip = true")
        self.set("u1", vip=True)
        self.wait(lambda: "public" in self.webhook().get("last_failure", ""))
        self.assertEqual(self.receiver.came, [])


if __name__ == "__main__":
    kehu_server.main()
