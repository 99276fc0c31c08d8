#!/usr/bin/env python3
"""Rules on public data sets against SQL that says the same by hand (tests/data/rules): rules before events, events before rules,
events in any order, events each at its own time on a virtual clock, and a restart. The sets are years old, so they are moved by whole days: their last day is
yesterday, and the dates in rules and SQL are moved with them."""
import csv
import datetime
import decimal
import gzip
import json
import random
import re
import unittest
import zoneinfo

import client_kit
import kehu_server
import lists_test
import measured_rules_test
from kehu_server import run

DATA = kehu_server.SHARED / "data"
RULES = kehu_server.ROOT / "tests/data/rules"
UTC, SHANGHAI, LONDON = (zoneinfo.ZoneInfo(name) for name in ("UTC", "Asia/Shanghai", "Europe/London"))
PATIENCE_S = 600 if kehu_server.LONG else 60
DIFFERENT_SHOWN = 5

ORACLE = r"""
import duckdb, json, sys
asked = json.load(open(sys.argv[1]))
db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
db.execute(f"CREATE MACRO this_day() AS DATE '{asked['day']}'")
db.execute(f"CREATE MACRO this_moment() AS TIMESTAMP '{asked['moment']}'")
# a / b of ten-thousandths and a number, in ten-thousandths, rounded half away from zero
db.execute("CREATE MACRO ratio(a, b) AS (sign(a) * ((2 * abs(a)::HUGEINT + b::HUGEINT) // (2 * b::HUGEINT)))::BIGINT")
db.execute("CREATE MACRO instant(l) AS strftime(l, '%Y-%m-%dT%H:%M:%S') || '.000+08:00'")
for table, path in asked["tables"].items():
    db.execute(f"CREATE TABLE {table}_rows AS FROM read_csv('{path}', all_varchar = true, header = true)")
db.execute(asked["views"])
answers = {}
for name, statement in asked["statements"].items():
    try:
        answers[name] = [[c, None if len(v) == 0 else v[0] if isinstance(v[0], (bool, str)) else {"number": str(v[0])}]
                         for c, *v in db.execute(statement).fetchall() if len(v) == 0 or v[0] is not None]
    except duckdb.Error as error:
        sys.exit(f"{name}: {error}")
json.dump(answers, open(sys.argv[2], "w"))
"""
EVENT_COLUMNS = """make_timestamp(time::BIGINT * 1000000) AS t, make_timestamp((time::BIGINT + 28800) * 1000000) AS l,
    l::DATE AS d, hour(l) AS h, london::DATE AS london"""
DATE = re.compile(r"\b20(?:10|11|17)-\d\d-\d\d\b")


def today():
    return datetime.datetime.now(SHANGHAI).date()


def london_day(time):
    return datetime.datetime.fromtimestamp(time, LONDON).date().isoformat()


class Taobao:
    name = "taobao"
    path = DATA / "taobao_userbehavior/UserBehavior_first815users.csv.gz"
    last_day = datetime.date(2017, 12, 3)
    names = {"pv": "Product Viewed", "fav": "Product Added to Wishlist", "cart": "Product Added", "buy": "Order Completed"}
    columns = ["user", "item", "cat", "ev", "time", "london", "c"]
    mappings = {"events": """[file]
[identifiers]
user_id = "user"
[time]
column = "time"
format = "unix"
[event]
channel = "app"
name = { column = "ev" }
[properties]
product_id = "item"
category_id = "cat"
"""}
    views = f"""CREATE TABLE e AS SELECT c, ev, item, cat, {EVENT_COLUMNS} FROM events_rows;
                CREATE VIEW customers AS SELECT DISTINCT c FROM e"""

    def tables(self, shift):
        begin = datetime.datetime(2017, 11, 25, tzinfo=SHANGHAI).timestamp()
        end = datetime.datetime(2017, 12, 4, tzinfo=SHANGHAI).timestamp()
        rows = []
        with gzip.open(self.path, "rt") as file:
            for user, item, category, behavior, time in csv.reader(file):
                if begin <= int(time) < end:
                    time = int(time) + 86400 * shift
                    rows.append([user, item, category, self.names[behavior], time, london_day(time), f"user_id:{user}"])
        return {"events": (self.columns, rows)}


class OnlineRetail:
    name = "online_retail"
    path = DATA / "online_retail_uci/online_retail.csv.gz"
    last_day = datetime.date(2011, 12, 9)
    part = 1 if kehu_server.LONG else 8  # every eighth customer
    columns = ["user", "guest", "ev", "invoice", "code", "name", "qty", "price", "amount", "country", "time", "london", "c"]
    mappings = {"events": """[file]
[identifiers]
user_id = "user"
anonymous_id = "guest"
[time]
column = "time"
format = "unix"
[event]
channel = "web"
name = { column = "ev" }
[properties]
order_id = "invoice"
product_id = "code"
name = "name"
quantity = { column = "qty", type = "number" }
price = { column = "price", type = "number" }
amount = { column = "amount", type = "number" }
currency = { constant = "GBP" }
country = "country"
""", "traits": """[file]
[identifiers]
user_id = "user"
[time]
column = "time"
format = "unix"
[event]
type = "identify"
[traits]
country = "country"
joined = "joined"
lines = { column = "lines", type = "number" }
vip = { column = "vip", type = "bool" }
"""}
    views = f"""CREATE TABLE traits AS SELECT c, country, joined::DATE AS joined, lines::INT AS lines, vip::BOOLEAN AS vip FROM traits_rows;
        CREATE TABLE e AS SELECT c, ev, invoice, code, name, qty::INT AS qty, price::DECIMAL(18, 4) AS price,
            amount::DECIMAL(18, 4) AS amount, country, {EVENT_COLUMNS} FROM events_rows
        UNION ALL BY NAME SELECT c, {EVENT_COLUMNS} FROM traits_rows;
        CREATE VIEW customers AS SELECT DISTINCT c FROM e"""

    def tables(self, shift):
        rows, firsts = [], {}
        with gzip.open(self.path, "rt", encoding="utf-8", errors="replace") as file:
            for line in csv.DictReader(file):
                user, invoice = line["CustomerID"], line["InvoiceNo"]
                if int(user or re.sub(r"\D", "", invoice)) % self.part != 0:
                    continue
                guest = "" if user else f"invoice-{invoice}"
                name = f"user_id:{user}" if user else f"anonymous_id:{guest}"
                local = datetime.datetime.fromisoformat(line["InvoiceDate"]).replace(tzinfo=LONDON)
                time = int(local.timestamp()) + 86400 * shift
                amount = int(line["Quantity"]) * decimal.Decimal(line["UnitPrice"])
                rows.append([user, guest, "Order Line Cancelled" if invoice.startswith("C") else "Order Line", invoice,
                             line["StockCode"], line["Description"], line["Quantity"], line["UnitPrice"], f"{amount:f}",
                             line["Country"], time, london_day(time), name])
                if user and int(user) % 3 != 0:
                    first = firsts.setdefault(user, [user, line["Country"], time, 0, name])
                    first[2], first[3] = min(first[2], time), first[3] + 1
        traits = [[user, country, datetime.datetime.fromtimestamp(time, SHANGHAI).date().isoformat(), lines,
                   "true" if lines > 50 else "false", time, london_day(time), name]
                  for user, country, time, lines, name in firsts.values()]
        return {"events": (self.columns, rows),
                "traits": (["user", "country", "joined", "lines", "vip", "time", "london", "c"], traits)}


def plain(value):
    """A tag's value as both sides have it: numbers are told from texts of digits."""
    if isinstance(value, dict):
        value = decimal.Decimal(value["number"])
    if isinstance(value, (int, decimal.Decimal)) and not isinstance(value, bool):
        return round(decimal.Decimal(value), 4).normalize() + 0
    return value


def as_text(value):
    """A tag's value as a change tells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, decimal.Decimal) else value


class RealRulesTest(unittest.TestCase):
    def setUp(self):
        if not DATA.is_dir():
            kehu_server.skip(self, f"{DATA} is missing, so no rules were asked of real data")
        self.duckdb = client_kit.python_package(self, "duckdb", "duckdb==1.4.4", "duckdb")
        self.work = kehu_server.scratch(self)

    def prepare(self, data_set):
        """The set and its rules as of today."""
        self.set, self.day = data_set, today()
        self.shift = (self.day - datetime.timedelta(days=1) - data_set.last_day).days
        def moved(text):
            return DATE.sub(lambda found: str(datetime.date.fromisoformat(found[0]) + datetime.timedelta(self.shift)), text)
        self.rules = self.work / "rules"
        self.rules.mkdir()
        (self.rules / f"{data_set.name}.kehu").write_text(moved((RULES / f"{data_set.name}.kehu").read_text()))
        parts = re.split(r"^-- (segment|tag) (\S+)\n", moved((RULES / f"{data_set.name}.sql").read_text()), flags=re.M)[1:]
        self.statements = {(kind, name): text for kind, name, text in zip(parts[::3], parts[1::3], parts[2::3])}
        self.rows = data_set.tables(self.shift)
        self.files = {}
        for table, (columns, rows) in self.rows.items():
            self.files[table] = self.write(table, columns, rows)
            (self.work / f"{table}.toml").write_text(data_set.mappings[table])
        self.customers = sorted({row[columns.index("c")] for columns, rows in self.rows.values() for row in rows})

    def write(self, name, columns, rows):
        path = self.work / f"{name}.csv"
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([columns, *rows])
        return path

    def start(self, name):
        self.server = kehu_server.Server(self.work / name).start()
        self.addCleanup(lambda server=self.server: server.process and server.kill())

    def command(self, *arguments):
        done = run(*arguments, "--data", self.server.data, timeout=1200)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return done.stdout

    def apply(self):
        self.command("apply", self.rules)

    def load(self, files=None):
        for table, path in (files or self.files).items():
            report = json.loads(self.command("import", "--map", self.work / f"{table}.toml", path, "--json"))
            self.assertEqual((report["accepted"], report["rejected"]), (len(self.rows[table][1]), 0))

    def wait_live(self):
        end = kehu_server.time.monotonic() + PATIENCE_S
        while kehu_server.time.monotonic() < end:
            segments = self.server.get("/api/v1/segments").json["segments"]
            waiting = [segment["name"] for segment in segments if segment["state"] != "live"]
            if not waiting:
                return
            kehu_server.time.sleep(0.1)
        self.fail(f"not filled in after {PATIENCE_S} s: {waiting}\n{self.server.log_text()}")

    def expected(self, moment):
        """By (kind, name): of a segment the customers, of a tag the value of each."""
        asked, answered = self.work / "asked.json", self.work / "answered.json"
        asked.write_text(json.dumps({
            "day": str(moment.astimezone(SHANGHAI).date()), "moment": moment.strftime("%Y-%m-%d %H:%M:%S.%f"),
            "tables": {table: str(path) for table, path in self.files.items()}, "views": self.set.views,
            "statements": {f"{kind} {name}": text for (kind, name), text in self.statements.items()}}))
        client_kit.run_program(self, self.duckdb, ORACLE, asked, answered, timeout=1200)
        answers = {}
        for title, rows in json.loads(answered.read_text()).items():
            kind, name = title.split(" ", 1)
            answers[kind, name] = {c for c, _ in rows} if kind == "segment" else {c: plain(v) for c, v in rows}
        return answers

    def members(self, name):
        found, cursor = set(), ""
        while cursor is not None:
            page = self.server.get(f"/api/v1/segments/{kehu_server.quoted(name)}/members?limit=1000{cursor}").json
            for member in page["members"]:
                found |= {f"{i['type']}:{i['value']}" for i in member["identifiers"]}
            cursor = f"&cursor={page['next']}" if page.get("next") else None
        return found

    def answers(self):
        """The same of the server, and the segments that the customers' documents tell."""
        told = {key: set() if key[0] == "segment" else {} for key in self.statements}
        of_documents = {key: set() for key in self.statements if key[0] == "segment"}
        for customer in self.customers:
            document = json.loads(self.server.get(f"/api/v1/customers/{kehu_server.quoted(customer)}").body, parse_float=decimal.Decimal)
            for name in document["segments"]:
                of_documents["segment", name].add(customer)
            for name, value in document["tags"].items():
                if value is not None:
                    told["tag", name][customer] = plain(value)
        for kind, name in self.statements:
            if kind == "segment":
                told[kind, name] = self.members(name)
        return told, of_documents

    def differences(self):
        moment = datetime.datetime.now(UTC)
        told, of_documents = self.answers()
        wanted = self.expected(moment)
        found = []
        for (kind, name), want in wanted.items():
            if kind == "segment":
                for what, got in (("members", told[kind, name]), ("documents", of_documents[kind, name])):
                    if got != want:
                        found.append(f"{name}, {what}: {len(got)} instead of {len(want)}, too many {sorted(got - want)[:DIFFERENT_SHOWN]}, "
                                     f"missing {sorted(want - got)[:DIFFERENT_SHOWN]}")
            else:
                got = told[kind, name]
                wrong = [c for c in self.customers if got.get(c) != want.get(c)]
                if wrong:
                    found.append(f"tag {name}: {len(wrong)} of {len(self.customers)}: "
                                 + ", ".join(f"{c} {got.get(c)!r} instead of {want.get(c)!r}" for c in wrong[:DIFFERENT_SHOWN]))
        return found

    def compare(self, when):
        """A second try for windows that moved while they were read, and events that are still being applied."""
        if today() != self.day:
            kehu_server.skip(self, "a day ended in Shanghai meanwhile, and the set's last day is not yesterday any more")
        for _ in range(4):
            found = self.differences()
            if not found:
                return
            kehu_server.time.sleep(2)
        self.fail(f"{self.set.name}, {when}:\n" + "\n".join(found))

    def streamed(self, moment):
        """What the changes come to that a script tells of the same events, each at its own time on a virtual clock."""
        rows = self.command("sql", "SELECT epoch_us(time) AS micros, type, event, channel, properties, traits, identifiers, message_id FROM events "
                            "ORDER BY time, sequence", "--format", "ndjson").splitlines()
        with open(self.work / "streamed.ndjson", "w") as file:
            for row in map(json.loads, rows):
                time = datetime.datetime.fromtimestamp(row["micros"] / 1e6, UTC).isoformat(timespec="microseconds")
                event = {"type": row["type"], "event": row["event"], "time": time, "message_id": row["message_id"],
                         "identifiers": {i["type"]: i["value"] for i in json.loads(row["identifiers"])},
                         "properties": json.loads(row["properties"]), "traits": json.loads(row["traits"])}
                if row["channel"]:
                    event["channel"] = row["channel"]
                file.write(json.dumps(event) + "\n")
        start = self.day - datetime.timedelta(days=1200)
        (self.work / "streamed.kehu-script").write_text(
            f'at {start} 00:00 in "Asia/Shanghai"\nrules "rules/{self.set.name}.kehu"\nevents "streamed.ndjson"\n'
            f"at {moment.isoformat(timespec='milliseconds')}\n")
        done = run("script", "--json", "--changes", self.work / "streamed.kehu-script", timeout=1200)
        self.assertEqual(done.returncode, 0, done.stdout[-1000:] + done.stderr)
        told = {key: set() if key[0] == "segment" else {} for key in self.statements}
        for change in map(json.loads, done.stdout.splitlines()[:-1]):
            key, customer = (change["rule"], change["name"]), change["customer"]
            if change["rule"] == "segment":
                (told[key].add if change["after"] else told[key].remove)(customer)
            elif change["after"] is None:
                del told[key][customer]
            else:
                told[key][customer] = change["after"]
        return told

    def compare_streamed(self):
        moment = datetime.datetime.now(UTC)
        told = self.streamed(moment)
        for (kind, name), want in self.expected(moment).items():
            if kind == "tag":
                want = {customer: as_text(value) for customer, value in want.items()}
            self.assertEqual(told[kind, name], want, f"{self.set.name}, {kind} {name}")

    def restart(self):
        self.server.stop()
        self.server.start(PATIENCE_S)

    def check(self, data_set):
        self.prepare(data_set)
        self.start("rules-first")
        self.apply()
        kinds = re.findall(r"^(segments|tags)/(\S+)  ", self.command("apply", self.rules, "--dry-run"), re.M)
        self.assertEqual(kinds, [], "applied again, nothing is new")
        self.load()
        with self.subTest("rules, then events"):
            self.compare("rules, then events")
        with self.subTest("a restart"):
            self.restart()
            self.compare("after a restart")
        name = next(name for kind, name in self.statements if kind == "segment")
        lines = self.command("segment", "members", name, "--json").splitlines()
        self.assertEqual({f"{i['type']}:{i['value']}" for line in lines for i in json.loads(line)["identifiers"]}, self.members(name))
        self.server.stop()

        self.start("events-first")
        self.load()
        self.apply()
        with self.subTest("events, then rules"):
            self.wait_live()
            self.compare("events, then rules")
        with self.subTest("each event at its own time"):
            self.compare_streamed()
        self.server.stop()

        self.start("shuffled")
        self.apply()
        mixed = random.Random(7)
        self.load({table: self.write(f"{table}-mixed", columns, mixed.sample(rows, len(rows)))
                   for table, (columns, rows) in self.rows.items()})
        with self.subTest("rules, then events in any order"):
            self.compare("shuffled")
        self.server.stop()

    def test_taobao(self):
        self.check(Taobao())

    def test_online_retail(self):
        self.check(OnlineRetail())


class RulesTest(unittest.TestCase):
    def test_each_rule_has_its_statement(self):
        total = 0
        for data_set in (Taobao, OnlineRetail):
            rules = re.findall(r"^(segment|tag|分群|标签) +(\S+)", (RULES / f"{data_set.name}.kehu").read_text(), re.M)
            rules = [({"分群": "segment", "标签": "tag"}.get(kind, kind), name) for kind, name in rules]
            statements = re.findall(r"^-- (segment|tag) (\S+)", (RULES / f"{data_set.name}.sql").read_text(), re.M)
            self.assertEqual(rules, statements)
            total += len(rules)
        self.assertGreaterEqual(total, 60)

    def test_each_keyword_is_there_in_chinese(self):
        texts = "".join((RULES / f"{data_set.name}.kehu").read_text() for data_set in (Taobao, OnlineRetail))
        texts += measured_rules_test.RULES + measured_rules_test.CHECKS + lists_test.RULES
        texts = re.sub(r'#.*|"[^"]*"', "", texts)
        table = re.findall(r"^\| (`[^|]*`)? ?\| (`[^|(]*`) \|$", (kehu_server.ROOT / "docs/rules.md").read_text(), re.M)
        rows = [[re.findall("`(.*?)`", cell) for cell in row] for row in table]
        self.assertGreater(len(rows), 70)
        for english, chinese in rows:
            with self.subTest(english=english, chinese=chinese):
                self.assertTrue(any(word in texts for word in chinese))


if __name__ == "__main__":
    kehu_server.main()
