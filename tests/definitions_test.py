#!/usr/bin/env python3
"""Definitions: changed by many at once and nothing lost, every version kept, and as the files of a directory."""
import concurrent.futures
import json
import pathlib
import re
import time
import unittest

import kehu_server
from kehu_server import run

CLIENTS, EACH = 8, 125


def ask(port, method, path, body=None):
    """One request on a connection of its own, so that clients do not wait for each other."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(method, path, json.dumps(body) if body is not None else None,
                       {"Authorization": f"Bearer {kehu_server.ADMIN_TOKEN}", "Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if text else None


class TogetherTest(kehu_server.ServerTest):
    def ask(self, *arguments):
        return ask(self.server.port, *arguments)

    def together(self, work):
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            return [item for part in pool.map(work, range(CLIENTS)) for item in part]

    def sources(self):
        return {source["name"]: source for source in self.ask("GET", "/api/v1/sources")[1]["sources"]}

    def test_1_a_thousand_are_made_at_once(self):
        made = self.together(lambda client: [
            self.ask("POST", "/api/v1/sources", {"name": f"s{client}-{i}", "channel": "web"}) for i in range(EACH)])
        self.assertEqual({status for status, _ in made}, {201})
        there = self.sources()
        self.assertEqual(len(there), 1 + CLIENTS * EACH)
        self.assertEqual(len({source["id"] for source in there.values()}), len(there), "each has an id of its own")
        for _, source in made[::50]:
            answer = self.server.segment("/v1/track", {"userId": "u", "event": "Tried"}, key=source["write_key"])
            self.assertEqual(answer.status, 200, source["name"])

    def test_2_one_name_is_given_once(self):
        made = self.together(lambda client: [self.ask("POST", "/api/v1/sources", {"name": f"same-{i}"}) for i in range(20)])
        self.assertEqual(sorted(status for status, _ in made), [201] * 20 + [409] * 20 * (CLIENTS - 1))

    def test_3_changes_of_different_fields_are_all_kept(self):
        def change(client):
            field = ["events_per_second", "events_per_second_per_address"][client % 2]
            return [self.ask("PATCH", f"/api/v1/sources/s{i % 5}-0", {field: client * 1000 + i}) for i in range(EACH)]

        changed = self.together(change)
        self.assertEqual({status for status, _ in changed}, {200})
        there = self.sources()
        for i in range(5):
            source = there[f"s{i}-0"]
            self.assertGreater(source["events_per_second"], 0)
            self.assertGreater(source["events_per_second_per_address"], 0, "nobody's field was put back")
            self.assertEqual(source["version"], max(v["version"] for _, v in changed if v["name"] == source["name"]))
        kept = self.ask("GET", "/api/v1/definitions/source/versions?name=s0-0")[1]["versions"]
        self.assertEqual(len(kept), 1 + CLIENTS * EACH // 5)

    def test_4_who_saw_an_old_version_is_refused(self):
        _, settings = self.ask("GET", "/api/v1/settings")
        stale = {**settings, "metrics": []}

        def put(client):
            return [self.ask("PUT", "/api/v1/settings", {**settings, "nobody": [f"nobody-{client}"]})]

        answers = self.together(put)
        self.assertEqual(sorted(status for status, _ in answers), [200] + [409] * (CLIENTS - 1))
        _, now = self.ask("GET", "/api/v1/settings")
        self.assertEqual({answer["version"] for status, answer in answers if status == 409}, {now["version"]})
        self.assertEqual(self.ask("PUT", "/api/v1/settings", stale)[0], 409)
        status, again = self.ask("PUT", "/api/v1/settings", {**now, "nobody": ["nobody-at-last"]})
        self.assertEqual((status, again["nobody"]), (200, ["nobody-at-last"]))
        self.assertGreater(again["version"], now["version"])
        status, problem = self.ask("PATCH", "/api/v1/sources/s1-1", {"enabled": False, "version": 1})
        self.assertEqual((status, problem["code"]), (409, "stale_version"))
        self.assertEqual(problem["version"], self.sources()["s1-1"]["version"])

    def test_5_deletion_is_a_version(self):
        _, made = self.ask("POST", "/api/v1/sources", {"name": "short-lived"})
        tracked = self.server.segment("/v1/track", {"userId": "of-it", "event": "Tried"}, key=made["write_key"])
        self.assertEqual(tracked.status, 200)
        self.assertEqual(self.ask("DELETE", "/api/v1/sources/short-lived")[0], 204)
        self.assertEqual(self.ask("DELETE", "/api/v1/sources/short-lived")[0], 404)
        refused = self.server.segment("/v1/track", {"userId": "of-it", "event": "Tried"}, key=made["write_key"])
        self.assertEqual(refused.status, 401)
        self.assertNotIn("short-lived", self.sources())
        versions = self.ask("GET", "/api/v1/definitions/source/versions?name=short-lived")[1]["versions"]
        self.assertEqual([version["deleted"] for version in versions], [True, False])
        self.assertEqual(versions[0]["actor"], "admin")
        as_it_was = self.ask("GET", "/api/v1/definitions/source/versions?name=short-lived&as_of=" + versions[1]["time"])
        self.assertEqual([v["version"] for v in as_it_was[1]["versions"]], [versions[1]["version"]])
        _, again = self.ask("POST", "/api/v1/sources", {"name": "short-lived"})
        self.assertEqual(again["id"], made["id"], "it is the same source")

    def test_6_slow_statements_do_not_hold_them_up(self):
        self.server.post_events([{"event": "Seen", "user_id": "timeline-reader"}])
        slow = "SELECT count(*) FROM range(100000000) a, range(1000) b WHERE (a.range * b.range) % 7 = 3"
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            statements = [pool.submit(self.ask, "POST", "/api/v1/sql", {"sql": slow}) for _ in range(3)]
            time.sleep(0.5)
            began = time.time()
            self.assertEqual(self.ask("POST", "/api/v1/sources", {"name": "beside-statements"})[0], 201)
            self.assertEqual(self.ask("GET", "/api/v1/customers/user_id:timeline-reader/timeline")[0], 200)
            self.assertLess(time.time() - began, 5)
            self.assertFalse(any(statement.done() for statement in statements), "they are slow enough to tell")
            self.server.kill()
            for statement in statements:
                statement.exception()
        self.server.start()

    def test_7_they_outlive_a_crash(self):
        before = self.ask("GET", "/api/v1/definitions")[1]
        versions = self.ask("GET", "/api/v1/definitions/source/versions")[1]
        self.server.kill()
        self.server.start()
        self.assertEqual(self.ask("GET", "/api/v1/definitions")[1], before)
        self.assertEqual(self.ask("GET", "/api/v1/definitions/source/versions")[1], versions)


SEEN = ".kehu-versions.json"  # which versions an exported directory was made of


class DirectoryTest(kehu_server.ServerTest):
    def command(self, *arguments, code=0):
        done = run(*arguments, "--data", self.server.data)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def setUp(self):
        self.directory = kehu_server.scratch(self) / "definitions"

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def test_1_out_and_back(self):
        self.command("export", self.directory)
        files = sorted(str(path.relative_to(self.directory)) for path in self.directory.rglob("*.json"))
        self.assertEqual(files, [SEEN, "settings.json", "sources/default.json"])
        self.assertIn("0 definitions made or changed, 2 as they were", self.command("apply", self.directory))

    def test_2_what_is_changed_is_shown_first_and_then_made(self):
        self.write("sources/商城.toml", 'channel = "shop"  # the tills\nevents_per_second = 500\n')
        self.write("README.md", "passed over")
        shown = self.command("apply", self.directory, "--dry-run")
        self.assertIn("sources/商城  new", shown)
        self.assertIn('channel: "shop"', shown)
        self.assertIn("1 definition would be made", shown)
        self.assertIn("settings  has no file; it stays", shown)
        self.assertNotIn("商城", self.command("source", "list"))
        applied = self.command("apply", self.directory)
        self.assertNotIn("settings", applied)
        self.assertRegex(applied, r"1 definition made or changed, 0 as they were, \d+ have no file")
        self.assertIn("settings  has no file; it stays", self.command("apply", self.directory, "--verbose"))
        self.assertIn("商城  channel shop, at most 500 events a second", self.command("source", "list"))
        self.write("sources/商城.toml", 'channel = "shop"\nevents_per_second = 600\n')
        self.assertIn("events_per_second: 500 -> 600", self.command("apply", self.directory))

    def test_3_all_or_nothing(self):
        self.write("sources/a.json", '{"channel": "web"}')
        self.write("sources/b.json", '{"chanel": "web"}')
        refused = self.command("apply", self.directory, code=2)
        self.assertIn("sources/b", refused)
        self.assertIn("/chanel", refused)
        self.assertNotIn("a  channel web", self.command("source", "list"))

    def test_4_places_that_are_none(self):
        self.write("source/web.json", "{}")
        self.assertIn("sources/NAME.json", self.command("apply", self.directory, code=2))
        self.write("source/web.json", "")
        (self.directory / "source/web.json").unlink()
        self.write("sources/web.toml", "channel = \n")
        self.assertIn("web.toml:1:11", self.command("apply", self.directory, code=2))

    def test_5_keys_stay_inside(self):
        self.command("export", self.directory)
        text = "".join(path.read_text() for path in self.directory.rglob("*.json"))
        self.assertNotIn("hash", text)
        self.assertNotIn("kwk_", text)
        before = json.loads(self.command("source", "list", "--json"))
        path = pathlib.Path(self.directory / "sources/default.json")
        path.write_text(path.read_text().replace('"channel": "unknown"', '"channel": "server"'))
        self.command("apply", self.directory)
        after = json.loads(self.command("source", "list", "--json"))
        keys = lambda listed: [s["keys"] for s in listed["sources"] if s["name"] == "default"]
        self.assertEqual(keys(after), keys(before))

    def test_6_names_are_those_that_sources_have(self):
        for name in ["a<b>", "a  b", "x" * 65]:
            self.write(f"sources/{name}.json", "{}")
            self.assertIn("no name for a source", self.command("apply", self.directory, "--dry-run", code=2), name)
            (self.directory / f"sources/{name}.json").unlink()
        for name in ["../../outside", "a/b", "a\0b", "a\nb"]:
            status, problem = ask(self.server.port, "POST", "/api/v1/definitions",
                                  {"files": [{"files": "sources", "name": name, "body": {}}]})
            self.assertEqual((status, problem["code"]), (400, "invalid_argument"), name)

    def test_7_a_file_opens_no_key_that_deletion_closed(self):
        key = self.command("source", "add", "left").split()[-1]
        sent = lambda: self.server.segment("/v1/track", {"event": "E", "userId": "u"}, key=key).status
        self.command("export", self.directory)
        self.assertEqual(sent(), 200)
        self.command("source", "delete", "left")
        self.assertIn("sources/left  new", self.command("apply", self.directory))
        self.assertEqual(sent(), 401)
        self.assertIn("revoked", self.command("source", "list").split("left  ")[1])

    def test_8_a_request_says_what_it_wants(self):
        post = lambda body: ask(self.server.port, "POST", "/api/v1/definitions", body)
        file = {"files": "sources", "name": "wished", "body": {}}
        for body, place in [({"dry_run": "yes", "files": [file]}, "/dry_run"), ({"dryrun": True, "files": [file]}, "/dryrun"),
                            ({"files": [{**file, "bdy": {}}]}, "/files/0/bdy"), ({"files": ["wished"]}, "/files/0"), ([], "the request")]:
            status, problem = post(body)
            self.assertEqual(status, 400, problem)
            self.assertIn(place, problem["detail"])
        self.assertNotIn("wished", self.command("source", "list"))

    def test_9_a_file_may_name_the_version_it_was_made_of(self):
        read = lambda: ask(self.server.port, "GET", "/api/v1/definitions")[1]["files"]
        post = lambda body: ask(self.server.port, "POST", "/api/v1/definitions", body)
        self.command("source", "add", "both")
        [mine] = [file for file in read() if file["name"] == "both"]
        self.command("source", "set", "both", "--events-per-second", "7")
        [theirs] = [file for file in read() if file["name"] == "both"]
        mine["body"]["channel"] = "app"
        for dry_run in [True, False]:
            status, problem = post({"dry_run": dry_run, "files": [mine]})
            self.assertEqual((status, problem["code"], problem["version"]), (409, "stale_version", theirs["version"]))
        self.assertIn("nothing of the directory", problem["detail"])
        theirs["body"]["channel"] = "app"
        self.assertEqual(post({"files": [theirs]})[0], 200)
        self.assertIn("both  channel app, at most 7", self.command("source", "list"))

    def test_a_export_says_what_the_directory_has_besides(self):
        self.command("source", "add", "gone")
        self.command("export", self.directory)
        self.command("source", "delete", "gone")
        done = run("export", self.directory, "--data", self.server.data)
        self.assertIn("sources/gone.json is of nothing that is there", done.stderr)
        self.assertNotIn("default", done.stderr)
        (self.directory / "sources/default.json").rename(self.directory / "sources/default.toml")
        (self.directory / "settings.json").unlink()
        self.assertIn("default.toml is there", self.command("export", self.directory, code=1))
        self.assertFalse((self.directory / "settings.json").exists(), "all or nothing")

    def change(self, name, channel):
        path = self.directory / f"sources/{name}.json"
        path.write_text(re.sub(r'"channel": "\w+"', f'"channel": "{channel}"', path.read_text()))

    def test_b_an_exported_directory_undoes_nothing_that_others_did(self):
        for name in ["mine", "other"]:
            self.command("source", "add", name, "--channel", "web")
        self.command("export", self.directory)
        self.command("source", "set", "other", "--channel", "shop")
        self.change("mine", "app")
        for dry_run in [["--dry-run"], []]:
            refused = self.command("apply", self.directory, *dry_run, code=1)
            for words in ["other", "nothing of the directory was applied", "kehu export"]:
                self.assertIn(words, refused)
        self.assertIn("mine  channel web", self.command("source", "list"))
        # Exported again, it is what both want; from then on it follows what it applies.
        self.command("export", self.directory)
        for channel in ["app", "kiosk"]:
            self.change("mine", channel)
            self.assertIn("1 definition made or changed", self.command("apply", self.directory))
        self.assertIn("other  channel shop", self.command("source", "list"))
        self.command("source", "set", "mine", "--channel", "web")
        self.change("mine", "app")
        self.command("apply", self.directory, code=1)

    def test_c_versions_of_another_installation_are_none_here(self):
        self.command("export", self.directory)
        seen = json.loads((self.directory / SEEN).read_text())
        self.assertEqual(set(seen["versions"]) & {"settings", "sources/default"}, {"settings", "sources/default"})
        strange = json.dumps({"installation": "0" * 16, "versions": dict.fromkeys(seen["versions"], 0)})
        (self.directory / SEEN).write_text(strange)
        self.change("default", "kiosk")
        self.assertIn("1 definition made or changed", self.command("apply", self.directory))
        self.assertEqual((self.directory / SEEN).read_text(), strange)
        (self.directory / SEEN).write_text("<<<<<<< HEAD")
        self.assertIn(SEEN, self.command("apply", self.directory, code=2))

    def test_d_webhooks_travel_without_their_secrets(self):
        where = {"url": "https://crm.example/kehu", "segments": [], "tags": "all"}
        created = self.server.post("/api/v1/webhooks", {"name": "crm", **where})
        self.assertEqual(created.status, 201, created)
        self.command("export", self.directory)
        path = self.directory / "webhooks/crm.json"
        self.assertEqual(json.loads(path.read_text()), {**where, "enabled": True, "give_up_after_s": 5 * 24 * 3600})
        path.write_text(json.dumps({**where, "url": "https://crm.example/other", "give_up_after_s": 60}))
        changed = self.command("apply", self.directory)
        self.assertIn("url:", changed)
        self.assertNotIn("whsec_", changed)
        webhook = lambda server: server.get("/api/v1/webhooks/crm").json
        self.assertEqual((webhook(self.server)["url"], webhook(self.server)["give_up_after_s"]), ("https://crm.example/other", 60))
        self.assertEqual(webhook(self.server)["secrets"], created.json["secrets"], "the secret stays")
        self.assertIn("0 definitions made or changed", self.command("apply", self.directory))

        # Elsewhere it is made, with a secret of its own, and its receiver is told it this once.
        other = kehu_server.Server(kehu_server.scratch(self) / "other").start()
        self.addCleanup(other.kill)
        shown = run("apply", self.directory, "--dry-run", "--data", other.data).stdout
        self.assertIn("webhooks/crm  new", shown)
        self.assertNotIn("whsec_", shown)
        made = run("apply", self.directory, "--data", other.data)
        self.assertRegex(made.stdout, r"webhooks/crm  secret, shown this once: whsec_\S+")
        self.assertNotIn("whsec_", run("apply", self.directory, "--data", other.data).stdout)
        self.assertEqual((webhook(other)["url"], len(webhook(other)["secrets"])), ("https://crm.example/other", 1))
        path.write_text('{"url": "https://crm.example/", "secret": "whsec_x"}')
        self.assertIn("webhooks/crm", self.command("apply", self.directory, code=2))
        path.write_text('{"url": "https://crm.example/", "segments": ["nowhere"]}')
        self.assertIn("there is no segment nowhere", self.command("apply", self.directory, code=2))
        self.assertEqual(self.server.admin("DELETE", "/api/v1/webhooks/crm").status, 204)


if __name__ == "__main__":
    kehu_server.main()
