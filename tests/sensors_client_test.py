#!/usr/bin/env python3
"""Sensors Analytics' SDKs against a real server: the requests they were seen to send, and the SDKs themselves where npm
and PyPI can be reached. What arrived is compared with what was called."""
import base64
import gzip
import http.server
import json
import shutil
import socketserver
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse
import urllib.request

import client_kit
import kehu_server

NODE_SDK = "sa-sdk-node@1.2.6"
MINI_PROGRAM_SDK = "sa-sdk-miniprogram@1.22.7"
WEB_SDK = "sa-sdk-javascript@1.27.11"
PLAYWRIGHT = "playwright-core@1.56.1"
PYTHON_SDK = "sensorsanalyticssdk==1.11.0"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CAPTURES = kehu_server.SHARED / "vectors/captures"
KEY = kehu_server.WRITE_KEY
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")

NODE_PROGRAM = """
const SensorsAnalytics = require('sa-sdk-node')
const [url, gzip, user] = process.argv.slice(2)
const sa = new SensorsAnalytics()
const submitter = sa.submitTo({ url, gzip: gzip === 'gzip', mode: 'track' })
submitter.catch((error) => { console.error(error); process.exitCode = 1 })
sa.disableReNameOption()
sa.registerSuperProperties({ app: 'x' })
sa.track(user, 'ViewItem', { sku: '1', price: 2.5, at: new Date(1760000000000) })
sa.trackSignup(user + '-login', user, { from: 'web' })
sa.profileSet(user, { name: '张三' })
sa.profileSetOnce(user, { first: 'x' })
sa.profileIncrement(user, { n: 2 })
sa.profileAppend(user, { tags: ['a', 'b'] })
sa.profileSet(user, { gone: 'x' })
// Each record is a request: of two writes in one millisecond nobody could tell the later.
setTimeout(() => sa.profileUnset(user, ['gone']), 20)
sa.itemSet('sku', user, { name: 'n' })
sa.itemDelete('sku', user)
"""

PYTHON_PROGRAM = """
import datetime, sys
import sensorsanalytics as s
url, kind, user = sys.argv[1:]
consumer = {'default': s.DefaultConsumer, 'batch': s.BatchConsumer, 'async': s.AsyncBatchConsumer,
            'debug': s.DebugConsumer}[kind](url)
sa = s.SensorsAnalytics(consumer)
sa.track(user, 'BuyOrder', {'sku': '1', 'price': 2.5, 'at': datetime.datetime(2025, 1, 2, 3, 4, 5, 678000),
                            'tags': ['a', 'b'], '$ip': '1.2.3.4'}, is_login_id=True)
sa.track_signup(user, user + '-anon')
sa.profile_set(user, {'name': '张三', 'gone': 1}, is_login_id=True)
sa.profile_set_once(user, {'f': 1}, is_login_id=True)
sa.profile_increment(user, {'n': 1}, is_login_id=True)
sa.profile_append(user, {'tags': ['a']}, is_login_id=True)
sa.profile_unset(user, ['gone'], is_login_id=True)
sa.item_set('sku', user, {'name': 'n'})
login = s.SensorsAnalyticsIdentity(s.SensorsAnalyticsIdentity.LOGIN_ID, user)
phone = s.SensorsAnalyticsIdentity(s.SensorsAnalyticsIdentity.MOBILE, '139' + str(abs(hash(kind)) % 10**8).zfill(8))
sa.bind(login, phone)
sa.unbind(phone)
sa.track_by_id('E', {'a': 1}, login)
sa.flush()
sa.close()
"""

# What the Android and iOS SDKs do, step by step (EncryptUtils.java and SAEventEncryptTools.java; SARSAEncryptor.m and
# SAAESEncryptor.m): a session key of 16 bytes behind RSA with PKCS #1 v1.5 padding and base64 of it, and for each message
# a random vector before AES-128-CBC with PKCS #7 padding of the gzipped JSON.
ENCRYPTION = """
const crypto = require('crypto'), zlib = require('zlib')
const { public_key, messages } = JSON.parse(require('fs').readFileSync(0, 'utf8'))
const key = crypto.createPublicKey({ key: Buffer.from(public_key, 'base64'), format: 'der', type: 'spki' })
const session = crypto.randomBytes(16)
const ekey = crypto.publicEncrypt({ key, padding: crypto.constants.RSA_PKCS1_PADDING }, session).toString('base64')
const payloads = messages.map((message) => {
  const vector = crypto.randomBytes(16)
  const cipher = crypto.createCipheriv('aes-128-cbc', session, vector)
  return Buffer.concat([vector, cipher.update(zlib.gzipSync(message)), cipher.final()]).toString('base64')
})
console.log(JSON.stringify({ ekey, payloads }))
"""

# The parts of wx that the SDK asks for.
MINI_PROGRAM = """
const [url, batch] = process.argv.slice(2)
const stored = {}
const hidden = []
global.App = () => {}
global.Page = () => {}
global.Component = () => {}
global.Behavior = () => {}
global.getCurrentPages = () => [{ route: 'pages/index', options: {} }]
global.__wxConfig = { appLaunchInfo: {} }
global.wx = {
  getAccountInfoSync: () => ({ miniProgram: { appId: 'wx1234567890', version: '1.0', envVersion: 'release' } }),
  getLaunchOptionsSync: () => ({ path: 'pages/index', query: {}, scene: 1001 }),
  getNetworkType: (o) => { o.success && o.success({ networkType: 'wifi' }); o.complete && o.complete({ networkType: 'wifi' }) },
  getSystemInfo: (o) => {
    const info = { brand: 'HUAWEI', model: 'P40', screenWidth: 360, screenHeight: 780, system: 'Android 12',
                   platform: 'android', version: '8.0.30', SDKVersion: '2.30.0', windowWidth: 360 }
    o.success && o.success(info); o.complete && o.complete(info)
  },
  getStorage: (o) => { o.fail && o.fail({}); o.complete && o.complete({}) },
  getStorageSync: (key) => stored[key] || '',
  setStorageSync: (key, value) => { stored[key] = value },
  setStorage: (o) => { stored[o.key] = o.data; o.success && o.success() },
  onAppHide: (f) => hidden.push(f), onAppShow: () => {}, onNetworkStatusChange: () => {}, setNavigationBarTitle: () => {},
  request: (o) => {
    const init = { method: o.method || 'GET', headers: o.header || {}, body: o.method === 'POST' ? o.data : undefined }
    fetch(o.url, init).then((r) => { o.success && o.success({ statusCode: r.status }); o.complete && o.complete({ statusCode: r.status }) })
      .catch((error) => { console.error(error); process.exitCode = 1; o.fail && o.fail(error) })
  },
}
const loaded = require('sa-sdk-miniprogram')
const sa = loaded.default || loaded
sa.setPara({ server_url: url, show_log: false, batch_send: batch === 'batch' ? { send_timeout: 300, max_length: 6 } : false,
             autoTrack: { appLaunch: false, appShow: false, appHide: false, pageShow: false, pageShare: false, mpClick: false } })
sa.setOpenid ? sa.setOpenid('oid-' + batch) : sa.identify('oid-' + batch)
sa.init()
sa.track('BuyOrder', { sku: '1', price: 2.5 })
sa.login('mini-' + batch)
sa.setProfile({ name: '张三' })
sa.setOnceProfile({ f: 1 })
sa.incrementProfile({ n: 1 })
sa.appendProfile({ tags: ['a'] })
sa.bind('$identity_mobile', '13911112222')
setTimeout(() => hidden.forEach((f) => f()), 1500)
setTimeout(() => process.exit(process.exitCode || 0), 4000)
"""

WEB_PROGRAM = r"""
const { chromium } = require('playwright-core')
const [executablePath, page_url, type] = process.argv.slice(2);
(async () => {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  const page = await browser.newPage()
  const errors = []
  page.on('pageerror', (error) => errors.push(error.message))
  await page.goto(page_url + '?type=' + type + '&utm_source=weixin&utm_campaign=c11')
  await page.click('#b')
  await page.waitForTimeout(4000)
  await browser.close()
  console.log(JSON.stringify(errors))
})().catch((error) => { console.error(error); process.exit(1) })
"""

PAGE = """<!doctype html><meta charset=utf-8><title>商店</title><button id=b>购买</button><script src="/sa.js"></script><script>
var s = window['sensorsDataAnalytic201505'] || window.sensors, type = '%TYPE%';
s.init({ server_url: '%URL%', is_track_single_page: false, use_client_time: true, show_log: false,
  send_type: type === 'batch' ? 'ajax' : type, heatmap: { clickmap: 'default', scroll_notice_map: 'not_collect' },
  batch_send: type === 'batch' ? { datasend_timeout: 1000, send_interval: 500, one_send_max_length: 6 } : false });
s.quick('autoTrack');
s.track('BuyOrder', { sku: '123', amount: 12.5, list: ['a', 'b'] });
s.login('web-' + type);
s.setProfile({ name: '张三' });
s.setOnceProfile({ first: 'x' });
s.incrementProfile({ n: 1 });
s.setItem('sku', '1', { name: 'n' });
s.bind('$identity_mobile', '13933334444');
s.unbind('$identity_mobile', '13933334444');
</script>"""


def encoded(records):
    return urllib.parse.quote(base64.b64encode(json.dumps(records, ensure_ascii=False).encode()), safe="")


def track(event="A", **more):
    return {"type": "track", "event": event, "distinct_id": "u1", "time": int(time.time() * 1000), "properties": {}, **more}


def npm(case, name, package, *more):
    module = package.rsplit("@", 1)[0]
    return client_kit.prepared(case, name, [["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", ".",
                                  package, *more]], f"node_modules/{module}/package.json")


class SensorsTest(kehu_server.ServerTest):
    def sa(self, records, path="/sa", key=KEY, **headers):
        return self.server.request("POST", f"{path}?project={key}", f"data_list={encoded(records)}",
                                   {"Content-Type": "application/x-www-form-urlencoded", **headers})

    def events_of(self, where):
        return self.server.sql("SELECT type, event, channel, properties, traits, context, "
                               f"epoch_ms(original_time) AS ms FROM events WHERE {where} ORDER BY sequence")

    def rejections(self, reason):
        return self.server.get(f"/api/v1/rejections?reason={reason}&limit=1000").json["rejections"]


class CaptureTest(SensorsTest):
    def test_recorded_requests(self):
        if not CAPTURES.exists():
            kehu_server.skip(self, f"recorded requests: {CAPTURES} is not here")
        for round in (1, 2):
            requests = 0
            for path in sorted(CAPTURES.glob("sa-*/*.json")):
                capture = json.loads(path.read_text())
                url = urllib.parse.urlsplit(capture["url"])
                if url.path not in ("/sa", "/sa.gif", "/debug"):
                    continue
                requests += 1
                headers = dict(zip(capture["rawHeaders"][::2], capture["rawHeaders"][1::2]))
                headers = {name: value for name, value in headers.items()
                           if name.lower() not in ("host", "content-length", "connection", "dry-run")}
                target = capture["url"].replace("project=default", f"project=default&token={KEY}")
                answer = self.server.request(capture["method"], target, capture["decoded"] or None, headers)
                with self.subTest(f"{path.parent.name}/{path.name}"):
                    body = answer.body.decode(errors="replace")
                    # The recorded programs unbind a telephone number that nobody can have.
                    self.assertIn(answer.status, (200, 400 if "blocked" in body or "future" in body else 200), answer)
            self.assertGreater(requests, 80)
            stored = int(self.server.sql("SELECT count(*) AS n FROM events")[0]["n"])
            rejected = len(self.server.get("/api/v1/rejections?limit=1000").json["rejections"])
            if round == 1:
                first = stored, rejected
                self.assertGreater(stored + rejected, 120)
            else:
                self.assertEqual(stored, first[0], "a second replay adds nothing")
        for entry in self.server.get("/api/v1/rejections?limit=1000").json["rejections"]:
            self.assertIn(entry["reason"], ("no_identifier", "time_in_future"), entry)


class ProtocolTest(SensorsTest):
    def test_answers(self):
        data = encoded(track())
        answer = self.server.request("GET", f"/sa.gif?project={KEY}&data={data}")
        self.assertEqual((answer.status, answer.headers["content-type"], answer.body), (200, "image/gif", PIXEL))
        for method, path in (("GET", "/sa"), ("POST", "/sa.gif"), ("GET", "/debug")):
            self.assertEqual(self.server.request(method, f"{path}?project={KEY}&data={data}").status, 200)
        self.assertEqual(self.server.request("GET", f"/sa?project={KEY}").status, 200, "nothing was sent")

    def test_ways_to_say_the_key(self):
        data = encoded(track("Key"))
        for query in (f"project={KEY}", f"project=default&token={KEY}", f"project=default&writeKey={KEY}"):
            with self.subTest(query):
                self.assertEqual(self.server.request("POST", f"/sa?{query}", f"data={data}").status, 200)
        in_record = encoded(track("Key", token=KEY))
        self.assertEqual(self.server.request("POST", "/sa?project=default", f"data={in_record}").status, 200)
        # 403 alone of all 4xx makes the mobile SDKs keep their events.
        for path in ("/sa", "/sa.gif", "/debug"):
            answer = self.server.request("POST", f"{path}?project=default", f"data={data}")
            self.assertEqual(answer.status, 403, answer)

    def test_remote_configuration(self):
        for system in ("Android", "iOS"):
            answer = self.server.request("GET", f"/config/{system}.conf?project=default&app_id=x")
            self.assertEqual(answer.status, 200)
            configs = answer.json["configs"]
            self.assertEqual((configs["disableSDK"], configs["autoTrackMode"]), (False, -1))
            again = self.server.request("GET", f"/config/{system}.conf?project=default&nv={configs['nv']}")
            self.assertEqual(again.status, 304)
            self.assertEqual(self.server.request("GET", f"/config/visualized/{system}.conf").status, 304)

    def test_debug_mode(self):
        bad = track("坏", distinct_id="debug")
        before = len(self.rejections("invalid_name"))
        for dry, stored in (("true", 0), (None, 1)):
            with self.subTest(dry=dry):
                headers = {"Dry-Run": dry} if dry else {}
                answer = self.sa([track("Checked", distinct_id="debug"), bad], "/debug", **headers)
                self.assertEqual(answer.status, 400)
                self.assertIn('/debug:2: invalid_name at "/event"', answer.body.decode())
                rows = self.events_of("event = 'Checked'")
                self.assertEqual(len(rows), stored)
                self.assertEqual(len(self.rejections("invalid_name")) - before, stored)
        self.assertEqual(self.sa([track("Fine")], "/debug", **{"Dry-Run": "true"}).status, 200)
        self.assertEqual(self.events_of("event = 'Fine'"), [])

    def test_broken_requests_are_kept(self):
        data = encoded([track("Broken")])
        for reason, body in (("checksum_mismatch", f"data_list={data}&crc=1"),
                             ("encrypted_body", "data_list=%7B%22ekey%22%3A1%7D&gzip=9"),
                             ("unreadable_body", "data_list=***")):
            with self.subTest(reason):
                for _ in (1, 2):
                    self.assertEqual(self.server.request("POST", f"/sa?project={KEY}", body).status, 200)
                kept = self.rejections(reason)
                self.assertEqual(len(kept), 1, "the same bytes again are a repeat")
                self.assertEqual(kept[0]["origin"], "/sa")

    def test_a_rejection_is_repaired_in_either_form(self):
        record = track("修", distinct_id="repair", properties={"$os": "iOS"})
        self.assertEqual(self.sa([record]).status, 200)
        entry = next(e for e in self.rejections("invalid_name") if e["state"] == "open" and e["origin"] == "/sa:1")
        self.assertEqual(entry["path"], "/event")
        again = self.server.post(f"/api/v1/rejections/{entry['id']}/repair")
        self.assertEqual(again.status, 422, again)
        done = self.server.post(f"/api/v1/rejections/{entry['id']}/repair", {**record, "event": "Repaired"})
        self.assertEqual(done.status, 200, done)
        row = self.events_of("event = 'Repaired'")[0]
        self.assertEqual(json.loads(row["context"])["os"], {"name": "iOS"})

    def test_identities(self):
        server = self.server
        now = int(time.time() * 1000)
        identities = {"$identity_cookie_id": "c1", "$identity_anonymous_id": "c1"}
        login = {**identities, "$identity_login_id": "id-user"}
        phone = {"$identity_login_id": "id-user", "$identity_mobile": "13955556666"}
        self.assertEqual(self.sa([
            track("Seen", distinct_id="c1", identities=identities),
            track("$SignUp", type="track_signup", distinct_id="id-user", original_id="c1", identities=login),
            track("$BindID", type="track_id_bind", distinct_id="id-user", identities=phone),
            track("$UnbindID", type="track_id_unbind", distinct_id="$identity_email+a@example.cn",
                  identities={"$identity_email": "a@example.cn"}),
            {"type": "profile_set", "distinct_id": "id-user", "identities": login, "time": now, "properties": {"city": "上海", "x": 1}},
            {"type": "profile_unset", "distinct_id": "id-user", "identities": login, "time": now + 1, "properties": {"x": True}},
        ]).status, 200)
        customer = server.customer("user_id:id-user")
        for name in ("anonymous_id:c1", "phone:13955556666"):
            self.assertEqual(server.customer(name)["customer_id"], customer["customer_id"])
        self.assertNotEqual(server.customer("email:a@example.cn")["customer_id"], customer["customer_id"])
        self.assertEqual(customer["traits"], {"city": "上海"})

    def test_profiles_change_in_the_order_of_their_times(self):
        now = int(time.time() * 1000)

        def profile(kind, properties, later_ms):
            return {"type": f"profile_{kind}", "distinct_id": "steps", "time": now + later_ms, "properties": properties}

        records = [profile("set", {"points": 10, "tags": ["a"]}, 0), profile("increment", {"points": 2.5}, 1),
                   profile("set_once", {"points": 99, "city": "上海"}, 2), profile("append", {"tags": ["b", "a"]}, 3),
                   profile("increment", {"visits": 1}, 4), profile("increment", {"visits": 1}, 5),
                   profile("set_once", {"city": "北京"}, 6)]
        for record in reversed(records):
            self.assertEqual(self.sa([record]).status, 200)
        customer = self.server.customer("anonymous_id:steps")
        self.assertEqual(customer["traits"], {"points": 12.5, "tags": ["a", "b"], "city": "上海", "visits": 2})
        self.assertEqual(self.sa([profile("delete", {}, 7), profile("increment", {"visits": 1}, 8)]).status, 200)
        self.assertEqual(self.server.customer("anonymous_id:steps")["traits"], {"visits": 1})

    def test_a_server_calls_a_customer_by_its_login_id_either_way(self):
        self.assertEqual(self.sa([
            track("Before", distinct_id="two-anon"),
            track("$SignUp", type="track_signup", distinct_id="two-login", original_id="two-anon"),
            track("After", distinct_id="two-login"),
            track("After", distinct_id="two-login", properties={"$is_login_id": True}),
        ]).status, 200)
        self.assertEqual(self.server.customer("user_id:two-login")["events"], 4)


class EncryptionTest(SensorsTest):
    """Records that a mobile SDK encrypted, by its own steps in Node, and the keys that it is given for it."""

    def new_key(self, **wanted):
        answer = self.server.post("/api/v1/encryption-keys", wanted or None)
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def offered(self, system="Android"):
        return self.server.request("GET", f"/config/{system}.conf?project=default&app_id=x").json["configs"]

    def encrypt(self, public_key, messages):
        texts = [json.dumps(message, ensure_ascii=False) for message in messages]
        done = subprocess.run(["node", "-e", ENCRYPTION], capture_output=True, text=True, timeout=60, check=True,
                              input=json.dumps({"public_key": public_key, "messages": texts}))
        return json.loads(done.stdout)

    def send(self, gzip_code, envelopes):
        # JSON in a form, not base64; org.json writes / as \/, and the crc is of the text as it is sent.
        text = json.dumps(envelopes).replace("/", "\\/")
        crc = 0
        for c in text.encode():
            crc = (crc * 31 + c) & 0xFFFFFFFF
        crc -= (crc >> 31) << 32
        return self.server.request("POST", f"/sa?project=default&token={KEY}",
                                   f"crc={crc}&gzip={gzip_code}&data_list={urllib.parse.quote(text, safe='')}",
                                   {"Content-Type": "application/x-www-form-urlencoded"})

    def test_keys(self):
        before = self.offered()
        made = self.new_key()
        self.assertTrue(made["offered"])
        for system in ("Android", "iOS"):
            configs = self.offered(system)
            key = {"pkv": made["pkv"], "public_key": made["public_key"]}
            self.assertEqual(configs["key"], key, "no `type`: the older SDKs take it for a plug-in")
            self.assertEqual(configs["key_v2"], {**key, "type": "RSA+AES"})
            self.assertIs(configs["supportTransportEncrypt"], True)
            self.assertNotEqual(configs["nv"], before["nv"])
            again = self.server.request("GET", f"/config/{system}.conf?nv={before['nv']}")
            self.assertEqual(again.status, 200, "an app with the configuration of before takes the new one")
        self.assertEqual(self.server.post("/api/v1/encryption-keys", {"pkv": made["pkv"]}).status, 409)
        for wrong in ({"pkv": 0}, {"pkv": 2**31}, {"private_key": "none"}, {"other": 1}):
            self.assertEqual(self.server.post("/api/v1/encryption-keys", wrong).status, 400, wrong)
        text = self.server.get("/api/v1/encryption-keys").body.decode()
        self.assertIn(made["public_key"], text)
        self.assertNotIn("private", text)
        self.server.kill()
        self.server.start()
        self.assertEqual(self.server.get("/api/v1/encryption-keys").body.decode(), text, "from the log")

    def test_events(self):
        now = int(time.time() * 1000)
        old = self.new_key()
        new = self.new_key()
        self.assertEqual(self.offered()["key_v2"]["pkv"], new["pkv"])
        # Each alone (gzip=9), by both keys: the app was opened before and after the rotation.
        one = [track("Encrypted", distinct_id="sealed", time=now, properties={"n": n}) for n in (1, 2)]
        two = [track("Encrypted", distinct_id="sealed", time=now, properties={"n": 3, "name": "张三"})]
        envelopes = [{**self.encrypt(key["public_key"], records), "pkv": key["pkv"], "flush_time": now}
                     for key, records in ((old, one), (new, two))]
        self.assertEqual(self.send(9, envelopes).status, 200)
        # All together (gzip=13): one payload, a text.
        all_together = self.encrypt(new["public_key"], [[track("Together", distinct_id="sealed", time=now),
                                                         track("坏", distinct_id="sealed", time=now)]])
        self.assertEqual(self.send(13, [{"ekey": all_together["ekey"], "pkv": new["pkv"], "flush_time": now,
                                         "payloads": all_together["payloads"][0]}]).status, 200)
        self.assertEqual(self.server.customer("anonymous_id:sealed")["events"], 4)
        numbers = [json.loads(row["properties"])["n"] for row in self.events_of("event = 'Encrypted'")]
        self.assertEqual(numbers, [1, 2, 3])
        broken = self.rejections("invalid_name")[0]
        self.assertEqual(self.server.post(f"/api/v1/rejections/{broken['id']}/repair",
                                          track("Whole", distinct_id="sealed", time=now)).status, 200)
        self.assertEqual(self.server.customer("anonymous_id:sealed")["events"], 5)
        # The same events again, sealed anew, are the same events.
        with_id = [track("Once", distinct_id="sealed", time=now, _track_id=7)]
        for _ in (1, 2):
            again = {**self.encrypt(new["public_key"], with_id), "pkv": new["pkv"]}
            self.assertEqual(self.send(9, [again]).status, 200)
        self.assertEqual(len(self.events_of("event = 'Once'")), 1)

    def test_a_key_of_before_opens_what_was_kept(self):
        made = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, text=True, check=True).stdout
        public = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], input=made.encode(),
                                capture_output=True, check=True).stdout
        now = int(time.time() * 1000)
        records = [track("Kept", distinct_id="kept", time=now + n) for n in (1, 2)]
        envelope = {**self.encrypt(base64.b64encode(public).decode(), records), "pkv": 1000, "flush_time": now}
        self.assertEqual(self.send(9, [envelope]).status, 200)
        kept = [entry for entry in self.rejections("encrypted_body") if "pkv 1000" in entry["detail"]]
        self.assertEqual(len(kept), 1, "one for the envelope")
        path = f"/api/v1/rejections/{kept[0]['id']}/repair"
        self.assertEqual(self.server.post(path).status, 422)
        self.assertEqual(self.new_key(pkv=1000, private_key=made)["pkv"], 1000)
        # The key outlives the server.
        self.server.stop()
        self.server.start()
        self.assertEqual(self.server.post(path).status, 200)
        self.assertEqual(self.server.customer("anonymous_id:kept")["events"], 2)

    def test_no_secret_is_stored_in_clear(self):
        pem = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, text=True, check=True).stdout
        der = subprocess.run(["openssl", "rsa", "-outform", "DER"], input=pem.encode(), capture_output=True, check=True).stdout
        made = self.new_key(private_key=pem)
        needles = (der[300:340], base64.b64encode(der)[400:440], pem.encode()[800:840])
        public = made["public_key"].encode()[40:80]
        files = [path for path in self.server.data.rglob("*") if path.is_file()]
        contents = [path.read_bytes() for path in files]
        self.assertTrue(any(public in content for content in contents), "the definition is in the log")
        for needle in needles:
            self.assertFalse(any(needle in content for content in contents))


class SdkTest(SensorsTest):
    def url(self, server=None):
        return f"{server or self.server.url}/sa?project=default&token={KEY}"

    def run_program(self, command, directory):
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def until(self, look, want, patience=10):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if look() == want:
                return
            time.sleep(0.1)
        self.assertEqual(look(), want)

    def test_node(self):
        directory = npm(self, "sensors-node", NODE_SDK)
        (directory / "program.js").write_text(NODE_PROGRAM)
        for form in ("gzip", "plain"):
            with self.subTest(form):
                user = f"node-{form}"
                self.run_program(["node", "program.js", self.url(), form, user], directory)
                customer = self.server.customer(f"user_id:{user}-login")
                self.assertEqual(self.server.customer(f"anonymous_id:{user}")["customer_id"], customer["customer_id"])
                self.assertEqual(customer["events"], 8)
                self.assertEqual(customer["traits"],
                                 {"app": "x", "name": "张三", "first": "x", "n": 2, "tags": ["a", "b"]})
                row = self.events_of("event = 'ViewItem'")[-1]
                properties = json.loads(row["properties"])
                self.assertEqual({k: v for k, v in properties.items() if k != "at"}, {"app": "x", "sku": "1", "price": 2.5})
                self.assertEqual((row["channel"], json.loads(row["context"])["library"]["name"]), ("server", "Node"))
                names = {"$SignUp": {"app": "x", "from": "web"},
                         "$item_set": {"name": "n", "item_type": "sku", "item_id": user},
                         "$item_delete": {"item_type": "sku", "item_id": user}}
                for name, want in names.items():
                    self.assertEqual(json.loads(self.events_of(f"event = '{name}'")[-1]["properties"]), want, name)
        self.assertEqual(self.server.get("/api/v1/rejections").json["rejections"], [])

    def test_python(self):
        directory = client_kit.prepared(self, "sensors-python", [[sys.executable, "-m", "venv", "."],
                                                      ["bin/pip", "install", "--quiet", PYTHON_SDK],
                                                      ["bin/python", "-c", "import sensorsanalytics"],
                                                      ["touch", "installed"]], "installed")
        (directory / "program.py").write_text(PYTHON_PROGRAM)
        for kind in ("default", "batch", "async", "debug"):
            with self.subTest(kind):
                user = f"python-{kind}"
                self.run_program(["bin/python", "program.py", self.url(), kind, user], directory)
                self.until(lambda: len(self.events_of("event = 'E'")) > 0, True)
                customer = self.server.customer(f"user_id:{user}")
                self.assertEqual(self.server.customer(f"anonymous_id:{user}-anon")["customer_id"], customer["customer_id"])
                self.assertEqual(customer["traits"], {"name": "张三", "f": 1, "n": 1, "tags": ["a"]})
                self.assertEqual(customer["events"], 10, customer["counters"])
                row = self.events_of("event = 'BuyOrder'")[-1]
                self.assertEqual(json.loads(row["properties"]), {"sku": "1", "price": 2.5, "at": "2025-01-02 03:04:05.678",
                                                                 "tags": ["a", "b"]})
                context = json.loads(row["context"])
                self.assertEqual((context["ip"], context["library"]["name"], context["library"]["version"]),
                                 ("1.2.3.4", "python", "1.11.0"))

    def test_mini_program(self):
        directory = npm(self, "sensors-mini-program", MINI_PROGRAM_SDK)
        (directory / "program.js").write_text(MINI_PROGRAM)
        for batch in ("single", "batch"):
            with self.subTest(batch):
                self.run_program(["node", "program.js", self.url(), batch], directory)
                customer = self.server.customer(f"user_id:mini-{batch}")
                self.assertIsNotNone(customer["traits"].pop("$first_visit_time", None))
                self.assertEqual(customer["traits"], {"name": "张三", "f": 1, "n": 1, "tags": ["a"]})
                self.assertEqual(self.server.customer(f"open_id:oid-{batch}")["customer_id"], customer["customer_id"])
                row = self.events_of("event = 'BuyOrder'")[-1]
                properties = json.loads(row["properties"])
                self.assertEqual((properties["sku"], properties["price"]), ("1", 2.5))
                context = json.loads(row["context"])
                self.assertEqual(row["channel"], "mini_program")
                self.assertEqual((context["device"]["model"], context["os"], context["screen"]),
                                 ("P40", {"name": "Android", "version": "12"}, {"width": 360, "height": 780}))
        self.assertEqual(self.server.get("/api/v1/rejections").json["rejections"], [])

    def browse(self, kind, server_url):
        if CHROMIUM is None:
            kehu_server.skip(self, "the web SDK: Chromium is not installed (apt-get install chromium)")
        directory = npm(self, "sensors-web", WEB_SDK, PLAYWRIGHT)
        (directory / "program.js").write_text(WEB_PROGRAM)
        sdk = (directory / "node_modules/sa-sdk-javascript/sensorsdata.min.js").read_bytes()
        page = PAGE.replace("%TYPE%", kind).replace("%URL%", self.url(server_url)).encode()

        class Site(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body, kind = (sdk, "text/javascript") if self.path == "/sa.js" else (page, "text/html; charset=utf-8")
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        with served(Site) as port:
            errors = self.run_program(["node", "program.js", CHROMIUM, f"http://127.0.0.1:{port}/shop", kind], directory)
        self.assertEqual(json.loads(errors), [])

    def check_web(self, kind):
        customer = self.server.customer(f"user_id:web-{kind}")
        self.assertEqual(customer["traits"]["name"], "张三")
        self.assertIn("$first_visit_time", customer["traits"])
        where = f"context LIKE '%type={kind}%'"
        rows = {row["event"]: row for row in self.events_of(where)}
        self.assertEqual(json.loads(rows["BuyOrder"]["properties"])["amount"], 12.5)
        self.assertEqual(json.loads(rows["BuyOrder"]["properties"])["list"], ["a", "b"])
        page = rows["商店"]
        context = json.loads(page["context"])
        self.assertEqual((page["type"], page["channel"], context["page"]["title"], context["page"]["path"]),
                         ("page", "web", "商店", "/shop"))
        self.assertEqual((context["campaign"], context["latest"]["utm_source"]),
                         ({"source": "weixin", "name": "c11"}, "weixin"))
        self.assertEqual(context["ip"], "127.0.0.1")
        self.assertIn("Chrome", context["userAgent"])
        for event in ("BuyOrder", "$SignUp", "$BindID", "$UnbindID", "$WebClick"):
            self.assertEqual(len([r for r in self.events_of(where) if r["event"] == event]), 1, event)

    def test_web(self):
        for kind in ("image", "beacon", "ajax", "batch"):
            with self.subTest(kind):
                self.browse(kind, self.server.url)
                self.check_web(kind)

    def test_what_is_sent_again_counts_once(self):
        """The way in answers 503 although the events arrived; the web SDK's batches come again."""
        upstream, answers = self.server.url, []

        class Proxy(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = urllib.request.Request(upstream + self.path, body, {"Content-Type": self.headers["Content-Type"]})
                status = urllib.request.urlopen(request).status
                status = 503 if len(answers) < 2 else status
                answers.append(status)
                self.send_response(status)
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()

            def log_message(self, *_):
                pass

        with served(Proxy) as port:
            self.browse("batch", f"http://127.0.0.1:{port}")
        self.assertEqual(answers[:2], [503, 503])
        self.assertIn(200, answers)
        rows = self.server.sql("SELECT message_id, count(*) AS n FROM events GROUP BY message_id HAVING count(*) > 1")
        self.assertEqual(rows, [])


class served:
    """A web server of a handler class on a port of its own."""

    def __init__(self, handler):
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server.server_address[1]

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    kehu_server.main()
