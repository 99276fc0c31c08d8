#!/usr/bin/env python3
"""`kehu serve --publish`: every event and every changed customer arrives in topics of a real Kafka broker, whatever is killed
or stopped meanwhile. Java's own client reads them back."""
import json
import pathlib
import shutil
import tempfile
import time
import unittest

import kehu_server
from kafka_broker import Kafka, wait_for

PHONE = "13812345678"
# What passes with time, and where the document was made.
OF_THE_MOMENT = {"as_of", "log_position"}


class PublishTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix="kehu-publish-"))
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)
        jars = Kafka.jars()
        if jars is None or shutil.which("javac") is None:
            print("SKIPPED: Kafka cannot be had (java, javac, mvn, Maven Central)", flush=True)
            raise unittest.SkipTest("no Kafka")
        cls.broker = Kafka(cls.work).start(jars)
        cls.addClassCleanup(lambda: cls.broker.stop())

    def serve(self, name, *arguments, **properties):
        """A server that publishes to topics of its own, with compaction for the second one."""
        self.events, self.changes = f"{name}-events", f"{name}-customers"
        self.publication = self.work / f"{name}.toml"
        self.broker.create_topic(self.events)
        self.broker.create_topic(self.changes, cleanup_policy="compact")
        lines = "".join(f'"{key}" = "{value}"\n' for key, value in properties.items())
        self.publication.write_text(f'[kafka]\nbrokers = "{self.broker.address}"\nevents = "{self.events}"\n'
                                    f'changes = "{self.changes}"\n[kafka.properties]\n{lines}')
        self.server = kehu_server.Server(self.work / f"{name}-data", "--publish", self.publication, *arguments).start()
        self.addCleanup(lambda: self.server.process and self.server.kill())

    def figures(self):
        figures = {}
        for line in self.server.request("GET", "/metrics").body.decode().splitlines():
            if line.startswith("kehu_publish"):
                name, value = line.rsplit(" ", 1)
                figures[name.split("{")[0] + " " + line.split('stream="')[1].split('"')[0]] = float(value)
        return figures

    def settle(self, seconds=60):
        """Until everything that was accepted is delivered."""
        def delivered():
            figures = self.figures()
            return figures["kehu_publish_behind events"] == 0 and figures["kehu_publish_behind changes"] == 0
        wait_for(delivered, seconds, "the delivery of everything")

    def post(self, first, count):
        self.server.post_events([
            {"event": "Order Completed", "user_id": f"u{n % 40}", "message_id": f"m-{n}", "time": "2026-11-01T10:00:00Z",
             "properties": {"order_id": f"o{n}", "total": n, "phone": PHONE}, "traits": {"phone": PHONE}}
            for n in range(first, first + count)])

    def check_events(self, may_repeat):
        """The topic holds what the archive holds, each position once, or the same again."""
        messages = self.broker.read(self.events)
        rows = self.server.sql("SELECT sequence, message_id, event FROM events ORDER BY sequence")
        first, order = {}, {}
        for message in messages:
            position = int(message.headers["kehu-position"])
            if position in first:
                self.assertTrue(may_repeat, f"position {position} came twice")
                self.assertEqual(message, first[position])
                continue
            first[position] = message
            self.assertGreater(position, order.get(message.partition, 0))
            order[message.partition] = position
        self.assertEqual(sorted(first), [row["sequence"] for row in rows])
        for row in rows:
            message = first[row["sequence"]]
            document = json.loads(message.value)
            self.assertEqual(document["record"], row["sequence"])
            self.assertEqual(document["message_id"], row["message_id"])
            self.assertEqual(message.headers["kehu-message-id"], row["message_id"])
            self.assertEqual(message.key, document["customer_id"])
        self.assertFalse([m for m in messages if PHONE in m.value])
        return [json.loads(first[position].value) for position in sorted(first)]

    def check_changes(self):
        """The last message of each customer says what the API says."""
        last = {message.key: message.value for message in self.broker.read(self.changes)}
        for customer, value in last.items():
            answer = self.server.get(f"/api/v1/customers/{customer}")
            if value is None:
                self.assertEqual(answer.status, 404)
                continue
            self.assertNotIn(PHONE, value)
            document, shown = json.loads(value), answer.json
            if "merged_into" in document:
                self.assertNotEqual(shown["customer_id"], customer)
                self.assertEqual(document, {"merged_into": shown["customer_id"]})
            else:
                self.assertEqual({k: v for k, v in document.items() if k not in OF_THE_MOMENT},
                                 {k: v for k, v in shown.items() if k not in OF_THE_MOMENT})
        return {customer: value and json.loads(value) for customer, value in last.items()}

    def test_events_and_customers_arrive_as_the_api_shows_them(self):
        self.serve("plain")
        self.server.post_events([
            {"event": "Product Viewed", "anonymous_id": "a1", "message_id": "one", "properties": {"name": "手机"}},
            {"event": "Product Viewed", "anonymous_id": "a1", "message_id": "one", "properties": {"name": "手机"}},
            {"event": "Product Viewed", "phone": PHONE, "message_id": "two"}, "{"])
        self.settle()
        anonymous = self.server.customer("anonymous_id:a1")["customer_id"]
        self.server.post_events([{"type": "identify", "anonymous_id": "a1", "user_id": "u1", "message_id": "three",
                                  "traits": {"phone": PHONE}}])
        self.settle()
        documents = self.check_events(may_repeat=False)
        self.assertEqual([d["message_id"] for d in documents], ["one", "two", "three"])
        timeline = self.server.get("/api/v1/customers/user_id:u1/timeline").json["events"]
        for event in timeline:
            published = next(d for d in documents if d["record"] == event["record"])
            self.assertEqual({k: v for k, v in published.items() if k != "customer_id"}, event)
        known = self.check_changes()
        self.assertIn(anonymous, known)
        self.assertIn(self.server.customer("user_id:u1")["customer_id"], known)

    def test_merges_and_unmerges_by_hand_are_changes(self):
        self.serve("merge")
        self.server.post_events([{"event": "A", "user_id": "w"}, {"event": "B", "user_id": "l"}])
        winner, loser = (self.server.customer(f"user_id:{name}")["customer_id"] for name in "wl")
        self.settle()
        answer = self.server.post("/api/v1/identities/merge", {"winner": "user_id:w", "loser": "user_id:l", "reason": "one"})
        if answer.status == 200:
            self.fail("two user_ids are never one customer")
        self.server.post_events([{"event": "C", "device_id": "d"}])
        device = self.server.customer("device_id:d")["customer_id"]
        answer = self.server.post("/api/v1/identities/merge", {"winner": "user_id:w", "loser": "device_id:d", "reason": "one"})
        self.assertEqual(answer.status, 200, answer)
        self.settle()
        known = self.check_changes()
        self.assertEqual(known[device], {"merged_into": winner})
        self.assertEqual(known[winner]["events"], 2)
        links = self.server.get("/api/v1/customers/user_id:w/identities").json["links"]
        link = next(l["link"] for l in links if l["kind"] == "manual")
        answer = self.server.post("/api/v1/identities/unmerge", {"customer": "user_id:w", "link": link, "reason": "two"})
        self.assertEqual(answer.status, 200, answer)
        self.settle()
        known = self.check_changes()
        self.assertEqual(known[winner]["events"], 1)
        self.assertEqual(known[self.server.customer("device_id:d")["customer_id"]]["events"], 1)
        self.assertEqual(known[loser]["events"], 1)

    def test_a_killed_server_loses_nothing(self):
        self.serve("killed")
        for round_number in range(3):
            before = self.figures().get("kehu_published_messages_total events", 0)
            for n in range(5):
                self.post(round_number * 5000 + n * 1000, 1000)
            wait_for(lambda: self.figures()["kehu_published_messages_total events"] > before, 30, "the first message")
            self.server.kill()
            self.server.start()
        self.settle()
        self.assertEqual(len(self.check_events(may_repeat=True)), 15000)
        self.assertEqual(len(self.check_changes()), 40)
        self.server.stop()
        check = kehu_server.run("check", "--data", self.server.data)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)

    def test_a_broker_may_be_away(self):
        self.serve("away")
        self.post(0, 100)
        self.settle()
        self.broker.stop()
        try:
            self.post(100, 5000)
            wait_for(lambda: '"level":"warning","message":"topic away-events' in self.server.log_text(), 30, "the complaint")
            self.assertGreaterEqual(self.figures()["kehu_publish_behind events"], 5000)
            begun = time.monotonic()
            self.server.stop()
            self.assertLess(time.monotonic() - begun, 8)
            self.server.start()
            self.post(5100, 100)
            wait_for(lambda: self.server.log_text().count('"level":"warning","message":"topic away-events') == 2, 30,
                     "the complaint of the next run")
        finally:
            self.broker.start_again()
        self.settle()
        self.assertIn("topic away-events: flows again", self.server.log_text())
        self.assertEqual(len(self.check_events(may_repeat=True)), 5200)
        self.check_changes()
        self.assertEqual(self.figures()["kehu_publish_errors_total events"], 0)

    def test_a_refused_message_holds_up_its_topic_and_no_more(self):
        self.serve("small", **{"message.max.bytes": "1000"})
        self.server.post_events([{"event": "A", "user_id": "u1", "properties": {"text": "x" * 2000}}])
        wait_for(lambda: self.figures()["kehu_publish_errors_total events"] > 0, 30, "the refusal")
        self.assertIn("topic small-events: ", self.server.log_text())
        self.publication.write_text(self.publication.read_text().replace('"1000"', '"100000"'))
        self.server.stop()
        self.server.start()
        self.settle()
        self.assertEqual(len(self.check_events(may_repeat=True)), 1)

    def test_a_mistake_in_the_file_ends_the_start(self):
        wrong = self.work / "wrong.toml"
        for text, complaint in [('[kafka]\nbrokers = "a:1"\n', "a topic is missing"),
                                ('[kafka]\nbrokers = "a:1"\nevents = "e"\n[kafka.properties]\n"no.such" = "1"\n', "no.such"),
                                ('[kafka]\nbrokers = "a:1"\nevents = "e"\n[kafka.properties]\n"sasl.password" = "$NOT_SET"\n',
                                 "NOT_SET")]:
            wrong.write_text(text)
            done = kehu_server.run("serve", "--data", self.work / "wrong-data", "--listen",
                                   f"127.0.0.1:{kehu_server.free_port()}", "--publish", wrong)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn(complaint, done.stderr)


if __name__ == "__main__":
    kehu_server.main()
