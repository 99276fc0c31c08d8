#!/usr/bin/env python3
"""Time and the outbox: reminders come due once, and reach a test channel at least once and are counted once, whatever
happens to the server meanwhile."""
import json
import os
import random
import time
import unittest

import kehu_server
import reminders
from reminders import in_seconds

ROUNDS = 200 if os.environ.get("KEHU_LONG") == "1" else 12


class OutboxTest(unittest.TestCase):
    def setUp(self):
        self.channel = reminders.TestChannel(self)
        self.server = kehu_server.Server(kehu_server.scratch(self) / "data", "--test-channel", self.channel.url).start()
        self.addCleanup(lambda: self.server.process and self.server.stop())

    def remind(self, wanted):
        answer = self.server.post("/api/v1/reminders", {"reminders": wanted})
        self.assertEqual(answer.status, 201, answer)

    def outbox(self):
        return reminders.outbox(self.server)

    def wait(self, what, patience=60):
        end = time.time() + patience
        while not what():
            self.assertLess(time.time(), end, self.outbox())
            time.sleep(0.02)

    def test_exactly_when_due(self):
        began = time.time()
        self.remind([{"channel": "test", "text": f"{i}", "due": in_seconds(0.5 + i * 0.3)} for i in range(8)])
        self.wait(lambda: len(self.channel.at) == 8)
        for text, at in self.channel.at.items():
            late = at - (began + 0.5 + int(text) * 0.3)
            self.assertTrue(-0.01 < late < 0.8, f"reminder {text} came {late:.3f} s late")
        self.wait(lambda: self.outbox()[1]["delivered"] == 8)
        self.assertEqual(self.outbox()[0]["timers_pending"], 0)

    def test_refusals_and_failures(self):
        answers = [500, 503, 429, 200]
        self.channel.answer = lambda: answers.pop(0) if len(answers) > 1 else answers[0]
        self.remind([{"channel": "test", "text": "again"}])
        self.wait(lambda: self.outbox()[1].get("delivered") == 1)
        self.channel.answer = lambda: 400
        self.remind([{"channel": "test", "text": "never"}, {"channel": "nowhere", "text": "waits"}])
        self.wait(lambda: self.outbox()[1].get("refused") == 1)
        everything, test = self.outbox()
        self.assertEqual((test["intents"], test["delivered"], test["pending"]), (2, 1, 0))
        self.assertEqual([c["pending"] for c in everything["channels"] if c["channel"] == "nowhere"], [1])
        # What an operator reads of it; nothing of what was to be delivered.
        said = [json.loads(line)["message"] for line in self.server.log.read_text().splitlines() if "the channel" in line]
        self.assertEqual(said[:2], ['the channel "test" failed once (answered 500); what failed is tried again',
                                    'the channel "test" delivers again'])
        self.assertNotIn("never", self.server.log.read_text())
        metrics = self.server.get("/metrics").body.decode()
        for name, value in [("attempts", 5), ("failures", 3), ("refusals", 1), ("without_channel", 1)]:
            self.assertIn(f"\nkehu_outbox_{name}_total {value}\n", metrics)

    def test_wrong_reminders(self):
        for wrong, place in [({"text": "x" * 50}, "/text"), ({"due": 1700000000}, "/due"), ({"due": "soon"}, "/due"),
                             ({"customer_id": "user_id:u1"}, "/customer_id"), ({"customer": "user_id:u1"}, "/customer ")]:
            answer = self.server.post("/api/v1/reminders", {"reminders": [{"channel": "test", "text": "1", **wrong}]})
            self.assertEqual(answer.status, 400, wrong)
            self.assertIn(f"/reminders/0{place}", answer.json["detail"])

    def test_killed_again_and_again(self):
        seed = int(os.environ.get("KEHU_SEED") or random.randrange(1 << 30))
        print(f"KEHU_SEED={seed}", flush=True)
        chance = random.Random(seed)
        given = 0
        self.channel.answer = lambda: 503 if chance.random() < 0.2 else 200
        for _ in range(ROUNDS):
            count = chance.randrange(1, 60)
            self.remind([{"channel": "test", "text": f"{given + i}", "due": in_seconds(chance.random() * 1.5)}
                         for i in range(count)])
            given += count
            time.sleep(chance.random() * 0.8)
            self.server.kill()
            time.sleep(chance.random() * 0.5)
            self.server.start()
        self.channel.answer = lambda: 200
        self.wait(lambda: self.outbox()[1].get("delivered") == given, patience=120)
        self.assertEqual(sorted(self.channel.texts.values(), key=int), [str(i) for i in range(given)], "each once by its key")
        _, test = self.outbox()
        self.assertEqual((test["intents"], test["delivered"], test["pending"]), (given, given, 0), "counted once")
        again = sum(self.channel.came.values()) - given
        print(f"{given} intents, {ROUNDS} kills, {again} came again", flush=True)
        self.assertLess(again, given, "most are not sent again")

    def test_many_at_once_do_not_stop_the_stream(self):
        count = 200_000 if os.environ.get("KEHU_LONG") == "1" else 20_000
        due = in_seconds(6)
        for first in range(0, count, 5000):
            self.remind([{"channel": "nowhere", "text": f"{first + i}", "due": due} for i in range(5000)])
        longest, end = 0, time.time() + 60
        while self.outbox()[0]["timers_pending"] > 0:
            self.assertLess(time.time(), end)
            began = time.time()
            answer = self.server.segment("/v1/track", {"userId": "u", "event": "Tried"})
            self.assertEqual(answer.status, 200)
            longest = max(longest, time.time() - began)
        print(f"{count} timers at once, the slowest event took {longest * 1000:.0f} ms", flush=True)
        self.assertLess(longest, 1)


if __name__ == "__main__":
    kehu_server.main()
