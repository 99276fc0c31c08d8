#!/usr/bin/env python3
"""What a mapping makes of rows, seen from outside: lists, conditions, ids of rows, times, numbers, look-ups."""
import json
import unittest

import kehu_server
from kehu_server import run

ORDERS = """[file]
%(file)s
[rows]
%(rows)s
[identifiers]
user_id = "customer"
[time]
column = "placed"
zone = "Asia/Shanghai"
[event]
name = "%(name)s"
%(event)s
[properties]
order_id = "order"
total = { column = "total", type = "number" }
currency = { constant = "CNY" }
%(properties)s
"""


class MappingTest(kehu_server.ServerTest):
    def setUp(self):
        self.work = kehu_server.scratch(self)

    def put(self, name, text):
        path = self.work / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def load(self, mapping, *files):
        done = run("import", "--url", self.server.url, "--key", kehu_server.WRITE_KEY, "--map", self.put("m.toml", mapping),
                   *files, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        return [report[key] for key in ("accepted", "repeats", "conflicts", "rejected")]

    def orders(self, name="Order Completed", file="", rows="", event="", properties=""):
        return ORDERS % {"name": name, "file": file, "rows": rows, "event": event, "properties": properties}

    def properties(self, user):
        rows = self.server.sql("SELECT event, properties FROM events WHERE customer_id = "
                               f"(SELECT max(customer_id) FROM events WHERE contains(identifiers, '{user}')) ORDER BY sequence")
        return [json.loads(row["properties"]) for row in rows]

    def test_lists_give_lists(self):
        row = {"customer": "it-1", "placed": "2026-11-01T10:00:00Z", "order": "I1", "total": 1, "tags": ["a", "b"],
               "items": [{"sku": "a", "price": 100, "qty": 2}, {"sku": "b", "price": 5, "qty": 1}]}
        file = self.put("o.ndjson", json.dumps(row) + "\n")
        lists = 'skus = "items[].sku"\ntags = "tags[]"\nrevenue = { multiply = ["items[].price", "items[].qty"] }\n'
        self.assertEqual(self.load(self.orders(file='format = "ndjson"', properties=lists), file), [1, 0, 0, 0])
        got = self.properties("it-1")[0]
        self.assertEqual((got["skus"], got["tags"], got["revenue"]), (["a", "b"], ["a", "b"], 205))
        each = self.orders("Line", 'format = "ndjson"', event='each = "items"', properties='sku = "items[].sku"')
        self.assertEqual(self.load(each, file), [2, 0, 0, 0])
        self.assertEqual(self.load(each, file), [0, 2, 0, 0])
        self.assertEqual(self.server.customer("user_id:it-1")["events"], 3)

    def test_flattened_json_is_named_by_its_paths(self):
        row = {"user.id": "flat-1", "order.date": "2026-11-01T10:00:00Z", "order.item.sku": "tea", "order": {"total": 5}, "a": {"b": 1}, "a.b": 2}
        file = self.put("flat.ndjson", json.dumps(row) + "\n")
        mapping = ('[file]\nformat = "ndjson"\n[identifiers]\nuser_id = "user.id"\n[time]\ncolumn = "order.date"\n[event]\nname = "E"\n'
                   '[properties]\nsku = "order.item.sku"\ntotal = "order.total"\nab = "a.b"\n')
        self.assertEqual(self.load(mapping, file), [1, 0, 0, 0])
        self.assertEqual(self.properties("flat-1"), [{"sku": "tea", "total": 5, "ab": 1}])
        proposed = run("map", file).stdout
        self.assertIn('user_id = "user.id"', proposed)
        self.assertIn('column = "order.date"', proposed)

    def test_conditions_read_what_properties_read(self):
        file = self.put("k.csv", 'order,customer,placed,total\nT1,keep-1,2026-11-01 10:00,99.00\n'
                                 'T2,keep-1,2026-11-01 11:00,"1,299.00"\nT3,keep-1,2026-11-01 12:00,0.00\n'
                                 'T4,keep-1,2026-11-01 12:00,many\n')
        rows = 'keep = { column = "total", above = 0 }'
        self.assertEqual(self.load(self.orders(rows=rows), file), [2, 0, 0, 1])
        self.assertEqual(self.server.customer("user_id:keep-1")["revenue"][0]["revenue"], 1398)

    def test_a_rows_id_is_that_of_its_kind_of_event(self):
        rows = 'identity = ["order"]'
        file = self.put("o.csv", "order,customer,placed,total\nK1,kind-1,2026-11-01 10:00,100\n")
        self.server.post_events([{"event": "Order Shipped", "message_id": "K1", "user_id": "kind-1",
                                  "time": "2026-11-01T10:00:00Z"}])
        self.assertEqual(self.load(self.orders(rows=rows), file), [1, 0, 0, 0])
        self.assertEqual(self.load(self.orders("Order Refunded", rows=rows), file), [1, 0, 0, 0])
        self.assertEqual(self.load(self.orders("Order Refunded", rows=rows), file), [0, 1, 0, 0])
        revenue = self.server.customer("user_id:kind-1")["revenue"][0]
        self.assertEqual((revenue["revenue"], revenue["refunded"]), (100, 100))
        # By position, too: orders first, then what the same rows tell of customers.
        self.assertEqual(self.load(self.orders(), file), [1, 0, 0, 0])
        traits = '[file]\n[identifiers]\nuser_id = "customer"\n[time]\ncolumn = "placed"\n[event]\ntype = "identify"\n'
        self.assertEqual(self.load(traits + '[traits]\nlast = "order"\n', file), [1, 0, 0, 0])

    def test_events_that_come_to_a_mapping_leave_the_others_their_ids(self):
        one = self.orders("Order A", rows='identity = ["order"]')
        file = self.put("j.csv", "order,customer,placed,total\nJ1,join-1,2026-11-01 10:00,1\nJ2,join-1,2026-11-01 10:00,2\n")
        self.assertEqual(self.load(one, file), [2, 0, 0, 0])
        second = '[[event]]\nname = "Order C"\n'
        listed = one.replace("[event]", second + "[[event]]")
        self.assertEqual(self.load(listed, file), [2, 2, 0, 0])
        self.assertEqual(self.load(one.replace("[event]", "[[event]]").replace("[properties]", second + "[properties]"), file), [0, 4, 0, 0])
        # As the version before numbered them: by their place in the mapping.
        ids = [row["message_id"] for row in self.server.sql("SELECT message_id FROM events WHERE event = 'Order C'")]
        self.assertFalse([i for i in ids if "#" in i])
        kind = ids[0].split("~")[1]
        event = {"type": "track", "event": "Order C", "identifiers": {"user_id": "join-1"}, "time": "2026-11-01T02:00:00.000Z",
                 "message_id": f"row:J3~{kind}#1", "properties": {"currency": "CNY", "order_id": "J3", "total": 3}}
        self.server.post_events([json.dumps(event, separators=(",", ":"))])
        third = self.put("j.csv", "order,customer,placed,total\nJ3,join-1,2026-11-01 10:00,3\n")
        self.assertEqual(self.load(one.replace("[event]", "[[event]]").replace("[properties]", second + "[properties]"), third), [1, 1, 0, 0])

    def test_rows_that_an_earlier_version_imported_are_known(self):
        """It named the row by its columns alone, and sent the same bytes."""
        self.server.post_events([json.dumps(event, separators=(",", ":")) for event in (
            {"type": "track", "event": "Order Completed", "identifiers": {"user_id": "old-1"}, "time": "2026-11-01T02:00:00.000Z",
             "message_id": f"OLD{n}", "properties": {"currency": "CNY", "order_id": f"OLD{n}", "total": 100}} for n in (1, 2))])
        file = self.put("o.csv", "order,customer,placed,total\nOLD1,old-1,2026-11-01 10:00,100\n"
                                 "OLD2,old-1,2026-11-01 10:00,100\nOLD3,old-1,2026-11-01 10:00,100\n")
        rows = 'identity = ["order"]'
        self.assertEqual(self.load(self.orders(rows=rows), file), [1, 2, 0, 0])
        self.assertEqual(self.load(self.orders(rows=rows), file), [0, 3, 0, 0])
        self.assertEqual(self.server.customer("user_id:old-1")["events"], 3)

    def test_encodings_are_those_of_browsers(self):
        mapping = self.orders(file='encoding = "GB2312"', properties='name = "name"')
        text = "order,customer,placed,total,name\nE1,gb-1,2026-11-01 10:00,1,朱镕基\nE2,gb-1,2026-11-01 10:00,1,迪丽热巴·迪力木拉提\n"
        file = self.put("gb.csv", text.encode("gb18030") + b"E3,gb-1,2026-11-01 10:00,1,\xd6\xff\n")
        self.assertEqual(self.load(mapping, file), [2, 0, 0, 1])
        self.assertEqual([p["name"] for p in self.properties("gb-1")], ["朱镕基", "迪丽热巴·迪力木拉提"])

    def test_numbers_are_the_same_person_as_over_http(self):
        file = self.put("n.ndjson", '{"u":2001.0,"p":13911112222.0,"t":"2026-11-01T10:00:00Z"}\n')
        mapping = ('[file]\nformat = "ndjson"\n[identifiers]\nuser_id = "u"\nphone = "p"\n[time]\ncolumn = "t"\n'
                   '[event]\nname = "E"\n')
        self.assertEqual(self.load(mapping, file), [1, 0, 0, 0])
        customer = self.server.customer("user_id:2001")
        self.assertEqual(customer["customer_id"], self.server.customer("phone:13911112222")["customer_id"])

    def test_lists_of_customers_need_neither_time_nor_id(self):
        file = self.put("customers-20261101.csv", "name,level\nA,gold\nB,silver\n")
        mapping = ('[file]\n[rows]\nnumber = "row"\n[identifiers]\nanonymous_id = { column = "row", prefix = "list-" }\n'
                   '[time]\n%s\n[event]\ntype = "identify"\n[traits]\nlevel = "level"\n')
        for time in ('constant = "2026-10-01"', 'file = "%Y%m%d"', "now = true"):
            self.load(mapping % time, file)
            self.assertEqual(self.server.customer("anonymous_id:list-2")["traits"]["level"], "silver", time)
        self.assertEqual(self.load(mapping % 'file = "%Y%m%d"', file)[:2], [0, 2])

    def test_a_second_file_is_looked_up(self):
        self.put("products.csv", "sku,category\nP1,tea\n")
        file = self.put("o.csv", "order,customer,placed,total,sku\nL1,look-1,20261101,1,P1\nL2,look-1,2026年11月2日,1,P9\n")
        mapping = self.orders(properties='category = { lookup = "products", key = "sku", column = "category" }')
        self.load(mapping + '[lookup.products]\nfile = "products.csv"\nkey = "sku"\n', file)
        self.assertEqual([p.get("category") for p in self.properties("look-1")], ["tea", None])

    def test_a_dry_run_says_what_the_door_would_say(self):
        file = self.put("d.csv", "order,customer,placed,total\nD1,dry-1,2036-11-01,1\nD2,null,2026-11-01,1\n"
                                 "D3,dry-3,2026-11-01,1\nD4,dry-4,soon,1\n")
        mapping = self.orders() + '[traits]\nx = "order"\n'
        def dry(text, *where):
            done = run("import", *where, "--map", self.put("m.toml", text), file, "--dry-run")
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout
        shown = dry(mapping, "--data", self.server.data)
        for part in ("row 2: time_in_future", "row 3: no_identifier", "row 5: invalid_time", "1 could not be mapped",
                     "2 events would go into quarantine", "the settings of this installation", "nothing was changed"):
            self.assertIn(part, shown)
        wrong = mapping.replace("user_id = ", "userid = ")
        self.assertIn("3 events would go into quarantine", dry(wrong, "--data", self.server.data))
        self.assertIn("the default settings", dry(wrong, "--data", self.work / "none"))
        self.assertFalse((self.work / "none").exists())

    def test_a_text_that_is_also_a_column_is_warned_of(self):
        file = self.put("w.csv", "order,customer,placed,total,type\nW1,warn-1,2026-11-01,1,Push\n")
        done = run("import", "--url", self.server.url, "--key", kehu_server.WRITE_KEY, "--map",
                   self.put("m.toml", self.orders("type")), file)
        self.assertIn('name = { column = "type" }', done.stderr)


if __name__ == "__main__":
    kehu_server.main()
