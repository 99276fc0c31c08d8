#!/usr/bin/env python3
"""`kehu demo` starts a believable shop that goes on living, and a page to look at it."""
import subprocess
import time
import unittest

import kehu_server


class DemoTest(unittest.TestCase):
    def start(self, data, port):
        log = open(data.parent / f"{data.name}.log", "wb")
        self.addCleanup(log.close)
        command = [kehu_server.BINARY, "demo", "--data", data, "--listen", f"127.0.0.1:{port}", "--seed", "7",
                   "--customers", "800", "--days", "20", "--live-traffic", "4000"]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=kehu_server.environment())
        self.addCleanup(lambda: process.poll() is None and (process.kill(), process.wait()))
        server = kehu_server.Server(data, port=port)
        server.process = process
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None:
            try:
                if server.get("/readyz").status == 200 and "Ctrl-C" in server.log_text():
                    return server
            except OSError:
                pass
            time.sleep(0.05)
        self.fail("the demo did not start:\n" + server.log_text())

    def test_history_then_live(self):
        work = kehu_server.scratch(self)
        server = self.start(work / "demo", kehu_server.free_port())
        page = server.request("GET", "/")
        self.assertEqual(page.status, 200)
        self.assertIn("Content-Security-Policy".lower(), page.headers)
        text = (work / "demo.log").read_text()
        self.assertIn(kehu_server.WRITE_KEY, text)
        self.assertIn(kehu_server.ADMIN_TOKEN, text)

        first = server.get("/api/v1/stats").json
        time.sleep(10)
        live = server.get("/api/v1/stats").json["events"] - first["events"]
        # 500 customers so far, 0.12 visits a day each, some seven events a visit, times 4000: 20 a second.
        self.assertGreater(live, 50, "the stream is at its full rate from the first second")

        segments = {s["name"]: s for s in server.get("/api/v1/segments").json["segments"]}
        self.assertEqual(len(segments), 14, segments.keys())
        self.assertEqual({s["state"] for s in segments.values()}, {"live"}, "they came before the history")
        lists = {each["name"]: each for each in server.get("/api/v1/lists").json["lists"]}
        cards, quiet = (lists[name]["upload"]["customers"] for name in ("门店会员卡", "勿扰名单"))
        self.assertGreater(quiet, 5)
        self.assertGreater(cards, 2 * quiet)
        self.assertEqual(lists["门店会员卡"]["used_by"], ["segment 金卡未到店"])
        gold = server.post("/api/v1/rules/preview", {"rule": 'list.门店会员卡 = "金卡"'}).json["size"]
        self.assertTrue(0 < gold < cards, gold)
        for name in ("此刻在线", "加购未支付", "小红书兴趣", "线上线下", "可短信触达"):
            self.assertGreater(segments[name]["size"], 0, name)
        time.sleep(3)
        later = server.get("/api/v1/segments").json["segments"]
        self.assertNotEqual({s["name"]: s["size"] for s in later}, {n: s["size"] for n, s in segments.items()}, "they move")

        shop = {r["channel"]: int(r["n"]) for r in server.sql("SELECT channel, count(*) AS n FROM events GROUP BY channel")}
        self.assertGreaterEqual(len([name for name in shop if name != "unknown"]), 4, shop)
        known = server.sql("SELECT count(DISTINCT customer_id) AS n FROM events WHERE event = 'Order Completed'")
        self.assertGreater(int(known[0]["n"]), 20)
        counts = server.get("/api/v1/rejections/counts").json["counts"]
        self.assertTrue(counts, "some events are broken, as in life")
        days = server.sql("SELECT count(DISTINCT dt) AS n FROM events")
        self.assertGreaterEqual(int(days[0]["n"]), 20)
        server.stop()
        self.assertEqual(kehu_server.run("check", "--data", server.data).returncode, 0)

        demo_file = server.data / "demo.json"
        text = demo_file.read_text()
        demo_file.write_text(text.replace('"seed":7', '"seed":6'))
        self.assertEqual(kehu_server.run("check", "--data", server.data).returncode, 1)
        demo_file.write_text(text)

        before = first["events"]
        again = self.start(work / "demo", kehu_server.free_port())
        self.assertGreaterEqual(again.get("/api/v1/stats").json["events"], before, "it goes on where it was")
        again.stop()


if __name__ == "__main__":
    kehu_server.main()
