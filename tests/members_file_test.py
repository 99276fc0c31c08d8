#!/usr/bin/env python3
"""`kehu segment members --format parquet`: readers of others find in it what the API lists, masked as there."""
import json
import unittest

import client_kit
import kehu_server
from kehu_server import run

READER = """
import json, sys
import duckdb
import pyarrow.parquet
path = sys.argv[1]
duck = duckdb.connect()
duck.execute("SET TimeZone = 'UTC'")
rows = duck.execute("SELECT customer_id, epoch_us(since), to_json(identifiers), typeof(identifiers) FROM read_parquet(?)", [path]).fetchall()
arrow = pyarrow.parquet.read_table(path)
out = {
    "columns": arrow.column_names,
    "duckdb": [[c, s, json.loads(i)] for c, s, i, _ in rows],
    "pyarrow": [[r["customer_id"], int(r["since"].timestamp() * 1_000_000 + 0.5),
                 [{k: i[k] for k in ("type", "value", "masked")} for i in r["identifiers"]]] for r in arrow.to_pylist()],
}
json.dump(out, sys.stdout)
"""


class MembersFileTest(kehu_server.ServerTest):
    COUNT = 300_000 if kehu_server.LONG else 5_000

    def test_readers_of_others_find_the_members(self):
        directory = client_kit.python_package(self, "parquet-readers", ["duckdb==1.4.4", "pyarrow==26.0.1", "tzdata"], "pyarrow")
        for at in range(0, self.COUNT, 5_000):
            self.server.post_events([{"event": "Paid", "user_id": f"用户-{i}", "phone": f"139{i:08}", "message_id": f"m{i}"}
                                     for i in range(at, at + 5_000)])
        self.server.define_rules(**{"买过": 'ever("Paid")', "空": 'ever("Never")'})
        kept = self.server.get("/api/v1/segments").json
        while any(s["state"] != "live" for s in kept["segments"]):
            kept = self.server.get("/api/v1/segments").json
        listed = [json.loads(line) for line in
                  run("segment", "members", "买过", "--json", "--data", self.server.data).stdout.splitlines()]
        self.assertEqual(len(listed), self.COUNT)
        path = self.work / "members.parquet"
        for where in (["--data", self.server.data], ["--url", self.server.url]):
            with open(path, "wb") as out:
                done = kehu_server.subprocess.run([kehu_server.BINARY, "segment", "members", "买过", "--format", "parquet",
                                                   *map(str, where)], stdout=out, env=kehu_server.environment())
            self.assertEqual(done.returncode, 0)
            found = json.loads(client_kit.run_program(self, directory, READER, path))
            self.assertEqual(found["columns"], ["customer_id", "since", "identifiers"])
            self.check(listed, found)
        self.assertNotIn(b"13900000001", path.read_bytes())
        answer = self.server.get(f"/api/v1/segments/{kehu_server.quoted('空')}/members?format=parquet")
        self.assertEqual(answer.headers["content-type"], "application/vnd.apache.parquet")
        path.write_bytes(answer.body)
        self.assertEqual(json.loads(client_kit.run_program(self, directory, READER, path))["duckdb"], [])
        self.assertEqual([p.name for p in (self.server.data / "tmp").rglob("members-*")], [], "nothing is left")

    def check(self, listed, found):
        wanted = {m["customer_id"]: (m["since"], m["identifiers"]) for m in listed}
        for reader in ("duckdb", "pyarrow"):
            self.assertEqual(len(found[reader]), len(wanted), reader)
            for customer, since, identifiers in found[reader]:
                there, known = wanted[customer]
                self.assertEqual(since, self.micros(there))
                self.assertEqual([{k: i[k] for k in ("type", "value", "masked")} for i in identifiers],
                                 [{k: i[k] for k in ("type", "value", "masked")} for i in known])

    @staticmethod
    def micros(text):
        from datetime import datetime
        return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1_000_000 + 0.5)

    def test_wrong_ones(self):
        self.server.define_rules(there="trait.vip = true")
        self.assertEqual(self.server.get("/api/v1/segments/there/members?format=xml").status, 400)
        self.assertEqual(self.server.get("/api/v1/segments/nobody/members?format=parquet").status, 404)


if __name__ == "__main__":
    kehu_server.main()
