#!/usr/bin/env python3
"""The lines of docs/lake.md run, and print what stands behind them: Kehu's SQL, pandas, Polars, DuckDB with its extension,
Spark."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import kehu_server

GUIDE = kehu_server.ROOT / "docs/lake.md"
READERS = ["deltalake==1.6.6", "duckdb==1.4.4", "duckdb-ext-delta==1.4.4.20260205", "pandas==3.1.1", "polars==2.1.0",
           "pyarrow==26.0.1", "pytz==2026.6"]
SPARK = ["pyspark==3.5.3", "delta-spark==3.2.1"]
PRELUDE = {
    "duckdb": """import duckdb, deltalake, pathlib, sys
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
duckdb.set_default_connection(connection)
duckdb.sql(f"LOAD '{next(pathlib.Path(sys.prefix).rglob('delta.duckdb_extension'))}'")
""",
}
VISITOR, LI_NA, BOB = {"anonymous_id": "visitor-1"}, {"user_id": "li-na"}, {"user_id": "bob"}
FIRST = [{"type": "page", "name": "Home", **VISITOR, "properties": {"$current_url": "https://shop.example/"}},
         {"event": "Product Added", **VISITOR, "properties": {"product_id": "tea-9"}},
         {"event": "Order Completed", "phone": "13912345678", "properties": {"order_id": "s-1", "total": 99.5}}]
THEN = [{"type": "identify", **LI_NA, **VISITOR, "phone": "13912345678", "traits": {"name": "李娜"}},
        {"event": "Order Completed", **BOB, "properties": {"order_id": "s-2", "total": 12}},
        {"type": "identify", **BOB, "traits": {"name": "Bob"}}]


def blocks(language):
    """Blocks of the guide by what stands behind ``` and the language."""
    found = {}
    for tool, text in re.findall(rf"^```{language} ?(\w*)\n(.*?)^```$", GUIDE.read_text(), re.M | re.S):
        found.setdefault(tool, []).append(text)
    return found


def expected(text, mark):
    return [line.rsplit(mark, 1)[1].strip() for line in text.splitlines() if mark in line]


def environment(case, name, packages):
    """The interpreter of a venv with the packages, kept between runs."""
    directory = kehu_server.CACHE / name
    python, marker = directory / "bin/python", directory / "complete"
    if marker.exists() and marker.read_text() == "\n".join(packages):
        return python
    for command in ([sys.executable, "-m", "venv", directory],
                    [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]):
        if subprocess.run(command, timeout=600).returncode != 0:
            kehu_server.skip(case, f"{', '.join(packages)} cannot be installed, so these lines of docs/lake.md did not run")
    marker.write_text("\n".join(packages))
    return python


class LakeGuide(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix="kehu-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)
        cls.server = kehu_server.Server(cls.work / "data")
        for events in (FIRST, THEN):  # a data file each
            cls.server.start()
            if events is FIRST:
                cls.server.define_rules(已下单='ever("Order Completed")')
            stamped = [{**event, "time": "2026-11-01T10:00:00Z", "currency": "CNY"} for event in events]
            assert cls.server.post_events(stamped)["accepted"] == 3
            cls.server.stop()
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)

    def run_python(self, tool, python):
        code = PRELUDE.get(tool, "") + "\n".join(blocks("python")[tool])
        code = code.replace("/var/lib/kehu/lake", str(self.work / "data/lake"))
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=600, cwd=self.work)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        want = expected(code, "      # ")
        self.assertTrue(want, f"the guide has no lines for {tool}")
        # Spark's launcher says where it takes its jars from.
        self.assertEqual([line for line in done.stdout.splitlines() if not line.startswith("::")], want)

    def readers(self):
        python = environment(self, "lake-readers", READERS)
        # Another writer compacts, as Kehu does by and by: the files before stay where they are.
        compact = "import deltalake, sys; t = deltalake.DeltaTable(sys.argv[1]); print(t.optimize.compact()['numFilesRemoved'])"
        subprocess.run([python, "-c", compact, self.work / "data/lake/events"], check=True, capture_output=True)
        return python

    def test_pandas(self):
        self.run_python("pandas", self.readers())

    def test_polars(self):
        self.run_python("polars", self.readers())

    def test_duckdb(self):
        self.run_python("duckdb", self.readers())

    def test_spark(self):
        if subprocess.run(["sh", "-c", "command -v java"], capture_output=True).returncode != 0:
            kehu_server.skip(self, "there is no Java, so Spark's lines of docs/lake.md did not run")
        self.run_python("spark", environment(self, "lake-spark", SPARK))

    def test_sql(self):
        seen = 0
        for text in blocks("sql")[""]:
            for line in text.splitlines():
                statement, want = (part.strip() for part in line.rsplit("-- ", 1))
                with self.subTest(statement):
                    answer = self.server.post("/api/v1/sql", {"sql": statement.rstrip(";")})
                    self.assertEqual(answer.status, 200, answer)
                    rows = json.loads(answer.body, parse_float=str)  # with the digits that were sent
                    self.assertEqual([str(value) for row in rows for value in row.values()], [want])
                    seen += 1
        self.assertGreater(seen, 6)

    def test_only_what_is_documented_shows(self):
        tables = [row["name"] for row in self.server.sql("SHOW TABLES")]
        self.assertEqual(tables, ["check_log", "customers", "definitions", "events", "identity_log", "order_events", "orders", "segment_log",
                                  "segments"])
        for name in tables:
            self.assertIn(f"| `{name}` |", GUIDE.read_text())
        for view in ("check_log", "customers", "segments", "segment_log"):
            columns = [row["column_name"] for row in self.server.sql(f"DESCRIBE {view}")]
            row = next(line for line in GUIDE.read_text().splitlines() if line.startswith(f"| `{view}` |"))
            self.assertEqual(columns, re.findall(r"`(\w+)`", row)[1:])

    def test_who_was_in_a_segment(self):
        statement = blocks("sql")["asof"][0]
        moment = re.search(r"TIMESTAMPTZ '([^']+)'", statement)[1]

        def members(at):
            return sorted(row["customer_id"] for row in self.server.sql(statement.replace(moment, at)))

        now = sorted(row["customer_id"] for row in self.server.sql("FROM segments"))
        self.assertEqual(len(now), 2)
        self.assertEqual(members("2999-01-01 00:00:00+00"), now)
        self.assertEqual(members("2001-01-01 00:00:00+00"), [])
        changes = self.server.sql("SELECT time, customer_id, change FROM segment_log WHERE customer_id IS NOT NULL "
                                  "ORDER BY sequence, ordinal")
        self.assertGreaterEqual(len(changes), 2)
        inside = set()
        for change, after in zip(changes, [*changes[1:], None]):
            (inside.add if change["change"] == "entered" else inside.remove)(change["customer_id"])
            if after is None or after["time"] > change["time"]:
                self.assertEqual(members(change["time"]), sorted(inside))

    def test_a_path_that_begins_with_a_dollar_is_explained(self):
        for statement in ("SELECT properties->>'$current_url' FROM events", "SELECT traits->'$name' FROM events",
                          "SELECT count(*) FROM events WHERE context->>'$lib' = 'js'"):
            answer = self.server.post("/api/v1/sql", {"sql": statement})
            self.assertEqual(answer.status, 400, answer)
            self.assertIn("prop(properties, '$current_url')", answer.json["detail"])

    def test_columns_of_json_have_names_of_their_own(self):
        for statement, want in (
                ("SELECT message_id, message_id FROM events LIMIT 1", ["message_id", "message_id_1"]),
                ("SELECT 1 AS a, 2 AS a, 3 AS a", ["a", "a_1", "a_2"]),
                ("SELECT 1 AS a, 2 AS a, 3 AS a_1", ["a", "a_2", "a_1"]),
                ("SELECT 1 AS a, 2 AS A", ["a", "A"]),
                ("SELECT * FROM (SELECT 1 AS k) x, (SELECT 2 AS k) y", ["k", "k_1"])):
            for form in ("json", "ndjson"):
                with self.subTest(statement, form=form):
                    answer = self.server.post("/api/v1/sql", {"sql": statement, "format": form})
                    self.assertEqual(answer.status, 200, answer)
                    row = answer.json[0] if form == "json" else answer.json
                    self.assertEqual(list(row), want)


if __name__ == "__main__":
    kehu_server.main()
