#!/usr/bin/env python3
"""The page at `/` in a real browser: headless Chromium, driven by playwright-core from npm."""
import json
import pathlib
import subprocess
import unittest

import client_kit
import kehu_server


PROGRAM = r"""
const { chromium } = require("playwright-core");
const [executablePath, url, token, writeKey] = process.argv.slice(2);
const seen = { errors: [], elsewhere: [] };

function watch(page, mayFail) {
  page.on("console", (message) => { if (message.type() === "error" && !mayFail) seen.errors.push(message.text()); });
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("request", (request) => { if (!/^data:/.test(request.url()) && new URL(request.url()).host !== new URL(url).host) seen.elsewhere.push(request.url()); });
  return page;
}
async function send(events) {
  const answer = await fetch(url + "/api/v1/events", { method: "POST", body: events.map((e) => JSON.stringify(e)).join("\n") + "\n",
    headers: { Authorization: "Basic " + Buffer.from(writeKey + ":").toString("base64") } });
  if (answer.status !== 200) throw new Error("events: " + answer.status);
}
const person = { user_id: "page-user", email: "page@example.com", phone: "13912345678" };
let numbers = 0;
const event = (more) => ({ event: "Product Viewed", message_id: "page-" + numbers++, channel: "app", ...person, ...more });
const text = (page, id) => page.locator("#" + id).innerText();
const until = (page, id, pattern) => page.waitForFunction(([i, p]) => new RegExp(p).test(document.getElementById(i).innerText), [id, pattern], { timeout: 15000 }).catch(async (error) => { throw new Error(error.message + " " + id + " never has " + pattern + " but " + await text(page, id)); });
async function search(page, query, pattern) {
  await page.fill("#query", query);
  await page.click("#search button");
  await until(page, "result", pattern);
  return text(page, "result");
}
// Two different characters look different, unless both are the box of a missing font.
const hasChineseFont = (page) => page.evaluate(() => {
  const draw = (character) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 40 });
    const context = canvas.getContext("2d");
    context.font = "32px " + getComputedStyle(document.body).fontFamily;
    context.fillText(character, 2, 34);
    return canvas.toDataURL();
  };
  return draw("客") !== draw("户");
});

(async () => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  await send([{ type: "identify", message_id: "page-identify", ...person, traits: { name: "王小明", city: "上海" } }]);

  const stranger = watch(await (await browser.newContext({ locale: "en-US" })).newPage(), true);
  await stranger.goto(url);
  seen.hidden = !(await stranger.locator("#main").isVisible()) && (await stranger.locator("#sign-in").isVisible());
  await stranger.fill("#token", "wrong");
  await stranger.click("#sign-in button");
  await until(stranger, "sign-in-error", "not the token");
  await stranger.fill("#token", token);
  await stranger.click("#sign-in button");
  await until(stranger, "events", "^1$");

  const page = watch(await (await browser.newContext({ locale: "zh-CN", viewport: { width: 1360, height: 900 } })).newPage(), false);
  await page.goto(url + "/#token=" + token);
  await until(page, "freshness", "数据截至 [0-9:]+ .Asia/Shanghai.");
  seen.address = page.url();
  seen.language = await page.evaluate(() => document.documentElement.lang);
  seen.title = await text(page, "main");
  seen.font = await hasChineseFont(page);
  await until(page, "quiet", "curl -u");
  for (let i = 0; i < 10; ++i) {
    await send([event(), event({ event: "Order Completed", properties: { order_id: "o" + i, total: 99.5, currency: "CNY" } })]);
    await page.waitForTimeout(200);
  }
  await until(page, "events", "^21$");
  await until(page, "rate", "[1-9]");
  await until(page, "stream", "完成订单[^]*¥99.50[^]*App");
  await page.waitForTimeout(1200);
  seen.points = await page.evaluate(() => document.querySelector("#chart polyline").getAttribute("points").split(" ").length);
  await send(['{"broken":1}'].map(JSON.parse));
  await until(page, "rejections", "^1$");

  await until(page, "segment-list", "近期下单\\s+1\\s+(\\+1)?\\s*做过\\(.Order Completed.");
  await until(page, "segment-list", "常客\\s+0");
  seen.segments = await text(page, "segments");
  await page.locator("#segment-list tr", { hasText: "近期下单" }).locator("button").click();
  await until(page, "result", "会员号 page-user");
  await page.locator("#result button").first().click();
  await until(page, "result", "王小明[^]*近期下单[^]*偏好: 完成");

  seen.byEmail = await search(page, "page@example.com", "王小明");
  seen.nobody = await search(page, "nobody@example.com", "没有找到");
  seen.byPhone = await search(page, "13912345678", "王小明");
  seen.byName = await search(page, "user_id:page-user", "王小明");
  await send([event({ event: "Note Viewed" })]);
  await until(page, "result", "浏览笔记");
  await page.locator("#stream button").first().click();
  await until(page, "result", "王小明");

  await until(page, "try", "例如[^]*user_id:page-user");
  await page.click("#try-one");
  await until(page, "result", "王小明[^]*渠道[^]*App[^]*行为");
  await page.locator("#result button", { hasText: "为什么是同一个人" }).click();
  await until(page, "result", "身份关联的依据[^]*会员号 page-user[^]*default");
  await send(Array.from({ length: 14 }, (_, i) => event({ event: "Kind " + i })));
  await until(page, "result", "另有 [1-9]");
  await page.locator("#result button", { hasText: "另有" }).first().click();
  await until(page, "result", "Kind 0\\s[^]*Kind 13\\s");
  await search(page, "", "输入完整的手机号");
  await page.locator("#stream li .time").first().click();  // anywhere on the line
  await until(page, "result", "王小明");
  await page.click("#quarantine");
  await until(page, "result", "隔离区：待处理[^]*default[^]*kehu rejections");
  await page.locator("#stream li").first().click();
  await until(page, "result", "王小明");
  seen.lines = [await page.locator("#stream li").count()];
  await page.click("#language");
  seen.lines.push(await page.locator("#stream li").count());
  await page.click("#language");

  await page.click("#debugger summary");
  await until(page, "debugger-state", "实时|还没有请求");
  await fetch(url + "/v1/batch", { method: "POST", headers: { Authorization: "Basic " + Buffer.from(writeKey + ":").toString("base64") },
    body: JSON.stringify({ batch: [{ type: "track", userId: "page-user", event: "Debugged", messageId: "debugged", properties: { email: "page@example.com" } }, { type: "track", userId: "page-user" }] }) });
  await page.locator("#requests button.request", { hasText: "/v1/batch" }).first().click();
  await until(page, "requests", "归户[^]*已知客户 1[^]*Debugged[^]*missing_event_name");
  seen.debugged = await text(page, "requests");
  seen.colours = await page.evaluate(() => [...new Set([...document.querySelectorAll("#requests li:first-child .verdict")].map((badge) => badge.className + " " + getComputedStyle(badge).color))]);
  await page.click("#pause");
  await page.click("#language");
  await until(page, "requests", "known customer 1");
  await page.click("#debugger summary");
  await until(page, "main", "Find a customer[^]*Net revenue CNY\\s*¥995.00[^]*Note Viewed");
  await until(page, "segment-list", "did\\(.Order Completed., last 7 days\\)");
  seen.english = await text(page, "main");
  await page.reload();
  await until(page, "freshness", "Live|No new events");
  seen.englishStays = await page.evaluate(() => document.documentElement.lang);
  await page.setViewportSize({ width: 390, height: 800 });
  seen.overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await browser.close();
  console.log(JSON.stringify(seen));
})().catch((error) => { console.error(error); process.exit(1); });
"""


def playwright(case):
    if client_kit.CHROMIUM is None:
        kehu_server.skip(case, "the page in a browser: Chromium is not installed (apt-get install chromium)")
    return client_kit.node_packages(case, "playwright", client_kit.PLAYWRIGHT)


class PageTest(kehu_server.ServerTest):
    def test_in_a_browser(self):
        directory = playwright(self)
        rules = kehu_server.scratch(self)
        (rules / "x.kehu").write_text('segment 近期下单 = did("Order Completed", last 7 days)\n'
                                      'segment 常客 = count("Order Completed") > 100\n'
                                      'tag 偏好 = case when ever("Order Completed") then "完成" end\n')
        applied = kehu_server.run("apply", rules, "--url", self.server.url)
        self.assertEqual(applied.returncode, 0, applied.stdout + applied.stderr)
        pathlib.Path(directory, "page.js").write_text(PROGRAM)
        done = subprocess.run(["node", "page.js", client_kit.CHROMIUM, self.server.url, kehu_server.ADMIN_TOKEN,
                               kehu_server.WRITE_KEY], cwd=directory, capture_output=True, text=True, timeout=180)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        seen = json.loads(done.stdout)
        self.assertEqual(seen["errors"], [])
        self.assertEqual(seen["elsewhere"], [], "everything comes from the server itself")
        self.assertTrue(seen["hidden"], "without a token there is nothing to see")
        self.assertNotIn(kehu_server.ADMIN_TOKEN, seen["address"])
        self.assertEqual((seen["language"], seen["englishStays"]), ("zh-CN", "en"))
        for word in ("分群", "名称", "人数", "近期下单", "规则"):
            self.assertIn(word, seen["segments"])
        for word in ("Segments", "Size", "近期下单"):
            self.assertIn(word, seen["english"])
        for word in ("实时流量", "事件总数", "客户数", "隔离区", "查找客户", "实时事件"):
            self.assertIn(word, seen["title"])
        self.assertGreater(seen["points"], 2, "the chart moves")
        self.assertGreater(seen["lines"][0], 5)
        self.assertEqual(*seen["lines"], "another language leaves the stream as it is")
        for found in (seen["byEmail"], seen["byPhone"], seen["byName"]):
            self.assertIn("上海", found)
            self.assertIn("139****5678", found)
            self.assertNotIn("13912345678", found)
            self.assertNotIn("page@example.com", found)
        for word in ("部分", "密钥", "kwk_outside_…", "p***@example.com", "已隔离", "status 200", "success"):
            self.assertIn(word, seen["debugged"])
        self.assertNotIn("page@example.com", seen["debugged"])
        self.assertEqual({colour.split()[1] for colour in seen["colours"]}, {"passed", "partly", "failed"})
        self.assertEqual(len({colour.split(" ", 2)[2] for colour in seen["colours"]}), 3, seen["colours"])
        for word in ("Live traffic", "Customers", "Quarantine", "Identifiers", "Orders"):
            self.assertIn(word, seen["english"])
        self.assertNotIn("订单", seen["english"])
        self.assertLessEqual(seen["overflow"], 0, "on a phone nothing is cut off")
        if not seen["font"]:
            kehu_server.skip(self, "how Chinese looks: there is no Chinese font here (apt-get install fonts-noto-cjk)")


if __name__ == "__main__":
    kehu_server.main()
