#!/usr/bin/env python3
"""Files as people have them: many bad rows, files that grew or were saved again, damaged ones, workbooks, other kinds."""
import bz2
import gzip
import io
import json
import lzma
import os
import unittest
import zipfile

import kehu_server
from kehu_server import run

ORDERS = """[file]
[identifiers]
user_id = "customer"
[time]
column = "placed"
zone = "Asia/Shanghai"
[event]
name = "Order Completed"
[properties]
order_id = "order"
total = { column = "total", type = "number" }
currency = { constant = "CNY" }
"""
HEADER = "order,customer,placed,total\n"
G1, G2, G3 = (f"G{i},grow-1,2026-11-0{i} 10:00,{i}0\n" for i in (1, 2, 3))
USERS = '[file]\nformat = "%s"\n[identifiers]\nuser_id = "u"\n[time]\ncolumn = "t"\n[event]\nname = "Seen"\n'


def workbook(rows, sheet="Orders"):
    """An .xlsx as a spreadsheet program writes it: texts inline, numbers as numbers, ("date", serial) by style."""
    def cell(value):
        if isinstance(value, tuple):
            return f'<c s="1"><v>{value[1]}</v></c>'
        if isinstance(value, (int, float)):
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
    data = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    parts = {
        "xl/workbook.xml": f'<workbook xmlns:r="r"><sheets><sheet name="{sheet}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="rId1" Type="http://x/relationships/worksheet" '
                                      'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/styles.xml": '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{data}</sheetData></worksheet>"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


class ImportTest(unittest.TestCase):
    def setUp(self):
        self.work = kehu_server.pathlib.Path(kehu_server.tempfile.mkdtemp(prefix="kehu-test-"))
        self.addCleanup(kehu_server.shutil.rmtree, self.work, ignore_errors=True)
        self.data = self.work / "data"

    def file(self, name, content):
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run_import(self, mapping, *files, code=0, where=None):
        """The report of an import, and what stood on standard error."""
        done = run("import", *(where or ("--data", self.data)), "--map", self.file("m.toml", mapping), *files, "--json")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return (json.loads(done.stdout) if done.stdout else None), done.stderr

    def told(self, mapping, *files, **more):
        report, _ = self.run_import(mapping, *files, **more)
        return report["accepted"], report["repeats"]

    def customer(self, name):
        done = run("customer", name, "--data", self.data, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)


class ManyBadRowsTest(ImportTest):
    MAPPING = '[file]\n[identifiers]\nuser_id = "id"\n[time]\ncolumn = "d"\n[event]\nname = "E"\n'

    def rows(self, count, bad):
        return "id,d,v\n" + "".join(f"u{i},{'bad' if bad(i) else '2026-11-01'},{i}\n" for i in range(count))

    def test_good_rows_and_bad_ones_are_all_kept(self):
        path = self.file("mix.csv", self.rows(200_000, lambda i: i % 4 == 0))
        report, _ = self.run_import(self.MAPPING, path)
        self.assertEqual((report["rows"], report["accepted"], report["rejected"]), (200_000, 150_000, 50_000))
        again, _ = self.run_import(self.MAPPING, path)
        self.assertEqual((again["accepted"], again["repeats"], again["rejected"]), (0, 150_000, 0))

    def test_bad_rows_alone_over_http(self):
        server = kehu_server.Server(self.data).start()
        self.addCleanup(server.stop)
        path = self.file("bad.csv", self.rows(40_000, lambda i: True))
        where = ("--url", server.url)  # the write key stands in the environment
        report, _ = self.run_import(self.MAPPING, path, where=where)
        self.assertEqual((report["accepted"], report["rejected"], report["rejected_by_reason"]), (0, 40_000, {"invalid_time": 40_000}))
        long = self.file("long.csv", "id,d,v\n" + "".join(f"u{i},bad,{'x' * 900_000}\n" for i in range(12)))
        self.assertEqual(self.run_import(self.MAPPING, long, where=where)[0]["rejected"], 12)

    def test_a_missing_key_is_told(self):
        server = kehu_server.Server(self.data).start()
        self.addCleanup(server.stop)
        path = self.file("one.csv", self.rows(1, lambda i: False))
        for environment, words in (({"KEHU_WRITE_KEY": ""}, ("--key", "KEHU_WRITE_KEY")), ({"KEHU_WRITE_KEY": "wrong"}, ("does not know this write key",))):
            done = run("import", "--url", server.url, "--map", self.file("m.toml", self.MAPPING), path,
                       env={**environment, "KEHU_ADMIN_TOKEN": ""})
            self.assertEqual(done.returncode, 1)
            for word in words:
                self.assertIn(word, done.stderr)
            self.assertNotIn("KEHU_ADMIN_TOKEN", done.stderr)


class RecognisedFilesTest(ImportTest):
    def test_a_grown_file(self):
        path = self.file("daily.csv", HEADER + G1 + G2)
        self.assertEqual(self.told(ORDERS, path), (2, 0))
        self.file("daily.csv", HEADER + G1 + G2 + G3)
        done = run("import", "--data", self.data, "--map", self.work / "m.toml", path)
        self.assertIn("1 events are new, 2 were there already", done.stdout)
        customer = self.customer("user_id:grow-1")
        self.assertEqual((customer["events"], customer["revenue"][0]["revenue"]), (3, 60))

    def test_saved_again_packed_moved_rotated_renamed(self):
        text = HEADER + G1 + G2
        self.assertEqual(self.told(ORDERS, self.file("orders.csv", text)), (2, 0))
        for name, content in {
                "orders.csv": b"\xef\xbb\xbf" + text.encode(), "a/orders.csv": text.replace("\n", "\r\n"),
                "b/orders.csv": text.rstrip("\n"), "c/orders.csv": text.replace("G1", '"G1"'),
                "orders.csv.gz": gzip.compress(text.encode()), "orders.csv.1": text, "orders.csv-20261102": text,
                "orders (1).csv": text, "orders.csv.2.gz": gzip.compress(text.encode()), "november.csv": text}.items():
            with self.subTest(name):
                self.assertEqual(self.told(ORDERS, self.file(name, content)), (0, 2))
        self.assertEqual(self.told(ORDERS, self.file("orders.csv", b"\xef\xbb\xbf" + (text + G3).replace("\n", "\r\n").encode())), (1, 2))
        self.assertEqual(self.told(ORDERS, self.file("november.csv", text + G3)), (0, 3))
        self.assertEqual(self.customer("user_id:grow-1")["events"], 3)

    def test_a_last_line_without_its_end(self):
        path = self.file("daily.csv", HEADER + G1 + G2.rstrip("\n"))
        self.assertEqual(self.told(ORDERS, path), (2, 0))
        self.file("daily.csv", HEADER + G1 + G2 + G3.rstrip("\n"))
        self.assertEqual(self.told(ORDERS, path), (1, 2))

    def test_a_row_that_was_read_while_it_was_being_written(self):
        """It stays as it was read, and the import that finds it grown names it and says what to do."""
        for identity in ("", 'identity = ["order"]'):
            with self.subTest(identity):
                self.data = self.work / f"data-{len(identity)}"
                mapping = ORDERS + ("[rows]\n" + identity if identity else "")
                path = self.file("daily.csv", HEADER + G1 + "M2,grow-1,2026-11-02 10:00,2")
                self.assertEqual(self.told(mapping, path), (2, 0))
                self.file("daily.csv", HEADER + G1 + "M2,grow-1,2026-11-02 10:00,25\n" + G3)
                for accepted, repeats in ((1, 1), (0, 2)):
                    report, said = self.run_import(mapping, path)
                    self.assertEqual((report["accepted"], report["repeats"], report["conflicts"]), (accepted, repeats, 1))
                    self.assertIn("the row of line 3 was imported while it was still being written", said)
                    origin = json.loads(run("import", "--list", "--data", self.data, "--json").stdout)["imports"][0]["origin"]
                    self.assertIn(f"kehu import --undo {origin}", said)
                self.assertEqual(self.customer("user_id:grow-1")["revenue"][0]["revenue"], 10 + 2 + 30)
                if not identity:
                    conflicts = run("rejections", "--data", self.data, "--json").stdout
                    self.assertIn("daily.csv:3", conflicts)
                self.assertEqual(run("import", "--undo", origin, "--data", self.data).returncode, 0)
                report, said = self.run_import(mapping, path)
                self.assertEqual((report["accepted"], report["conflicts"], "being written" in said), (3, 0, False))
                self.assertEqual(self.customer("user_id:grow-1")["revenue"][0]["revenue"], 10 + 25 + 30)

    def test_the_first_row_was_being_written(self):
        path = self.file("first.csv", HEADER + G1[:-2])
        self.assertEqual(self.told(ORDERS, path), (1, 0))
        self.file("first.csv", HEADER + G1 + G2)
        report, said = self.run_import(ORDERS, path)
        self.assertEqual((report["accepted"], report["conflicts"]), (1, 1))
        self.assertIn("the row of line 2", said)
        self.file("first.csv", HEADER + G1 + G2 + G3)
        self.assertEqual(self.told(ORDERS, path), (1, 1))
        self.assertEqual(self.customer("user_id:grow-1")["events"], 3)
        # A last line that only lacks its end has nothing to tell.
        path = self.file("second.csv", HEADER + G1.rstrip("\n").replace("grow-1", "grow-2"))
        self.assertEqual(self.told(ORDERS, path), (1, 0))
        self.file("second.csv", HEADER + (G1 + G2).replace("grow-1", "grow-2"))
        report, said = self.run_import(ORDERS, path)
        self.assertEqual((report["accepted"], report["repeats"], "written" in said), (1, 1, False))

    def test_json_saved_again_is_the_same(self):
        rows = [{"u": f"spelt-{n}", "t": "2026-11-01T10:00:00Z", "v": {"b": 1, "a": "李"}} for n in range(3)]
        spellings = {"as before": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),
                     "compact": "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows),
                     "other order": "".join(json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n" for row in rows),
                     "an array": json.dumps(rows), "an array over lines": json.dumps(rows, indent=2)}
        for identity in ("", '[rows]\nidentity = "content"\n'):
            self.data = self.work / f"data-{len(identity)}"
            self.assertEqual(self.told(USERS % "ndjson" + identity, self.file("x.ndjson", spellings["as before"])), (3, 0))
            for name, text in spellings.items():
                with self.subTest(name, identity=identity):
                    self.assertEqual(self.told(USERS % "ndjson" + identity, self.file("x.ndjson", text)), (0, 3))

    def test_a_large_list_of_json_comes_as_an_array(self):
        rows = [{"u": f"list-{n}", "t": "2026-11-01T10:00:00Z", "v": n} for n in range(500)]
        self.assertEqual(self.told(USERS % "ndjson", self.file("x.ndjson", "".join(json.dumps(row) + "\n" for row in rows))), (500, 0))
        rows.append({"u": "list-new", "t": "2026-11-01T10:00:00Z"})
        self.assertEqual(self.told(USERS % "ndjson", self.file("x.json", json.dumps(rows, indent=1))), (1, 500))

    def test_a_table_saved_with_another_delimiter_is_the_same(self):
        self.assertEqual(self.told(ORDERS, self.file("x.csv", HEADER + G1 + G2)), (2, 0))
        semicolons = (HEADER + G1 + G2).replace(",", ";")
        self.assertEqual(self.told(ORDERS.replace("[file]", '[file]\ndelimiter = ";"'), self.file("x.csv", semicolons)), (0, 2))
        for want in ((2, 0), (0, 2)):
            self.assertEqual(self.told(ORDERS, self.file("declared.csv", "sep=;\n" + semicolons.replace("grow-1", "grow-2"))), want)

    def test_lines_and_logs_grow_too(self):
        log = '[file]\nformat = "log"\npattern = \'(?P<t>\\S+) (?P<u>\\S+)\'\n[identifiers]\nuser_id = "u"\n[time]\ncolumn = "t"\n[event]\nname = "Seen"\n'
        for name, mapping, line in (("x.ndjson", USERS % "ndjson", '{{"u":"n{0}","t":"2026-11-01T10:00:0{0}Z"}}\n'),
                                    ("x.log", log, "2026-11-01T10:00:0{0}Z l{0}\n")):
            path = self.file(name, line.format(1))
            self.assertEqual(self.told(mapping, path), (1, 0), name)
            path = self.file(name, line.format(1) + line.format(2))
            self.assertEqual(self.told(mapping, path), (1, 1), name)
            path = self.file(name + ".1", line.format(1) + line.format(2) + line.format(3))
            self.assertEqual(self.told(mapping, path), (1, 2), name)

    def test_a_large_file_grows_and_is_saved_again(self):
        rows = "".join(f"L{i},large-{i},2026-11-01 10:00,5\n" for i in range(500))
        path = self.file("large.csv", HEADER + rows)
        self.assertEqual(self.told(ORDERS, path), (500, 0))
        self.file("large.csv", b"\xef\xbb\xbf" + (HEADER + rows + G1).replace("\n", "\r\n").encode())
        self.assertEqual(self.told(ORDERS, path), (1, 500))

    def test_files_that_only_begin_alike_are_two(self):
        self.assertEqual(self.told(ORDERS, self.file("day.csv", HEADER + G1 + G2)), (2, 0))
        self.assertEqual(self.told(ORDERS, self.file("day.csv", HEADER + G1 + G3)), (2, 0))
        self.assertEqual(self.told(ORDERS, self.file("day.csv", HEADER + G3)), (1, 0))

    def test_whose_file_it_is_is_not_stored(self):
        rows = HEADER + G1 + G2 + "X,grow-1,never,1\n"
        name = "王五13812345678 bob@example.com.csv"
        report, _ = self.run_import(ORDERS, self.file(name, rows))
        self.assertEqual((report["accepted"], report["rejected"]), (2, 1))
        self.assertEqual(self.told(ORDERS, self.file(name, rows + G3)), (1, 2), "it is recognised by the name that is stored")

        def text(*command):
            done = run(*command, "--data", self.data)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout
        for said in (text("import", "--list"), text("rejections"), text("sql", "SELECT message_id FROM events")):
            self.assertRegex(said, r"王五phone-[0-9a-f]{4} email-[0-9a-f]{4}")
            self.assertNotIn("13812345678", said)
            self.assertNotIn("bob@", said)
        for segment in (self.data / "log").iterdir():
            self.assertNotIn(b"13812345678", segment.read_bytes())

    def test_over_http_and_after_a_restart(self):
        server = kehu_server.Server(self.data).start()
        path = self.file("daily.csv", HEADER + G1)
        self.assertEqual(self.told(ORDERS, path, where=("--url", server.url)), (1, 0))
        server.kill()
        self.file("daily.csv", HEADER + G1 + G2)
        self.assertEqual(self.told(ORDERS, path), (1, 1))
        listed = run("import", "--list", "--data", self.data)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertRegex(listed.stdout, r"daily\.csv@[0-9a-f]{12} .* 2 ")


class WithdrawnImportTest(ImportTest):
    WRONG = """[file]
[identifiers]
user_id = "customer"
phone = "phone"
[time]
column = "placed"
[event]
name = "Order Completed"
[properties]
order_id = "order"
total = { column = "total", type = "number" }
currency = { constant = "CNY" }
[rows]
"""
    FILE = ("order,customer,phone,placed,total\nU1,undo-1,13900000001,2026-11-01 10:00,10\n"
            "U2,undo-2,13900000001,2026-11-02 10:00,20\nU3,undo-1,,never,30\n")

    def undo(self, origin, *more, code=0):
        done = run("import", "--undo", origin, "--data", self.data, "--json", *more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout) if code == 0 else done.stderr

    def origin(self):
        return json.loads(run("import", "--list", "--data", self.data, "--json").stdout)["imports"][0]["origin"]

    def before(self):
        """Events of others, whose customers the file will change."""
        self.told(USERS % "ndjson", self.file("before.ndjson", '{"u":"undo-1","t":"2026-10-01"}\n{"u":"undo-2","t":"2026-10-02"}\n'))

    def state(self):
        customers = [self.customer(f"user_id:undo-{n}") for n in (1, 2)]
        for customer in customers:  # the log goes on
            del customer["as_of"], customer["log_position"]
        rows = run("sql", "--data", self.data, "--format", "csv",
                   "SELECT event, message_id, customer_id, sequence FROM events ORDER BY sequence").stdout
        return customers, rows

    def test_it_is_as_if_the_file_had_never_come(self):
        for number, identity in enumerate(("", 'identity = ["order"]', 'identity = "content"')):
            with self.subTest(identity):
                self.data = self.work / f"data-{number}"
                self.before()
                customers, rows = self.state()
                report, _ = self.run_import(self.WRONG + identity, self.file("orders.csv", self.FILE))
                self.assertEqual((report["accepted"], report["rejected"]), (2, 1))
                self.assertEqual(self.customer("phone:13900000001")["events"], 2)
                origin = self.origin()
                self.assertTrue(origin.startswith("orders.csv@"))
                done = self.undo(origin)
                self.assertEqual((done["withdrawn_events"], done["withdrawn_rejections"]), (2, 1))
                self.assertEqual(self.state(), (customers, rows))
                self.assertEqual(run("customer", "phone:13900000001", "--data", self.data).returncode, 1)
                self.assertNotIn("orders.csv", run("rejections", "--data", self.data).stdout)
                self.assertIn("withdrawn already", self.undo(origin, code=1))
                self.assertEqual(run("check", "--data", self.data).returncode, 0)
                # The same file with a corrected mapping: nothing is in its way.
                corrected = (self.WRONG + identity).replace('column = "placed"', 'column = "placed"\nzone = "Asia/Shanghai"')
                report, _ = self.run_import(corrected, self.work / "orders.csv")
                self.assertEqual((report["accepted"], report["repeats"], report["conflicts"]), (2, 0, 0))

    def test_by_position_and_by_identities_of_their_own(self):
        kinds = ("", 'identity = ["order"]')
        for number, order in enumerate((kinds, kinds[::-1], kinds + kinds[:1])):
            with self.subTest(order):
                self.data = self.work / f"data-{number}"
                self.before()
                state = self.state()
                path = self.file("orders.csv", self.FILE)
                accepted = [self.run_import(self.WRONG + rows, path)[0]["accepted"] for rows in order]
                self.assertEqual(accepted, [2, 2, 0][:len(order)])
                # What came between two imports is not the file's.
                self.told(USERS % "ndjson", self.file("other.ndjson", '{"u":"undo-3","t":"2026-10-01"}\n'))
                origin = next(i["origin"] for i in json.loads(run("import", "--list", "--data", self.data, "--json").stdout)["imports"]
                              if i["file"] == "orders.csv")
                self.assertEqual(self.undo(origin)["withdrawn_events"], 4)
                self.assertEqual(self.state()[0], state[0])
                self.assertEqual(self.customer("user_id:undo-3")["events"], 1)

    def test_a_file_that_grew_is_withdrawn_whole(self):
        path = self.file("daily.csv", HEADER + G1)
        self.told(ORDERS, path)
        self.file("daily.csv", HEADER + G1 + G2)
        self.told(ORDERS, path)
        self.told(ORDERS, self.file("other.csv", HEADER + G3))
        listed = json.loads(run("import", "--list", "--data", self.data, "--json").stdout)["imports"]
        self.assertEqual([i["file"] for i in listed], ["other.csv", "daily.csv"])
        self.assertEqual(self.undo(listed[1]["origin"])["withdrawn_events"], 2)
        self.assertEqual(self.customer("user_id:grow-1")["events"], 1)

    def test_a_file_of_two_sources(self):
        path = self.file("daily.csv", HEADER + G1 + G2)
        self.told(ORDERS, path)
        run("source", "add", "two", "--data", self.data)
        self.told(ORDERS, path, where=("--data", self.data, "--source", "two"))
        self.assertEqual(self.customer("user_id:grow-1")["events"], 4)
        origin = self.origin()
        self.assertIn("into source three", self.undo(origin, "--source", "three", code=1))
        self.assertEqual(self.undo(origin, "--source", "two")["withdrawn_events"], 2)
        self.assertEqual(self.customer("user_id:grow-1")["events"], 2)
        self.told(ORDERS, path, where=("--data", self.data, "--source", "two"))
        self.assertEqual(self.undo(origin)["withdrawn_events"], 4)
        self.assertEqual(run("customer", "user_id:grow-1", "--data", self.data).returncode, 1)

    def test_a_crash_in_the_middle(self):
        self.told(ORDERS, self.file("daily.csv", HEADER + G1 + G2))
        origin = self.origin()
        # Before the new log is whole, the import is as it was.
        (self.data / "log.next").mkdir()
        (self.data / "log.next" / "rubbish").write_text("x")
        self.assertEqual(self.customer("user_id:grow-1")["events"], 2)
        self.assertFalse((self.data / "log.next").exists())
        # From then on, it is withdrawn whatever is still there of the old one.
        kept = self.work / "kept"
        kehu_server.shutil.copytree(self.data, kept)
        self.undo(origin)
        for gone in ([], ["state"], ["state", "lake"], ["state", "lake", "log"]):
            with self.subTest(gone):
                half = self.work / "half"
                kehu_server.shutil.rmtree(half, ignore_errors=True)
                kehu_server.shutil.copytree(kept, half)
                kehu_server.shutil.copytree(self.data / "log", half / "log.next")
                if "log" not in gone:
                    (half / "log.next" / "WHOLE").write_text("whole\n")
                for name in gone:
                    kehu_server.shutil.rmtree(half / name)
                self.assertEqual(run("customer", "user_id:grow-1", "--data", half).returncode, 1)
                self.assertEqual(run("check", "--data", half).returncode, 0)

    def test_what_cannot_be_withdrawn_is_told(self):
        server = kehu_server.Server(self.data).start()
        self.addCleanup(lambda: server.process and server.stop())
        path = self.file("orders.csv", self.FILE)
        self.told(self.WRONG + 'identity = ["order"]', path, where=("--url", server.url))
        origin = self.origin()
        self.assertIn("no server runs", self.undo(origin, code=1))
        server.stop()
        self.assertIn("running server", self.undo(origin, code=1))
        self.assertIn("no file is imported as", self.undo("nothing@0", code=1))
        self.assertEqual(self.customer("user_id:undo-1")["events"], 1, "as it was")


class RegisterTest(kehu_server.ServerTest):
    """What a write key, which pages show to everybody, may record of files."""

    def make_source(self, name, **limits):
        made = self.server.admin("POST", "/api/v1/sources", {"name": name})
        self.assertEqual(made.status, 201, made)
        if limits:
            self.assertEqual(self.server.admin("PATCH", f"/api/v1/sources/{name}", limits).status, 200)
        return made.json["write_key"]

    def begin(self, write_key, **body):
        body = {"file": "a.csv", "key": "a.csv@1", "mapping": "m.toml", "heads": [], **body}
        return self.server.request("POST", f"/api/v1/imports?writeKey={write_key}", json.dumps(body))

    def files(self):
        return self.server.admin("GET", "/api/v1/imports").json["imports"]

    def test_names_have_no_control_characters(self):
        key = self.make_source("names")
        for field in ("file", "key", "mapping"):
            for bad in ("a\nb", "a\x1b[2Jb", "\x7f", "a\u009b2Jb", "\x00"):
                answer = self.begin(key, **{field: bad})
                self.assertEqual((answer.status, answer.json["code"]), (400, "invalid_field"), (field, bad))
        self.assertEqual(self.begin(key, file="订单 (1).csv", key="订单.csv@names").status, 200)

    def test_a_beginning_counts_as_an_event(self):
        key = self.make_source("counted", events_per_second=5)
        answers = [self.begin(key, key=f"f{i}.csv@counted") for i in range(8)]
        statuses = [answer.status for answer in answers]
        self.assertIn(statuses, ([200] * 5 + [429] * 3, [200] * 6 + [429] * 2))
        self.assertEqual(answers[-1].json["code"], "rate_limited")
        self.assertGreaterEqual(int(answers[-1].headers["retry-after"]), 1)
        self.assertNotIn("wait_s", answers[0].json)
        self.assertEqual(answers[statuses.index(429) - 1].json["wait_s"], 1)
        # An end is recorded once for each beginning, and needs no room.
        end = json.dumps({"key": "f0.csv@counted", "rows": 7, "events": 7, "complete": True})
        again = json.dumps({"key": "f0.csv@counted", "rows": 9})
        for body in (end, again):
            self.assertEqual(self.server.request("POST", f"/api/v1/imports/end?writeKey={key}", body).status, 200)
        self.assertEqual([f["rows"] for f in self.files() if f["origin"] == "f0.csv@counted"], [7])

    def test_a_list_of_rejections_counts_as_its_rows_or_as_one(self):
        def send(key, count):
            row = {"reason": "invalid_field", "path": "/a", "detail": "d", "origin": "a.csv:1", "payload": "x"}
            return self.server.request("POST", f"/api/v1/rejections?writeKey={key}", json.dumps({"rejections": [row] * count})).status
        empty = self.make_source("empty-lists", events_per_second=5)
        statuses = [send(empty, 0) for _ in range(8)]
        self.assertIn(statuses, ([200] * 5 + [429] * 3, [200] * 6 + [429] * 2))
        full = self.make_source("full-lists", events_per_second=5)
        self.assertEqual([send(full, 100), send(full, 1)], [200, 429])

    def test_the_importer_waits_for_a_limited_source(self):
        key = self.make_source("slow", events_per_second=1)
        work = kehu_server.pathlib.Path(kehu_server.tempfile.mkdtemp(prefix="kehu-test-"))
        self.addCleanup(kehu_server.shutil.rmtree, work, ignore_errors=True)
        (work / "m.toml").write_text(ORDERS)
        (work / "slow.csv").write_text(HEADER + G1 + "G9,grow-1,never,5\n")
        done = run("import", "--url", self.server.url, "--key", key, "--map", work / "m.toml", work / "slow.csv", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([json.loads(done.stdout)[name] for name in ("accepted", "rejected")], [1, 1])
        self.assertIn("sends more than it may: waiting", done.stderr)


class DamagedFilesTest(ImportTest):
    ROWS = HEADER + "".join(f"D{i},damaged-{i},2026-11-01 10:00,{i * 7919 % 1000}\n" for i in range(20_000))

    def test_padding_is_no_damage(self):
        report, said = self.run_import(ORDERS, self.file("padded.csv.gz", gzip.compress(self.ROWS.encode()) + bytes(512)))
        self.assertEqual((report["accepted"], report["files"][0]["complete"]), (20_000, True))
        self.assertIn("512 zero bytes", said)
        self.assertIn("512 zero bytes", report["files"][0]["notes"][0])

    def test_zeros_between_two_members_are_no_padding(self):
        packed = gzip.compress((HEADER + G1).encode())
        report, said = self.run_import(ORDERS, self.file("two.csv.gz", packed + bytes(512) + packed), code=1)
        self.assertEqual(report["accepted"], 1)
        self.assertIn("stands something else", said)
        self.assertNotIn("passed over", said)

    def test_the_report_counts_what_was_stored(self):
        packed = gzip.compress(self.ROWS.encode())
        whole = self.file("good.csv", HEADER + G1)
        for name, content, every in (("cut.csv.gz", packed[:len(packed) // 2], False), ("junk.csv.gz", packed + b"junk", True)):
            with self.subTest(name):
                self.data = self.work / f"data-{name}"
                report, said = self.run_import(ORDERS, whole, self.file(name, content), code=1)
                self.assertEqual([f["complete"] for f in report["files"]], [True, False])
                self.assertEqual(report["files"][0]["accepted"], 1)
                stored = report["files"][1]["accepted"]
                self.assertEqual(stored, report["files"][1]["rows"])
                self.assertTrue(stored == 20_000 if every else 1000 < stored < 20_000, stored)
                self.assertEqual(report["accepted"], stored + 1)
                self.assertIn(name, said)
                counted = run("sql", "--data", self.data, "--format", "csv", "SELECT count(*) AS n FROM events").stdout.split()
                self.assertEqual(int(counted[1]), stored + 1)
                # A good copy, under another name of the same family, adds the rest.
                good = self.file(name.replace(".csv.gz", ".csv"), self.ROWS)
                self.assertEqual(self.told(ORDERS, good), (20_000 - stored, stored))

    def test_json_that_was_cut_off(self):
        for name, text in (("array.json", '[\n{"u":"cut-1","t":"2026-11-01"},\n'), ("element.json", '[{"u":"cut-1","t":"2026-11-01"},{"u":"cut-2","t":[1]')):
            with self.subTest(name):
                self.data = self.work / f"data-{name}"
                report, said = self.run_import(USERS % "ndjson", self.file(name, text), code=1)
                self.assertEqual((report["accepted"], report["rejected"], report["files"][0]["complete"]), (1, 0, False))
                self.assertIn("cut off", said)

    def test_objects_with_commas_between_and_sequences_are_read(self):
        for name, text in (("commas.json", '{"u":"c1","t":"2026-11-01"},\n{"u":"c2","t":"2026-11-01"},\n'),
                           ("sequence.json", '\x1e{"u":"s1","t":"2026-11-01"}\n\x1e{"u":"s2","t":"2026-11-01"}\n')):
            report, _ = self.run_import(USERS % "ndjson", self.file(name, text))
            self.assertEqual((report["accepted"], report["rejected"]), (2, 0), name)

    def test_the_reason_stands_before_the_figures(self):
        mapping, path = self.file("m.toml", ORDERS), self.file("other.csv", "a,b\n1,2\n")
        done = kehu_server.subprocess.run([kehu_server.BINARY, "import", "--data", self.data, "--map", mapping, path, self.file("good.csv", HEADER + G1)],
                                          stdout=kehu_server.subprocess.PIPE, stderr=kehu_server.subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertLess(done.stdout.index("has no column"), done.stdout.index("1 events are new"))
        self.assertEqual(done.stdout.count("has no column"), 1)


class KindsOfFilesTest(ImportTest):
    def test_a_workbook_is_read(self):
        rows = [["order", "customer", "placed", "total"], ["X1", "book-1", ("date", 46327.416666666664), 99.5],
                ["X2", 1002, ("date", 46328), 7]]
        self.assertEqual(self.told(ORDERS, self.file("orders.xlsx", workbook(rows))), (2, 0))
        customer = self.customer("user_id:book-1")
        self.assertEqual(customer["revenue"][0]["revenue"], 99.5)
        timeline = run("customer", "user_id:book-1", "--view", "timeline", "--data", self.data, "--json").stdout
        self.assertIn("2026-11-01T02:00:00.000Z", timeline)
        self.assertEqual(self.customer("user_id:1002")["events"], 1)
        rows.append(["X3", "book-1", ("date", 46329), 1])
        self.assertEqual(self.told(ORDERS, self.file("orders.xlsx", workbook(rows))), (1, 2))
        _, said = self.run_import(ORDERS.replace("[file]", '[file]\nformat = "xlsx"\nsheet = "Nope"'), self.work / "orders.xlsx", code=1)
        self.assertIn('no sheet "Nope"; it has "Orders"', said)

    def test_json_that_is_not_one_object_to_a_line_is_read(self):
        for number, text in enumerate(('[\n {"u": "a1", "t": "2026-11-01"},\n {"u": "a2", "t": "2026-11-01"}\n]\n',
                                       '[{"u":"b1","t":"2026-11-01"},{"u":"b2","t":"2026-11-01"}]',
                                       '{\n  "u": "c1",\n  "t": "2026-11-01"\n}\n{\n  "u": "c2",\n  "t": "2026-11-01"\n}\n')):
            report, _ = self.run_import(USERS % "ndjson", self.file(f"list{number}.json", text))
            self.assertEqual((report["accepted"], report["rejected"]), (2, 0), text)
        for user in ("a1", "a2", "b1", "b2", "c1", "c2"):
            self.assertEqual(self.customer(f"user_id:{user}")["events"], 1)

    def test_json_spread_over_lines_has_objects_and_lists(self):
        rows = [{"u": f"spread-{n}", "t": "2026-11-01T10:00:00Z", "o": {"x": [1, {"y": "a\nb"}]}, "l": [n, [n]], "none": []} for n in (1, 2)]
        mapping = USERS % "ndjson" + '[properties]\no = "o"\nl = "l"\nnone = "none"\n[traits]\no = "o.x"\n'
        for number, text in enumerate((json.dumps(rows, indent=2), "\n".join(json.dumps(row, indent="\t") for row in rows),
                                       json.dumps(rows[:1], indent=1).replace("\n", "\r\n"))):
            self.data = self.work / f"data-{number}"
            report, _ = self.run_import(mapping, self.file("spread.json", text))
            self.assertEqual((report["accepted"], report["rejected"]), (report["rows"], 0), text)
            found = run("sql", "--data", self.data, "--format", "ndjson", "SELECT properties FROM events ORDER BY sequence LIMIT 1").stdout
            self.assertEqual(json.loads(json.loads(found)["properties"]), {key: rows[0][key] for key in ("o", "l", "none")})

    def test_other_kinds_are_named_before_anything_is_sent(self):
        csv = "u,t\nk1,2026-11-01\n".encode()
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as zipped:
            zipped.writestr("a.csv", csv)
        for mapping, name, content, want in (
                ("csv", "a.zip", archive.getvalue(), "is a zip archive"),
                ("csv", "a.bz2", bz2.compress(csv), "packed by bzip2"), ("csv", "a.xz", lzma.compress(csv), "packed by xz"),
                ("csv", "a.zst", b"\x28\xb5\x2f\xfd" + csv, "packed by Zstandard"), ("csv", "a.7z", b"7z\xbc\xaf\x27\x1c\x00", "archive of 7-Zip"),
                ("csv", "a.parquet", b"PAR1" + bytes(200) + b"PAR1", 'format = "parquet"'),
                ("csv", "a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old workbook"),
                ("csv", "b.xls", b"<html><table><tr><td>u</td></tr></table></html>", "HTML page"),
                ("csv", "a.ndjson", b'{"u": "k1"}\n', 'format = "ndjson"'),
                ("csv", "semicolons.csv", csv.replace(b",", b";"), 'write delimiter = ";"'),
                ("csv", "tabs.csv", csv.replace(b",", b"\t"), 'write delimiter = "\\t"'),
                ("csv", "gbk.csv", "u,t,姓名\nk1,2026-11-01,李娜\n".encode("gbk"), 'looks like GBK: write encoding = "GBK"'),
                ("csv", "big5.csv", "會員,日期\nk1,王小明\nk2,陳大文\n".encode("big5"), 'looks like Big5: write encoding = "Big5"'),
                ("csv", "sjis.csv", "会員,日付\nk1,山田太郎\nk2,鈴木一郎\n".encode("cp932"), 'looks like Shift_JIS'),
                ("csv", "wide.csv", "u,t\nk1,2026-11-01\n".encode("utf-16"), "UTF-16"),
                ("csv", "padded.csv", csv.replace(b"u,", b"x,") + bytes(40), "has no column"),
                ("parquet", "text.parquet", csv, "is no Parquet file: it looks like text"),
                ("csv", "a.png", b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR\0\0\4\0", "a PNG image"),
                ("ndjson", "csv.ndjson", csv, "is no JSON"),
                ("ndjson", "book.xlsx", workbook([["u", "t"], ["a", "b"]]), 'write format = "xlsx"'),
                ("parquet", "book.parquet", workbook([["u", "t"], ["a", "b"]]), 'write format = "xlsx"'),
                ("csv", "book.xlsx.gz", gzip.compress(workbook([["u", "t"], ["a", "b"]])), "unpack it with `gunzip`"),
                ("parquet", "cut.parquet", b"PAR1" + bytes(200), "was cut off")):
            with self.subTest(name):
                _, said = self.run_import(USERS % mapping, self.file(name, content), code=1)
                self.assertIn(want, said)
                self.assertNotIn("LINE 1", said)
                self.assertNotIn("PK", said)
        self.assertIn("0", run("sql", "--data", self.data, "--format", "csv", "SELECT count(*) FROM events").stdout.split())


class ProposedMappingTest(ImportTest):
    def test_a_proposal_imports_every_row_as_it_is(self):
        log = '127.0.0.1 - bob [10/Oct/2026:13:55:36 +0800] "GET /a HTTP/1.0" 200 2326\n'
        for name, content, subject, rows in (
                ("tmall.csv", "订单编号,手机号,订单付款时间,总金额\n1001,13912345678,2026-11-01 10:00:00,99.50\n"
                              "1002,13912345679,2026-11-02 11:00:00,12.00\n", "", 2),
                ("gbk.csv", "会员卡号;城市\nm1;北京\nm2;上海\nm3;广州\n".encode("gbk"), "customers", 3),
                ("people.csv", "email,name,age\na@example.org,Ann,31\nb@example.org,Bob,40\n", "customers", 2),
                ("clicks.ndjson", '{"user":"u1","ts":1511544070,"action":"pv"}\n{"user":"u2","ts":1511544090,"action":"buy"}\n', "events", 2),
                ("array.json", '[\n {"u":"a1","t":"2026-11-01"},\n {"u":"a2","t":"2026-11-02"}\n]\n', "", 2),
                ("access.log", log, "", 1), ("words.txt", "00001 19970101 1 11.77\n00002 19970112 1 12.00\n", "", 2),
                ("book.xlsx", workbook([["order_id", "user_id", "order_time", "total"], ["o1", "u1", ("date", 46327.5), 9.5]]), "", 1)):
            with self.subTest(name):
                self.data = self.work / f"data-{name}"
                path = self.file(name, content)
                done = run("map", path, *(("--as", subject) if subject else ()))
                self.assertEqual(done.returncode, 0, done.stderr)
                report, said = self.run_import(done.stdout, path)
                self.assertEqual((report["rows"], report["accepted"], report["rejected"], report["identifiers_left_out"]),
                                 (rows, rows, 0, {}), done.stdout + said)

    def first_event(self, name, content):
        """What the proposal for a file makes of it: the rows that became events, and the first of these."""
        self.data = self.work / f"data-{name}"
        path = self.file(name, content)
        done = run("map", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        report, said = self.run_import(done.stdout, path)
        self.assertEqual((report["rejected"], report["identifiers_left_out"]), (0, {}), done.stdout + said)
        row = json.loads(run("sql", "--data", self.data, "--format", "ndjson", "SELECT type, event, epoch_ms(time) AS at, properties, traits, "
                             "identifiers::VARCHAR AS ids FROM events ORDER BY sequence LIMIT 1").stdout)
        told = {**json.loads(row["properties"]), **json.loads(row["traits"])}
        return report["accepted"], row, told, done.stdout

    def test_exports_of_shops_and_offices(self):
        noon = 1793505600000  # 2026-11-01T04:00:00Z, noon in Shanghai
        for name, content, events, at, total in (
                # Orders that are not paid, further lines of an order and the sum at the end have no time.
                ("taobao.csv", '"订单编号","买家会员名","总金额","订单付款时间"\n"=""12345678""","小张","99.50","2026-11-01 12:00:00"\n'
                               '"=""12345679""","小李","1,299.00",""\n"=""12345680""","小王","5.00","2026-11-02 12:00:00"\n'.encode("gb18030"), 2, noon, 99.5),
                ("sum.csv", "订单号,会员号,下单时间,金额\n1,m1,2026-11-01 12:00,¥10.00\n2,m2,2026-11-02 12:00,20元\n合计,,,30\n", 2, noon, 10),
                # Tabs that keep a spreadsheet from rounding.
                ("tabs.csv", "订单号,手机号,付款时间,金额\n1001\t,13912345678\t,2026-11-01 12:00:00\t,10.00\t\n"
                             "1002\t,13912345679\t,2026-11-02 10:00:00\t,20.00\t\n", 2, noon, 10),
                # What a bill says of itself above the names of its columns.
                ("bill.csv", "支付账单明细,,,,\n起始时间：[2026-11-01 00:00:00] 终止时间：[2026-11-30 23:59:59],,,,\n,,,,\n"
                             "交易时间,交易对方,客户,订单号,金额(元)\n2026-11-01 12:00:00,店,c1,4200001,¥35.00\n2026-11-02 12:00:00,店,c2,4200002,¥36.00\n",
                 2, noon, 35),
                ("us.csv", 'Order ID,Customer Email,Order Date,Total\n1,a@example.com,11/01/2026 4:00 AM,"$1,299.00"\n'
                           "2,b@example.com,11/30/2026 2:05 PM,$12.50\n", 2, noon, 1299),
                ("two.csv", "user,order_date,order_time,total\nu1,2026-11-01,04:00:00,5\nu2,2026-11-02,11:00:00,6\n", 2, noon, 5),
                ("slashes.csv", "user,date,time,total\nu1,11/01/2026,4:00,5\nu2,11/30/2026,11:00,6\n", 2, noon, 5),
                ("nulls.csv", "user_id,date,total\nu1,2026-11-01T12:00:00+08:00,5\nu2,2026-11-02,NULL\nu3,\\N,\\N\n", 2, noon, 5),
                ("shopify.csv", "Name,Email,Paid at,Currency,Total,Lineitem name\n#1001,a@example.com,2026-11-01 12:00:00 +0800,USD,25.00,Tea\n"
                                "#1001,a@example.com,,,,Cup\n#1002,b@example.com,2026-11-02 10:00:00 +0800,USD,5.00,Tea\n", 2, noon, 25),
                ("mongo.json", '{"_id":{"$oid":"65f0"},"user":{"$oid":"65f1"},"total":{"$numberDecimal":"12.5"},'
                               '"created":{"$date":"2026-11-01T04:00:00Z"}}\n', 1, noon, 12.5),
                ("negative.csv", "order_id,user_id,order_time,amount\n1,u1,2026-11-01 04:00,(99.00)\n2,u2,2026-11-01 10:00,-5\n", 2, noon, -99)):
            with self.subTest(name):
                accepted, row, told, toml = self.first_event(name, content)
                self.assertEqual((accepted, row["event"], row["at"], told["total"]), (events, "Order Completed", at, total), toml)

    def test_times_as_programs_write_them(self):
        for number, text in enumerate(("Sun, 01 Nov 2026 04:00:00 +0000", "Sun Nov 01 04:00:00 2026", "1 Nov 2026 04:00:00", "01-Nov-2026 04:00:00",
                                       "20261101T040000Z", "2026-11-01T12:00:00+08:00", "Nov 1, 2026 4:00 AM")):
            _, row, _, toml = self.first_event(f"times{number}.csv", f'user,date\nu1,"{text}"\nu2,"{text}"\n')
            self.assertEqual(row["at"], 1793505600000, toml)

    def test_other_encodings(self):
        for encoding, text, name in (("big5", "會員編號,姓名,日期\nm1,王小明,2026-11-01\nm2,陳大文,2026-11-02\n", "王小明"),
                                     ("cp932", "会員番号,氏名,日付\nm1,山田太郎,2026-11-01\nm2,鈴木一郎,2026-11-02\n", "山田太郎"),
                                     ("euc_kr", "회원번호,이름,가입일\nm1,김철수,2026-11-01\nm2,이영희,2026-11-02\n", "김철수"),
                                     ("latin-1", "user,stadt,datum\nu1,München,2026-11-01\nu2,Köln,2026-11-02\n", "München"),
                                     ("utf-16", "用户,姓名,日期\nu1,张三,2026-11-01\nu2,李四,2026-11-02\n", "张三")):
            with self.subTest(encoding):
                _, _, told, toml = self.first_event(f"{encoding}.csv", text.encode(encoding))
                self.assertIn(name, told.values(), toml)

    def test_what_cannot_be_proposed_for_is_named(self):
        for path, want in ((self.work, "is a directory: name the files in it"), (self.work / "none.csv", "there is no file"),
                           (self.file("page.xls", "<html><table></table></html>"), "HTML page"), (self.file("empty.csv", ""), "empty")):
            with self.subTest(path):
                done = run("map", path)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(want, done.stderr)


if __name__ == "__main__":
    kehu_server.main()
