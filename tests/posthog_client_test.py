#!/usr/bin/env python3
"""PostHog's libraries against a real server, on servers and in a browser, and the requests they were seen to send."""
import base64
import gzip
import json
import re
import subprocess
import urllib.parse

import client_kit
import kehu_server

NODE_SDK = "posthog-node@5.70.0"
WEB_SDK = "posthog-js@1.449.2"
CLIENTS = ["posthog-node", "posthog-web"]

NODE_PROGRAM = """
const { PostHog } = require('posthog-node')
const [host, key, user] = process.argv.slice(2)
const client = new PostHog(key, { host, flushAt: 20, flushInterval: 200, fetchRetryDelay: 300 })
client.on('error', (error) => { console.error(String(error)) })
client.capture({ distinctId: user, event: 'Order Completed', properties: { order_id: user, total: 12.5, currency: 'CNY' } })
client.identify({ distinctId: user, properties: { city: '上海', email: 'posthog@example.com' } })
client.alias({ distinctId: user, alias: user + '-before' })
client.groupIdentify({ groupType: 'company', groupKey: 'g1', properties: { plan: 'pro' } })
for (let i = 0; i < 50; i++) client.capture({ distinctId: user, event: 'Clicked', properties: { i } })
client.isFeatureEnabled('new-ui', user).then(async (flag) => {
  console.log(JSON.stringify({ flag: flag === undefined ? null : flag }))
  await client.shutdown()
})
"""

PAGE = """<!doctype html><title>Shop</title><button id="buy">Buy</button><script src="/sdk.js"></script><script>
  window.finished = false;
  posthog.init(%(key)r, { api_host: %(url)r, disable_session_recording: true, opt_out_useragent_filter: true,
                          autocapture: false, request_batching: true, person_profiles: "always" });
  posthog.capture("Product Viewed", { product_id: "p1" });
  posthog.identify("web-user", { city: "上海", email: "web@example.com" }, { first: 1 });
  posthog.capture("Order Completed", { order_id: "web-1", total: 12.5, currency: "CNY", nested: { list: [1, "二"] } });
  posthog.group("company", "g1", { plan: "pro" });
  posthog.setPersonProperties({ level: 7 });
  posthog.capture("Last", {});
  setTimeout(() => { window.finished = true; }, %(patience)s);
</script>"""


class CaptureTest(kehu_server.ServerTest):
    def test_recorded_requests(self):
        if not client_kit.CAPTURES.exists():
            kehu_server.skip(self, f"recorded requests: {client_kit.CAPTURES} is not here")
        sent = self.replay_all()
        self.assertGreaterEqual(len(sent), 9)
        stored = client_kit.events(self.server)
        rejected = self.server.get("/api/v1/rejections?limit=1000").json["rejections"]
        for entry in rejected:  # recorded in a time that may lie ahead of this machine's clock
            self.assertEqual(entry["reason"], "time_in_future", entry)
        self.assertEqual(len(stored) + len(rejected), len(sent))
        for event in stored:
            with self.subTest(event["message_id"]):
                self.expect_same(sent[event["message_id"]], event)
        self.replay_all()
        self.assertEqual(client_kit.events(self.server), stored, "a second replay adds nothing")

    def expect_same(self, sent, event):
        kinds = {"$identify": "identify", "$create_alias": "alias", "$groupidentify": "group", "$pageview": "page",
                 "$set": "identify"}
        self.assertEqual(event["type"], kinds.get(sent["event"], "track"))
        if event["type"] == "track":
            self.assertEqual(event["event"], sent["event"])
        properties = sent["properties"]
        self.assertIn(sent.get("distinct_id") or properties["distinct_id"],
                      (event["ids"].get("user_id"), event["ids"].get("anonymous_id")))
        if "$anon_distinct_id" in properties:
            self.assertEqual(event["ids"]["anonymous_id"], properties["$anon_distinct_id"])
        moved = {"distinct_id", "token", "$set", "$set_once", "$unset", "$anon_distinct_id", "$group_set"}
        for name, value in properties.items():
            if name not in moved and "$sealed" not in json.dumps(event["properties"].get(name)):
                self.assertEqual(event["properties"].get(name), value, name)
        for name in sent.get("$set", properties.get("$set", {})):
            self.assertIn(name, event["traits"])
        if once := sent.get("$set_once", properties.get("$set_once")):
            self.assertEqual(event["traits"]["$set_once"].keys(), once.keys())

    def replay_all(self):
        """The recorded events by their ids, sent as they were recorded."""
        sent = {}
        for client in CLIENTS:
            for number, capture in enumerate(client_kit.captured(client)):
                if capture["method"] != "POST":
                    continue
                headers = dict(zip(capture["rawHeaders"][::2], capture["rawHeaders"][1::2]))
                headers = {name.lower(): value for name, value in headers.items() if name.lower().startswith("content-")}
                headers.pop("content-length", None)
                body = capture.get("json")
                form = body is None
                if form:
                    body = json.loads(base64.b64decode(urllib.parse.parse_qs(capture["decoded"])["data"][0]))
                body["api_key" if "api_key" in body else "token"] = kehu_server.WRITE_KEY
                data = json.dumps(body).encode()
                if headers.get("content-encoding") == "gzip":
                    data = gzip.compress(data)
                if form:
                    data = b"data=" + urllib.parse.quote_from_bytes(base64.b64encode(data), safe="").encode()
                with self.subTest(f"{client}/{number + 1}"):
                    answer = self.server.request("POST", capture["url"], data, headers)
                    self.assertEqual(answer.status, 200, answer)
                    if "batch" in body:
                        self.assertEqual(answer.json, {"status": 1})
                        sent.update({event["uuid"]: event for event in body["batch"]})
        return sent


class EndpointTest(kehu_server.ServerTest):
    EVENT = {"event": "E", "distinct_id": "paths"}

    def test_paths_and_encodings(self):
        number = 0
        zipped = None
        for path in ("/e/", "/e", "/i/v0/e/", "/capture/", "/batch/", "/track/"):
            event = {**self.EVENT, "uuid": f"path-{number}", "api_key": kehu_server.WRITE_KEY}
            text = json.dumps(event).encode()
            zipped = gzip.compress(text)
            bodies = {"plain": (path, text), "gzip-js": (path + "?compression=gzip-js&ver=1", zipped),
                      "base64": (path + "?compression=base64", b"data=" + base64.b64encode(text))}
            for name, (target, body) in bodies.items():
                with self.subTest(f"{path} {name}"):
                    answer = self.server.request("POST", target, body, {"Content-Type": "text/plain"})
                    self.assertEqual((answer.status, answer.json), (200, {"status": 1}), answer)
            number += 1
        self.assertEqual(self.server.customer("user_id:paths")["events"], number, "three forms of one event")

    def test_refusals(self):
        for name, body, status, code in (
                ("no JSON", b"{", 400, "invalid_json"), ("nothing of ours", b'{"batch":7}', 400, "invalid_field"),
                ("lz64", b"N4Ig", 400, "invalid_encoding"),
                ("another key", json.dumps({**self.EVENT, "api_key": "phc_x"}), 401, "invalid_api_key"),
                ("no key", json.dumps(self.EVENT), 401, "invalid_api_key")):
            with self.subTest(name):
                answer = self.server.request("POST", "/e/?compression=lz64", body)
                self.assertEqual((answer.status, answer.json["code"]), (status, code), answer)
        self.assertEqual(self.server.request("POST", "/flags/?v=2", {"token": "phc_x"}).status, 401)
        for name in ("config", "config.js"):
            self.assertEqual(self.server.request("GET", f"/array/phc_x/{name}").status, 401)

    def test_flags_and_config(self):
        flags = self.server.request("POST", "/flags/?v=2", {"token": kehu_server.WRITE_KEY, "distinct_id": "u"}).json
        self.assertEqual((flags["flags"], flags["errorsWhileComputingFlags"]), ({}, False))
        self.assertEqual(self.server.request("POST", "/decide/?v=3", {"api_key": kehu_server.WRITE_KEY}).status, 200)
        config = self.server.request("GET", f"/array/{kehu_server.WRITE_KEY}/config?x=1").json
        self.assertEqual((config["sessionRecording"], config["supportedCompression"]), (False, ["gzip", "gzip-js"]))
        script = self.server.request("GET", f"/array/{kehu_server.WRITE_KEY}/config.js")
        self.assertEqual(script.headers["content-type"], "text/javascript; charset=utf-8")
        program = f"const window = {{}}; {script.body.decode()}; console.log(JSON.stringify(window._POSTHOG_REMOTE_CONFIG))"
        said = subprocess.run(["node", "-e", program], capture_output=True, text=True, timeout=60, check=True).stdout
        self.assertEqual(json.loads(said), {kehu_server.WRITE_KEY: {"config": config, "siteApps": []}})

    def test_a_broken_event_is_kept_as_it_came(self):
        batch = {"api_key": kehu_server.WRITE_KEY, "batch": [{"event": "Good", "distinct_id": "broken", "uuid": "good"},
                                                             {"event": "No id", "properties": {"x": 1}}]}
        self.assertEqual(self.server.request("POST", "/batch/", batch).status, 200)
        entry = self.server.get("/api/v1/rejections").json["rejections"][0]
        self.assertEqual((entry["reason"], entry["path"], entry["origin"]), ("no_identifier", "/batch/1", "/batch/:2"))
        self.assertEqual(self.server.get(f"/api/v1/rejections/{entry['id']}").json["payload"]["event"], "No id")
        repaired = {"event": "No id", "distinct_id": "broken", "properties": {"x": 1, "$lib": "web"}, "uuid": "mended"}
        self.assertEqual(self.server.post(f"/api/v1/rejections/{entry['id']}/repair", repaired).status, 200)
        mended = client_kit.events(self.server, "message_id = 'mended'")[0]
        self.assertEqual((mended["ids"], mended["channel"]), ({"user_id": "broken"}, "web"))


class NodeTest(kehu_server.ServerTest):
    def test_node(self):
        directory = client_kit.node_packages(self, "posthog-node", NODE_SDK)
        output = client_kit.run_program(self, directory, NODE_PROGRAM, self.server.url, kehu_server.WRITE_KEY, "node-user")
        self.assertIn(json.loads(output.splitlines()[-1])["flag"], (None, False))
        self.expect_calls("node-user")

    def test_node_through_failures(self):
        directory = client_kit.node_packages(self, "posthog-node", NODE_SDK)
        proxy = client_kit.FailingProxy(self, self.server.url, {"/batch/"})
        client_kit.run_program(self, directory, NODE_PROGRAM, proxy.url, kehu_server.WRITE_KEY, "node-again")
        self.assertEqual([status for status, _, _ in proxy.seen if status != 200], [429, 503])
        self.assertIn("gzip", {headers.get("Content-Encoding") for _, headers, _ in proxy.seen})
        self.expect_calls("node-again")

    def expect_calls(self, user):
        events = client_kit.events(self.server, f"identifiers LIKE '%\"{user}\"%'")
        calls = {event["event"] or event["type"]: event for event in events if event["event"] != "Clicked"}
        clicks = [event["properties"]["i"] for event in events if event["event"] == "Clicked"]
        self.assertEqual(sorted(clicks), list(range(50)))
        self.assertLessEqual({"order_id": user, "total": 12.5, "currency": "CNY"}.items(),
                             calls["Order Completed"]["properties"].items())
        self.assertEqual(calls["Order Completed"]["context"]["library"], {"name": "posthog-node", "version": "5.70.0"})
        self.assertEqual(calls["identify"]["traits"]["city"], "上海")
        self.assertNotIn("posthog@example.com", json.dumps(events))
        self.assertEqual(calls["alias"]["ids"]["user_id"], user)
        group = client_kit.events(self.server, "type = 'group'")[0]
        self.assertEqual((group["event"], group["traits"]), ("g1", {"plan": "pro"}))
        customer = self.server.customer(f"user_id:{user}")
        self.assertEqual((customer["traits"]["city"], customer["revenue"][0]["revenue"]), ("上海", 12.5))
        self.assertEqual(customer["customer_id"], self.server.customer(f"anonymous_id:{user}-before")["customer_id"])
        self.assertEqual(self.counter_of(customer, "Clicked"), 50)


class BrowserTest(kehu_server.ServerTest):
    def browse(self, target, patience):
        directory = client_kit.node_packages(self, "posthog-web", WEB_SDK)
        sdk = client_kit.package_file(directory, "posthog-js/dist/array.full.no-external.js")
        page = PAGE % {"key": kehu_server.WRITE_KEY, "url": target, "patience": patience}
        seen = client_kit.browse(self, {"/": page, "/sdk.js": sdk}, patience=500)
        self.assertEqual(seen["elsewhere"], [], "nothing is loaded from or sent to anybody else")
        return seen

    def expect_calls(self, server):
        events = client_kit.events(server)
        calls = {event["event"] if event["type"] == "track" else event["type"]: event for event in events}
        self.assertLessEqual({"Product Viewed", "Order Completed", "Last", "identify", "group", "page"}, set(calls))
        self.assertEqual(len({event["message_id"] for event in events}), len(events))
        viewed, ordered = calls["Product Viewed"], calls["Order Completed"]
        visitor = viewed["ids"]["anonymous_id"]
        self.assertNotIn("user_id", viewed["ids"])
        self.assertEqual(ordered["ids"], {"user_id": "web-user"})
        identifies = [event for event in events if event["type"] == "identify"]
        self.assertLessEqual({"user_id": "web-user", "anonymous_id": visitor}.items(), identifies[0]["ids"].items())
        self.assertEqual(identifies[0]["traits"]["city"], "上海")
        self.assertEqual(identifies[0]["traits"]["$set_once"]["first"], 1)
        self.assertIn(7, [event["traits"].get("level") for event in identifies])
        self.assertNotIn("web@example.com", json.dumps(events))
        self.assertLessEqual({"order_id": "web-1", "total": 12.5, "currency": "CNY", "nested": {"list": [1, "二"]}}.items(),
                             ordered["properties"].items())
        self.assertEqual((calls["group"]["event"], calls["group"]["traits"]), ("g1", {"plan": "pro"}))
        self.assertEqual(calls["page"]["event"], "Shop")
        for event in events:
            self.assertEqual((event["channel"], event["context"]["library"]["name"]), ("web", "web"))
            self.assertIn("Chrome", event["context"]["userAgent"])
            self.assertLess(abs(event["time_ms"] - event["received_ms"]), 30_000)
        customer = server.customer("user_id:web-user")
        self.assertEqual(customer["customer_id"], server.customer(f"anonymous_id:{visitor}")["customer_id"])
        self.assertEqual(customer["revenue"][0]["revenue"], 12.5)

    def test_posthog_js(self):
        seen = self.browse(self.server.url, 5000)
        errors = [error for error in seen["errors"] if "404" not in error]
        self.assertEqual(errors, [])
        self.expect_calls(self.server)

    def test_posthog_js_through_failures(self):
        server = kehu_server.Server(self.work / "failures").start()
        self.addCleanup(server.stop)
        proxy = client_kit.FailingProxy(self, server.url, {"/e/", "/i/v0/e/"}, failures=(503, 503))
        self.browse(proxy.url, 16000)
        self.assertEqual([status for status, _, _ in proxy.seen if status != 200], [503, 503])
        self.expect_calls(server)


if __name__ == "__main__":
    kehu_server.main()
