#!/usr/bin/env python3
"""`kehu revise`: today's settings hold for all that ever came. Compared with an installation that had them all along."""
import json
import unittest

import kehu_server
from kehu_server import run

# A shop writes "shared-till" for whoever pays at the till, and calls its orders by a name of its own.
EVENTS = [
    {"event": "Visit", "user_id": "shared-till", "anonymous_id": "a-1"},
    {"event": "Visit", "user_id": "shared-till", "anonymous_id": "a-2"},
    {"event": "Visit", "user_id": "u-3", "phone": "13912345678"},
    {"event": "Visit", "user_id": "u-3", "anonymous_id": "a-3"},
    {"event": "Visit", "device_id": "till-7", "phone": "13912345678"},
    {"event": "Visit", "device_id": "till-7", "email": "li@example.cn"},
    {"event": "Tea Sold", "user_id": "u-3", "properties": {"bill": "B1", "paid": "￥1,099.00"}},
    {"event": "Tea Sold", "anonymous_id": "a-1", "properties": {"bill": "B2", "paid": 20}},
    {"event": "Visit", "anonymous_id": "a-1", "phone": "13987654321"},
]
AFTER = [
    {"event": "Visit", "user_id": "SHARED-TILL", "anonymous_id": "a-4"},
    {"event": "Tea Sold", "user_id": "u-3", "properties": {"bill": "B3", "paid": 5}},
]
SETTINGS = {"nobody": ["shared-till", "till-*", "13987654321"],
            "vocabulary": {"events": {"Tea Sold": {"means": "Order Completed", "amount": "paid", "order_id": "bill"}}, "currency": "CNY"}}


def lines(events, first):
    return "".join(json.dumps({"time": f"2026-11-01T10:00:{first + i:02}Z", "message_id": f"m-{first + i}", **event}) + "\n"
                   for i, event in enumerate(events))




def without_moments(document):
    """A document without when it was made, and without the numbers of records: the settings are a record, too."""
    if isinstance(document, dict):
        return {k: without_moments(v) for k, v in document.items() if k not in ("as_of", "log_position", "link") and not k.endswith("record")}
    return [without_moments(v) for v in document] if isinstance(document, list) else document


class ReviseTest(unittest.TestCase):
    def setUp(self):
        self.work = kehu_server.pathlib.Path(kehu_server.tempfile.mkdtemp(prefix="kehu-test-"))
        self.addCleanup(kehu_server.shutil.rmtree, self.work, ignore_errors=True)
        self.changed, self.always = self.work / "changed", self.work / "always"

    def kehu(self, *arguments, code=0):
        done = run(*arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stderr if code else done.stdout

    def send(self, data, events, first):
        server = kehu_server.Server(data).start()
        try:
            answer = server.request("POST", "/api/v1/events", lines(events, first),
                                    {"Authorization": f"Bearer {kehu_server.WRITE_KEY}",
                                     "Content-Type": "application/x-ndjson"})
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(answer.json["accepted"], len(events), answer)
        finally:
            server.stop()

    def settings(self, data):
        now = json.loads(self.kehu("settings", "get", "--data", data))
        for key, value in SETTINGS.items():
            now[key] = {**now[key], **value} if isinstance(value, dict) else value
        path = self.work / "settings.json"
        path.write_text(json.dumps(now))
        self.kehu("settings", "set", path, "--data", data)

    def sql(self, data, statement):
        return json.loads(self.kehu("sql", "--data", data, "--format", "json", statement))

    def truth(self, data):
        """Everything that must not depend on when the settings came."""
        server = kehu_server.Server(data).start()
        try:
            sql = server.sql
            events = sql("SELECT message_id, event, customer_id FROM events ORDER BY message_id")
            customers = {e["customer_id"]: without_moments(server.customer(e["customer_id"])) for e in events}
            return customers, events, sql("SELECT * FROM orders ORDER BY ALL")
        finally:
            server.stop()

    def both(self):
        self.kehu("settings", "set", "time_zone", "Asia/Shanghai", "--data", self.changed)
        kehu_server.shutil.copytree(self.changed, self.always)  # with its key: the same ids are the same customers
        self.send(self.changed, EVENTS, 0)
        self.settings(self.changed)
        self.send(self.changed, AFTER, 30)
        self.settings(self.always)
        self.send(self.always, EVENTS, 0)
        self.send(self.always, AFTER, 30)

    def test_it_is_as_if_the_settings_had_been_there_from_the_beginning(self):
        self.both()
        owner = "SELECT customer_id FROM events WHERE message_id = 'm-%d'"
        before = self.truth(self.changed)
        self.assertEqual(self.sql(self.changed, owner % 0), self.sql(self.changed, owner % 1), "strangers were joined")
        foreseen = json.loads(self.kehu("revise", "--data", self.changed, "--dry-run", "--json"))
        self.assertEqual(self.truth(self.changed), before, "a dry run changes nothing")
        done = json.loads(self.kehu("revise", "--data", self.changed, "--json"))
        self.assertEqual((done["settings"], done["events"]), (1, 5))
        self.assertEqual((foreseen["events"], foreseen["values"]), (done["events"], done["values"]))
        self.assertEqual([(v["type"], v.get("value"), v["left_out"], v["events"]) for v in done["values"]],
                         [("device_id", "till-7", "blocked", 2), ("user_id", "shared-till", "blocked", 2),
                          ("phone", None, "blocked", 1)])
        self.assertGreater(done["customers"], done["customers_before"])
        self.assertNotEqual(self.sql(self.changed, owner % 0), self.sql(self.changed, owner % 1))
        self.assertEqual(self.truth(self.changed), self.truth(self.always))
        bill = self.sql(self.changed, "SELECT order_id, amount FROM orders ORDER BY 1")
        self.assertEqual([(o["order_id"], o["amount"]) for o in bill], [("B1", 1099), ("B2", 20), ("B3", 5)])
        customer = json.loads(self.kehu("customer", "user_id:u-3", "--data", self.changed, "--json"))
        self.assertEqual([(r["orders"], r["revenue"]) for r in customer["revenue"]], [(2, 1104)])
        self.assertEqual(run("customer", "user_id:shared-till", "--data", self.changed).returncode, 1)
        self.assertIn("sound", self.kehu("check", "--data", self.changed))
        again = json.loads(self.kehu("revise", "--data", self.changed, "--json"))
        self.assertEqual((again["settings"], again["events"]), (0, 0))
        self.assertEqual(self.truth(self.changed), self.truth(self.always))

    def test_a_repeat_is_still_a_repeat(self):
        self.both()
        said = self.kehu("revise", "--data", self.changed)
        self.assertIn("user_id shared-till: left out, blocked (2 events)", said)
        self.assertIn("phone (personal): left out", said)
        server = kehu_server.Server(self.changed).start()
        self.addCleanup(server.stop)
        answer = server.request("POST", "/api/v1/events", lines(EVENTS, 0),
                                {"Authorization": f"Bearer {kehu_server.WRITE_KEY}",
                                 "Content-Type": "application/x-ndjson"})
        self.assertEqual((answer.json["repeats"], answer.json["accepted"]), (len(EVENTS), 0), answer)
        self.assertIn("no server runs", self.kehu("revise", "--data", self.changed, code=1))

    def test_what_cannot_be_revised(self):
        self.assertIn("is no data directory", self.kehu("revise", "--data", self.work / "none", code=1))


if __name__ == "__main__":
    kehu_server.main()
