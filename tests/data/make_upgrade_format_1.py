#!/usr/bin/env python3
"""make_upgrade_format_1.py KEHU: writes upgrade-format-1.tar.xz beside this file, with KEHU, a binary of commit fd8c8e8.
README.md says what is in it."""
import base64
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse

if __name__ == "__main__":
    os.environ["KEHU_BINARY"] = str(pathlib.Path(sys.argv[1]).resolve())
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import kehu_server  # noqa: E402
import upgrade  # noqa: E402
from sensors_client_test import ENCRYPTION  # noqa: E402

TAR = pathlib.Path(__file__).resolve().parent / "upgrade-format-1.tar.xz"
KEY = kehu_server.WRITE_KEY
ROUNDS = 22  # starts and stops: as many commits of the lake, whose log then has a checkpoint
PEOPLE = 24
START = 1_767_225_600  # 2026-01-01T00:00:00Z
NAMES = [f"user_id:u{n}" for n in range(PEOPLE)] + [f"anonymous_id:a{n}" for n in range(PEOPLE)] + [
    "user_id:seg-user", "user_id:posthog-user", "user_id:cloud-user", "anonymous_id:sensors-device",
    "anonymous_id:encrypted-device", "user_id:imported-1", "user_id:imported-2", "loyalty_card:card-7", "phone:13912340003",
    "email:m2@example.com", "user_id:tail-user", "user_id:shared-1", "user_id:shared-2", "device_id:tablet", "user_id:nobody"]

SETTINGS = {
    "time_zone": "Asia/Shanghai",
    "identifier_types": [
        {"name": "user_id", "priority": 1, "unique": True},
        {"name": "phone", "priority": 4, "personal": True, "normaliser": "chinese_phone", "limit": 10, "blocked": ["13800138000"]},
        {"name": "email", "priority": 5, "personal": True, "normaliser": "email", "limit": 10},
        {"name": "loyalty_card", "priority": 3, "unique": True, "normaliser": "lowercase", "blocked": ["test*"]},
        {"name": "device_id", "priority": 8, "normaliser": "lowercase"},
        {"name": "anonymous_id", "priority": 9},
        {"name": "fingerprint", "priority": 10, "weak": True}],
    "personal_fields": ["phone", "email", "contact_email", "收货手机"],
    "trait_identifiers": {"phone": "phone", "cardNo": "loyalty_card"},
    "metrics": [
        {"kind": "sum", "event": "Order Completed", "property": "total"},
        {"kind": "top", "event": "Product Viewed", "property": "category"},
        {"kind": "distinct", "event": "Product Viewed", "property": "sku"}],
}
MAPPING = """
[file]
format = "csv"
[identifiers]
user_id = "user"
phone = "phone"
[time]
column = "when"
zone = "Asia/Shanghai"
[event]
name = "Imported Order"
channel = "shop"
[properties]
order_id = "order"
total = { column = "total", type = "number" }
"""
ROWS = """user,phone,when,order,total
imported-1,13912345501,2026-02-01 10:00:00,i1,19.90
imported-2,13912345502,2026-02-01 11:00:00,i2,29.90
imported-1,,never,i3,5
imported-1,,2026-02-03 10:00:00,i4,cheap
"""


def when(second):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + second))


def expect(answer, *statuses):
    assert answer.status in (statuses or (200,)), answer
    return answer.json if answer.body else None


class Maker:
    def __init__(self, work):
        self.dice = random.Random(1)
        self.work = work
        (work / "settings.json").write_text(json.dumps(SETTINGS, ensure_ascii=False))
        self.server = kehu_server.Server(work / "stopped", "--settings", work / "settings.json").start()

    def events(self, number):
        """Some of one round, in the plain form: visits, orders, refunds, traits, sealed values."""
        events = []
        for i in range(8):
            person, at = self.dice.randrange(PEOPLE), when(number * 86400 + i * 3600)
            who = [{"anonymous_id": f"a{person}"}, {"user_id": f"u{person}"},
                   {"user_id": f"u{person}", "anonymous_id": f"a{person}"}][self.dice.randrange(3)]
            common = {**who, "time": at, "message_id": f"r{number}-{i}", "channel": ("web", "app", "shop")[i % 3]}
            order = {"order_id": f"o{number}-{i}", "total": self.dice.randrange(1, 40000) / 100, "currency": "CNY"}
            events.append([
                {**common, "event": "Product Viewed", "properties": {"sku": f"s{i}", "category": "鞋" if i % 2 else "coats"}},
                {**common, "event": "Order Completed", "properties": order},
                {**common, "event": "Order Refunded", "properties": {"order_id": f"o{number - 1}-{i}", "total": 1, "currency": "CNY"}},
                {**common, "type": "identify", "traits": {"city": ("上海", "北京")[i % 2], "level": number, "phone": f"139123400{person:02}",
                                                          "contact_email": f"p{person}@example.com"}},
                {**common, "event": "Address Given", "properties": {"收货手机": "13912345999", "city": "杭州"}},
                {**common, "type": "identify", "traits": {"$add": {"visits": 1}, "$append": {"tags": f"t{number % 5}"}}},
                {**common, "event": "Card Shown", "loyalty_card": f"CARD-{person}"},
                {**common, "type": "page", "name": "Home", "context": {"page": {"path": "/"}}}][i])
        return events

    def round(self, number):
        self.server.post_events(self.events(number))
        if (step := self.STEPS.get(number)) is not None:
            step(self)
        self.server.stop()
        self.server.start()

    def protocols(self):
        server = self.server
        expect(server.segment("/v1/batch", {"batch": [
            {"type": "identify", "userId": "seg-user", "messageId": "seg-1", "timestamp": when(1000),
             "traits": {"name": "王五", "phone": "13912340777", "cardNo": "card-7"}},
            {"type": "track", "event": "Signed Up", "userId": "seg-user", "anonymousId": "seg-anon", "messageId": "seg-2", "timestamp": when(1010)},
            {"type": "alias", "userId": "seg-user", "previousId": "seg-before", "messageId": "seg-3", "timestamp": when(1020)},
            {"type": "group", "userId": "seg-user", "groupId": "g1", "traits": {"plan": "gold"}, "messageId": "seg-4", "timestamp": when(1030)},
            {"type": "track", "userId": "seg-user", "messageId": "seg-broken"}]}))
        expect(server.request("POST", "/batch/", {"api_key": KEY, "batch": [
            {"event": "$identify", "distinct_id": "posthog-user", "uuid": "ph-1", "timestamp": when(1100),
             "properties": {"$anon_distinct_id": "posthog-anon", "$set": {"plan": "free"}}},
            {"event": "Opened", "distinct_id": "posthog-user", "uuid": "ph-2", "timestamp": when(1110),
             "properties": {"$lib": "web", "$current_url": "https://shop.example/", "x": 1}}]}))
        expect(server.request("POST", f"/api/v1/cloudevents?writeKey={KEY}",
                              {"specversion": "1.0", "id": "7", "source": "/shop", "type": "order.paid", "time": when(1200),
                               "data": {"user_id": "cloud-user", "total": 12.5}},
                              {"Content-Type": "application/cloudevents+json"}))
        records = [{"type": "track", "event": "ViewItem", "distinct_id": "sensors-device", "time": (START + 1300) * 1000, "time_free": True,
                    "properties": {"$os": "iOS", "$lib": "iOS", "price": 2.5}},
                   {"type": "profile_set", "distinct_id": "sensors-device", "time": (START + 1310) * 1000, "time_free": True,
                    "properties": {"member": "gold"}}]
        body = "data_list=" + urllib.parse.quote(base64.b64encode(json.dumps(records).encode()).decode(), safe="")
        answer = server.request("POST", f"/sa?project={KEY}", body, {"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status == 200, answer

    def sources(self):
        server = self.server
        shop = expect(server.post("/api/v1/sources", {"name": "till", "channel": "shop"}), 201)
        expect(server.post("/api/v1/sources", {"name": "旧应用", "channel": "app"}), 201)
        more = expect(server.post("/api/v1/sources/till/keys"), 201)["write_key"]
        expect(server.admin("PATCH", "/api/v1/sources/till", {"events_per_second": 1000}))
        expect(server.admin("PATCH", "/api/v1/sources/" + kehu_server.quoted("旧应用"), {"enabled": False}))
        expect(server.segment("/v1/track", {"userId": "u1", "event": "Paid", "messageId": "till-1", "timestamp": when(2000)}, key=shop["write_key"]))
        answer = server.admin("DELETE", f"/api/v1/sources/till/keys/{shop['write_key'][:12]}")
        assert answer.status in (200, 204), answer
        self.till_key = more

    def identities(self):
        server = self.server
        server.post_events([
            {"event": "Order Completed", "email": "m2@example.com", "message_id": f"m2-{i}", "time": when(3000 + i),
             "properties": {"order_id": f"m2-{i}", "total": 100, "currency": "CNY"}} for i in range(3)])
        expect(server.post("/api/v1/identities/merge", {"winner": "user_id:u3", "loser": "email:m2@example.com", "reason": "same address"}))
        links = expect(server.get("/api/v1/customers/user_id:u3/identities"))["links"]
        manual = [link for link in links if link["kind"] == "manual"][0]
        expect(server.post("/api/v1/identities/unmerge", {"customer": "user_id:u3", "link": manual["link"], "reason": "a neighbour"}))
        expect(server.post("/api/v1/identities/merge", {"winner": "user_id:u4", "loser": "anonymous_id:seg-anon", "reason": "refused"}), 409)
        expect(server.post("/api/v1/identities/merge", {"winner": "user_id:u5", "loser": "anonymous_id:sensors-device", "reason": "seen"}))
        server.post_events([{"event": "Tablet", "user_id": f"shared-{i % 5}", "device_id": "tablet", "message_id": f"tablet-{i}",
                             "time": when(4000 + i)} for i in range(10)])

    def rejections(self):
        server = self.server
        server.post_events(['{"event": "A", "user_id": }', "17", {"event": "A"}, {"user_id": "u1"},
                            {"event": "A", "user_id": "u1", "phone": "13912340001", "time": "yesterday"},
                            {"event": "A", "user_id": "u1", "properties": 7}, {"event": "x" * 201, "user_id": "u1"}])
        server.post_events([{"event": "Once", "user_id": "u2", "message_id": "once", "time": when(5000)}])
        server.post_events([{"event": "Once", "user_id": "u2", "message_id": "once", "time": when(5000), "properties": {"x": 2}}])
        kept = expect(server.get("/api/v1/rejections?limit=1000"))["rejections"]
        find = lambda reason: next(r["id"] for r in kept if r["reason"] == reason)
        expect(server.post(f"/api/v1/rejections/{find('invalid_time')}/repair",
                           {"event": "Repaired", "user_id": "u1", "phone": "13912340001", "time": when(5100)}))
        answer = server.post(f"/api/v1/rejections/{find('not_an_object')}/discard")
        assert answer.status in (200, 204), answer

    def imported(self):
        (self.work / "orders.csv").write_text(ROWS)
        (self.work / "orders.toml").write_text(MAPPING)
        done = kehu_server.run("import", "--data", self.server.data, "--map", self.work / "orders.toml", self.work / "orders.csv", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["accepted"] == 2, done.stdout

    def encrypted(self):
        made = expect(self.server.post("/api/v1/encryption-keys"), 201)
        self.encrypted_body = self.encrypt(made, "Encrypted")
        self.encrypted_later = self.encrypt(made, "EncryptedLater")
        assert self.send_encrypted(self.encrypted_body).status == 200
        expect(self.server.get("/api/v1/customers/anonymous_id:encrypted-device"))

    def encrypt(self, key, event):
        message = {"type": "track", "event": event, "distinct_id": "encrypted-device", "_track_id": 7, "time": (START + 6000) * 1000,
                   "time_free": True, "properties": {"secret": "no"}}
        done = subprocess.run(["node", "-e", ENCRYPTION], capture_output=True, text=True, check=True,
                              input=json.dumps({"public_key": key["public_key"], "messages": [json.dumps(message)]}))
        text = json.dumps([{**json.loads(done.stdout), "pkv": key["pkv"]}]).replace("/", "\\/")
        return f"gzip=9&data_list={urllib.parse.quote(text, safe='')}"

    def send_encrypted(self, body):
        return self.server.request("POST", f"/sa?project=default&token={KEY}", body, {"Content-Type": "application/x-www-form-urlencoded"})

    def new_settings(self):
        settings = expect(self.server.get("/api/v1/settings"))
        settings["metrics"].append({"kind": "sum", "event": "Imported Order", "property": "total"})
        expect(self.server.admin("PUT", "/api/v1/settings", settings))

    def looks(self):
        expect(self.server.post("/api/v1/customers/user_id:seg-user/reveal", {"field": "phone", "reason": "he called"}))

    STEPS = {2: protocols, 4: sources, 6: identities, 8: rejections, 10: imported, 12: encrypted, 14: new_settings, 16: looks}

    def tail(self):
        """What the killed directory has behind its checkpoint: some of everything."""
        server = self.server
        for number in range(ROUNDS, ROUNDS + 4):
            server.post_events(self.events(number))
        expect(server.post("/api/v1/sources", {"name": "late", "channel": "mini_program"}), 201)
        self.new_settings()
        server.post_events([{"event": "Tail", "user_id": "tail-user", "phone": "13912340888", "message_id": "tail-1", "time": when(7000)},
                            "{broken", {"event": "Once", "user_id": "u2", "message_id": "once", "time": when(5000), "properties": {"x": 3}}])
        expect(server.post("/api/v1/identities/merge", {"winner": "user_id:u7", "loser": "user_id:tail-user", "reason": "refused"}), 409)
        expect(server.post("/api/v1/identities/merge", {"winner": "user_id:u8", "loser": "email:m2@example.com", "reason": "moved"}))
        expect(server.post("/api/v1/customers/user_id:tail-user/reveal", {"field": "phone", "reason": "he called"}))


def ask_a_copy(work, name):
    """What the old binary makes of the directory, on a copy, which it changes."""
    copy = work / f"asked-{name}"
    shutil.copytree(work / name, copy, ignore=shutil.ignore_patterns("kehu.sock"))
    server = kehu_server.Server(copy).start()
    asked = {"names": NAMES, "answers": upgrade.answers(server, NAMES), "sealed": upgrade.sealed(server, NAMES)}
    server.stop()
    checked = kehu_server.run("check", "--data", copy, "--json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    return asked


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="kehu-upgrade-"))
    maker = Maker(work)
    for number in range(ROUNDS):
        maker.round(number)
    maker.server.stop()
    shutil.copytree(work / "stopped", work / "killed")
    maker.server.data = work / "killed"
    maker.server.start()
    maker.tail()
    time.sleep(1)
    maker.server.kill()
    (work / "killed/kehu.sock").unlink(missing_ok=True)
    for name in ("stopped", "killed"):
        asked = ask_a_copy(work, name)
        asked.update(write_key=KEY, admin_token=kehu_server.ADMIN_TOKEN, till_key=maker.till_key,
                     encrypted=maker.encrypted_body, encrypted_later=maker.encrypted_later)
        (work / f"{name}.json").write_text(json.dumps(asked, ensure_ascii=False, indent=1, sort_keys=True))
    with tarfile.open(TAR, "w:xz", preset=9) as tar:
        for name in ("stopped", "killed", "stopped.json", "killed.json"):
            tar.add(work / name, name)
    shutil.rmtree(work)
    print(f"{TAR}: {TAR.stat().st_size} bytes")


if __name__ == "__main__":
    main()
