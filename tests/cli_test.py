#!/usr/bin/env python3
"""The command line: exit codes, --json, and the same answers with a server and without one."""
import csv
import io
import json
import os
import unittest

import kehu_server
from kehu_server import run

EVENTS = [
    {"event": "Product Viewed", "user_id": "u1", "message_id": "m1", "time": "2026-01-02T03:04:05Z"},
    {"event": "Order Completed", "user_id": "u1", "phone": "13912345678", "message_id": "m2",
     "time": "2026-01-03T03:04:05Z", "properties": {"order_id": "o1", "total": 99.5, "currency": "CNY"}},
    {"event": "Product Viewed", "user_id": "u2", "message_id": "m3", "time": "2026-01-02T03:04:06Z"},
]


class CommandLineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = kehu_server.pathlib.Path(kehu_server.tempfile.mkdtemp(prefix="kehu-test-"))
        cls.addClassCleanup(kehu_server.shutil.rmtree, cls.work, ignore_errors=True)
        cls.data = cls.work / "data"
        cls.server = kehu_server.Server(cls.data).start()
        cls.server.post_events(EVENTS + ['{"event": "Nobody"}'])

    @classmethod
    def tearDownClass(cls):
        if cls.server.process is not None:
            cls.server.stop()

    def good(self, *arguments, **more):
        done = run(*arguments, **more)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def exit_code(self, code, *arguments, **more):
        done = run(*arguments, **more)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        self.assertTrue(done.stderr or code == 0, "an error says why")
        return done.stderr

    def test_wrong_usage_is_2(self):
        for arguments in ([], ["dance"], ["serve"], ["sql", "--data", self.data], ["customer", "--data", self.data],
                          ["customer", "user_id:u1"], ["sql", "--data", self.data, "--format", "xml", "SELECT 1"],
                          ["customer", "--data", self.data, "--url", self.server.url, "user_id:u1"],
                          ["rejections", "show", "--data", self.data], ["check"],
                          ["serve", "--data", f"{self.data}-new", "--test-channel", "localhost"],
                          ["serve", "--data", f"{self.data}-new", "--memory-mb", "-5"],
                          ["import", "--data", self.data, "--map", "/nowhere.toml", "x.csv"]):
            with self.subTest(arguments):
                self.assertEqual(run(*arguments).returncode, 2)

    def test_an_unknown_command_is_named(self):
        said = self.exit_code(2, "bogus", "--data", self.data)
        self.assertIn('"bogus"', said)
        for command in ("serve", "import", "customer", "sql"):
            self.assertIn(command, said)

    def test_somebody_elses_directory_is_left_alone(self):
        photos = self.work / "photos"
        photos.mkdir()
        (photos / "cat.jpg").write_text("miaow")
        for arguments in (["serve", "--listen", "127.0.0.1:0"], ["import", "--map", self.mapping(), self.rows("foreign.csv", "")]):
            said = self.exit_code(1, *arguments, "--data", photos)
            self.assertIn("cat.jpg", said)
            self.assertIn("new or empty directory", said)
        self.assertEqual(os.listdir(photos), ["cat.jpg"])

    def test_help_is_0(self):
        self.assertIn("serve", self.good("--help"))
        for command in ("serve", "demo", "import", "customer", "rejections", "sql", "check", "bench"):
            self.assertTrue(self.good(command, "--help"))
        self.assertRegex(self.good("--version"), r"^kehu \d+\.\d+")

    def test_failure_is_1(self):
        self.assertIn("user_id", self.exit_code(1, "customer", "user_id:nobody", "--data", self.data))
        self.assertIn("/nowhere", self.exit_code(1, "customer", "user_id:u1", "--data", "/nowhere"))
        self.exit_code(1, "customer", "user_id:u1", "--url", f"http://127.0.0.1:{kehu_server.free_port()}")
        self.assertIn("/nowhere", self.exit_code(1, "check", "--data", "/nowhere"))
        self.assertIn("in use", self.exit_code(1, "check", "--data", self.data))
        self.assertIn("in use", self.exit_code(1, "serve", "--data", self.data, "--listen", "127.0.0.1:0"))
        self.exit_code(1, "customer", "user_id:u1", "--url", self.server.url, env={"KEHU_ADMIN_TOKEN": "kat_wrong"})

    def same_everywhere(self, path, *arguments):
        """The API's answer, and the command line's over URL and socket."""
        rest = self.server.get(path).json
        for where in (["--url", self.server.url], ["--data", self.data]):
            self.assertEqual(self.without_moment(json.loads(self.good(*arguments, *where, "--json"))),
                             self.without_moment(rest), where)
        return self.without_moment(rest)

    @staticmethod
    def without_moment(document):
        """What the moment of asking changes is left out."""
        return {k: v for k, v in document.items() if k not in ("as_of", "log_position")}

    def test_json_is_what_the_api_answers(self):
        for path, arguments in {
            "/api/v1/customers/user_id:u1": ["customer", "user_id:u1"],
            "/api/v1/customers/phone:13912345678": ["customer", "phone:13912345678"],
            "/api/v1/customers/user_id:u1/timeline": ["customer", "user_id:u1", "--view", "timeline"],
            "/api/v1/customers/user_id:u1/identities": ["customer", "user_id:u1", "--view", "identities"],
            "/api/v1/rejections?limit=50": ["rejections"],
            "/api/v1/rejections/counts": ["rejections", "counts"],
        }.items():
            with self.subTest(path):
                self.same_everywhere(path, *arguments)

    def test_text_for_people(self):
        text = self.good("customer", "user_id:u1", "--data", self.data)
        self.assertIn("Order Completed", text)
        self.assertIn("139****5678", text)
        self.assertNotIn("13912345678", text)
        self.assertIn("no_identifier", self.good("rejections", "--data", self.data))
        self.assertIn("no_identifier", self.good("rejections", "counts", "--data", self.data))
        self.assertIn("Order Completed", self.good("customer", "user_id:u1", "--view", "timeline", "--data", self.data))
        links = self.good("customer", "user_id:u1", "--view", "identities", "--data", self.data).split("links")[1]
        self.assertIn("user_id u1", links)
        self.assertIn("phone 139****5678", links)

    def test_calls_without_a_name_are_shown_by_their_type(self):
        self.server.segment("/v1/identify", {"userId": "nameless", "traits": {"city": "上海"}, "messageId": "nameless-1"})
        for view in ("profile", "timeline"):
            text = self.good("customer", "user_id:nameless", "--view", view, "--data", self.data)
            self.assertIn("(identify)", text)

    def test_sql_formats(self):
        statement = "SELECT event, count(*) AS n FROM events WHERE message_id LIKE 'm_' GROUP BY event ORDER BY event"
        text = self.good("sql", "--data", self.data, "--format", "csv", statement)
        rows = list(csv.DictReader(io.StringIO(text)))
        wanted = [{"event": "Order Completed", "n": "1"}, {"event": "Product Viewed", "n": "2"}]
        self.assertEqual([r for r in rows if r["event"] in ("Order Completed", "Product Viewed")], wanted)
        lines = self.good("sql", "--data", self.data, "--format", "ndjson", statement).splitlines()
        self.assertIn({"event": "Order Completed", "n": 1}, [json.loads(line) for line in lines])
        self.assertTrue(json.loads(self.good("sql", "--data", self.data, "--format", "json", statement)))
        self.assertIn("Order Completed", self.good("sql", "--data", self.data, statement))
        columns = "event, type, customer_id, time, received_at, source, message_id, properties"
        text = self.good("sql", "--url", self.server.url, "--format", "csv", f"SELECT {columns} FROM events LIMIT 1")
        self.assertEqual(text.splitlines()[0].replace('"', ""), columns.replace(" ", ""))

    def test_sql_only_reads(self):
        for statement in ("DROP TABLE events", "COPY events TO '/tmp/kehu-leak.csv'", "INSTALL httpfs", "PRAGMA version",
                          "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM '/etc/passwd'", "ATTACH '/tmp/x.db'",
                          "CREATE TABLE x AS SELECT 1", "SET memory_limit='1TB'", "SELECT 1; SELECT 2",
                          "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM glob('/*')", "SELECT getenv('HOME')"):
            with self.subTest(statement):
                done = run("sql", "--data", self.data, statement)
                self.assertIn(done.returncode, (1, 2), done.stdout)
                self.assertNotIn("root:", done.stdout)
        self.assertFalse(os.path.exists("/tmp/kehu-leak.csv"))

    def test_import_into_a_running_server(self):
        rows = self.work / "orders.csv"
        rows.write_text("id,who,when,total\n1,import-1,2026-01-01 10:00:00,5.5\n2,import-1,2026-01-02 10:00:00,6\n"
                        "3,import-2,never,7\n")
        mapping = self.work / "orders.toml"
        mapping.write_text('[file]\nformat = "csv"\n[identifiers]\nuser_id = "who"\n[time]\ncolumn = "when"\n'
                           'zone = "Asia/Shanghai"\n[event]\nname = "Order Completed"\n[properties]\norder_id = "id"\n'
                           'total = { column = "total", type = "number" }\ncurrency = { constant = "CNY" }\n')
        shown = self.good("import", "--map", mapping, rows, "--dry-run", "2", "--data", self.data)
        self.assertIn("import-1", shown)
        self.assertIn("nothing was changed", shown)
        self.exit_code(1, "customer", "user_id:import-1", "--data", self.data)
        first = json.loads(self.good("import", "--url", self.server.url, "--key", kehu_server.WRITE_KEY, "--map", mapping,
                                     rows, "--json"))
        self.assertEqual((first["rows"], first["accepted"], first["rejected"]), (3, 2, 1), first)
        again = json.loads(self.good("import", "--data", self.data, "--map", mapping, rows, "--json"))
        self.assertEqual((again["accepted"], again["repeats"], again["rejected"]), (0, 2, 0), again)
        customer = json.loads(self.good("customer", "user_id:import-1", "--data", self.data, "--json"))
        self.assertEqual(customer["revenue"], [{"currency": "CNY", "orders": 2, "revenue": 11.5, "refunded": 0}])
        self.assertEqual(customer["first_seen"], "2026-01-01T02:00:00.000Z")
        rejected = json.loads(self.good("rejections", "list", "--reason", "invalid_time", "--data", self.data, "--json"))
        self.assertIn("orders.csv:4", rejected["rejections"][0]["origin"])

    def rows(self, name, text):
        path = self.work / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def mapping(self, text='[file]\n', more=""):
        path = self.work / "plain.toml"
        path.write_text(text + '[identifiers]\nuser_id = "who"\n[time]\ncolumn = "when"\n[event]\nname = "Imported"\n' + more)
        return path

    def test_what_the_server_rejects_of_an_import_names_file_and_line(self):
        rows = self.rows("server side.csv", "who,when,note\nnull,2026-01-01 10:00:00,a\nok-1,2026-01-01 10:00:00,b\n"
                         "ok-2,never,c\nok-3,2026-01-01 10:00:00," + "x" * 40_000 + "\nnull,2026-01-02 10:00:00,d\n")
        mapping = self.mapping(more='[properties]\nnote = "note"\n')
        arguments = ["import", "--data", self.data, "--map", mapping, rows]
        report = json.loads(self.good(*arguments, "--json"))
        self.assertEqual((report["rows"], report["accepted"], report["rejected"]), (5, 1, 4), report)
        self.assertEqual(report["rejected_by_reason"], {"no_identifier": 2, "invalid_time": 1, "event_too_large": 1})
        self.assertEqual(report["unmappable_by_reason"], {"invalid_time": 1})
        listed = json.loads(self.good("rejections", "--data", self.data, "--json"))["rejections"]
        places = {(r["origin"], r["reason"]) for r in listed if r["origin"].startswith("server side")}
        self.assertEqual(places, {("server side.csv:2", "no_identifier"), ("server side.csv:4", "invalid_time"),
                                  ("server side.csv:5", "event_too_large"), ("server side.csv:6", "no_identifier")})
        text = self.good(*arguments)
        for line in ("  no_identifier: 2\n", "  invalid_time: 1\n", "  event_too_large: 1\n"):
            self.assertIn(line, text)
        stored = self.good("sql", "--data", self.data, "--format", "csv", "SELECT properties FROM events WHERE event = 'Imported'")
        self.assertNotIn("origin", stored)
        self.assertIn("server side.csv:4 at /when", self.good("rejections", "--reason", "invalid_time", "--data", self.data))

    def test_a_report_names_the_columns_that_lost_digits_or_could_not_be_read(self):
        rows = self.rows("lost.csv", "card,phone,when\n" + "1.23457E+17,,2026-01-01 10:00:00\n" * 2 +
                         "1.23457E+17,13912340000,2026-01-01 10:00:00\n'1.23457E+17,1.39111E+10,2026-01-01 10:00:00\n"
                         "110105194912310021,13912340001,2026-01-01 10:00:00\n1.39111122E+10,,2026-01-01 10:00:00\n"
                         "c-1,13912340002,never\n1.2E+17,13912340003,\n")
        mapping = self.rows("lost.toml", '[file]\n[identifiers]\nmember_id = [{ column = "card" }, { constant = "" }]\nphone = "phone"\n'
                            '[time]\ncolumn = "when"\n[event]\nname = "Lost"\n')
        where = ["import", "--data", self.data, "--map", mapping, rows]
        report = json.loads(self.good(*where, "--json"))
        self.assertEqual((report["rows"], report["accepted"], report["rejected"]), (8, 3, 5), report)
        self.assertEqual(report["digits_lost_by_column"], {"card": 5, "phone": 1})
        self.assertEqual(report["files"][0]["digits_lost_by_column"], {"card": 5, "phone": 1})
        self.assertEqual(report["rejected_by_reason"], {"no_identifier": 3, "invalid_time": 2})
        self.assertEqual(report["unmappable_by_column"], {"when": {"invalid_time": 2}})
        lines = ("digits_lost in the column card: 5 rows, whose identifier a spreadsheet rounded\n",
                 "digits_lost in the column phone: 1 row, whose identifier a spreadsheet rounded\n")
        text = self.good(*where)
        for line in (*lines, "  invalid_time: 2\n    in the column when: 2\n"):
            self.assertIn(line, text)
        text = self.good(*where, "--dry-run", "0")
        for line in lines:
            self.assertIn(line, text)

    def test_what_a_spreadsheet_rounded_joins_nobody_behind_a_prefix(self):
        rows = self.rows("prefix.csv", "card,who,when\n" + "".join(
            f"{card},prefix-{n},2026-01-01 10:00:00\n" for n, card in enumerate(("1.23457E+17", "1.23457E+17", "2.001E+03", "77"))))
        mapping = self.rows("prefix.toml", '[file]\n[identifiers]\nmember_id = { column = "card", prefix = "shop-" }\nuser_id = "who"\n'
                            '[time]\ncolumn = "when"\n[event]\nname = "Prefixed"\n')
        report = json.loads(self.good("import", "--data", self.data, "--map", mapping, rows, "--json"))
        self.assertEqual((report["accepted"], report["digits_lost_by_column"]), (4, {"card": 2}))
        self.assertEqual(report["identifiers_left_out"], {"digits_lost": 2})
        customers = {n: json.loads(self.good("customer", f"user_id:prefix-{n}", "--data", self.data, "--json")) for n in range(4)}
        self.assertEqual([c["events"] for c in customers.values()], [1] * 4)
        self.assertEqual(len({c["customer_id"] for c in customers.values()}), 4, "two strangers stay two")
        by_card = json.loads(self.good("customer", "member_id:shop-77", "--data", self.data, "--json"))
        self.assertEqual(by_card["customer_id"], customers[3]["customer_id"])

    def test_exit_codes_of_import(self):
        good = "who,when\nexit-1,2026-01-01 10:00:00\n"
        where = ["--data", self.data]
        empty = run("import", *where, "--map", self.mapping(), self.rows("empty.csv", ""))
        self.assertEqual(empty.returncode, 0, empty.stderr)
        self.assertIn("empty.csv is empty", empty.stderr)
        self.assertIn("0 rows", empty.stdout)
        for name, text, want in (
                ("missing column.csv", "whom,when\na,b\n", 'no column "who"'),
                ("twice.csv", "who,when,who\na,b,c\n", 'two columns "who"'),
                ("mac.csv", good.replace("\n", "\r"), "CR alone"),
                ("utf16.csv", good.encode("utf-16"), 'encoding = "UTF-16"'),
                ("utf16le.csv", good.encode("utf-16-le"), 'encoding = "UTF-16LE"')):
            with self.subTest(name):
                self.assertIn(want, self.exit_code(1, "import", *where, "--map", self.mapping(), self.rows(name, text)))
                self.exit_code(1, "import", *where, "--map", self.mapping(), "--dry-run", "1", self.rows(name, text))
        (self.work / "folder").mkdir(exist_ok=True)
        self.assertIn("name the files in it", self.exit_code(1, "import", *where, "--map", self.mapping(), self.work / "folder"))
        self.assertIn("check the name", self.exit_code(1, "import", *where, "--map", self.mapping(), self.work / "none.csv"))
        self.assertIn("no section [file]", self.exit_code(2, "import", *where, "--map", self.mapping(""), self.rows("good.csv", good)))
        self.assertIn("name the files", self.exit_code(2, "import", *where, "--map", self.mapping()))
        told = self.mapping('[file]\nencoding = "UTF-16"\n')
        report = json.loads(self.good("import", *where, "--map", told, self.rows("utf16.csv", good.encode("utf-16")), "--json"))
        self.assertEqual((report["rows"], report["accepted"]), (1, 1), report)

    def test_a_number_that_no_double_holds(self):
        rows = self.rows("huge.csv", "who,when,n\nhuge-1,2026-01-01 10:00:00,1e400\n")
        report = json.loads(self.good("import", "--data", self.data, "--json", rows, "--map",
                                      self.mapping(more='[properties]\nn = { column = "n", type = "number" }\n')))
        self.assertEqual((report["accepted"], report["unmappable_by_reason"]), (0, {"invalid_field": 1}), report)

    def test_the_word_behind_dry_run_may_be_a_file(self):
        rows = self.rows("dry.csv", "who,when\n" + "".join(f"dry-{n},2026-01-01 10:00:00\n" for n in range(9)))
        other = self.rows("other.csv", "who,when\ndry-other,2026-01-01 10:00:00\n")
        for arguments, shown in ((["--dry-run", rows], 5), ([rows, "--dry-run"], 5), (["--dry-run", "2", rows], 2),
                                 (["--dry-run=2", rows], 2), ([rows, "--dry-run", "0"], 0), (["--dry-run", other, rows], 5)):
            with self.subTest(arguments):
                text = self.good("import", "--data", self.data, "--map", self.mapping(), *arguments)
                self.assertEqual(text.count('"type": "track"'), shown, text)
                self.assertIn("nothing was changed", text)
        self.exit_code(1, "customer", "user_id:dry-1", "--data", self.data)

    def test_a_dry_run_of_several_people(self):
        mapping = self.work / "phones.toml"
        mapping.write_text('[file]\n[identifiers]\nphone = "phone"\n[time]\ncolumn = "when"\n[event]\nname = "Seen"\n')
        rows = self.rows("phones.csv", "phone,when\n" + "".join(f"1391234567{n},2026-01-01 10:00:00\n" for n in range(9)))
        shown = self.good("import", "--map", mapping, rows, "--dry-run", "--data", self.work / "none")
        self.assertIn("9 rows read, 9 events, 0 filtered out, 0 could not be mapped", shown)

    def test_what_clients_send_does_not_command_a_terminal(self):
        hostile = "\x1b]0;pwned\x07\x1b[31m\x9b2J"
        self.server.post_events([{"type": "identify", "user_id": "esc", "traits": {"note": hostile, hostile: 1}},
                                 {"event": hostile, "user_id": "esc"}, {"event": "E", "identifiers": {hostile: "x"}}])
        for arguments in (["customer", "user_id:esc"], ["customer", "user_id:esc", "--view", "timeline"], ["rejections"]):
            shown = self.good(*arguments, "--data", self.data)
            self.assertIn("\\u001b]0;pwned", shown, arguments)
            self.assertFalse(set(shown) & set("\x1b\x07\x9b"), arguments)

    def test_rejections_are_repaired(self):
        self.server.post_events(['{"event": "By Hand"}'])
        listed = json.loads(self.good("rejections", "--data", self.data, "--json"))["rejections"]
        number = listed[0]["id"]
        text = self.good("rejections", "show", number, "--url", self.server.url)
        self.assertIn('"event": "By Hand"', text)
        self.assertIn("no_identifier", text)
        self.assertRegex(text, r"place +/api/v1/events:1\n")
        shown = json.loads(self.good("rejections", "show", number, "--url", self.server.url, "--json"))
        self.assertEqual(shown["payload"], {"event": "By Hand"})
        self.good("rejections", "repair", number, "--event", "-", "--data", self.data,
                  input='{"event": "By Hand", "user_id": "by-hand"}')
        self.good("customer", "user_id:by-hand", "--data", self.data)
        self.assertIn("closed", self.exit_code(1, "rejections", "repair", number, "--data", self.data))


class WithoutServerTest(unittest.TestCase):
    def test_the_same_answers_from_the_directory_alone(self):
        work = kehu_server.scratch(self)
        server = kehu_server.Server(work / "data").start()
        server.post_events(EVENTS)
        online = {name: json.loads(run("customer", name, "--data", server.data, "--json").stdout)
                  for name in ("user_id:u1", "user_id:u2")}
        server.stop()
        self.assertEqual(run("check", "--data", server.data).returncode, 0)
        for name, document in online.items():
            done = run("customer", name, "--data", server.data, "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            offline = json.loads(done.stdout)
            for changing in ("as_of", "log_position"):
                offline.pop(changing), document.pop(changing)
            self.assertEqual(offline, document)
        done = run("sql", "--data", server.data, "--format", "csv", "SELECT message_id FROM events ORDER BY ALL")
        self.assertEqual(done.stdout.replace('"', "").split(), ["message_id", "m1", "m2", "m3"])
        self.assertEqual(run("check", "--data", server.data, "--json").returncode, 0)

    def test_check_sees_damage(self):
        work = kehu_server.scratch(self)
        server = kehu_server.Server(work / "data").start()
        server.post_events(EVENTS)
        server.stop()
        segment = server.data / "log/0000000001.log"
        content = bytearray(segment.read_bytes())
        content[content.index(b"Order Completed")] ^= 0x20
        segment.write_bytes(content)
        done = run("check", "--data", server.data)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("0000000001.log", done.stdout)
        report = json.loads(run("check", "--data", server.data, "--json").stdout)
        self.assertFalse(report["sound"])

    def test_check_sees_a_damaged_lake(self):
        work = kehu_server.scratch(self)
        server = kehu_server.Server(work / "data").start()
        server.post_events([{**EVENTS[0], "message_id": f"x{i}"} for i in range(1000)])
        server.stop()
        files = sorted(server.data.glob("lake/events/**/*.parquet"))
        self.assertTrue(files, "the stop archives everything")
        content = bytearray(files[0].read_bytes())
        content[len(content) // 3] ^= 0xFF
        files[0].write_bytes(content)
        files[-1].unlink() if len(files) > 1 else None
        self.assertEqual(run("check", "--data", server.data).returncode, 1)


if __name__ == "__main__":
    kehu_server.main()
