#!/usr/bin/env python3
"""kill -9 under load, again and again: everything acknowledged is there once, nothing is there twice, in order, and the
customers agree with it. KEHU_LONG=1 kills 100 times, otherwise 8. (power_cut_test.py is the twin that can see a missing
fsync, which this one cannot.)"""
import random
import time
import unittest

import durability
import kehu_server

KILLS = 100 if kehu_server.LONG else 8
SEED = 1


class KillLoopTest(unittest.TestCase):
    def test_nothing_is_lost_or_doubled(self):
        work = kehu_server.scratch(self)
        server = kehu_server.Server(work / "data").start()
        load = durability.Load(server.port, work / "acks", SEED)
        self.addCleanup(load.stop)
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
        acknowledged = load.acknowledged()
        rows = durability.stored(server)
        print(f"kill loop, seed {SEED}: {KILLS} kills, {sum(acknowledged.values())} events acknowledged, {len(rows)} stored")
        self.assertEqual(durability.problems(rows, acknowledged), [])
        self.assertEqual(durability.customers_disagree(server, rows), [])
        self.assertGreater(sum(acknowledged.values()), 100 * KILLS, "hardly any load got through")

        server.stop()
        checked = kehu_server.run("check", "--data", server.data)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        # An orderly end changes nothing either.
        server.start()
        self.addCleanup(server.stop)
        self.assertEqual(durability.stored(server), rows)
        self.assertEqual(durability.customers_disagree(server, rows, seed=2), [])

    def test_the_comparison_sees_faults(self):
        rows = [f"0-{n}" for n in range(10)]
        self.assertEqual(durability.problems(rows, {0: 10}), [])
        self.assertEqual(durability.problems(rows, {0: 9}), [], "stored without an answer is allowed")
        for name, bad in {"lost": rows[:4] + rows[5:], "doubled": rows + ["0-9"],
                          "disordered": rows[:3] + ["0-4", "0-3"] + rows[5:]}.items():
            self.assertEqual(len(durability.problems(bad, {0: 10})), 1, name)


if __name__ == "__main__":
    kehu_server.main()
