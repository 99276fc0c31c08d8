#!/usr/bin/env python3
"""The administration commands: keys, sources, settings, merges and reveals; what a newcomer is told, and how to go on."""
import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import time
import unittest

import kehu_server
from kehu_server import ADMIN_TOKEN, WRITE_KEY, run

NO_ENVIRONMENT = {"KEHU_ADMIN_TOKEN": "", "KEHU_WRITE_KEY": ""}
ALL_SETTINGS = ["time_zone", "cipher", "identifier_types", "nobody", "personal_fields", "personal_values",
                "trait_identifiers", "metrics", "vocabulary", "log_retention_bytes"]


class Commands(unittest.TestCase):
    """What a command must say when it works and when it refuses."""

    def good(self, *arguments, **more):
        done = run(*arguments, **more)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def refused(self, code, wanted, *arguments, **more):
        """The exit code, each of the `wanted` words on standard error, and nothing on standard output."""
        done = run(*arguments, **more)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        for word in [wanted] if isinstance(wanted, str) else wanted:
            self.assertIn(word, done.stderr, arguments)
        self.assertEqual(done.stdout, "", arguments)
        return done.stderr

    def start(self, data, *arguments, env=None):
        server = kehu_server.Server(data, *arguments, env=env).start()
        self.addCleanup(lambda: server.process and server.stop())
        return server

    def token_status(self, server, token):
        return server.request("GET", "/api/v1/stats", headers={"Authorization": f"Bearer {token}"}).status

    def key_status(self, server, key):
        return server.segment("/v1/track", {"userId": "key-holder", "event": "Tried"}, key=key).status


class KeysTest(Commands):
    def test_they_open_the_server(self):
        server = self.start(kehu_server.scratch(self) / "data", env=NO_ENVIRONMENT)
        known = json.loads(self.good("keys", "--data", server.data, "--json", env=NO_ENVIRONMENT))
        self.assertEqual(list(known), ["admin_token", "write_keys"])
        self.assertEqual([(k["source"], k["note"]) for k in known["write_keys"]], [("default", "made with the directory")])
        token, key = known["admin_token"], known["write_keys"][0]["key"]
        self.assertEqual(self.token_status(server, token), 200)
        self.assertEqual(self.key_status(server, key), 200)
        self.assertEqual(self.token_status(server, key), 401, "a write key is no admin token")
        text = self.good("keys", "--data", server.data, env=NO_ENVIRONMENT)
        self.assertIn(f"admin token  {token}\n", text)
        self.assertIn(f"  default  {key}  (made with the directory)\n", text)
        self.assertNotIn("only the first characters", text)
        server.stop()
        self.assertEqual(self.good("keys", "--data", server.data, env=NO_ENVIRONMENT), text, "the same without a server")
        again = self.start(server.data, env=NO_ENVIRONMENT)
        self.assertEqual((self.token_status(again, token), self.key_status(again, key)), (200, 200), "they outlive a restart")

    def test_those_of_the_environment(self):
        server = self.start(kehu_server.scratch(self) / "data")
        text = self.good("keys", "--data", server.data, env=NO_ENVIRONMENT)
        self.assertIn(f"  default  {WRITE_KEY[:12]}…  (of the server's environment)\n", text)
        for secret in (WRITE_KEY, ADMIN_TOKEN):
            self.assertNotIn(secret, text, "what only the server's environment knows is not in the directory")
        known = json.loads(self.good("keys", "--data", server.data, "--json", env=NO_ENVIRONMENT))
        made, given = known["write_keys"]
        self.assertEqual(given, {"source": "default", "hint": f"{WRITE_KEY[:12]}…", "note": "of the server's environment"})
        self.assertEqual((self.key_status(server, made["key"]), self.key_status(server, WRITE_KEY)), (200, 200),
                         "a key of the environment is one more")
        self.assertEqual(self.token_status(server, ADMIN_TOKEN), 200)
        if self.token_status(server, known["admin_token"]) != 200:
            self.assertNotIn("takes those as well", text, "the token shown does not open this server")
            self.assertIn("instead", text)

    def test_keys_made_later_are_first_characters(self):
        server = self.start(kehu_server.scratch(self) / "data", env=NO_ENVIRONMENT)
        made = self.good("source", "add", "shop", "--data", server.data, env=NO_ENVIRONMENT)
        key = re.search(r"^write key, shown this once: (kwk_\w+)$", made, re.M)[1]
        text = self.good("keys", "--data", server.data, env=NO_ENVIRONMENT)
        self.assertRegex(text, rf"  shop  {key[:12]}…  \(made 20\d\d-")
        self.assertNotIn(key, text)
        self.assertIn("`kehu source key add NAME` makes another one", text)
        self.good("source", "set", "shop", "--enabled", "false", "--data", server.data, env=NO_ENVIRONMENT)
        self.assertIn("the source is disabled", self.good("keys", "--data", server.data, env=NO_ENVIRONMENT))
        self.good("source", "key", "revoke", "shop", key[:12], "--data", server.data, env=NO_ENVIRONMENT)
        self.assertNotIn(key[:12], self.good("keys", "--data", server.data, env=NO_ENVIRONMENT), "revoked keys open nothing")

    def test_a_wrong_directory(self):
        work = kehu_server.scratch(self)
        self.refused(1, ["nowhere is no data directory", "kehu serve --data"], "keys", "--data", work / "nowhere")
        (work / "photos").mkdir()
        (work / "photos/cat.jpg").write_text("miaow")
        self.refused(1, "photos", "keys", "--data", work / "photos")
        self.assertEqual(os.listdir(work / "photos"), ["cat.jpg"])
        self.refused(2, "--data", "keys")
        self.assertEqual(os.listdir(work), ["photos"], "looking makes nothing")


class SourceTest(Commands, kehu_server.ServerTest):
    def everywhere(self):
        return (["--data", self.server.data], ["--url", self.server.url])

    def sources(self, where):
        return {s["name"]: s for s in json.loads(self.good("source", "list", *where, "--json"))["sources"]}

    @staticmethod
    def key_of(text):
        return re.search(r"^write key, shown this once: (\w+)$", text, re.M)[1]

    def test_from_the_first_key_to_the_last(self):
        for n, where in enumerate(self.everywhere()):
            with self.subTest(where):
                name = f"门店 {n}"
                first = self.key_of(self.good("source", "add", name, "--channel", "shop", *where))
                self.assertEqual(self.key_status(self.server, first), 200)
                known = self.sources(where)[name]
                self.assertEqual((known["channel"], known["enabled"]), ("shop", True))
                self.assertEqual([k["hint"] for k in known["keys"]], [f"{first[:12]}…"], "the list keeps the secret")
                rows = self.server.sql(f"SELECT channel FROM events WHERE source = '{name}'")
                self.assertEqual(rows, [{"channel": "shop"}], "an event without a channel has that of its source")

                second = self.key_of(self.good("source", "key", "add", name, *where))
                self.assertNotEqual(first, second)
                self.assertEqual((self.key_status(self.server, first), self.key_status(self.server, second)), (200, 200))
                text = self.good("source", "list", *where)
                for key in (first, second):
                    self.assertIn(f"  {key[:12]}…  made 20", text)
                    self.assertNotIn(key, text)

                self.refused(1, ["2 live keys", "kwk_", "more of its characters"],
                             "source", "key", "revoke", name, "kwk_", *where)
                self.assertEqual(self.key_status(self.server, first), 200, "an ambiguous hint takes nothing away")
                self.refused(1, ["no live key", "zzz"], "source", "key", "revoke", name, "zzz", *where)
                text = self.good("source", "key", "revoke", name, first[:12], *where)
                self.assertRegex(text, rf"{first[:12]}….*, revoked 20")
                self.assertIn(self.key_status(self.server, first), (401, 403))
                self.assertEqual(self.key_status(self.server, second), 200, "the other key stays")
                self.refused(1, "no live key", "source", "key", "revoke", name, first[:12], *where)
                self.good("source", "key", "revoke", name, second, *where)
                self.assertIn(self.key_status(self.server, second), (401, 403), "a whole key names itself")

    def test_a_source_is_changed(self):
        for n, where in enumerate(self.everywhere()):
            with self.subTest(where):
                name = f"changed-{n}"
                key = self.key_of(self.good("source", "add", name, *where))
                self.assertEqual(self.key_status(self.server, key), 200)
                self.assertIn("DISABLED", self.good("source", "set", name, "--enabled", "false", *where))
                self.assertIn(self.key_status(self.server, key), (401, 403))
                text = self.good("source", "set", name, "--enabled", "true", "--channel", "app", *where)
                self.assertIn(f"{name}  channel app\n", text)
                self.assertEqual(self.key_status(self.server, key), 200)
                text = self.good("source", "set", name, "--events-per-second", "7", "--events-per-second-per-address", "3",
                                 *where)
                self.assertIn("at most 7 events a second, 3 of one address", text)
                known = self.sources(where)[name]
                self.assertEqual((known["channel"], known["events_per_second"], known["events_per_second_per_address"]),
                                 ("app", 7, 3), "what was not named stays")
                self.good("source", "set", name, "--events-per-second", "0", "--events-per-second-per-address", "0", *where)
                self.assertNotIn("at most", self.good("source", "list", *where).split(name)[1].split("\n")[0])

    def test_refusals_say_what_to_do(self):
        for n, where in enumerate(self.everywhere()):
            with self.subTest(where):
                self.good("source", "add", f"twice-{n}", *where)
                self.refused(1, f'"twice-{n}" exists', "source", "add", f"twice-{n}", *where)
                self.refused(2, ["--channel", "--enabled", "--events-per-second"], "source", "set", f"twice-{n}", *where)
                for arguments in (["set", "none", "--enabled", "true"], ["key", "add", "none"], ["key", "revoke", "none", "kwk"]):
                    self.refused(1, 'no source "none"', "source", *arguments, *where)
                self.refused(2, ["--events-per-second", "-1"], "source", "set", f"twice-{n}", "--events-per-second", "-1", *where)
                self.refused(2, "must be a whole number from 0, which is no limit, to 1000000000", "source", "set", f"twice-{n}",
                             "--events-per-second-per-address", "5000000000", *where)
                self.refused(2, "--enabled", "source", "set", f"twice-{n}", "--enabled", "perhaps", *where)
                self.refused(2, "key", "source", "key", "revoke", f"twice-{n}", *where)
        self.refused(2, ["--data DIR", "--url URL"], "source", "list")

    def test_refusals_speak_of_commands(self):
        where = ["--data", self.server.data]
        with self.subTest("no such source"):
            self.refused(1, "kehu source list", "source", "key", "add", "none", *where)
        with self.subTest("a group alone lists its commands"):
            self.refused(2, ["  list ", "  add ", "  set ", "  key "], "source")
            self.refused(2, ["  add ", "  revoke "], "source", "key")
            self.refused(2, ["  get ", "  set "], "settings")
        with self.subTest("a misspelt command is named"):
            self.refused(2, ['"lsit"', "  list "], "source", "lsit", *where)
        with self.subTest("missing words are named"):
            self.refused(2, "KEY VALUE", "settings", "set", *where)

    def test_the_key_of_the_environment_can_be_taken_away(self):
        server = self.start(kehu_server.scratch(self) / "data", env={"KEHU_WRITE_KEY": "kwk_leaked_key_0123456789"})
        where = ["--data", server.data]
        self.assertEqual(self.key_status(server, "kwk_leaked_key_0123456789"), 200)
        self.assertIn("  kwk_leaked_k…  of the server's environment\n", self.good("source", "list", *where))
        text = self.good("source", "key", "revoke", "default", "kwk_leaked", *where)
        self.assertRegex(text, r"kwk_leaked_k….*revoked 20")
        with self.subTest("nobody knows when it was made"):
            self.assertNotIn("1970", text)
            self.assertNotIn("1970", self.good("source", "list", *where, "--json"))
        self.assertIn(self.key_status(server, "kwk_leaked_key_0123456789"), (401, 403))
        server.stop()
        again = self.start(server.data, env={"KEHU_WRITE_KEY": "kwk_leaked_key_0123456789"})
        self.assertIn(self.key_status(again, "kwk_leaked_key_0123456789"), (401, 403), "it stays away, although it is still set")

    def test_the_last_source_may_go(self):
        server = self.start(kehu_server.scratch(self) / "data")
        server.post_events([{"event": "A", "user_id": "u1"}])
        where = ["--data", server.data]
        self.good("source", "delete", "default", *where)
        self.assertEqual(self.key_status(server, WRITE_KEY), 401)
        server.stop()
        self.assertEqual(json.loads(self.good("source", "list", *where, "--json"))["sources"], [])
        server = self.start(server.data)
        self.assertEqual(server.customer("user_id:u1")["events"], 1)
        self.assertEqual(self.key_status(server, WRITE_KEY), 401, "it stays closed")
        key = self.key_of(self.good("source", "add", "shop", *where))
        self.assertEqual(self.key_status(server, key), 200)

    def test_without_a_server(self):
        server = self.start(kehu_server.scratch(self) / "data")
        server.stop()
        where = ["--data", server.data]
        key = self.key_of(self.good("source", "add", "before", "--channel", "web", *where))
        gone = self.key_of(self.good("source", "key", "add", "before", *where))
        self.assertIn(f"  {key[:12]}…  made 20", self.good("source", "list", *where))
        self.good("source", "key", "revoke", "before", gone[:12], *where)
        server = self.start(server.data)
        self.assertEqual(self.key_status(server, key), 200)
        self.assertIn(self.key_status(server, gone), (401, 403))


class SettingsTest(Commands):
    def setUp(self):
        self.work = kehu_server.scratch(self)
        self.data = self.work / "data"
        self.where = ["--data", self.data]

    def file(self, text):
        path = self.work / "settings.json"
        path.write_text(text)
        return path

    def get(self, key, where=None):
        return json.loads(self.good("settings", "get", key, *(where or self.where)))

    def test_before_the_directory_exists(self):
        shown = json.loads(self.good("settings", "get", *self.where))
        self.assertEqual(list(shown), ALL_SETTINGS)
        self.assertEqual((shown["time_zone"], shown["cipher"]), ("Asia/Shanghai", "aes-256-gcm"), "the defaults")
        self.assertEqual(self.get("time_zone"), "Asia/Shanghai")
        self.refused(2, ['"nope"', "time_zone", "log_retention_bytes"], "settings", "get", "nope", *self.where)
        for words, wanted in ((["time_zone", "Nowhere/Place"], ["/time_zone", "Nowhere/Place", "Asia/Shanghai"]),
                              (["bogus", "1"], ["/bogus", "time_zone"]),
                              (["log_retention_bytes", "5"], ["/log_retention_bytes", "67108864"]),
                              ([self.file('{"identifier_types": [{"name": "user_id", "priority": 0}]}')],
                               ["/identifier_types/0/priority", "1 to 1000"])):
            with self.subTest(words):
                self.refused(2, wanted, "settings", "set", *words, *self.where)
        self.refused(2, "JSON", "settings", "set", "-", *self.where, input="{")
        self.refused(1, "none.json", "settings", "set", self.work / "none.json", *self.where)
        self.assertEqual(os.listdir(self.work), ["settings.json"], "looking and failing make nothing")

    def test_a_directory_is_made_with_them(self):
        self.assertIn("is made with these settings", self.good("settings", "set", "cipher", "sm4-gcm", *self.where))
        self.assertEqual(self.get("cipher"), "sm4-gcm")
        self.assertEqual(self.get("time_zone"), "Asia/Shanghai", "the others have their defaults")
        self.refused(1, "cipher", "settings", "set", "cipher", "aes-256-gcm", *self.where)
        server = self.start(self.data)
        server.post_events([{"event": "A", "user_id": "u1", "phone": "13912345678"}])
        self.assertEqual(server.customer("user_id:u1")["identifiers"][1]["value"], "139****5678")
        server.stop()
        for name, words, text in (("of-file", [self.file('{"time_zone": "Europe/Paris"}')], None),
                                  ("of-input", ["-"], '{"time_zone": "Europe/Paris"}')):
            where = ["--data", self.work / name]
            self.good("settings", "set", *words, *where, input=text)
            self.assertEqual(self.get("time_zone", where), "Europe/Paris")
        (self.work / "photos").mkdir()
        (self.work / "photos/cat.jpg").write_text("miaow")
        self.refused(1, ["cat.jpg", "new or empty"], "settings", "set", "time_zone", "UTC", "--data", self.work / "photos")
        self.assertEqual(os.listdir(self.work / "photos"), ["cat.jpg"])

    def test_with_a_server_and_without_one(self):
        server = self.start(self.data)
        for where in (self.where, ["--url", server.url], None):
            with self.subTest(where):
                if where is None:
                    server.stop()
                    where = self.where
                self.assertIn("count for the events that follow", self.good("settings", "set", "time_zone", "UTC", *where))
                self.assertEqual(self.get("time_zone", where), "UTC")
                self.good("settings", "set", "time_zone", '"Asia/Tokyo"', *where)
                self.assertEqual(self.get("time_zone", where), "Asia/Tokyo", "JSON and a bare word are both read")
                self.good("settings", "set", "log_retention_bytes", "100000000", *where)
                self.assertEqual(self.get("log_retention_bytes", where), 100000000)
                self.good("settings", "set", "personal_values", '{"free_text": true}', *where)
                self.assertEqual(self.get("personal_values", where)["free_text"], True)
                self.assertEqual(self.get("time_zone", where), "Asia/Tokyo", "one setting leaves the others")
                for words, wanted in ((["time_zone", "Foo"], "/time_zone"), (["nope", "3"], "/nope"),
                                      (["personal_values", '{"seal": ["shoe"]}'], "/personal_values/seal")):
                    self.refused(2, wanted, "settings", "set", *words, *where)
                self.refused(2, "/time_zone", "settings", "set", self.file('{"time_zone": 7}'), *where)
                self.refused(2, '"nope"', "settings", "get", "nope", *where)
                self.assertEqual(self.get("time_zone", where), "Asia/Tokyo", "what is refused changes nothing")
                self.good("settings", "set", self.file('{"time_zone": "UTC"}'), *where)
                self.assertEqual(self.get("log_retention_bytes", where), 4294967296, "a file replaces all of them")
                self.good("settings", "set", "-", *where, input="{}")
                self.assertEqual(self.get("time_zone", where), "Asia/Shanghai", "{} is the defaults")

    def test_a_list_is_a_value(self):
        """docs/privacy.md: kehu settings set personal_fields "$(cat fields.json)" --data DIR"""
        self.good("settings", "set", "nobody", '["admin"]', *self.where)
        self.assertEqual(self.get("nobody"), ["admin"])
        for value in ("[]", '["admin", "test*"]', '[\n  "店员",\n  "a,b"\n]'):
            with self.subTest(value):
                self.good("settings", "set", "nobody", value, *self.where)
                self.assertEqual(self.get("nobody"), json.loads(value))
        fields = self.get("personal_fields") + ["contact", "收货人"]
        self.good("settings", "set", "personal_fields", json.dumps(fields, ensure_ascii=False, indent=2), *self.where)
        self.assertEqual(self.get("personal_fields"), fields)


class IdentityCommandsTest(Commands):
    """Each with a server, by its directory and its address, and without one."""

    def setUp(self):
        self.server = self.start(kehu_server.scratch(self) / "data")
        events = []
        for n in range(3):
            events += [{"event": "A", "user_id": f"li-{n}", "phone": f"1391234567{n}"},
                       {"type": "identify", "user_id": f"li-{n}", "traits": {"email": f"li{n}@example.com", "city": "上海"}},
                       {"event": "A", "user_id": f"wang-{n}"}, {"event": "B", "anonymous_id": f"visitor-{n}"}]
        self.server.post_events(events)

    def everywhere(self):
        yield 0, ["--data", self.server.data]
        yield 1, ["--url", self.server.url]
        self.server.stop()
        yield 2, ["--data", self.server.data]

    def customer(self, name, where):
        return json.loads(self.good("customer", name, *where, "--json"))

    def test_merge_and_unmerge(self):
        for n, where in self.everywhere():
            with self.subTest(where):
                li, visitor = f"user_id:li-{n}", f"anonymous_id:visitor-{n}"
                before = self.customer(li, where)["customer_id"], self.customer(visitor, where)["customer_id"]
                self.refused(1, ["user_id", "nothing was merged"], "merge", li, f"user_id:wang-{n}", "--reason", "x", *where)
                self.refused(1, ["loser", "user_id"], "merge", li, "user_id:nobody", "--reason", "x", *where)
                self.refused(1, "winner", "merge", "user_id:nobody", li, "--reason", "x", *where)
                self.refused(2, "TYPE:VALUE", "merge", li, "visitor", "--reason", "x", *where)
                self.refused(2, ['"bogus"', "anonymous_id"], "merge", li, "bogus:x", "--reason", "x", *where)
                self.refused(2, "--reason", "merge", li, visitor, *where)

                text = self.good("merge", li, visitor, "--reason", "同一人", *where)
                self.assertIn(f"`kehu customer {li} --view identities`", text)
                self.assertEqual(self.customer(visitor, where)["customer_id"], before[0], "the winner keeps its id")
                self.assertEqual(self.customer(li, where)["events"], 3)
                self.refused(1, "already", "merge", li, visitor, "--reason", "x", *where)

                links = json.loads(self.good("customer", li, "--view", "identities", *where, "--json"))["links"]
                made = next(link for link in links if link["kind"] == "manual")
                self.assertEqual(made["reason"], "同一人")
                shown = self.good("customer", li, "--view", "identities", *where)
                self.assertRegex(shown, rf"record {made['link']} +manual +user_id li-{n} – anonymous_id visitor-{n}")
                self.refused(2, ['"first"', "record N"], "unmerge", li, "first", "--reason", "x", *where)
                self.refused(1, "99999", "unmerge", li, 99999, "--reason", "x", *where)
                self.refused(1, "no customer has this user_id",
                             "unmerge", "user_id:nobody", made["link"], "--reason", "x", *where)
                self.refused(2, "--reason", "unmerge", li, made["link"], *where)
                self.assertEqual(self.good("unmerge", li, made["link"], "--reason", "two people", *where), "taken apart\n")
                after = self.customer(li, where)["customer_id"], self.customer(visitor, where)["customer_id"]
                self.assertEqual(after, before, "both are as they were")
                self.refused(1, str(made["link"]), "unmerge", li, made["link"], "--reason", "x", *where)

                moved = json.loads(self.good("merge", li, visitor, "--reason", "x", *where, "--json"))
                self.assertEqual((moved["customers"], len(moved["moved"])), ([before[0]], 1))

    def test_reveal_and_audit(self):
        wanted = []  # newest first
        self.assertEqual(self.good("audit", "--data", self.server.data), "nobody has looked at a sealed value\n")
        for n, where in self.everywhere():
            with self.subTest(where):
                li = f"user_id:li-{n}"
                customer = self.customer(li, where)["customer_id"]
                self.assertEqual(self.good("reveal", li, "phone", "--reason", f"call back {n}", *where), f"1391234567{n}\n")
                answer = json.loads(self.good("reveal", li, "traits.email", "--reason", "an invoice", *where, "--json"))
                self.assertEqual((answer["field"], answer["values"]), ("traits.email", [f"li{n}@example.com"]))
                actor = "admin" if where[0] == "--url" else "local"
                wanted = [(customer, "traits.email", actor, "an invoice"), (customer, "phone", actor, f"call back {n}")] + wanted

                for field in ("traits.city", "user_id", "traits.nope", "nope"):
                    self.refused(1, ["no sealed", field], "reveal", li, field, "--reason", "x", *where)
                self.refused(1, "no sealed phone", "reveal", f"user_id:wang-{n}", "phone", "--reason", "x", *where)
                self.refused(1, "no customer has this user_id", "reveal", "user_id:nobody", "phone", "--reason", "x", *where)
                self.refused(2, "--reason", "reveal", li, "phone", *where)

                text = self.good("audit", *where)
                shown = [tuple(line.split("  ")[1:]) for line in text.splitlines()]
                self.assertEqual(shown, wanted, "what was refused is not in it")
                listed = json.loads(self.good("audit", *where, "--json"))["reveals"]
                self.assertEqual([(e["customer_id"], e["field"], e["actor"], e["reason"]) for e in listed], wanted)
                self.assertEqual([e["time"] for e in listed], sorted((e["time"] for e in listed), reverse=True))
                for secret in ("13912345", "@example.com"):
                    self.assertNotIn(secret, text + json.dumps(listed), "the audit never has the value")

    def test_an_empty_reason_is_none(self):
        where = ["--data", self.server.data]
        for arguments in (["merge", "user_id:li-0", "anonymous_id:visitor-0"], ["unmerge", "user_id:li-0", "3"],
                          ["reveal", "user_id:li-0", "phone"]):
            with self.subTest(arguments):
                said = self.refused(2, "reason", *arguments, "--reason", "", *where)
                self.assertNotIn("{", said, "who typed a command is not told to send JSON")
        self.assertEqual(self.good("audit", *where), "nobody has looked at a sealed value\n")

    def test_a_missing_directory(self):
        nowhere = self.server.data.parent / "nowhere"
        for arguments in (["merge", "user_id:a", "user_id:b", "--reason", "x"], ["unmerge", "user_id:a", "1", "--reason", "x"],
                          ["reveal", "user_id:a", "phone", "--reason", "x"], ["audit"]):
            self.refused(1, "nowhere is no data directory", *arguments, "--data", nowhere)
            self.refused(2, ["--data DIR", "--url URL"], *arguments)
        self.assertFalse(nowhere.exists())


class WelcomeTest(Commands):
    def serve_on_a_terminal(self, data, listen, env, stops=False):
        terminal, inner = pty.openpty()
        self.addCleanup(os.close, terminal)
        process = subprocess.Popen([kehu_server.BINARY, "serve", "--data", data, "--listen", listen], stdout=inner,
                                   stderr=inner, stdin=subprocess.DEVNULL, env=kehu_server.environment(**env))
        os.close(inner)
        self.addCleanup(lambda: process.poll() is None and (process.send_signal(signal.SIGTERM), process.wait(30)))
        text, end = "", time.monotonic() + 30
        while "Ctrl-C" not in text and time.monotonic() < end:
            if select.select([terminal], [], [], 0.1)[0]:
                text += os.read(terminal, 65536).decode()
        self.assertIn("Ctrl-C", text)
        if stops:
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(30), 0)
        return text.replace("\r\n", "\n")

    def value(self, name, text):
        found = re.search(rf"^ *{name} +(\S+)(?:  \((.*)\))?$", text, re.M)
        self.assertTrue(found, text)
        return found.groups()

    def test_where_to_look_and_how_to_get_in(self):
        for name, env, origins in (("own", NO_ENVIRONMENT, ("of this data directory",) * 2),
                                   ("given", {}, ("of KEHU_ADMIN_TOKEN", "of KEHU_WRITE_KEY"))):
            for listen in ("127.0.0.1:0", "0.0.0.0:0"):
                with self.subTest(name, listen=listen):
                    data = kehu_server.scratch(self) / "data"
                    text = self.serve_on_a_terminal(data, listen, env)
                    page = self.value("page", text)[0]
                    (token, of_token), (key, of_key) = self.value("admin token", text), self.value("write key", text)
                    self.assertEqual((of_token, of_key), origins)
                    address = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/#token=(.+)", page)
                    self.assertEqual(address[2], token, "the page opens with its token")
                    self.assertNotEqual(address[1], "0")
                    if name == "given":
                        self.assertEqual((token, key), (ADMIN_TOKEN, WRITE_KEY))
                    server = kehu_server.Server(data, port=int(address[1]))
                    self.addCleanup(server.close_connection)
                    self.assertEqual(server.request("GET", "/").status, 200)
                    self.assertEqual(self.token_status(server, token), 200)
                    line = re.search(r"^  (curl .*)$", text, re.M)[1]
                    done = subprocess.run(["curl", "-s", *shlex.split(line)[1:]], capture_output=True, text=True, timeout=20)
                    self.assertEqual(json.loads(done.stdout), {"success": True}, line)
                    self.good("customer", "user_id:me", "--data", data)
                    promised = re.search(r"`kehu (keys [^`]*)` shows them again", text)
                    if promised:
                        again = self.good(*shlex.split(promised[1]), env=NO_ENVIRONMENT)
                        self.assertIn(token, again)
                        self.assertIn(key, again)
                    self.assertTrue(promised or name == "given", text)

    def test_a_key_that_opens_nothing_is_not_shown(self):
        data = kehu_server.scratch(self) / "data"
        where = ("--data", data)

        def shown(env):
            return self.value("write key", self.serve_on_a_terminal(data, "127.0.0.1:0", env, stops=True))

        def advice(text):
            self.assertNotIn(own, text)
            self.assertNotIn(WRITE_KEY, text)
            self.assertIn("curl -u KEY: ", text)
            return re.search(r"^  write key    none: (?:no source is enabled; )?`kehu ([^`]*)`", text, re.M)[1]

        def key_made_by(line):
            made = self.good(*shlex.split(line), env=NO_ENVIRONMENT)
            return re.search(r"kwk_[0-9a-f]{40}", made)[0]
        own = shown(NO_ENVIRONMENT)[0]
        self.good("source", "key", "revoke", "default", own, *where, env=NO_ENVIRONMENT)
        self.assertEqual(shown({}), (WRITE_KEY, "of KEHU_WRITE_KEY"))
        line = advice(self.serve_on_a_terminal(data, "127.0.0.1:0", NO_ENVIRONMENT, stops=True))
        self.assertEqual(line, f"source key add default --data {data}")
        made = key_made_by(line)
        self.good("source", "set", "default", "--enabled", "false", *where, env=NO_ENVIRONMENT)
        line = advice(self.serve_on_a_terminal(data, "127.0.0.1:0", {}, stops=True))
        self.assertEqual(line, f"source set default --enabled true --data {data}")
        self.good(*shlex.split(line), env=NO_ENVIRONMENT)
        server = self.start(data)
        self.assertEqual((self.key_status(server, made), self.key_status(server, own)), (200, 401))
        server.stop()
        self.good("source", "delete", "default", *where, env=NO_ENVIRONMENT)
        self.assertIn("`kehu source add NAME`", self.good("keys", *where, env=NO_ENVIRONMENT))
        for env in ({}, NO_ENVIRONMENT):
            line = advice(self.serve_on_a_terminal(data, "127.0.0.1:0", env, stops=True))
            self.assertEqual(line, f"source add NAME --data {data}")
        made = key_made_by(line.replace("NAME", "'new shop'"))
        self.assertEqual(self.key_status(self.start(data), made), 200)
        self.assertEqual(self.good("source", "list", *where).count("new shop"), 1)

    def test_a_log_says_no_secret(self):
        server = self.start(kehu_server.scratch(self) / "data")
        for line in server.log_text().splitlines():
            json.loads(line)
        self.assertIn(f"`kehu keys --data {server.data}`", server.log_text())
        self.assertNotIn(ADMIN_TOKEN, server.log_text())
        self.assertNotIn(WRITE_KEY, server.log_text())


class DemoDirectoryTest(Commands):
    def test_what_is_real_is_left_alone(self):
        server = self.start(kehu_server.scratch(self) / "shop")
        server.post_events([{"event": "A", "user_id": "real"}, {"event": "Nobody"}])
        demo = ["demo", "--data", server.data, "--listen", "127.0.0.1:0", "--customers", "10", "--days", "1"]
        self.refused(1, "in use", *demo)
        server.stop()
        self.refused(1, ["1 events", "1 rejections", "another directory", f"kehu serve --data {server.data}"], *demo)
        self.assertFalse((server.data / "demo.json").exists())
        rows = self.good("sql", "--data", server.data, "--format", "csv", "SELECT count(*) AS n FROM events")
        self.assertEqual(rows.split(), ["n", "1"])
        photos = server.data.parent / "photos"
        photos.mkdir()
        (photos / "cat.jpg").write_text("miaow")
        self.refused(1, ["cat.jpg", "new or empty"], *demo[:1], "--data", photos)
        for name, define in (("source", ["source", "add", "shop"]), ("settings", ["settings", "set", "time_zone", "UTC"]),
                             ("key", ["source", "key", "add", "default"])):
            prepared = server.data.parent / f"prepared-{name}"
            self.start(prepared).stop()
            self.good(*define, "--data", prepared)
            self.refused(1, ["definitions (", "another directory"], *demo[:1], "--data", prepared, *demo[3:])
            rows = self.good("sql", "--data", prepared, "--format", "csv", "SELECT count(*) AS n FROM events")
            self.assertEqual(rows.split(), ["n", "0"], "somebody prepares it for the first import")
        self.assertEqual(os.listdir(photos), ["cat.jpg"])


class MessagesTest(Commands, kehu_server.ServerTest):
    """Table M6 of what newcomers met: each message says what is wrong, and what to do."""

    MAPPING = ('[file]\nformat = "{format}"\n[identifiers]\nuser_id = "{who}"\n[time]\ncolumn = "when"\nzone = "Asia/Shanghai"\n'
               '[event]\nname = "Imported"\n[properties]\nnote = "note"\n')

    def imported(self, content, *arguments, where=None, format="csv", who="who", env=None):
        mapping, rows = self.work / "map.toml", self.work / "rows.csv"
        mapping.write_text(self.MAPPING.format(format=format, who=who))
        rows.write_bytes(content if isinstance(content, bytes) else content.encode())
        return run("import", *(where or ["--data", self.server.data]), "--map", mapping, rows, *arguments, env=env or {})

    def test_an_import_over_http_wants_a_write_key(self):
        rows, where = "who,when,note\nkey-1,2026-01-01 10:00:00,a\n", ["--url", self.server.url]
        for arguments, env in (([], {"KEHU_WRITE_KEY": "kwk_wrong"}), (["--key", "kwk_wrong"], {}), ([], NO_ENVIRONMENT)):
            with self.subTest(arguments, env=env):
                done = self.imported(rows, *arguments, where=where, env=env)
                self.assertEqual(done.returncode, 1, done.stdout)
                first = done.stderr.splitlines()[0]
                self.assertIn("write key", first)
                self.assertIn("--key", first)
                self.assertIn("KEHU_WRITE_KEY", first)
        done = self.imported(rows, where=where)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 events are new", done.stdout)

    def test_the_reason_of_a_failed_import_comes_first(self):
        for content, wanted in (("whom,when,note\na,b,c\n", ['no column "who"', "whom"]),
                                ("who;when;note\na;2026-01-01;c\n", ['delimiter = ";"', "map.toml"]),
                                ("who\twhen\tnote\na\t2026-01-01\tc\n", ["delimiter = ", "map.toml"]),
                                ("who,when,note\n李,2026-01-01,买了茶\n".encode("gbk"), ['encoding = "GBK"', "map.toml"])):
            with self.subTest(content):
                done = self.imported(content)
                self.assertEqual(done.returncode, 1, done.stdout)
                first = done.stderr.splitlines()[0]
                self.assertTrue(first.startswith("kehu: "), done.stderr)
                for word in wanted:
                    self.assertIn(word, first)
        done = self.imported("名,when,note\n李,2026-01-01 10:00:00,c\n".encode("gbk"), who="名")
        self.assertIn('encoding = "GBK"', done.stderr.splitlines()[0], "also when a column's name is GBK")
        done = self.imported("who,when,note\n", format="parquet")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is no Parquet file", done.stderr.splitlines()[0])
        self.assertIn('format = "csv"', done.stderr.splitlines()[0])
        self.assertNotIn("LINE 1", done.stderr)

    def test_addresses_and_tokens(self):
        for scheme in ("", "ftp://", "ws://"):
            self.refused(2, f"write --url {self.server.url},", "customer", "user_id:x",
                         "--url", scheme + self.server.url.removeprefix("http://"))
        asked = ["customer", "user_id:x", "--url", self.server.url]
        missing = self.refused(1, ["KEHU_ADMIN_TOKEN is not set", "kehu keys --data DIR"], *asked, env=NO_ENVIRONMENT)
        wrong = self.refused(1, ["does not know the admin token", "kehu keys"], *asked, env={"KEHU_ADMIN_TOKEN": "kat_wrong"})
        self.assertNotEqual(missing, wrong)
        self.refused(1, "no server at", *asked[:2], "--url", f"http://127.0.0.1:{kehu_server.free_port()}")

    def test_options_of_serve(self):
        for option, value in (("--tls-cert", ["none.pem"]), ("--tls-key", ["none.pem"]), ("--tls13-only", [])):
            self.refused(2, [option, "--tls "], "serve", "--data", self.work / "tls", option, *value)
        for option, meant in (("--port", "--listen"), ("--dir", "--data"), ("--setings", "--settings")):
            self.refused(2, [f"no option {option}", f"did you mean {meant}?"], "serve", "--data", self.work / "tls", option, "99")
        self.assertFalse((self.work / "tls").exists())

    def test_settings_of_an_existing_directory(self):
        data, settings = self.work / "existing", self.work / "s.json"
        settings.write_text('{"time_zone": "UTC"}')
        self.start(data).stop()
        server = self.start(data, "--settings", settings)
        self.assertIn("counts for a new directory only", server.log_text())
        self.assertIn(f"kehu settings set {settings} --data {data}", server.log_text())
        self.assertEqual(json.loads(self.good("settings", "get", "time_zone", "--data", data)), "Asia/Shanghai")

    def test_kehu_alone_lists_its_commands(self):
        alone = self.refused(2, ["kehu COMMAND --help", "kehu demo"])
        for command in ("serve", "demo", "import", "keys", "source", "settings", "merge", "unmerge", "reveal", "audit"):
            self.assertRegex(alone, rf"\n  {command} +[A-Z]")
            self.assertIn("Usage: kehu " + command, self.good(command, "--help"))
        self.refused(2, ['"sevre"', "  serve  "], "sevre")

    def test_no_rows_and_empty_parts_are_nothing(self):
        self.server.post_events([{"type": "identify", "user_id": "alone", "traits": {"city": "上海"}}])
        where = ["--data", self.server.data]
        self.assertEqual(self.good("sql", *where, "--format", "ndjson", "SELECT 1 AS a WHERE false"), "")
        self.assertEqual(json.loads(self.good("sql", *where, "--format", "json", "SELECT 1 AS a WHERE false")), [])
        timeline = self.good("customer", "user_id:alone", "--view", "timeline", *where)
        self.assertEqual(json.loads(timeline.split("(identify)")[1]), {"city": "上海"})
        text = self.good("customer", "user_id:alone", "--view", "identities", *where)
        self.assertIn("user_id", text)
        self.assertNotIn("links", text)
        self.assertNotIn("left out", text)


if __name__ == "__main__":
    kehu_server.main()
