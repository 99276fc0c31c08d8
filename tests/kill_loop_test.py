#!/usr/bin/env python3
"""kill -9 under load, again and again: everything acknowledged is there once, nothing is there twice, in order, and the
customers agree with it; every reminder becomes one intent, which is counted once. KEHU_LONG=1 kills 100 times, otherwise 8. (power_cut_test.py is the twin that can see a missing
fsync, which this one cannot.)"""
import random
import time
import unittest

import durability
import kehu_server
import reminders

KILLS = 100 if kehu_server.LONG else 8
SEED = 1


class KillLoopTest(unittest.TestCase):
    def test_nothing_is_lost_or_doubled(self):
        work = kehu_server.scratch(self)
        reminding = reminders.Reminders(self, SEED)
        server = kehu_server.Server(work / "data", *reminding.arguments).start()
        load = durability.Load(server.port, work / "acks", SEED)
        self.addCleanup(load.stop)
        reminding.start(server.port)
        dice = random.Random(SEED)
        before = 0
        for kill in range(KILLS):
            time.sleep(dice.uniform(0.1, 1.5))
            server.kill()
            server.start()
            acknowledged = sum(load.acknowledged().values())
            self.assertIsNone(load.process.poll(), "the load generator ended")
            self.assertGreaterEqual(acknowledged, before)
            before = acknowledged
        time.sleep(0.5)
        load.stop()
        reminding.stop()
        acknowledged = load.acknowledged()
        rows = durability.stored(server)
        print(f"kill loop, seed {SEED}: {KILLS} kills, {sum(acknowledged.values())} events acknowledged, {len(rows)} stored")
        self.assertEqual(durability.problems(rows, acknowledged), [])
        self.assertEqual(durability.customers_disagree(server, rows), [])
        self.assertEqual(reminding.problems(server), [])
        print(f"kill loop: {reminding.told()}")
        self.assertGreater(len(reminding.acknowledged), 4 * KILLS, "hardly any reminder got through")
        self.assertGreater(sum(acknowledged.values()), 100 * KILLS, "hardly any load got through")

        server.stop()
        checked = kehu_server.run("check", "--data", server.data)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        # An orderly end changes nothing either.
        server.start()
        self.addCleanup(server.stop)
        self.assertEqual(durability.stored(server), rows)
        self.assertEqual(durability.customers_disagree(server, rows, seed=2), [])
        self.assertEqual(reminding.problems(server), [])

    def test_the_comparison_sees_faults(self):
        rows = [f"0-{n}" for n in range(10)]
        self.assertEqual(durability.problems(rows, {0: 10}), [])
        self.assertEqual(durability.problems(rows, {0: 9}), [], "stored without an answer is allowed")
        for name, bad in {"lost": rows[:4] + rows[5:], "doubled": rows + ["0-9"],
                          "disordered": rows[:3] + ["0-4", "0-3"] + rows[5:]}.items():
            self.assertEqual(len(durability.problems(bad, {0: 10})), 1, name)

    def test_the_comparison_of_reminders_sees_faults(self):
        def faults(came, counted):
            channel = reminders.TestChannel(self)
            for key, text in came:
                channel.take(key, text)
            return len(reminders.faults({"a", "b"}, channel, counted))

        good = [("1-0", "a"), ("2-0", "b"), ("1-0", "a")]
        self.assertEqual(faults(good, (2, 2)), 0)
        for name, came, counted in (("lost", good[::2], (1, 1)), ("doubled", [*good, ("3-0", "b")], (3, 3)),
                                    ("two texts", [*good, ("1-0", "b")], (2, 2)), ("counted twice", good, (3, 2)),
                                    ("not counted", good, (2, 1))):
            self.assertEqual(faults(came, counted), 1, name)


if __name__ == "__main__":
    kehu_server.main()
