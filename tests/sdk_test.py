#!/usr/bin/env python3
"""Our own SDKs in sdk/ against a real server: the one for browsers in headless Chromium, from a site of another origin;
the one for mini-programs in Node with the parts of wx it uses; the snippets for servers where their languages are."""
import filecmp
import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import unittest

import client_kit
import kehu_server

SDK = kehu_server.ROOT / "sdk"
DIST = SDK / "browser/dist"
DIST_FILES = ["api.d.ts", "kehu.d.ts", "kehu.min.js", "kehu.mjs"]
GZIP_BYTES_MAX = 5 * 1024

PAGE = """<!doctype html><meta charset="utf-8"><title>Shop</title><script src="/kehu.min.js"></script>"""

AUTO_PAGE = """<!doctype html><meta charset="utf-8"><script src="/kehu.min.js"></script>
<script>kehu.init({...%s, autoCapture: true})</script><title>List</title>
<form onsubmit="return false"><input id="name" value="secret-value"></form>
<button id="buy"><b>secret text</b></button>
<div id="named" data-kehu-event="Promotion Clicked" data-kehu-promotion-id="p-7">11.11</div>
<div data-kehu-ignore><button id="private">private</button></div>
<a id="mail" href="mailto:secret@example.com" onclick="event.preventDefault()">mail</a>
<a id="out" href="/elsewhere?phone=secret-phone&utm_source=list">out</a>
<div style="height:3000px"></div>
<div id="banner" style="height:100px" data-kehu-exposure="Promotion Viewed" data-kehu-promotion-id="p-8">banner</div>
<div style="height:1000px"></div>"""

EARLY_PAGE = """<!doctype html><meta charset="utf-8"><title>Early</title>
<script>window.kehu = [["init", %s], ["track", "Before the file", {"a": 1}]]</script>
<script async src="/kehu.min.js"></script>
<script>kehu.push(["track", "While it loads"]); addEventListener("load", () => kehu.push(["track", "When it is there"]))</script>"""


def build_tools(case):
    """sdk/browser with its pinned tools installed, in a copy."""
    directory = kehu_server.CACHE / "sdk-build"
    lock = (SDK / "browser/package-lock.json").read_text()
    if not (directory / "package-lock.json").exists() or (directory / "package-lock.json").read_text() != lock:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SDK / "browser" / name, directory)
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=directory,
                              capture_output=True, text=True, timeout=180)
        if done.returncode:
            shutil.rmtree(directory)
            kehu_server.skip(case, f"building the browser SDK: npm ci failed: {done.stderr.strip()[-300:]}")
    for name in ("build.mjs", "tsconfig.json"):
        shutil.copy(SDK / "browser" / name, directory)
    shutil.rmtree(directory / "src", ignore_errors=True)
    shutil.copytree(SDK / "browser/src", directory / "src")
    return directory


class BuildTest(unittest.TestCase):
    def test_size(self):
        size = len(gzip.compress((DIST / "kehu.min.js").read_bytes(), 9))
        self.assertLessEqual(size, GZIP_BYTES_MAX)

    def test_the_guide_lists_every_option(self):
        guide = (kehu_server.ROOT / "docs/clients/sdk.md").read_text()
        options = re.search(r"interface Options \{(.*?)\n\}", (SDK / "browser/src/api.ts").read_text(), re.S)[1]
        names = re.findall(r"^  (\w+)\??:", options, re.M)
        self.assertEqual(re.findall(r"^\| `(\w+)` \|", guide.split("\n## Options\n")[1].split("\n## ")[0], re.M), names)
        code = (SDK / "browser/src/kehu.ts").read_text()
        defaults = re.findall(r"(\w+) = (\d+)[,} ]", code[code.index("function enter"):code.index("function whenGranted")])
        self.assertGreaterEqual(len(defaults), 5)
        for name, default in defaults:
            self.assertRegex(guide, rf"\| `{name}` \| `{default}`")

    def test_dist_is_what_the_sources_say(self):
        directory = build_tools(self)
        shutil.rmtree(directory / "fresh", ignore_errors=True)
        done = subprocess.run(["npm", "run", "build", "--", "fresh"], cwd=directory, capture_output=True, text=True, timeout=180)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(sorted(path.name for path in DIST.iterdir()), DIST_FILES)
        same, different, missing = filecmp.cmpfiles(DIST, directory / "fresh", DIST_FILES, shallow=False)
        self.assertEqual((same, different, missing), (DIST_FILES, [], []), "run `npm run build` in sdk/browser")

    def test_types(self):
        directory = build_tools(self)
        package = directory / "consumer/node_modules/@kehu/browser"
        shutil.rmtree(directory / "consumer", ignore_errors=True)
        package.mkdir(parents=True)
        shutil.copy(SDK / "browser/package.json", package)
        shutil.copytree(DIST, package / "dist")
        good = """import kehu, { type Options, type KehuEvent } from "@kehu/browser";
            const options: Options = { url: "https://x", writeKey: "k", autoCapture: { clicks: false },
              before: (event: KehuEvent) => event.type === "page" ? false : event };
            kehu.init(options); kehu.track("A", { list: [1, "b", { c: null }] }); kehu.identify(null, { city: "上海" });
            const id: string | undefined = kehu.anonymousId(); kehu.flush().then(() => kehu.consent("denied")); void id;"""
        cases = {"good": (good, None), "no key": ('import kehu from "@kehu/browser"; kehu.init({ url: "x" });', "writeKey"),
                 "no event": ('import kehu from "@kehu/browser"; kehu.track();', "Expected 1-2 arguments"),
                 "consent": ('import kehu from "@kehu/browser"; kehu.consent("maybe");', "maybe"),
                 "a function": ('import kehu from "@kehu/browser"; kehu.track("A", { f: () => 1 });', "not assignable")}
        for name, (text, complaint) in cases.items():
            with self.subTest(name):
                (directory / "consumer/use.ts").write_text(text)
                done = subprocess.run(["node", "../node_modules/typescript/bin/tsc", "--strict", "--noEmit", "--module", "esnext",
                                       "--moduleResolution", "bundler", "--target", "es2020", "use.ts"],
                                      cwd=directory / "consumer", capture_output=True, text=True, timeout=120)
                self.assertEqual(done.returncode == 0, complaint is None, done.stdout)
                self.assertIn(complaint or "", done.stdout)


class BrowserTest(kehu_server.ServerTest):
    def setUp(self):
        """Each case has events, and so a source, of its own."""
        created = self.server.post("/api/v1/sources", {"name": self._testMethodName.replace("_", "-"), "channel": "unknown"})
        self.assertEqual(created.status, 201, created)
        self.source, self.key = created.json["name"], created.json["write_key"]

    def drive(self, scenario, url=None, **options):
        if client_kit.CHROMIUM is None:
            kehu_server.skip(self, "the browser SDK: Chromium is not installed (apt-get install chromium)")
        directory = client_kit.node_packages(self, "playwright", client_kit.PLAYWRIGHT)
        options = {"url": url or self.server.url, "writeKey": self.key, **options}
        text = json.dumps(options)

        class Site(client_kit.Handler):
            def do_GET(self):
                path = self.path.split("?")[0]
                if path == "/kehu.min.js":
                    return self.reply(200, [("Content-Type", "text/javascript")], (DIST / "kehu.min.js").read_bytes())
                page = AUTO_PAGE % text if path.startswith("/auto") else EARLY_PAGE % text if path == "/early" else PAGE
                return self.reply(200, [("Content-Type", "text/html; charset=utf-8")], page.encode())

        site = f"http://localhost:{client_kit.serve(self, Site)}"
        program = pathlib.Path(__file__).with_name("sdk_browser.mjs")
        done = subprocess.run(["node", program, client_kit.CHROMIUM, site, scenario, text], cwd=directory,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        seen = json.loads(done.stdout)
        self.assertEqual(seen["errors"], [])
        self.assertEqual({request["method"] for request in seen["requests"]} - {"POST"}, set(), "no preflight is needed")
        seen["site"] = site
        return seen

    def arrived(self):
        return client_kit.events(self.server, f"source = '{self.source}'")

    def expect_once(self, names):
        """Exactly these tracks, each once and under a message id of its own."""
        events = [event for event in self.arrived() if event["type"] == "track"]
        self.assertEqual(sorted(event["event"] for event in events), sorted(names))
        self.assertEqual(len({event["message_id"] for event in events}), len(events))
        for event in events:
            if event["properties"]:
                self.assertEqual(event["properties"], {"name": event["event"]})

    def test_calls(self):
        started = time.time() * 1000
        seen = self.drive("calls")
        self.assertEqual(seen["left"], 0)
        page = {"path": "/shop/list", "url": seen["site"] + "/shop/list?utm_source=wechat&utm_campaign=11.11",
                "title": "Shop", "referrer": ""}
        wanted = [
            ("track", "Product Viewed", None, {"product_id": "p1", "price": 68, "tags": ["茶", None, 1.5], "nested": {"deep": {"yes": True}}}, {}),
            ("page", "首页", None, {**page, "section": 3}, {}),
            ("identify", "", "sdk-user", {}, {"city": "上海"}),
            ("group", "g1", "sdk-user", {}, {"plan": "pro"}),
            ("track", "Order Completed", "sdk-user", {"order_id": "o1", "total": 12.5, "currency": "CNY"}, {}),
            ("track", "Emoji 🎁 \"quoted\" \u2028", "sdk-user", {}, {}),
        ]
        events = self.arrived()
        self.assertEqual(len(events), len(wanted))
        for event, (kind, name, user, properties, traits) in zip(events, wanted):
            with self.subTest(name or kind):
                self.assertEqual((event["type"], event["event"] or "", event["channel"]), (kind, name, "web"))
                self.assertEqual(event["properties"], properties)
                sealed = event["traits"].pop("phone", None)
                self.assertEqual(sealed is not None, kind == "identify")
                self.assertNotIn("139", sealed or "")
                self.assertEqual(event["traits"], traits)
                self.assertEqual((event["ids"].get("user_id"), event["ids"]["anonymous_id"]), (user, seen["anonymousId"]))
                context = event["context"]
                self.assertEqual(context["page"], page)
                self.assertEqual(context["campaign"], {"source": "wechat", "name": "11.11"})
                self.assertEqual(context["library"]["name"], "kehu-browser")
                self.assertEqual((context["locale"], context["userAgent"]), ("zh-CN", seen["userAgent"]))
                self.assertNotIn("ip", context)
                self.assertTrue(started - 1000 < event["time_ms"] < time.time() * 1000 + 1000, event)
        self.assertEqual(len({event["context"]["session"]["id"] for event in events}), 1)
        self.assertNotIn("secret", json.dumps(events))
        timeline = self.server.get("/api/v1/customers/user_id:sdk-user/timeline").json["events"]
        self.assertEqual([event["message_id"] for event in timeline], [event["message_id"] for event in reversed(events)])
        customer = self.server.customer("phone:13912345678")
        self.assertEqual((customer["events"], customer["revenue"][0]["revenue"]), (6, 12.5))

    def test_users_do_not_share_an_anonymous_id(self):
        seen = self.drive("users")
        first, identified, second, nobody = seen["ids"]
        self.assertEqual(first, identified)
        self.assertEqual(len({first, second, nobody}), 3)
        self.assertEqual(seen["afterReload"], nobody)
        ids = {event["event"]: event["ids"] for event in self.arrived() if event["type"] == "track"}
        self.assertEqual(ids, {"As Second": {"user_id": "second-user", "anonymous_id": second}, "As Nobody": {"anonymous_id": nobody}})

    def test_auto_capture(self):
        seen = self.drive("auto")
        events = self.arrived()
        everything = json.dumps(events, ensure_ascii=False)
        self.assertNotIn("secret", everything, "nothing that was typed, no text, no query")
        self.assertNotIn("private", everything)
        site = seen["site"]
        views = [event["properties"] for event in events if event["type"] == "page"]
        self.assertEqual(views, [
            {"path": "/auto", "url": site + "/auto?utm_medium=mail", "title": "List", "referrer": ""},
            {"path": "/auto/detail", "url": site + "/auto/detail", "title": "Detail", "referrer": site + "/auto?utm_medium=mail"},
            {"path": "/auto", "url": site + "/auto?utm_medium=mail", "title": "Detail", "referrer": site + "/auto/detail"}])
        tracks = [(event["event"], event["properties"]) for event in events if event["type"] == "track"]
        clicks = [properties for name, properties in tracks if name == "Element Clicked"]
        self.assertEqual(clicks, [{"element": "button", "id": "buy"}, {"element": "a", "id": "mail", "href": "mailto:"},
                                  {"element": "a", "id": "out", "href": site + "/elsewhere?utm_source=list"}])
        named = [track for track in tracks if track[0] not in ("Element Clicked", "Page Left")]
        self.assertEqual(sorted(named, key=lambda track: track[0]), [
            ("Late Viewed", {}), ("Promotion Clicked", {"promotion_id": "p-7"}), ("Promotion Viewed", {"promotion_id": "p-8"})])
        dwelt = [properties for name, properties in tracks if name == "Page Left"]
        self.assertEqual([(left["path"], left["title"]) for left in dwelt],
                         [("/auto", "List"), ("/auto/detail", "Detail"), ("/auto", "Detail")])
        for left, (least, most) in zip(dwelt, [(1.3, 6), (3, 8), (1.3, 6)]):
            self.assertTrue(least <= left["seconds"] <= most, dwelt)

    def test_calls_before_the_file_is_there(self):
        self.drive("early", autoCapture=False)
        self.assertEqual([event["event"] for event in self.arrived()], ["Before the file", "While it loads", "When it is there"])

    def test_offline_then_online(self):
        seen = self.drive("offline", flushAfterMs=100)
        self.assertEqual(seen["kept"], 5)
        self.expect_once(["Before", *(f"Offline {i}" for i in range(5))])

    def test_reload_with_a_full_queue(self):
        seen = self.drive("reload", queueSize=100)
        self.assertEqual(seen["kept"], 100)
        self.expect_once([f"Kept {i}" for i in range(50, 150)])

    def test_leaving_the_page(self):
        seen = self.drive("leave", flushAfterMs=60000, batchSize=1000)
        self.assertEqual(seen["arrivedByItself"], 1)
        self.expect_once([f"Leaving {i}" for i in range(60)])

    def test_hosts_share_a_visitor(self):
        seen = self.drive("hosts", cookieDomain=".shop.test")
        self.assertFalse(seen["locks"])
        self.expect_once(["At www.shop.test", "At m.shop.test"])
        tracks = [event["ids"] for event in self.arrived() if event["type"] == "track"]
        self.assertEqual(tracks[0], tracks[1])
        self.assertEqual(tracks[0]["user_id"], "hosts-user")

    def test_a_sandboxed_frame(self):
        """Neither storage nor cookies nor locks: the page's ids, and everything arrives."""
        self.drive("sandbox")
        self.expect_once(["In a frame", "Also"])
        self.assertEqual(len({event["ids"]["anonymous_id"] for event in self.arrived()}), 1)

    def test_before(self):
        self.drive("before")
        self.assertEqual([(event["event"], event["properties"]) for event in self.arrived()],
                         [("Changed", {"changed": True}), ("Replaced", {"replaced": True})])

    def test_leaving_without_keepalive(self):
        self.drive("beacon", flushAfterMs=60000)
        self.expect_once(["By beacon"])

    def test_hiding_the_page(self):
        self.drive("hidden", flushAfterMs=60000)
        self.expect_once(["Hidden"])

    def test_several_tabs(self):
        seen = self.drive("tabs", flushAfterMs=200)
        self.assertEqual(len(set(seen["ids"])), 1)
        self.expect_once([f"Tab {tab} {i}" for tab in range(3) for i in range(40)] + ["In another tab"])
        events = self.arrived()
        self.assertEqual({event["ids"]["anonymous_id"] for event in events}, set(seen["ids"]))
        self.assertEqual(len({event["context"]["session"]["id"] for event in events}), 1)
        self.assertEqual(next(e for e in events if e["event"] == "In another tab")["ids"]["user_id"], "tab-user")
        sent = [event["messageId"] for request in seen["requests"] for event in json.loads(request["body"])["batch"]]
        self.assertEqual(len(sent), len(set(sent)), "tabs take turns")

    def test_consent(self):
        seen = self.drive("consent", consent="pending", flushAfterMs=100)
        self.assertEqual(seen["pending"], {"names": [], "cookies": "", "requests": 0})
        self.assertGreater(len(seen["granted"]["names"]), 0)
        self.assertEqual(seen["denied"], {"names": [], "cookies": "", "requests": 0})
        self.assertEqual(seen["deniedEarly"], {"names": [], "cookies": "", "requests": 0})
        events = self.arrived()
        self.assertEqual([event["event"] or event["type"] for event in events], ["identify", "Held", "Asked again"])
        for event in events[:2]:
            self.assertEqual(event["ids"]["user_id"], "asked-user")
            self.assertLess(event["time_ms"], seen["grantedAt"] - 1000, "the time of the call")

    def test_failures_count_once(self):
        proxy = client_kit.FailingProxy(self, self.server.url, {"/v1/batch"})
        seen = self.drive("retries", url=proxy.url)
        self.assertEqual([status for status, _, _ in proxy.seen], [429, 503, 200])
        self.expect_once([f"Retried {i}" for i in range(10)])
        first, second, third = [request["at"] for request in seen["requests"]]
        for wait in (second - first, third - second):
            self.assertTrue(950 <= wait < 4000, "Retry-After said 1 second")
        self.assertEqual(proxy.seen[0][1].get("Content-Type"), "text/plain")
        self.assertEqual(len({tuple(event["messageId"] for event in json.loads(body)["batch"]) for _, _, body in proxy.seen}), 1)

    def test_what_is_refused_does_not_stay(self):
        seen = self.drive("refused")
        self.assertEqual(seen["left"], 0)
        self.expect_once(["Beside"])

    def test_a_clock_that_is_wrong(self):
        started = time.time() * 1000
        self.drive("clock", flushAfterMs=60000)
        event = self.arrived()[0]
        self.assertTrue(started < event["time_ms"] < time.time() * 1000 - 1000, event)
        self.assertAlmostEqual(event["original_ms"] - event["time_ms"], 86_400_000, delta=2000)

    def test_without_storage(self):
        seen = self.drive("storage")
        self.assertEqual(len(set(seen["ids"])), 1, "the cookie has it")
        self.assertEqual({event["ids"]["anonymous_id"] for event in self.arrived()}, set(seen["ids"]))
        self.expect_once(["Without storage", "Again"])


class MiniProgramTest(kehu_server.ServerTest):
    drive_program = pathlib.Path(__file__).with_name("sdk_mini_program.cjs")

    setUp = BrowserTest.setUp
    arrived = BrowserTest.arrived
    expect_once = BrowserTest.expect_once

    def drive(self, scenario, url=None, **options):
        text = json.dumps({"url": url or self.server.url, "writeKey": self.key, **options})
        done = subprocess.run(["node", self.drive_program, SDK / "miniprogram", scenario, text],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_a_life(self):
        seen = self.drive("life")
        self.assertTrue(seen["launched"])
        self.assertEqual(seen["loaded"]["phone"], "secret-phone", "the page has its query")
        self.assertEqual((seen["share"], seen["timeline"]), ({"title": "来看看"}, "undefined"))
        events = self.arrived()
        self.assertNotIn("secret", json.dumps(events))
        left = [event for event in events if event["event"] in ("Page Left", "Application Backgrounded")]
        self.assertEqual([event["event"] for event in left], ["Page Left", "Application Backgrounded"])
        for event in left:
            self.assertTrue(1.1 < event["properties"].pop("seconds") < 5)
        index = {"path": "pages/index", "url": "pages/index?utm_source=qr", "referrer": ""}
        detail = {"path": "pages/detail", "url": "pages/detail", "referrer": "pages/index"}
        user = {"user_id": "mini-user", "anonymous_id": seen["anonymousId"]}
        nobody = {"anonymous_id": seen["anonymousId"]}
        wanted = [
            ("track", "Application Opened", nobody, {"from_background": False, "scene": 1047, "path": "pages/index", "referrer_app_id": "wx-other"}),
            ("page", "", nobody, index),
            ("track", "Page Shared", nobody, {"path": "pages/index", "to": "chat", "from": "button"}),
            ("track", "Product Viewed", nobody, {"product_id": "p1", "price": 68, "nested": {"list": [1, "二", None]}}),
            ("identify", "", {**nobody, "open_id": "o-1", "union_id": "un-1"}, {}),
            ("identify", "", {**user, "phone": "sealed"}, {}),
            ("track", "Page Left", user, {"path": "pages/index"}),
            ("page", "", user, detail),
            ("group", "g1", user, {}),
            ("track", "Application Backgrounded", user, {}),
            ("track", "Application Opened", user, {"from_background": True, "scene": 1001, "path": "pages/detail"}),
        ]
        self.assertEqual([(e["type"], e["event"] or "", e["ids"], e["properties"]) for e in events], wanted)
        for event in events:
            self.assertEqual(event["channel"], "mini_program")
            context = event["context"]
            self.assertEqual(context["device"], {"manufacturer": "HUAWEI", "model": "Mate 60"})
            self.assertEqual(context["os"], {"name": "HarmonyOS", "version": "4.2"})
            self.assertEqual(context["app"], {"id": "wx1234567890", "version": "1.2.0", "environment": "release"})
        self.assertEqual({json.dumps(event["context"].get("campaign")) for event in events[:10]}, {'{"source": "qr"}'})
        self.assertEqual(len({event["context"]["session"]["id"] for event in events}), 1)
        customer = self.server.customer("open_id:o-1")
        self.assertEqual((customer["events"], customer["traits"]["city"]), (11, "上海"))

    def test_offline_and_the_next_launch(self):
        seen = self.drive("offline", autoCapture=False, queueSize=20)
        self.assertEqual((seen["kept"], seen["left"]), (20, 0))
        self.assertIn("kehu: 1 event(s) dropped: the queue is full", seen["warnings"])
        self.expect_once([*(f"Kept {i}" for i in range(11, 30)), "Next launch"])

    def test_failures_count_once(self):
        proxy = client_kit.FailingProxy(self, self.server.url, {"/v1/batch"})
        seen = self.drive("retries", url=proxy.url, autoCapture=False)
        self.assertEqual([status for status, _, _ in proxy.seen], [429, 503, 200])
        self.assertEqual(seen["requests"], 3)
        self.expect_once([f"Retried {i}" for i in range(5)])

    def test_consent(self):
        seen = self.drive("consent", autoCapture=False)
        self.assertEqual(seen["pending"], {"keys": 0, "requests": 0})
        self.assertEqual(seen["denied"], {"keys": 0, "requests": 1})
        self.expect_once(["Held"])


EVENT = {"event": "Order Completed", "user_id": "u-%s", "phone": "13912345678", "channel": "server",
         "properties": {"order_id": "o \"1\"\n", "total": 99.5, "currency": "CNY", "gift": True, "note": None,
                        "lines": [{"sku": "茶", "count": 2}]}}

SERVER_PROGRAMS = {
    "python": ("python3", "kehu.py", "use.py", """
import json, os, sys
from kehu import Kehu
print(json.dumps(Kehu(os.environ["KEHU_URL"], os.environ["KEHU_WRITE_KEY"]).send([json.load(sys.stdin)])))"""),
    "node": ("node", "kehu.mjs", "use.mjs", """
import { readFileSync } from "node:fs";
import { Kehu } from "./kehu.mjs";
const kehu = new Kehu(process.env.KEHU_URL, process.env.KEHU_WRITE_KEY);
console.log(JSON.stringify(await kehu.send([JSON.parse(readFileSync(0))])));"""),
    "go": ("go", "go", "use/main.go", """
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"example.com/kehu"
)

func main() {
	var event kehu.Event
	if err := json.NewDecoder(os.Stdin).Decode(&event); err != nil {
		panic(err)
	}
	answer, err := kehu.New(os.Getenv("KEHU_URL"), os.Getenv("KEHU_WRITE_KEY")).Send([]kehu.Event{event})
	if err != nil {
		panic(err)
	}
	fmt.Printf(`{"accepted": %d, "repeats": %d}`, answer.Accepted, answer.Repeats)
}"""),
    "java": ("java", "Kehu.java", "Use.java", """
import java.util.*;

public class Use {
  public static void main(String[] arguments) throws Exception {
    Map<String, Object> properties = new HashMap<>(Map.of("order_id", "o \\"1\\"\\n", "total", 99.5, "currency", "CNY",
        "gift", true, "lines", List.of(Map.of("sku", "茶", "count", 2))));
    properties.put("note", null);
    Kehu kehu = new Kehu(System.getenv("KEHU_URL"), System.getenv("KEHU_WRITE_KEY"));
    System.out.println(kehu.send(List.of(Map.of("event", "Order Completed", "user_id", "u-java", "phone", "13912345678",
        "channel", "server", "properties", properties))));
  }
}"""),
    "php": ("php", "Kehu.php", "use.php", """<?php
require 'Kehu.php';
$kehu = new Kehu(getenv('KEHU_URL'), getenv('KEHU_WRITE_KEY'));
echo json_encode($kehu->send([json_decode(file_get_contents('php://stdin'), true)]));"""),
    "curl": ("curl", "kehu.sh", None, None),
}
COMMANDS = {"python": ["python3", "use.py"], "node": ["node", "use.mjs"], "go": ["go", "run", "./use"],
            "java": ["sh", "-c", "javac -encoding UTF-8 Kehu.java Use.java && java -Dfile.encoding=UTF-8 Use"],
            "php": ["php", "use.php"], "curl": ["sh", "kehu.sh"]}


class SnippetTest(kehu_server.ServerTest):
    """Each language sends one order through two made failures; it is stored as it was given, and counts once."""

    def expect_order(self, language):
        needed, source, name, text = SERVER_PROGRAMS[language]
        if shutil.which(needed) is None:
            kehu_server.skip(self, f"the snippet for {language}: {needed} is not installed")
        work = kehu_server.scratch(self)
        if (SDK / "server" / source).is_dir():
            shutil.copytree(SDK / "server" / source, work, dirs_exist_ok=True)
        else:
            shutil.copy(SDK / "server" / source, work)
        if name:
            (work / name).parent.mkdir(exist_ok=True)
            (work / name).write_text(text.lstrip())
        proxy = client_kit.FailingProxy(self, self.server.url, {"/api/v1/events"})
        event = {**EVENT, "user_id": EVENT["user_id"] % language}
        if language == "curl":
            event["message_id"] = "curl-1"
        environment = {**os.environ, "KEHU_URL": proxy.url + "/", "KEHU_WRITE_KEY": kehu_server.WRITE_KEY,
                       "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOPROXY": "off"}
        started = time.time() * 1000
        done = subprocess.run(COMMANDS[language], cwd=work, env=environment, capture_output=True, text=True, timeout=180,
                              input=json.dumps(event, ensure_ascii=False) + "\n")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual((answer["accepted"], answer["repeats"]), (0, 1), "what was answered with a failure was stored")
        self.assertEqual([status for status, _, _ in proxy.seen], [429, 503, 200])
        customer = self.server.customer(f"user_id:{event['user_id']}")
        self.assertEqual(self.counter_of(customer, "Order Completed"), 1)
        stored = [row for row in client_kit.events(self.server) if row["ids"].get("user_id") == event["user_id"]]
        self.assertEqual(len(stored), 1)
        self.assertEqual((stored[0]["type"], stored[0]["event"], stored[0]["channel"]), ("track", "Order Completed", "server"))
        self.assertEqual(stored[0]["properties"], EVENT["properties"])
        self.assertEqual(stored[0]["ids"]["phone"], "sealed")
        self.assertTrue(started - 1000 < stored[0]["time_ms"] < time.time() * 1000 + 1000)

    def test_python(self):
        self.expect_order("python")

    def test_node(self):
        self.expect_order("node")

    def test_go(self):
        self.expect_order("go")

    def test_java(self):
        self.expect_order("java")

    def test_php(self):
        self.expect_order("php")

    def test_curl(self):
        self.expect_order("curl")

    def test_a_wrong_key_is_not_tried_again(self):
        sys_path = f"import sys; sys.path.insert(0, {str(SDK / 'server')!r}); sys.dont_write_bytecode = True\n"
        program = sys_path + f"from kehu import Kehu\nKehu({self.server.url!r}, 'kwk_wrong').send([{{'event': 'A', 'user_id': 'u'}}])"
        done = subprocess.run(["python3", "-B", "-c", program], capture_output=True, text=True, timeout=20)
        self.assertIn("401", done.stderr)


if __name__ == "__main__":
    kehu_server.main()
