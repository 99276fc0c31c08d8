#!/usr/bin/env python3
"""Public data sets, imported with the mappings of examples/, give the figures that are known of them. The sets are not
part of the repository; without them everything here is skipped."""
import csv
import io
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import kehu_server  # noqa: E402

DATA = kehu_server.SHARED / "data"


class ImportTest(unittest.TestCase):
    """One data directory per set, without a server: `kehu import --data`, then `kehu sql` and `kehu customer`."""

    def imported(self, mapping, *files):
        """(data directory, the import's report)"""
        for name in files:
            if not (DATA / name).exists():
                kehu_server.skip(self, f"{DATA / name} is not here")
        data = kehu_server.scratch(self) / "data"
        return data, self.run_import(data, mapping, *files)

    def run_import(self, data, mapping, *files):
        done = kehu_server.run("import", "--data", data, "--map", kehu_server.ROOT / "examples" / mapping,
                               *(DATA / name for name in files), "--json", timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def rows(self, data, statement):
        done = kehu_server.run("sql", "--data", data, "--format", "csv", statement, timeout=600)
        self.assertEqual(done.returncode, 0, done.stderr)
        return list(csv.reader(io.StringIO(done.stdout)))[1:]

    def per_event(self, data):
        return {name: int(count) for name, count in self.rows(data, "SELECT event, count(*) FROM events GROUP BY event")}

    def customer(self, data, name):
        done = kehu_server.run("customer", name, "--data", data, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def assert_nothing_new(self, data, mapping, *files):
        again = self.run_import(data, mapping, *files)
        self.assertEqual((again["accepted"], again["rejected"], again["conflicts"]), (0, 0, 0), again)

    def test_taobao(self):
        files = ["taobao_userbehavior/UserBehavior_first815users.csv.gz"]
        data, report = self.imported("taobao_userbehavior.toml", *files)
        self.assertEqual((report["rows"], report["accepted"], report["rejected"]), (84_475, 84_440, 35), report)
        self.assertEqual(report["unmappable_by_reason"], {"time_out_of_range": 35})
        counts = self.per_event(data)
        # The 35 rows outside the nine days are in quarantine, so the events and they together are the set's rows.
        rejected = json.loads(kehu_server.run("rejections", "counts", "--data", data, "--json").stdout)["counts"]
        self.assertEqual([(c["reason"], c["total"]) for c in rejected], [("time_out_of_range", 35)])
        self.assertEqual(counts["Product Added"] + counts["Product Added to Wishlist"] + counts["Order Completed"]
                         + counts["Product Viewed"] + 35, 75_872 + 4_497 + 2_356 + 1_750)
        users = self.rows(data, "SELECT count(DISTINCT customer_id), min(time) >= '2017-11-25 00:00:00+08', "
                                "max(time) < '2017-12-04 00:00:00+08' FROM events")
        self.assertEqual(users, [["815", "true", "true"]])
        self.assert_nothing_new(data, "taobao_userbehavior.toml", *files)

    def test_online_retail(self):
        files = ["online_retail_uci/online_retail.csv.gz"]
        data, report = self.imported("online_retail.toml", *files)
        self.assertEqual((report["rows"], report["accepted"], report["rejected"]), (541_909, 541_909, 0), report)
        self.assertEqual(report["exact_duplicate_rows"], 5_268)
        figures = self.rows(data, """
            SELECT count(*), count(*) FILTER ((properties->>'customer_no') IS NULL),
                   count(DISTINCT properties->>'order_id'),
                   count(DISTINCT properties->>'order_id') FILTER (event = 'Order Line Cancelled'),
                   count(DISTINCT properties->>'customer_no')
            FROM events""")
        self.assertEqual(figures, [["541909", "135080", "25900", "3836", "4372"]])
        clean = self.rows(data, """
            SELECT count(*), count(DISTINCT customer_id), count(DISTINCT properties->>'order_id'),
                   sum(CAST(properties->>'amount' AS DECIMAL(18,4)))::DECIMAL(18,2)
            FROM events
            WHERE event = 'Order Line' AND (properties->>'customer_no') IS NOT NULL
              AND CAST(properties->>'quantity' AS INTEGER) > 0 AND CAST(properties->>'price' AS DOUBLE) > 0""")
        self.assertEqual(clean, [["397884", "4338", "18532", "8911407.90"]])
        customer = self.customer(data, "user_id:12347")
        self.assertEqual(customer["revenue"], [{"currency": "GBP", "orders": 7, "revenue": 4310, "refunded": 0}])
        self.assertEqual(len(customer["orders"]), 7)
        self.assert_nothing_new(data, "online_retail.toml", *files)

    def test_jdata(self):
        data, report = self.imported("jdata_actions.toml", "jdata_jd_sample/JData_Action_201602.csv.gz")
        self.assertEqual((report["rows"], report["accepted"]), (29_999, 29_999), report)
        counts = self.per_event(data)
        self.assertEqual((counts["Product Clicked"], counts["Product Viewed"], counts["Product Added"], counts["Order Completed"]),
                         (17_240, 12_023, 443, 38))
        self.assertEqual(self.rows(data, "SELECT count(DISTINCT customer_id) FROM events"), [["1030"]])
        users = self.run_import(data, "jdata_users.toml", "jdata_jd_sample/JData_User.csv")
        self.assertEqual(users["accepted"] + users["rejected"] + users["repeats"] + users["filtered_rows"], users["rows"], users)
        ages = {row[0] for row in self.rows(data, "SELECT DISTINCT traits->>'age_group' FROM events WHERE type = 'identify'") if row}
        self.assertTrue(any("岁" in age for age in ages), f"GBK is read as such: {ages}")

    def test_completejourney(self):
        data, report = self.imported("completejourney_transactions.toml", "completejourney/transactions_sample.csv.gz")
        self.assertEqual(report["accepted"], report["rows"], report)
        self.assertGreater(report["rows"], 70_000)
        stored = self.rows(data, """
            SELECT customer_id, count(*), count(DISTINCT properties->>'order_id'),
                   sum(CAST(properties->>'amount' AS DECIMAL(18,4)))::DECIMAL(18,2)
            FROM events GROUP BY customer_id ORDER BY count(*) DESC, customer_id LIMIT 1""")[0]
        customer = self.customer(data, stored[0])
        lines = sum(c["total"] for c in customer["counters"] if c["event"] == "Order Line")
        revenue = customer["revenue"][0]
        self.assertEqual([str(lines), str(revenue["orders"]), f"{revenue['revenue']:.2f}"], stored[1:])

    def test_tmall(self):
        files = ["tmall_orders_2020/tmall_order_report.csv.gz"]
        data, report = self.imported("tmall_orders.toml", *files)
        self.assertEqual((report["rows"], report["rejected"]), (28_010, 0), report)
        figures = {row[0]: row[1:] for row in self.rows(data, """
            SELECT event, count(*), sum(CAST(properties->>'total' AS DECIMAL(18,4)))::DECIMAL(18,2),
                   sum(CAST(properties->>'revenue' AS DECIMAL(18,4)))::DECIMAL(18,2)
            FROM events GROUP BY event""")}
        self.assertEqual(figures["Order Placed"][:2], ["28010", "2995760.61"])
        self.assertEqual((figures["Order Completed"][0], figures["Order Completed"][2]), ("24087", "1902487.15"))
        self.assertEqual(figures["Order Refunded"][:2], ["5646", "572335.92"])
        self.assert_nothing_new(data, "tmall_orders.toml", *files)

    def test_snowplow(self):
        data, report = self.imported("snowplow_web.toml", "snowplow_web/snowplow_web_events.csv")
        with open(DATA / "snowplow_web/snowplow_web_events.csv", newline="") as file:
            ids = {row["event_id"] for row in csv.DictReader(file)}
        self.assertEqual(report["unmappable"], 0, report)
        self.assertEqual(int(self.rows(data, "SELECT count(*) FROM events")[0][0]), len(ids))
        self.assertEqual(report["accepted"], len(ids))

    def test_splunk_log(self):
        files = ["splunk_buttercup/access_combined_wcookie.log.gz"]
        data, report = self.imported("splunk_access_log.toml", *files)
        self.assertEqual((report["rows"], report["accepted"], report["rejected"]), (39_532, 39_532, 0), report)
        self.assertEqual(self.rows(data, "SELECT count(*) FROM events WHERE (properties->>'status') IS NOT NULL"), [["39532"]])
        self.assert_nothing_new(data, "splunk_access_log.toml", *files)


if __name__ == "__main__":
    kehu_server.main()
