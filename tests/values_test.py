#!/usr/bin/env python3
"""What an identifier's value means is the same at every door: HTTP, WebSocket and files read the same dirty ids as the same
customers, leave the same ones out, and say so."""
import json
import pathlib
import tempfile

import kehu_server
import websocket_client

# As text. Each is the user id `want`, or left out for the reason.
TEXTS = [
    ('="{}"', None), ("'{}", None), ('"{}"', None), (" {}\u3000", None), ("\ufeff{}\u200b", None), ("“{}”", None),
]
LEFT_OUT = [("[object Object]", "blocked"), ("(null)", "blocked"), ("#REF!", "blocked"), ("${userId}", "blocked"),
            ("未登录", "blocked"), ("-1", "blocked"), ("1.23457E+17", "digits_lost")]
MAPPING = """[file]
format = "ndjson"
[identifiers]
user_id = "user"
anonymous_id = "visitor"
phone = "phone"
[time]
column = "time"
[event]
name = "Seen"
"""


class ValuesTest(kehu_server.ServerTest):
    def by_http(self, rows):
        return self.server.post_events([{"event": "Seen", **row} for row in rows])

    def by_socket(self, rows):
        with_key = f"/api/v1/stream?writeKey={kehu_server.WRITE_KEY}"
        socket = websocket_client.WebSocket(self.server.port, with_key)
        try:
            socket.send_text(json.dumps([{"event": "Seen", **row} for row in rows], ensure_ascii=False))
            taken = 0
            while taken < len(rows):
                answer = json.loads(socket.frame()[1])
                taken += answer["accepted"]
        finally:
            socket.close()

    def by_file(self, rows):
        with tempfile.TemporaryDirectory() as folder:
            files = pathlib.Path(folder)
            (files / "m.toml").write_text(MAPPING)
            names = {"user_id": "user", "anonymous_id": "visitor", "phone": "phone"}
            lines = [json.dumps({"time": "2026-11-01T10:00:00Z", **{names[k]: v for k, v in row.items()}}) for row in rows]
            (files / "rows.ndjson").write_text("\n".join(lines) + "\n")
            done = kehu_server.run("import", "--url", self.server.url, "--key", kehu_server.WRITE_KEY, "--map",
                                   files / "m.toml", "--json", files / "rows.ndjson")
        self.assertEqual(done.returncode, 0, done)
        return json.loads(done.stdout)

    def doors(self):
        return {"http": self.by_http, "socket": self.by_socket, "file": self.by_file}

    def test_numbers_in_all_spellings_are_one_customer_at_every_door(self):
        for name, send in self.doors().items():
            send([{"user_id": 2001}, {"user_id": 2001.0, "phone": 13911112222.0}, {"user_id": "2001.0"},
                  {"user_id": "2001"}, {"phone": "tel:+86-139-1111-2222"}, {"phone": "013911112222"}])
        customer = self.server.customer("user_id:2001")
        self.assertEqual(customer["events"], 6 * len(self.doors()))
        self.assertEqual(self.server.customer("phone:13911112222")["customer_id"], customer["customer_id"])

    def test_what_a_spreadsheet_did_is_undone_at_every_door(self):
        for send in self.doors().values():
            send([{"user_id": text.format("guard-1")} for text, _ in TEXTS] + [{"user_id": "guard-1"}])
        self.assertEqual(self.server.customer("user_id:guard-1")["events"], (len(TEXTS) + 1) * len(self.doors()))

    def test_values_that_name_nobody_join_nobody_and_are_counted(self):
        for name, send in self.doors().items():
            rows = [{"user_id": value, "anonymous_id": f"{name}-{i}"} for i, (value, _) in enumerate(LEFT_OUT)]
            rows += [{"user_id": f"{name}-two", "phone": "13911113333/13911114444"}]
            answer = send(rows)
            for i in range(len(LEFT_OUT)):
                self.assertEqual(self.server.customer(f"anonymous_id:{name}-{i}")["events"], 1, (name, LEFT_OUT[i]))
            if answer is not None:
                want = {"blocked": 6, "digits_lost": 1, "several_values": 1}
                self.assertEqual(answer["identifiers_left_out"], want, name)

    def test_an_object_is_no_id_at_any_door(self):
        values = [{"$oid": "65f"}, {"a": 1}, [{"id": 1}], {"$numberLong": "123"}, True]
        rows = [{"user_id": value} for value in values]
        self.assertEqual(self.by_http(rows)["rejected_by_reason"], {"invalid_field": 5})
        report = self.by_file(rows)
        self.assertEqual((report["accepted"], report["rejected_by_reason"]), (0, {"invalid_field": 5}))
        origins = {r["origin"] for r in self.server.get("/api/v1/rejections?reason=invalid_field").json["rejections"]}
        self.assertLessEqual({f"rows.ndjson:{n}" for n in range(1, 6)}, origins)

    def test_strangers_who_are_identified_as_an_object_stay_strangers(self):
        for i in (1, 2, 3):
            self.server.segment("/v1/page", {"anonymousId": f"oo-{i}", "name": "Home"})
            self.server.segment("/v1/identify", {"anonymousId": f"oo-{i}", "userId": "[object Object]"})
            self.server.segment("/v1/identify", {"anonymousId": f"oo-{i}", "userId": f"oo-real-{i}"})
        for i in (1, 2, 3):
            customer = self.server.customer(f"user_id:oo-real-{i}")
            self.assertEqual(customer["events"], 3)
            self.assertEqual(self.server.customer(f"anonymous_id:oo-{i}")["customer_id"], customer["customer_id"])

    def test_the_projects_own_list(self):
        before = self.server.get("/api/v1/settings").json
        try:
            changed = self.server.admin("PUT", "/api/v1/settings", json.dumps({**before, "nobody": ["walk-in*"]}))
            self.assertEqual(changed.status, 200, changed)
            self.server.post_events([{"event": "Seen", "user_id": "Walk-In 7", "anonymous_id": "till-7"}])
        finally:
            self.server.admin("PUT", "/api/v1/settings", json.dumps(before))
        self.assertEqual([i["type"] for i in self.server.customer("anonymous_id:till-7")["identifiers"]], ["anonymous_id"])


if __name__ == "__main__":
    kehu_server.main()
