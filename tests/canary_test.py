#!/usr/bin/env python3
"""Personal values never reach the disk in clear: canaries go in at every door, and every file of the data directory is
searched for them, as they are and as base64 and hexadecimal."""
import base64
import gzip
import json
import pathlib

import kehu_server

PHONE, EMAIL, ID_CARD = "13987654321", "canary.bird@example.com", "11010519491231002X"
CANARIES = {
    "phone": PHONE, "e-mail": EMAIL, "ID card": ID_CARD,
    "phone with spaces": "139 8765 4322", "phone of a trait": "13987654323", "e-mail of a trait": "Canary.Trait@Example.com",
    "phone of a property": "13987654324", "nested e-mail": "canary.nested@example.com",
    "phone of a context": "13987654325", "phone of a rejection": "13987654326",
    "e-mail of a broken text": "canary.broken@example.com", "phone of a conflict": "13987654327",
    "phone of an import": "13987654328", "e-mail of a bad row": "canary.row@example.com",
    "phone of a future event": "13987654329", "phone of gzip": "13987654330", "phone of an alias": "13987654331",
}
# Under names that no settings declare, and values under names that say nothing.
NAMED = {"用户手机号": "0571-55501901", "會員電話": "0571-55501902", "buyer_mobile_phone": "0571-55501903",
         "ＰＨＯＮＥ": "0571-55501904", "login_email2": "canary named 5", "idcard_no": "canary named 6",
         "手机号 ": "0571-55501907"}
UNNAMED = {"contact": "13987654341", "ref": "canary.unnamed@example.com", "paper": "110105194912310388",
           "wide": "１３９８７６５４３４２", "spaced": "+86 139 8765 4343"}
NUMBER, LISTED, NESTED, CARD_AS_ID = "13987654344", "13987654345", "13987654346", "440308199901010012"
CANARIES |= {f"value of {name}": value for name, value in [*NAMED.items(), *UNNAMED.items()]}
CANARIES |= {"a number": NUMBER, "in a list": LISTED, "in JSON in a text": NESTED, "an ID card as user id": CARD_AS_ID}
NORMALISED = ["13987654322", "canary.trait@example.com"]


def needles():
    for name, value in [*CANARIES.items(), *(("normalised", value) for value in NORMALISED)]:
        for text in {value, value.lower(), value.upper(), value.replace("@", "%40")}:
            raw = text.encode()
            yield f"{name} as text", raw
            yield f"{name} as UTF-16", text.encode("utf-16-le")
            yield f"{name} as hexadecimal", raw.hex().encode()
            yield f"{name} as HEXADECIMAL", raw.hex().upper().encode()
            for shift in range(3):  # base64 of a text that begins anywhere
                code = base64.b64encode(b"\0" * shift + raw)
                yield f"{name} as base64", code[4 if shift else 0:-4]


class CanaryTest(kehu_server.ServerTest):
    cipher = "aes-256-gcm"

    @classmethod
    def setUpClass(cls):
        cls.settings = {"cipher": cls.cipher}
        super().setUpClass()

    def send_everything(self):
        server = self.server
        server.post_events([
            {"event": "A", "user_id": "canary", "phone": PHONE, "email": EMAIL, "id_card": ID_CARD, "message_id": "c-1"},
            {"event": "B", "user_id": "canary", "phone": CANARIES["phone with spaces"]},
            {"event": "C", "user_id": "canary",
             "properties": {"phone": CANARIES["phone of a property"],
                            "a": {"b": [{"Email": CANARIES["nested e-mail"]}]}},
             "context": {"traits": {"mobile": CANARIES["phone of a context"]}}},
            {"event": "D", "phone": CANARIES["phone of a rejection"], "user_id": "canary", "time": "soon"},
            {"event": "E", "phone": CANARIES["phone of a future event"], "time": "2198-01-01T00:00:00Z"},
            '{"email": "%s", broken' % CANARIES["e-mail of a broken text"],
            {"event": "A", "user_id": "canary", "phone": CANARIES["phone of a conflict"], "message_id": "c-1"},
        ])
        self.assertEqual(server.post_events([
            {"event": "N", "user_id": "canary", "properties": NAMED, "traits": NAMED, "context": {"deep": [NAMED]}},
            {"event": "V", "user_id": "canary", "properties": {**UNNAMED, "n": int(NUMBER), "people": ["x", LISTED]},
             "traits": UNNAMED, "context": {"deep": {"form": json.dumps({"tel": NESTED, "again": json.dumps({"a": NESTED})})}}},
            {"event": "I", "user_id": CARD_AS_ID},
        ])["accepted"], 3)
        answer = server.segment("/v1/batch", {"batch": [
            {"type": "identify", "userId": "canary", "messageId": "i-1",
             "traits": {"phone": CANARIES["phone of a trait"], "email": CANARIES["e-mail of a trait"], "city": "visible-city"}},
            {"type": "alias", "userId": "canary", "previousId": "p", "messageId": "a-1",
             "traits": {"phone": CANARIES["phone of an alias"]}}]})
        self.assertEqual(answer.status, 200, answer)
        body = gzip.compress(json.dumps({"batch": [{"type": "track", "event": "Z", "userId": "canary",
                                                    "properties": {"phone": CANARIES["phone of gzip"]}}]}).encode())
        self.assertEqual(server.segment("/v1/batch", body, **{"Content-Encoding": "gzip"}).status, 200)
        rows = self.work / "canary.csv"
        rows.write_text("user,when,phone,email\n"
                        f"canary,2026-01-01 10:00:00,{CANARIES['phone of an import']},\n"
                        f"canary,never,,{CANARIES['e-mail of a bad row']}\n")
        mapping = self.work / "canary.toml"
        mapping.write_text('[file]\nformat = "csv"\n[identifiers]\nuser_id = "user"\nphone = "phone"\nemail = "email"\n'
                           '[time]\ncolumn = "when"\nzone = "Asia/Shanghai"\n[event]\nname = "Imported"\n')
        done = kehu_server.run("import", "--data", server.data, "--map", mapping, rows, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual((report["accepted"], report["rejected"]), (1, 1), report)

    def search(self, directory):
        """Findings, and how many files were read."""
        wanted = [(name, needle) for name, needle in needles() if len(needle) >= 8]
        findings, files = [], 0
        for path in sorted(p for p in pathlib.Path(directory).rglob("*") if p.is_file()):
            files += 1
            data = path.read_bytes().replace(bytes(4096), b"")  # the log's segments are zero-filled ahead
            for name, needle in wanted:
                if needle in data:
                    findings.append(f"{name} in {path.relative_to(directory)}")
        return findings, files

    def test_no_canary_on_disk(self):
        self.send_everything()
        server = self.server
        customer = server.customer("user_id:canary")
        self.assertGreaterEqual(customer["events"], 6)
        shown = json.dumps([customer, server.get("/api/v1/rejections?limit=1000").json,
                            server.get("/api/v1/customers/user_id:canary/timeline").json,
                            server.get("/api/v1/customers/user_id:canary/identities").json,
                            server.sql("SELECT * FROM events"),
                            [server.get(f"/api/v1/rejections/{r['id']}").json
                             for r in server.get("/api/v1/rejections?limit=1000").json["rejections"]
                             if r["reason"] != "invalid_json"]], ensure_ascii=False)
        for name, value in CANARIES.items():
            self.assertNotIn(value, shown, f"{name} is shown in clear")

        # Found by its value, and shown in clear only on request.
        self.assertEqual(server.customer(f"phone:{PHONE}")["customer_id"], customer["customer_id"])
        self.assertEqual(server.customer("phone:+86 139-8765-4322")["customer_id"], customer["customer_id"])
        answer = server.post("/api/v1/customers/user_id:canary/reveal", {"field": "phone", "reason": "the customer called"})
        self.assertEqual(answer.status, 200, answer)
        self.assertIn(PHONE, answer.json["values"])
        audit = server.get("/api/v1/audit").json["reveals"]
        self.assertEqual((audit[0]["field"], audit[0]["reason"]), ("phone", "the customer called"))
        for field in ("email", "traits.nothing", "user_id"):
            answer = server.post("/api/v1/customers/user_id:canary/reveal", {"field": field + "x", "reason": "curious"})
            self.assertEqual(answer.status, 404, answer)
        self.assertEqual(server.get("/api/v1/audit").json["reveals"], audit, "nothing was shown, so nothing is listed")
        self.assertEqual(server.post("/api/v1/customers/user_id:canary/reveal", {"field": "phone"}).status, 400)

        running, files = self.search(server.data)
        self.assertEqual(running, [], "while the server runs")
        server.stop()
        stopped, files = self.search(server.data)
        self.assertEqual(stopped, [], "after the stop")
        self.assertGreater(files, 10)
        self.assertNotIn(PHONE, server.log_text())

        # The search does find what is not personal.
        data = b"".join(p.read_bytes() for p in server.data.rglob("*") if p.is_file() and "log" in p.parts)
        self.assertIn(b"visible-city", data)


class CanaryOfSm4Test(CanaryTest):
    cipher = "sm4-gcm"

    def test_the_cipher_is_sm4(self):
        if self.server.process is not None:
            self.assertEqual(self.server.get("/api/v1/settings").json["cipher"], "sm4-gcm")

    def test_a_crash_before_the_first_checkpoint_keeps_the_cipher(self):
        server = kehu_server.Server(kehu_server.scratch(self) / "data", "--settings", self.work / "settings.json").start()
        server.post_events([{"event": "A", "user_id": "early", "phone": PHONE}])
        server.kill()
        server.arguments = ()
        server.start()
        self.addCleanup(server.stop)
        self.assertEqual(server.get("/api/v1/settings").json["cipher"], "sm4-gcm")
        self.assertEqual(server.customer(f"phone:{PHONE}")["events"], 1)
        server.post_events([{"event": "A", "user_id": "early", "phone": PHONE}])
        self.assertEqual(server.customer("user_id:early")["events"], 2)
        answer = server.post("/api/v1/customers/user_id:early/reveal", {"field": "phone", "reason": "test"})
        self.assertEqual(answer.json["values"], [PHONE], answer)


if __name__ == "__main__":
    kehu_server.main()
