#!/usr/bin/env python3
"""Public data sets through `kehu import` and back out of `kehu sql` and `kehu customer`: the figures are the published
ones. The sets lie beside the repository (../shared/data), because most may not be passed on."""
import csv
import io
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import kehu_server  # noqa: E402

DATA = kehu_server.SHARED / "data"
EXAMPLES = kehu_server.ROOT / "examples"


class RealDataTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        if not DATA.is_dir():
            kehu_server.skip(self, f"{DATA} is missing, so no real data was imported")
        self.data = kehu_server.scratch(self) / "data"

    def kehu(self, *arguments):
        done = kehu_server.run(*arguments, timeout=600)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def load(self, mapping, *files):
        """What `kehu import` reports."""
        paths = [DATA / file for file in files]
        return json.loads(self.kehu("import", "--data", self.data, "--map", EXAMPLES / mapping, "--json", *paths))

    def sql(self, statement):
        """Rows as lists of texts."""
        answer = self.kehu("sql", "--data", self.data, "--format", "csv", statement)
        return list(csv.reader(io.StringIO(answer)))[1:]

    def counts(self):
        return {name: int(count) for name, count in self.sql("SELECT event, count(*) FROM events GROUP BY event")}

    def assert_sound(self):
        self.kehu("check", "--data", self.data)

    def test_taobao(self):
        file = "taobao_userbehavior/UserBehavior_first815users.csv.gz"
        report = self.load("taobao_userbehavior.toml", file)
        self.assertEqual((report["rows"], report["accepted"], report["rejected"]), (84_475, 84_440, 35))
        self.assertEqual(report["unmappable_by_reason"], {"time_out_of_range": 35})
        self.assertEqual(self.counts(), {"Product Viewed": 75_872 - 35, "Product Added": 4_497,
                                         "Product Added to Wishlist": 2_356, "Order Completed": 1_750})
        self.assertEqual(self.sql("SELECT count(DISTINCT customer_id) FROM events"), [["815"]])
        again = self.load("taobao_userbehavior.toml", file)
        self.assertEqual((again["accepted"], again["repeats"], again["rejected"]), (0, 84_440, 0))
        counts = json.loads(self.kehu("rejections", "counts", "--data", self.data, "--json"))
        self.assertIn("time_out_of_range", json.dumps(counts))
        self.assert_sound()

    def test_jdata(self):
        report = self.load("jdata_actions.toml", "jdata_jd_sample/JData_Action_201602.csv.gz")
        self.assertEqual((report["rows"], report["accepted"], report["rejected"]), (29_999, 29_999, 0))
        counts = self.counts()
        self.assertEqual([counts[name] for name in ("Product Clicked", "Product Viewed", "Product Added",
                                                    "Order Completed")], [17_240, 12_023, 443, 38])
        self.assertEqual(self.sql("SELECT count(DISTINCT customer_id) FROM events"), [["1030"]])
        months = [f"jdata_jd_sample/JData_Action_20160{month}.csv.gz" for month in (3, 4)]
        self.assertEqual(self.load("jdata_actions.toml", *months)["accepted"], 59_998)
        self.assertEqual(self.load("jdata_users.toml", "jdata_jd_sample/JData_User.csv")["accepted"], 29_999)
        customer = json.loads(self.kehu("customer", "user_id:200001", "--data", self.data, "--json"))
        self.assertEqual(customer["traits"]["age_group"], "56岁以上")

    def test_online_retail(self):
        report = self.load("online_retail.toml", "online_retail_uci/online_retail.csv.gz")
        self.assertEqual((report["rows"], report["accepted"], report["rejected"]), (541_909, 541_909, 0))
        self.assertEqual(report["exact_duplicate_rows"], 5_268)
        lines, anonymous, invoices, cancelled, customers = self.sql("""
            SELECT count(*), count(*) FILTER ((properties->>'customer_no') IS NULL),
                   count(DISTINCT properties->>'order_id'),
                   count(DISTINCT properties->>'order_id') FILTER (event = 'Order Line Cancelled'),
                   count(DISTINCT customer_id) FILTER ((properties->>'customer_no') IS NOT NULL) FROM events""")[0]
        self.assertEqual((lines, anonymous, invoices, cancelled, customers),
                         ("541909", "135080", "25900", "3836", "4372"))
        # The statement that the mapping's own comment gives.
        comment = (EXAMPLES / "online_retail.toml").read_text().split("\n\n")[0]
        statement = "\n".join(line.lstrip("# ") for line in comment.split("\n") if line.startswith("#   "))
        lines, customers, orders, revenue = self.sql(statement)[0]
        self.assertEqual((lines, customers, orders), ("397884", "4338", "18532"))
        self.assertEqual(round(float(revenue), 2), 8_911_407.90)
        customer = json.loads(self.kehu("customer", "user_id:12347", "--data", self.data, "--json"))
        self.assertEqual(customer["revenue"], [{"currency": "GBP", "orders": 7, "revenue": 4310, "refunded": 0}])
        self.assertEqual(len(customer["orders"]), 7)
        self.assert_sound()

    def test_complete_journey(self):
        report = self.load("completejourney_transactions.toml", "completejourney/transactions_sample.csv.gz")
        self.assertEqual((report["rows"], report["accepted"], report["rejected"]), (75_000, 75_000, 0))
        self.assertEqual(self.counts(), {"Order Line": 75_000})
        household, *stored = self.sql("""
            SELECT customer_id, count(*), count(DISTINCT properties->>'order_id'),
                   sum(CAST(properties->>'amount' AS DECIMAL(18,4)))::DECIMAL(18,2)
            FROM events GROUP BY customer_id ORDER BY count(*) DESC, customer_id LIMIT 1""")[0]
        customer = json.loads(self.kehu("customer", household, "--data", self.data, "--json"))
        revenue = customer["revenue"][0]
        self.assertEqual([str(customer["events"]), str(revenue["orders"]), f"{revenue['revenue']:.2f}"], stored,
                         "the live customer and the archive agree")

    def test_tmall_orders(self):
        report = self.load("tmall_orders.toml", "tmall_orders_2020/tmall_order_report.csv.gz")
        self.assertEqual((report["rows"], report["rejected"]), (28_010, 0))
        rows = self.sql("""SELECT event, count(*), sum(CAST(coalesce(properties->>'revenue', properties->>'total') AS DECIMAL(18, 2)))
                           FROM events GROUP BY event ORDER BY event""")
        self.assertEqual(rows, [["Order Completed", "24087", "1902487.15"], ["Order Placed", "28010", "2995760.61"],
                                ["Order Refunded", "5646", "572335.92"]])

    def test_snowplow_web(self):
        report = self.load("snowplow_web.toml", "snowplow_web/snowplow_web_events.csv")
        # Three event ids stand twice in the set, with different fields.
        self.assertEqual((report["rows"], report["accepted"], report["conflicts"]), (160, 157, 3))

    def test_splunk_access_log(self):
        report = self.load("splunk_access_log.toml", "splunk_buttercup/access_combined_wcookie.log.gz")
        self.assertEqual((report["rows"], report["accepted"], report["rejected"]), (39_532, 39_532, 0))
        self.assertEqual(sum(self.counts().values()), 39_532)
        again = self.load("splunk_access_log.toml", "splunk_buttercup/access_combined_wcookie.log.gz")
        self.assertEqual((again["accepted"], again["repeats"]), (0, 39_532))


if __name__ == "__main__":
    kehu_server.main()
