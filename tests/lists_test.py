#!/usr/bin/env python3
"""Uploaded lists: who is on one, by any identifier and any file; a new upload in the place of the one before, all at
once; merges, crashes, checks and archives of them; and what rules, previews and verifications make of it."""
import base64
import json
import os
import pathlib
import time
import unittest
import zipfile

import kehu_server
from kehu_server import quoted, run

RULES = """
segment 贵宾 = in list 会员
segment 金卡 = list.会员 = "金卡"
分群 不打扰 = 在名单 黑名单
segment 可触达 = did("Order Completed") and not in list 黑名单
tag 档 = case when list.会员 >= 100 then "高" when in list 会员 then "低" else "无" end
"""
PHONE = "13912345678"


def workbook(path, rows):
    """The least of an .xlsx that programs read."""
    cells = "".join("<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) + "</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types">'
                      '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                      '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
                      'spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/'
                      'vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>')
        file.writestr("_rels/.rels", f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
                      f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>')
        file.writestr("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="a" sheetId="1" '
                      'r:id="r1"/></sheets></workbook>')
        file.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
                      f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>')
        file.writestr("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>')


class ListsTest(unittest.TestCase):
    def setUp(self):
        self.work = kehu_server.scratch(self)
        (self.work / "rules").mkdir()
        (self.work / "rules" / "all.kehu").write_text(RULES)
        self.server = kehu_server.Server(self.work / "data").start()
        self.addCleanup(self.server.kill)
        self.events(*({"type": "track", "event": "Order Completed", "user_id": f"u{i}", "message_id": f"o{i}"} for i in range(10)),
                    {"type": "identify", "user_id": "u9", "phone": PHONE, "message_id": "p9"})

    def events(self, *events):
        self.assertEqual(self.server.post_events(list(events))["rejected"], 0)

    def file(self, name, text):
        path = self.work / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def upload(self, name, path, *options, code=0):
        done = run("list", "upload", name, path, *options, "--json", "--data", self.server.data)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout) if code == 0 else done.stderr

    def counts(self, report):
        upload = report["list"]["upload"]
        return tuple(upload[name] for name in ("rows", "customers", "repeats", "unknown", "unreadable"))

    def apply(self):
        done = run("apply", self.work / "rules", "--data", self.server.data)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    eventually = kehu_server.eventually

    def members(self, name):
        done = run("segment", "members", name, "--json", "--data", self.server.data)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line)["identifiers"] for line in done.stdout.splitlines()]
        return {[each["value"] for each in identifiers if each["type"] == "user_id"][0] for identifiers in lines}

    def verified(self):
        done = run("verify", "--data", self.server.data)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_from_the_first_upload_to_the_last(self):
        first = self.upload("会员", self.file("vip.csv", "user_id,level\nu1,金卡\nu2,银卡\nu3,\nu1,金卡\nnobody,金卡\n,x\n"),
                            "--id", "user_id", "--value", "level", "--owner", "li")
        self.assertEqual(self.counts(first), (6, 3, 1, 1, 1))
        self.assertEqual((first["unknown_rows"], [fault["row"] for fault in first["faults"]]), ([5], [6]))
        self.assertEqual((first["list"]["owner"], first["list"]["upload"]["number"], first["list"]["upload"]["file"]),
                         ("li", 1, "vip.csv"))
        self.upload("黑名单", self.file("black.txt", f"phone\n{PHONE}\n"), "--id", "phone")
        self.apply()
        self.eventually(lambda: self.members("贵宾"), {"u1", "u2", "u3"})
        self.eventually(lambda: self.members("金卡"), {"u1"})
        self.eventually(lambda: self.members("不打扰"), {"u9"})
        self.eventually(lambda: self.members("可触达"), {f"u{i}" for i in range(9)})
        customer = self.server.customer("user_id:u1")
        self.assertEqual(customer["lists"]["会员"]["value"], "金卡")
        self.assertEqual((customer["tags"]["档"], customer["traits"]), ("低", {}))
        self.assertEqual(self.server.customer("user_id:u3")["lists"]["会员"]["value"], None)
        self.assertEqual(self.server.get("/api/v1/customers/user_id:nobody").status, 404, "unknown makes no customer")
        self.verified()

        size = lambda rule: self.server.post("/api/v1/rules/preview", {"rule": rule}).json["size"]
        for rule, want in (("in list 会员", 3), ("not in list 会员", 7), ("list.会员 is known", 2), ("list.会员 is unknown", 8),
                           ('list.会员 = "金卡" or in list 黑名单', 2), ('did("Order Completed") and not in list 黑名单', 9),
                           ("not in list 会员 and not in list 黑名单", 6)):
            self.assertEqual(size(rule), want, rule)
        values = self.server.post("/api/v1/rules/preview", {"rule": "list.会员"}).json["values"]
        self.assertEqual({each["value"]: each["size"] for each in values}, {"金卡": 1, "银卡": 1})
        edited = self.server.post(f"/api/v1/segments/{quoted('金卡')}/preview", {"rule": "in list 会员"}).json
        self.assertEqual((edited["members"], edited["enter"]["size"], edited["leave"]["size"]), (1, 2, 0))

        # The second takes the place of the first, whose members are known no more.
        second = self.upload("会员", self.file("vip.ndjson", '{"who":"u2","points":120}\n{"who":"u4","points":"99.5"}\n'),
                             "--id", "user_id=who", "--value", "points")
        self.assertEqual(self.counts(second), (2, 2, 0, 0, 0))
        self.eventually(lambda: self.members("贵宾"), {"u2", "u4"})
        self.eventually(lambda: self.members("金卡"), set())
        self.eventually(lambda: [self.server.customer(f"user_id:u{i}")["tags"]["档"] for i in (1, 2, 4)], ["无", "高", "低"])
        self.assertEqual(self.server.customer("user_id:u1")["lists"], {})
        self.verified()

        # So it is behind a crash, and a third stands where the first did.
        self.server.kill()
        self.server.start()
        self.assertEqual(self.members("贵宾"), {"u2", "u4"})
        workbook(self.work / "vip.xlsx", [["手机", "等级"], [PHONE, "金卡"]])
        third = self.upload("会员", self.work / "vip.xlsx", "--id", "phone=手机", "--value", "等级")
        self.assertEqual(self.counts(third), (1, 1, 0, 0, 0))
        self.eventually(lambda: self.members("贵宾"), {"u9"})
        self.eventually(lambda: self.members("金卡"), {"u9"})
        self.verified()
        shown = run("list", "list", "--data", self.server.data)
        self.assertIn("segment 贵宾", shown.stdout)
        self.assertIn("upload 3", shown.stdout)

    def test_by_customer_ids_and_new_customers(self):
        ids = [self.server.customer(name)["customer_id"] for name in ("user_id:u1", f"phone:{PHONE}")]
        report = self.upload("会员", self.file("ids.csv", "customer_id\n" + "\n".join(ids) + "\n" + "0" * 32 + "\n"), "--id",
                             "customer_id")
        self.assertEqual(self.counts(report), (3, 2, 0, 1, 0))
        report = self.upload("会员", self.file("new.csv", "user_id\nu1\nnew1\nnew2\nnew1\n"), "--id", "user_id", "--create")
        self.assertEqual((self.counts(report), report["created"]), ((4, 3, 1, 0, 0), 2))
        self.assertIn("会员", self.server.customer("user_id:new1")["lists"])
        self.assertIn("there is no source", self.upload("会员", self.work / "new.csv", "--id", "user_id", "--source", "nowhere",
                                                        code=2))
        for path, ident, why in ((self.file("typo.csv", "phon\nu1\n"), "phon", "no identifier type"),
                                 (self.file("others.csv", "user_id\nx1\nx2\n"), "user_id", "2 are of nobody who is known"),
                                 (self.file("none.csv", "user_id\n"), "user_id", "has no rows")):
            refused = self.upload("会员", path, "--id", ident, code=1)
            self.assertIn(why, refused)
            self.assertIn("the list stays as it was", refused)
        self.assertIn("会员", self.server.customer("user_id:new1")["lists"])
        self.assertIn("it has: user_id", self.upload("会员", self.file("two.csv", "user_id,b\nu1,2\n"), "--id", "phone", code=1))

    def test_an_upload_is_not_seen_before_it_is_finished(self):
        self.upload("会员", self.file("a.csv", "user_id\nu1\nu2\n"), "--id", "user_id")
        self.upload("黑名单", self.file("b.csv", "user_id\nu3\n"), "--id", "user_id")
        self.apply()
        self.eventually(lambda: self.members("贵宾"), {"u1", "u2"})
        path = f"/api/v1/lists/{quoted('会员')}/uploads"
        begun = self.server.post(path, {"file": "c.csv"})
        self.assertEqual((begun.status, begun.json["begun"]["number"], begun.json["upload"]["number"]), (201, 2, 1), begun)
        self.assertNotIn("nonce", json.dumps(begun.json), "nobody can write what only an upload may")
        rows = {"rows": [{"row": 1, "customer": "user_id:u5", "value": "x"}, {"row": 2, "customer": "user_id:u1"},
                         {"row": 3, "customer": "user_id:u6", "value": 12.5}, {"row": 4, "customer": "nonsense"}]}
        answer = self.server.post(f"{path}/2/rows", rows).json
        self.assertEqual([answer[name] for name in ("customers", "repeats", "unknown", "unreadable")], [3, 0, 0, 1])
        self.assertEqual(answer["faults"][0]["row"], 4)
        self.assertEqual(self.server.post(f"{path}/2/rows", rows).json["repeats"], 3, "the same rows again")
        time.sleep(1)
        self.assertEqual(self.members("贵宾"), {"u1", "u2"})
        self.assertEqual(self.server.customer("user_id:u5")["lists"], {})

        # Somebody else begins one: the other's turn is over.
        self.assertEqual(self.server.post(path, {}).json["begun"]["number"], 3)
        self.assertEqual(self.server.post(f"{path}/2/rows", rows).status, 409)
        self.assertEqual(self.server.post(f"{path}/2/finish", {}).status, 409)
        self.assertEqual(self.server.post(f"{path}/7/finish", {}).status, 404)
        self.server.kill()
        self.server.start()
        self.assertEqual(self.server.post(f"{path}/3/rows", {"rows": [{"row": 1, "customer": "user_id:u6"}]}).json["customers"], 1)
        finished = self.server.post(f"{path}/3/finish", {"rows": 1, "customers": 1})
        self.assertEqual((finished.status, finished.json["upload"]["customers"]), (200, 1), finished)
        self.eventually(lambda: self.members("贵宾"), {"u6"})
        self.assertEqual(self.server.post(f"{path}/3/finish", {}).status, 200, "once more says the same")
        self.assertEqual(self.server.post(f"{path}/3/rows", rows).status, 409)
        self.assertEqual(self.server.post(f"{path}/3/rows", {"rows": []}).status, 409)
        self.verified()

    def test_merged_and_parted_again(self):
        self.events({"type": "track", "event": "A", "phone": "13800001111", "message_id": "a"})
        other = self.server.customer("phone:13800001111")["customer_id"]
        self.upload("会员", self.file("a.csv", "user_id,v\nu1,甲\n"), "--id", "user_id", "--value", "v")
        self.upload("黑名单", self.file("b.csv", "phone\n13800001111\n"), "--id", "phone")
        self.apply()
        self.eventually(lambda: self.members("贵宾"), {"u1"})
        merged = self.server.post("/api/v1/identities/merge", {"winner": other, "loser": "user_id:u1", "reason": "one"})
        self.assertEqual(merged.status, 200, merged)
        both = self.server.customer("user_id:u1")
        self.assertEqual((set(both["lists"]), {"贵宾", "不打扰"} <= set(both["segments"])), ({"会员", "黑名单"}, True))
        self.verified()
        link = self.server.get("/api/v1/customers/user_id:u1/identities").json["links"][-1]["link"]
        parted = self.server.post("/api/v1/identities/unmerge", {"customer": "user_id:u1", "link": link, "reason": "two"})
        self.assertEqual(parted.status, 200, parted)
        self.assertEqual(set(self.server.customer("user_id:u1")["lists"]), {"会员"})
        self.assertEqual(set(self.server.customer("phone:13800001111")["lists"]), {"黑名单"})
        self.assertEqual(self.server.customer("user_id:u1")["segments"], ["可触达", "贵宾"])
        self.assertEqual(self.server.customer("phone:13800001111")["segments"], ["不打扰"])
        self.verified()

    def test_nobody_deletes_what_rules_use_and_names_are_checked(self):
        done = run("apply", self.work / "rules", "--data", self.server.data)
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no list", done.stderr)
        for name in ("会员", "黑名单"):
            self.upload(name, self.file("a.csv", "user_id\nu1\n"), "--id", "user_id")
        self.apply()
        done = run("list", "delete", "会员", "--data", self.server.data)
        self.assertEqual(done.returncode, 1)
        for user in ("segment 贵宾", "segment 金卡", "tag 档"):
            self.assertIn(user, done.stderr)
        wrong = self.server.post("/api/v1/rules/check", {"rule": "in list 会元"})
        self.assertEqual((wrong.status, wrong.json["suggestion"]), (400, "会员"), wrong)
        for name in ("贵宾", "金卡", "不打扰", "可触达"):
            self.assertEqual(self.server.admin("DELETE", f"/api/v1/segments/{quoted(name)}").status, 204)
        self.assertEqual(self.server.admin("DELETE", f"/api/v1/tags/{quoted('档')}").status, 204)
        done = run("list", "delete", "会员", "--data", self.server.data)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.server.get(f"/api/v1/lists/{quoted('会员')}").status, 404)
        # Made again it is empty, and counts on.
        again = self.server.post(f"/api/v1/lists/{quoted('会员')}/uploads", {})
        self.assertEqual((again.json["begun"]["number"], "upload" in again.json), (2, False), again)
        self.assertEqual(self.server.post("/api/v1/lists/a.b/uploads", {}).status, 400)

    def test_nobody_but_an_upload_writes_them(self):
        self.upload("黑名单", self.file("a.csv", "user_id\nu1\n"), "--id", "user_id")
        for traits in ({"list:黑名单/1": None}, {"$unset": ["list:黑名单/1"]}, {"$set_once": {"list:黑名单/2": 1}}):
            self.assertEqual(self.server.post_events([{"type": "identify", "user_id": "u1", "traits": traits}])["rejected"], 1)
        escaped = '{"type": "identify", "user_id": "u1", "traits": {"\\u006cist:黑名单/1": null}}'
        answer = self.server.request("POST", "/api/v1/events", escaped.encode(), {"Authorization": "Basic " + base64.b64encode(
            f"{kehu_server.WRITE_KEY}:".encode()).decode()})
        self.assertEqual(answer.json["rejected"], 1, answer)
        self.assertIn("黑名单", self.server.customer("user_id:u1")["lists"])
        reasons = {each["reason"] for each in self.server.get("/api/v1/rejections").json["rejections"]}
        self.assertEqual(reasons, {"reserved_key"})

    def test_a_list_of_phones_is_sealed(self):
        """Its name speaks of phones, which says nothing of its trait; its values are phones, and sealed."""
        report = self.upload("手机号", self.file("a.csv", f"p,other\n{PHONE},13812345678\n"), "--id", "phone=p", "--value", "other")
        self.assertEqual(self.counts(report), (1, 1, 0, 0, 0))
        self.assertEqual(self.server.customer("user_id:u9")["lists"]["手机号"]["value"], "138****5678")
        self.server.stop()
        for path, _, names in os.walk(self.server.data):
            for name in names:
                content = pathlib.Path(path, name).read_bytes()
                for phone in (PHONE, "13812345678"):
                    self.assertNotIn(phone.encode(), content, os.path.join(path, name))
        self.server.start()

    def test_a_list_that_is_wrong_is_not_believed(self):
        (self.work / "rules" / "all.kehu").write_text("""
            tag 城市 = last(city of "Order Completed")
            segment 名单北京 = list.城市名单 = "北京"
            segment 名单上 = in list 城市名单
            对照 名单对照 = 名单.城市名单 符合 标签.城市 至少 80%
        """)
        self.events(*({"type": "track", "event": "Order Completed", "user_id": f"c{i}", "message_id": f"c{i}",
                       "properties": {"city": "北京"}} for i in range(150)))
        wrong = "user_id,city\n" + "".join(f"c{i},{'北京' if i < 50 else '上海'}\n" for i in range(150))
        self.upload("城市名单", self.file("wrong.csv", wrong), "--id", "user_id", "--value", "city")
        self.apply()
        check = lambda: self.server.get(f"/api/v1/checks/{quoted('名单对照')}").json
        self.eventually(lambda: check()["state"], "quarantined")
        self.assertEqual((check()["measured"]["compared"], check()["measured"]["agreed"], check()["list"]), (150, 50, "城市名单"))
        self.eventually(lambda: (self.members("名单北京"), self.members("名单上")), (set(), set()))
        listed = self.server.get(f"/api/v1/lists/{quoted('城市名单')}").json
        self.assertEqual((listed["quarantined"]["check"], listed["used_by"][-1]), ("名单对照", "check 名单对照"))
        self.assertEqual(self.server.customer("user_id:c1")["lists"]["城市名单"]["quarantined"]["agreed"], 50)
        why = self.server.get(f"/api/v1/segments/{quoted('名单上')}/why/user_id:c1").json["reasons"]
        self.assertEqual([reason["quarantined"]["check"] for reason in why if reason["rule"] == "in list 城市名单"], ["名单对照"])
        self.assertEqual(self.server.post("/api/v1/rules/preview", {"rule": "in list 城市名单"}).json["size"], 0)
        self.verified()
        # A better one is measured at once, and believed.
        self.upload("城市名单", self.file("right.csv", wrong.replace("上海", "北京")), "--id", "user_id", "--value", "city")
        self.eventually(lambda: check()["state"], "trusted")
        self.eventually(lambda: len(self.members("名单北京")), 150)
        self.assertEqual(self.server.post("/api/v1/rules/preview", {"rule": 'list.城市名单 = "北京"'}).json["size"], 150)
        self.verified()

    def test_lists_travel_as_files_without_their_members(self):
        for name in ("会员", "黑名单"):
            self.upload(name, self.file("a.csv", "user_id\nu1\n"), "--id", "user_id", "--description", f"{name}!")
        self.apply()
        exported = self.work / "exported"
        done = run("export", exported, "--data", self.server.data)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads((exported / "lists" / "会员.json").read_text()), {"owner": "", "description": "会员!"})
        self.assertFalse((exported / "list_uploads").exists())
        # An upload is no change of what was exported.
        self.upload("会员", self.file("b.csv", "user_id\nu2\n"), "--id", "user_id")
        (exported / "lists" / "会员.json").write_text('{"owner": "wang"}')
        done = run("apply", exported, "--data", self.server.data)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        listed = self.server.get(f"/api/v1/lists/{quoted('会员')}").json
        self.assertEqual((listed["owner"], listed["upload"]["number"]), ("wang", 2))
        other = kehu_server.Server(self.work / "other").start()
        self.addCleanup(other.kill)
        done = run("apply", exported, "--data", other.data)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual([each["name"] for each in other.get("/api/v1/lists").json["lists"]], ["会员", "黑名单"])
        self.assertEqual(other.get(f"/api/v1/segments/{quoted('贵宾')}").json["size"], 0)


if __name__ == "__main__":
    kehu_server.main()
