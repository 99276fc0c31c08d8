#!/usr/bin/env python3
"""Segments and tags from outside: applied as files, kept through crashes, explained, and refused as a whole."""
import json
import time
import unittest

import kehu_server
from kehu_server import run

RULES = """
# who has bought much
segment 年度高消费 = sum(revenue of "Order Completed", last 365 days) > 500
segment 加购未支付 = sequence("Product Added" then not "Order Completed" within 2 seconds)
分群 北京新会员 = trait.city 属于 ("北京", "Beijing") 且 不属于 分群 年度高消费
tag 偏好品类 = top(category of "Product Viewed", last 90 days)
"""


class RulesTest(kehu_server.ServerTest):
    def setUp(self):
        self.directory = kehu_server.scratch(self) / "rules"
        self.directory.mkdir()

    def write(self, text, name="rules.kehu"):
        (self.directory / name).write_text(text)

    def command(self, *arguments, code=0):
        done = run(*arguments, "--data", self.server.data)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def members(self, name):
        lines = self.command("segment", "members", name, "--json").splitlines()
        return sorted(identifier["value"] for line in lines for identifier in json.loads(line)["identifiers"])

    def soon(self, name, want, patience=10):
        end = time.monotonic() + patience
        while self.members(name) != want and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(self.members(name), want)

    def sizes(self):
        return {s["name"]: s["size"] for s in json.loads(self.command("segment", "list", "--json"))["segments"]}

    def definitions(self):
        return self.server.get("/api/v1/definitions").json

    def test_1_members_follow_events(self):
        self.write(RULES)
        self.command("apply", self.directory)
        self.server.post_events([
            {"event": "Order Completed", "user_id": "u1", "properties": {"revenue": 300, "order_id": "o1"}},
            {"event": "Order Completed", "user_id": "u1", "properties": {"revenue": 201, "order_id": "o2"}},
            {"event": "Order Completed", "user_id": "u2", "properties": {"revenue": 500, "order_id": "o3"}},
            {"event": "Product Added", "user_id": "u3"},
            {"type": "identify", "user_id": "u2", "traits": {"city": "北京"}},
            {"type": "identify", "user_id": "u1", "traits": {"city": "北京"}},
        ])
        self.soon("年度高消费", ["u1"])
        self.soon("北京新会员", ["u2"])
        self.soon("加购未支付", ["u3"])
        self.assertEqual(self.sizes(), {"年度高消费": 1, "北京新会员": 1, "加购未支付": 1})
        self.assertIn("年度高消费", self.command("segment", "list"))

    def test_2_why(self):
        why = self.command("segment", "why", "年度高消费", "user_id:u1")
        self.assertIn("is in since", why)
        self.assertIn("501", why)
        self.assertIn("is not in", self.command("segment", "why", "年度高消费", "user_id:u2"))
        self.command("segment", "why", "年度高消费", "user_id:nobody", code=1)
        self.command("segment", "members", "没有", code=1)

    def test_2_nobody_without_events_is_asked(self):
        """All events name the account, so it has them when the device is taken apart from it."""
        self.write(RULES + 'segment 没买过 = not ever("Order Completed")\n')
        self.command("apply", self.directory)
        self.server.post_events([{"event": "Opened", "user_id": "apart", "anonymous_id": "device"}])
        links = self.server.get("/api/v1/customers/user_id:apart/identities").json["links"]
        answer = self.server.post("/api/v1/identities/unmerge",
                                  {"customer": "user_id:apart", "link": links[0]["link"], "reason": "another's phone"})
        self.assertEqual(answer.status, 200, answer)

        device = self.server.get("/api/v1/customers/anonymous_id:device").json
        self.assertEqual((device["events"], device["segments"], device["tags"]), (0, [], {}))
        self.assertNotIn("first_seen", device)
        self.assertNotIn("last_seen", device)
        path = f"/api/v1/segments/{kehu_server.quoted('没买过')}/why/"
        why = self.server.get(path + "anonymous_id:device").json
        self.assertEqual((why["in"], why["reasons"]), (False, []))
        self.assertIn("no events", why["note"])
        self.assertIn("no events", self.command("segment", "why", "没买过", "anonymous_id:device"))
        self.assertIn("0 events\n", self.command("customer", "anonymous_id:device"))
        preview = self.server.post("/api/v1/rules/preview", {"rule": 'not ever("Order Completed")'}).json
        self.assertNotIn(device["customer_id"], [each["customer_id"] for each in preview["examples"]])

        owner = lambda: self.server.get(path + "user_id:apart").json
        end = time.monotonic() + 10
        while not owner()["in"] and time.monotonic() < end:
            time.sleep(0.1)  # the segment is being filled in
        self.assertEqual((owner()["in"], owner()["reasons"][0]["value"]), (True, True))
        self.assertNotIn("note", owner())
        self.server.post_events([{"event": "Opened", "anonymous_id": "device"}])
        why = self.server.get(path + "anonymous_id:device").json
        self.assertEqual((why["in"], why["reasons"][0]["value"]), (True, True))
        self.assertIn("first_seen", self.server.get("/api/v1/customers/anonymous_id:device").json)

    def test_3_a_crash_changes_nothing(self):
        names = list(self.sizes())
        before = {name: self.command("segment", "members", name, "--json") for name in names}
        for _ in range(3):
            self.server.kill()
            self.server.start()
            self.assertEqual({name: self.command("segment", "members", name, "--json") for name in names}, before)
        self.server.stop()
        self.server.start()
        self.assertEqual({name: self.command("segment", "members", name, "--json") for name in names}, before)
        self.server.post_events([{"event": "Order Completed", "user_id": "u3", "properties": {"revenue": 1, "order_id": "o4"}}])
        self.soon("加购未支付", [])
        self.soon("年度高消费", ["u1"])

    def test_4_time_goes_on_while_nobody_runs(self):
        self.server.post_events([{"event": "Product Added", "user_id": "u4"}])
        self.server.kill()
        time.sleep(2.5)
        self.server.start()
        self.soon("加购未支付", ["u4"])
        member = json.loads(self.command("segment", "members", "加购未支付", "--json"))
        timeline = self.server.get("/api/v1/customers/user_id:u4/timeline").json
        added = timeline["events"][0]["time"]
        # Two seconds and a millisecond behind the event, though the server came back later.
        self.assertEqual(seconds(member["since"]) - seconds(added), 2001)

    def test_5_bad_rules_are_refused_as_a_whole(self):
        before = self.definitions()
        self.write(RULES)
        for text, place, said in [
            ("segment a = count(\"A\") >= 1\nsegment b = count(\"A\" >= 1\n", "2:", "expected"),
            ("segment a = count(\"A\") >= 1\nsegment b = in segment 年度高消\n", "segment b", "年度高消费"),
            ("segment a = in segment b\nsegment b = in segment a\n", "bad.kehu:", "circle"),
            ("segment a = did(\"A\")\nsegment b = did(\"A\") and\n  in segment 年度高消\n", "bad.kehu:3:3: ", "did you mean"),
            ("segment a = did(\"A\")\ntag b = tag.偏好品\n", "bad.kehu:2:9: ", "偏好品类"),
            ("segment a = did(\"A\")\n\n  segment a = did(\"B\")\n", "bad.kehu:3:3: ", "bad.kehu:1:1"),
            ("segment 年度高消费 = did(\"A\")\n", "rules.kehu:3:1: ", "bad.kehu:1:1"),
            ("segment a = did(\"A\") and in segment b\nsegment b = not in segment 加购未支付\n"
             "segment c = in segment 北京新会员\nsegment d = trait.x = 1 and in segment c or not in segment d\n", "bad.kehu:4:49: ",
             "itself"),
            ("segment a = count(\"A\") and 3\n", "1:", ""),
            ("segment a = count(\"A\", last 1101 days) > 1\n", "1:", "1100"),
            ("segment a = did(\"A\") or\n", "", ""),
            ('segment a = did("A")\nsegment b = did("B\\u0000")\n', "bad.kehu:2:19: ", "control character"),
            ('segment a = did("B\0")\n', "bad.kehu:1:19: ", "control character"),
            ("segment `a ` = did(\"A\")\n", "bad.kehu:1:1: ", "blank"),
        ]:
            with self.subTest(text):
                self.write(text, "bad.kehu")
                refused = self.command("apply", self.directory, code=1)
                self.assertIn(place, refused)
                self.assertIn(said, refused)
                self.assertEqual(self.definitions(), before)

    def test_5_nor_are_they_taken_as_json(self):
        before = self.definitions()
        did = {"op": "did", "of": [{"op": "events", "text": "A"}]}
        for name, body, said in [
            ("b", {"op": "did", "of": [{"op": "events", "text": "A\0"}]}, "control character"),
            ("b", {"op": "equal", "of": [{"op": "trait", "text": "x"}, {"op": "text", "text": "\x1b"}]}, "control character"),
            (" b", did, "blank"), (" ", did, "blank"), ("b\nc", did, "line break"), ("b\0c", did, "control character"),
        ]:
            with self.subTest((name, body)):
                refused = self.server.post("/api/v1/definitions", {"files": [
                    {"files": "segments", "name": name, "body": {"kind": "segment", "name": name, "body": body}}]})
                self.assertEqual(refused.status, 400, refused)
                self.assertIn(said, refused.json["detail"])
                self.assertEqual(self.definitions(), before)

    def test_5_a_circle_through_what_is_there_has_a_place(self):
        self.write('segment 年度高消费 = sum(revenue of "Order Completed") > 500 and\n    not in segment 北京新会员\n')
        refused = self.command("apply", self.directory, code=1)
        self.assertIn("rules.kehu:2:9: ", refused)
        self.assertIn("circle", refused)
        self.write("segment 加购未支付 = in segment 北京新会员\n分群 北京新会员 = 不属于 分群 加购未支付\n")
        self.assertIn("rules.kehu:", self.command("apply", self.directory, code=1))
        (self.directory / "rules.kehu").unlink()
        (self.directory / "segments").mkdir()
        self.write('{"kind": "segment", "name": "b", "body": {"op": "not", "of": [{"op": "segment", "text": "zz"}]}}', "segments/b.json")
        self.assertIn("segments/b.json: /body/of/0: segment b: there is no segment zz", self.command("apply", self.directory, code=1))
        (self.directory / "segments" / "b.json").unlink()
        self.write("# nothing yet\n")
        refused = self.command("apply", self.directory, code=1)
        self.assertIn("rules.kehu has comments alone", refused)

    def test_5_statements_are_duckdbs_to_judge(self):
        before = self.definitions()
        for sql, said in [
            ("SELECT nosuch FROM customers", "nosuch"),
            ("DELETE FROM customers", "only read"),
            ("SELECT customer_id FROM customers", "customer_id and value"),
            ("SELECT 1 AS value", "customer_id and value"),
            ("SELECT customer_id, 1 AS value FROM read_csv('/etc/passwd')", "read_csv"),
            ("SELECT customer_id, 1 AS value FORM customers", "yntax error"),
        ]:
            with self.subTest(sql):
                self.write(f'segment a = did("A")\ntag b = sql "{sql}" every day\n')
                for more in ([], ["--dry-run"]):
                    refused = self.command("apply", self.directory, *more, code=1)
                    self.assertIn("rules.kehu:2:9: ", refused)
                    self.assertIn(said, refused)
                self.assertEqual(self.definitions(), before)
                checked = self.server.post("/api/v1/rules/check", {"rule": f'sql "{sql}" every day'})
                self.assertEqual(checked.status, 400, checked)
                self.assertIn(said, checked.json["detail"])
        good = 'sql "SELECT customer_id, 1 AS value FROM customers;" every day'
        checked = self.server.post("/api/v1/rules/check", {"rule": good}).json
        self.assertEqual((checked["ok"], checked["english"], checked["tree"]["op"]), (True, good, "sql"))

    def test_6_what_is_used_stays(self):
        before = self.definitions()
        used = "/api/v1/segments/" + kehu_server.quoted("年度高消费")
        refused = self.server.admin("DELETE", used)
        self.assertEqual(refused.status, 409, refused)
        self.assertEqual(refused.json["detail"], "the segment 年度高消费 is used by segment 北京新会员: change or delete what uses it first")
        self.assertEqual(self.definitions(), before)
        self.assertEqual(self.server.admin("DELETE", "/api/v1/segments/" + kehu_server.quoted("加购未支付")).status, 204)
        self.assertEqual(self.server.get("/api/v1/segments/" + kehu_server.quoted("加购未支付")).status, 404)
        self.assertEqual(self.server.admin("DELETE", "/api/v1/tags/none").status, 404)

    def test_7_check_says_where_and_what_was_meant(self):
        for rule, want in [
            ('count("A") >', {"line": 1}),
            ('in segment 年度高消', {"line": 1, "suggestion": "年度高消费"}),
            ('count("A")\n  >= cuont("B")', {"line": 2, "suggestion": "count"}),
            ('count("A", last 3 dais) > 1', {"line": 1, "suggestion": "days"}),
            ('trait.city + true = 3', {"line": 1}),
        ]:
            with self.subTest(rule):
                answer = self.server.post("/api/v1/rules/check", {"rule": rule})
                self.assertEqual(answer.status, 400, answer)
                problem = answer.json
                self.assertGreaterEqual(problem["column"], 1, problem)
                for key, value in want.items():
                    self.assertIn(str(value), str(problem.get(key)), problem)
        good = self.server.post("/api/v1/rules/check", {"rule": "次数(\"A\", 最近30天) >= 3"}).json
        self.assertEqual((good["ok"], good["english"]), (True, 'count("A", last 30 days) >= 3'))
        self.assertEqual(self.server.post("/api/v1/rules/check", {}).status, 400)

    def test_7_unknown_names_are_warned_of(self):
        """An event may come later, so a rule with a name that was never seen is good; but a misspelt one shows."""
        rule = 'count("Order Complete") >= 2 and trait.cty = "x"\n  and did("Paid" where hour > 30)'
        self.assertEqual(self.server.post_events([
            {"type": "track", "event": "Order Completed", "user_id": "warned", "message_id": "w1"},
            {"type": "identify", "user_id": "warned", "message_id": "w2", "traits": {"city": "x"}}])["rejected"], 0)
        want = [(1, 7, "Order Completed"), (1, 34, "trait.city"), (2, 24, "")]
        for route in ("check", "preview"):
            answer = self.server.post("/api/v1/rules/" + route, {"rule": rule})
            self.assertEqual(answer.status, 200, answer)
            got = [(w["line"], w["column"], w["suggestion"]) for w in answer.json["warnings"]]
            self.assertEqual(got, want, answer.json)
        self.assertIn("Order Complete", answer.json["warnings"][0]["message"])
        self.assertEqual(self.server.post("/api/v1/rules/check", {"rule": 'count("Order Completed") > 1 and trait.city = "x"'}).json["warnings"], [])

        text = f"segment good = did(\"Order Completed\")\nsegment warned = {rule}\n"
        answer = self.server.post("/api/v1/rules/check", {"file": text})
        self.assertEqual((answer.status, answer.json["definitions"]), (200, 2), answer)
        self.assertEqual([(w["line"], w["column"]) for w in answer.json["warnings"]], [(2, 24), (2, 51), (3, 24)])
        refused = self.server.post("/api/v1/rules/check", {"file": text + "segment bad = 3 +\n"})
        self.assertEqual((refused.status, refused.json["line"]), (400, 5), refused)

        directory = kehu_server.scratch(self)
        (directory / "warned.kehu").write_text(text)
        said = f'{directory}/warned.kehu:2:24: warning: no event "Order Complete" was seen yet; did you mean Order Completed?'
        for done in (run("rules", "check", directory / "warned.kehu", "--data", self.server.data),
                     run("apply", directory, "--dry-run", "--data", self.server.data)):
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(said, done.stdout)
        self.assertIn("2 definitions would be made", done.stdout)
        done = run("apply", directory, "--dry-run", "--json", "--data", self.server.data)
        plan = json.loads(done.stdout)
        self.assertEqual((len(plan["warnings"]), plan["warnings"][0]["line"], len(plan["files"])), (3, 2, 2))
        done = run("rules", "check", directory / "warned.kehu")
        self.assertEqual((done.returncode, done.stdout), (0, "2 definitions, no problem\n"))

    def test_7_a_whole_definition_is_no_condition(self):
        for text in ('segment neu = did("A")', 'segment 年度高消费 owner "li" = did("A")', '# why\ntag t = top(a of "A")'):
            for path in ("check", "preview"):
                answer = self.server.post(f"/api/v1/rules/{path}", {"rule": text})
                self.assertEqual(answer.status, 400, answer)
                self.assertIn("leave out all up to the =", answer.json["detail"])
                self.assertIn(answer.json["suggestion"], ('ever("A")', 'top(a of "A")'))
        self.assertIn("these are whole definitions", self.server.post(
            "/api/v1/rules/check", {"rule": 'segment a = did("A")\nsegment b = did("B")'}).json["detail"])
        self.assertEqual(self.server.post("/api/v1/rules/check", {"rule": 'in segment 年度高消费 = did("A")'}).status, 200)

    def test_7_trees_and_members(self):
        tree = self.server.post("/api/v1/rules/check", {"rule": "in segment 年度高消费", "time_zone": "Asia/Shanghai"}).json["tree"]
        checked = self.server.post("/api/v1/rules/check", {"tree": tree})
        self.assertEqual((checked.status, checked.json["tree"], checked.json["english"]), (200, tree, "in segment 年度高消费"))
        self.assertEqual(self.server.post("/api/v1/rules/preview", {"tree": tree}).json["size"], 1)
        did = {"op": "did", "of": [{"op": "events", "text": "A\0"}]}
        for body, pointer, said in [
            ({"rule": "true", "time_zone": "Asia/Shangai"}, None, "Asia/Shanghai"),
            ({"rule": "true", "timezone": "Asia/Shanghai"}, "/timezone", "unknown member"),
            ({"rule": "true", "time_zone": 8}, "/time_zone", "no text"),
            ({"rule": "true", "tree": {"op": "bool", "number": 1}}, None, "or the same"),
            ({"tree": {"op": "cuont"}}, "/tree", "count"),
            ({"tree": {"op": "not", "of": [did]}}, "/tree/of/0/of/0", "control character"),
            ({"tree": {"op": "segment", "text": "年度高消"}}, "/tree", "年度高消费"),
            ({"tree": {"op": "at_least", "of": [{"op": "trait", "text": "x"}, {"op": "number", "number": 1.00000001}]}}, "/tree",
             "four decimal places"),
        ]:
            for path in ("check", "preview"):
                with self.subTest((path, body)):
                    answer = self.server.post(f"/api/v1/rules/{path}", body)
                    self.assertEqual(answer.status, 400, answer)
                    self.assertIn(said, answer.json["detail"])
                    if pointer:
                        self.assertEqual(answer.json["pointer"], pointer)
        rule = {"op": "equal", "of": [{"op": "trait", "text": "x"}, {"op": "number", "number": 1.00000001}]}
        refused = self.server.post("/api/v1/definitions", {"files": [
            {"files": "segments", "name": "b", "body": {"kind": "segment", "name": "b", "body": rule}}]})
        self.assertEqual((refused.status, refused.json["pointer"]), (400, "/files/0"), refused)
        statement = {"op": "sql", "text": "SELECT 1", "span": {"count": 1, "unit": "day"}}
        self.assertEqual(self.server.post("/api/v1/rules/preview", {"tree": statement}).status, 400)

    def test_7_files_are_checked_without_an_installation(self):
        for text, place, said in [
            ('segment a = did("A")\nsegment a = did("B")\n', "rules.kehu:2:1: ", "rules.kehu:1:1"),
            ("segment a = in segment b\nsegment b = did(\"A\") and in segment c\nsegment c = in segment a\n", "rules.kehu:", "circle"),
            ('segment a owner "x" owner "y" = did("A")\n', "rules.kehu:1:21: ", "second time"),
            ('segment a = did("A", last 0 days)\n', "rules.kehu:1:27: ", "0 days"),
            ('segment a = sequence("A" then not "B")\n', "rules.kehu:1:31: ", "within"),
            ('segment a = count("A" where n[][] = 1) > 0\n', "rules.kehu:1:29: ", "twice"),
        ]:
            with self.subTest(text):
                self.write(text)
                done = run("rules", "check", self.directory / "rules.kehu")
                self.assertEqual(done.returncode, 1, done)
                self.assertIn(place, done.stderr)
                self.assertIn(said, done.stderr)
        self.write("segment a = in segment b\n")
        self.write("segment b = in segment elsewhere\n", "b.kehu")
        files = [self.directory / "rules.kehu", self.directory / "b.kehu"]
        self.assertIn("2 definitions, no problem", run("rules", "check", *files).stdout)
        self.write("segment b = in segment a\n", "b.kehu")
        done = run("rules", "check", *files)
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stderr, r"(rules|b)\.kehu:1:13: rules that use each other in a circle")

    def test_8_out_and_back(self):
        self.command("export", self.directory)
        text = "".join(path.read_text() for path in self.directory.glob("*.kehu"))
        self.assertIn("# who has bought much", text)
        self.assertIn("年度高消费", text)
        self.assertIn("0 definitions made or changed", self.command("apply", self.directory))


def seconds(text):
    """Milliseconds, in fact, since 1970."""
    import datetime

    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


if __name__ == "__main__":
    kehu_server.main()
