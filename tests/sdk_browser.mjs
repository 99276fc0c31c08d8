// Drives the browser SDK in Chromium for sdk_test.py: node sdk_browser.mjs CHROMIUM SITE SCENARIO OPTIONS. Prints what the
// scenario saw as JSON. Run in a directory where playwright-core is installed.
import { createRequire } from "node:module";
import { join } from "node:path";

const { chromium } = createRequire(join(process.cwd(), "here.js"))("playwright-core");
const [executablePath, site, scenario, optionsText] = process.argv.slice(2);
const options = { autoCapture: false, debug: true, ...JSON.parse(optionsText) };
const seen = { errors: [], requests: [] };

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--host-resolver-rules=MAP *.shop.test 127.0.0.1"] });
const context = await browser.newContext({ locale: "zh-CN", viewport: { width: 1000, height: 600 } });

const isIntake = (request) => request.url().startsWith(options.url);

async function open(path = "/", { init = true } = {}) {
  const page = await context.newPage();
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("request", (request) => {
    if (isIntake(request)) seen.requests.push({ method: request.method(), body: request.postData(), at: Date.now() });
  });
  await page.goto(new URL(path, site).href);
  if (init) await page.evaluate((given) => kehu.init(given), options);
  return page;
}

const track = (page, names) => page.evaluate((all) => all.forEach((name) => kehu.track(name, { name })), names);
const flush = (page) => page.evaluate(() => kehu.flush());
const numbered = (prefix, count) => Array.from({ length: count }, (_, i) => `${prefix} ${i}`);
const stored = (page) => page.evaluate(() => ({ names: Object.keys(localStorage), cookies: document.cookie }));
const queued = async (page) => (await stored(page)).names.filter((name) => name.includes(":q")).length;
const idle = (page) => page.waitForFunction(
  () => !Object.keys(localStorage).some((name) => name.includes(":q")), null, { timeout: 20000 });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const scenarios = {
  async calls() {
    const page = await open("/shop/list?utm_source=wechat&utm_campaign=11.11&token=secret-token#top");
    seen.anonymousId = await page.evaluate(() => kehu.anonymousId());
    await page.evaluate(() => {
      const properties = { product_id: "p1", price: 68, tags: ["茶", null, 1.5], nested: { deep: { yes: true } } };
      kehu.track("Product Viewed", properties);
      properties.price = 0; // a later change is not what was tracked
      kehu.page("首页", { section: 3 });
      kehu.identify("sdk-user", { city: "上海", phone: "13912345678" });
      kehu.group("g1", { plan: "pro" });
      kehu.track("Order Completed", { order_id: "o1", total: 12.5, currency: "CNY" });
      kehu.track("Emoji 🎁 \"quoted\" \u2028", {});
    });
    await flush(page);
    seen.title = await page.title();
    seen.userAgent = await page.evaluate(() => navigator.userAgent);
    seen.left = await queued(page);
  },

  async users() {
    const page = await open();
    seen.ids = await page.evaluate(() => {
      const ids = [kehu.anonymousId()];
      kehu.identify("first-user");
      ids.push(kehu.anonymousId());
      kehu.identify("second-user");
      ids.push(kehu.anonymousId());
      kehu.track("As Second");
      kehu.reset();
      ids.push(kehu.anonymousId());
      kehu.track("As Nobody");
      return ids;
    });
    await flush(page);
    await page.reload();
    await page.evaluate((given) => kehu.init(given), options);
    seen.afterReload = await page.evaluate(() => kehu.anonymousId());
  },

  async auto() {
    const page = await open("/auto?email=secret@example.com&utm_medium=mail", { init: false });
    await pause(1300);
    await page.fill("#name", "secret-name");
    await page.click("#name");
    await page.click("#buy b");
    await page.click("#named");
    await page.click("#private");
    await page.click("#mail", { noWaitAfter: true });
    await page.evaluate(() => {
      history.pushState({}, "", "/auto/detail?session=secret-session");
      document.title = "Detail";
    });
    await pause(400);
    await page.evaluate(() => {
      history.replaceState({}, "", "/auto/detail?session=secret-other"); // the same path: not another view
      document.querySelector("#banner").scrollIntoView();
      const late = document.createElement("div");
      Object.assign(late, { textContent: "late", style: "height:50px" });
      late.setAttribute("data-kehu-exposure", "Late Viewed");
      document.querySelector("#banner").after(late);
    });
    await pause(1600);
    await page.evaluate(() => scrollTo(0, 0));
    await pause(100);
    await page.evaluate(() => document.querySelector("#banner").scrollIntoView());
    await pause(1300);
    await page.goBack();
    await pause(1300);
    await page.click("#out");
    await page.waitForURL(/elsewhere/);
    await pause(500);
  },

  async early() {
    const page = await open("/early", { init: false });
    await page.waitForFunction(() => window.kehu.flush);
    await flush(page);
  },

  async offline() {
    const page = await open();
    await track(page, ["Before"]);
    await flush(page);
    await context.setOffline(true);
    await track(page, numbered("Offline", 5));
    await flush(page);
    await pause(1500);
    seen.kept = await queued(page);
    await context.setOffline(false);
    await idle(page);
  },

  async reload() {
    const broken = (route) => route.abort();
    await context.route(options.url + "/**", broken);
    const page = await open();
    await track(page, numbered("Kept", 150));
    await flush(page);
    seen.kept = await queued(page);
    await context.unroute(options.url + "/**", broken);
    await page.reload();
    await page.evaluate((given) => kehu.init(given), options);
    await idle(page);
  },

  async leave() {
    const page = await open();
    await page.evaluate(() => {
      for (let i = 0; i < 60; i++) kehu.track("Leaving " + i, { name: "Leaving " + i });
      location.href = "/elsewhere";
    });
    await page.waitForURL(/elsewhere/);
    await pause(1000);
    seen.arrivedByItself = seen.requests.length;
    const back = await open(); // what no answer confirmed is sent again, and counts once
    await idle(back);
  },

  // Plain HTTP: a page without the right to lock.
  async hosts() {
    const { port } = new URL(site);
    const pages = [await open(`http://www.shop.test:${port}/`), await open(`http://m.shop.test:${port}/`)];
    await pages[0].evaluate(() => kehu.identify("hosts-user"));
    for (const page of pages) {
      await track(page, ["At " + new URL(page.url()).hostname]);
      await flush(page);
    }
    seen.locks = await pages[0].evaluate(() => "locks" in navigator);
  },

  async sandbox() {
    const page = await open("/", { init: false });
    await page.evaluate((given) => {
      const frame = document.createElement("iframe");
      frame.sandbox = "allow-scripts";
      const calls = `kehu.init(${JSON.stringify(given)}); kehu.track("In a frame"); kehu.track("Also"); kehu.flush()`;
      frame.srcdoc = `<script src="${location.origin}/kehu.min.js"></script><script>${calls}</script>`;
      document.body.append(frame);
    }, options);
    await pause(2000);
  },

  async before() {
    const page = await open("/", { init: false });
    await page.evaluate((given) => {
      const before = (event) => {
        if (event.event === "Dropped") return false;
        if (event.event === "Replaced") return { ...event, properties: { replaced: true } };
        event.properties.changed = true;
      };
      kehu.init({ ...given, before });
      for (const name of ["Changed", "Dropped", "Replaced"]) kehu.track(name);
    }, options);
    await flush(page);
  },

  async beacon() {
    await context.addInitScript(() => delete Request.prototype.keepalive);
    const page = await open();
    await page.evaluate(() => {
      kehu.track("By beacon");
      location.href = "/elsewhere";
    });
    await page.waitForURL(/elsewhere/);
    await pause(1000);
  },

  async hidden() {
    const page = await open();
    await page.evaluate(() => {
      kehu.track("Hidden");
      Object.defineProperty(document, "hidden", { get: () => true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await idle(page);
  },

  async tabs() {
    const pages = [await open(), await open(), await open()];
    await Promise.all(pages.map((page, i) => track(page, numbered(`Tab ${i}`, 40))));
    await Promise.all(pages.map(flush));
    await idle(pages[0]);
    seen.ids = await Promise.all(pages.map((page) => page.evaluate(() => kehu.anonymousId())));
    await pages[0].evaluate(() => kehu.identify("tab-user"));
    // A browser tells the processes of other tabs a moment later what was stored.
    await pages[1].waitForFunction(() => Object.values(localStorage).includes("tab-user"), null, { timeout: 20000 });
    await track(pages[1], ["In another tab"]);
    await flush(pages[1]);
    await flush(pages[0]);
  },

  async consent() {
    const page = await open();
    await page.evaluate(() => {
      kehu.identify("asked-user");
      kehu.track("Held", { name: "Held" });
    });
    await flush(page);
    await pause(1200);
    seen.pending = { ...(await stored(page)), requests: seen.requests.length, id: await page.evaluate(() => kehu.anonymousId()) };
    seen.grantedAt = Date.now();
    await page.evaluate(() => kehu.consent("granted"));
    await idle(page);
    seen.granted = await stored(page);
    await page.evaluate(() => kehu.consent("pending"));
    await track(page, ["Asked again"]);
    await page.evaluate(() => kehu.consent("granted"));
    await flush(page);
    await idle(page);
    await page.evaluate(() => {
      kehu.track("Taken back", {}); // still queued when consent is taken back
      kehu.consent("denied");
    });
    await track(page, ["Denied"]);
    await flush(page);
    const before = seen.requests.length;
    await pause(800);
    seen.denied = { ...(await stored(page)), requests: seen.requests.length - before };
    await page.reload();
    await page.evaluate((given) => { kehu.consent("denied"); kehu.init({ ...given, consent: "granted" }); kehu.track("Early no"); }, options);
    await pause(500);
    seen.deniedEarly = { ...(await stored(page)), requests: seen.requests.length - before };
  },

  async retries() {
    // A browser's timers may fire before its clock reads their time.
    await context.addInitScript(() => {
      const late = setTimeout;
      globalThis.setTimeout = (work, ms = 0) => late(work, Math.max(0, ms - 20));
    });
    const page = await open();
    await track(page, numbered("Retried", 10));
    await flush(page);
    await idle(page);
  },

  async refused() {
    const page = await open();
    await page.evaluate(() => kehu.track("Huge", { text: "x".repeat(600000) }));
    await track(page, ["Beside"]);
    await flush(page);
    seen.left = await queued(page);
  },

  async clock() {
    await context.addInitScript(() => {
      const Real = Date;
      const ahead = 86400000;
      globalThis.Date = class extends Real {
        constructor(...given) { given.length ? super(...given) : super(Real.now() + ahead); }
        static now() { return Real.now() + ahead; }
      };
    });
    const page = await open();
    await track(page, ["Tomorrow"]);
    await pause(2000);
    await flush(page);
  },

  async storage() {
    await context.addInitScript(() => Object.defineProperty(window, "localStorage", { get() { throw new Error("blocked"); } }));
    const page = await open();
    seen.ids = [await page.evaluate(() => kehu.anonymousId())];
    await track(page, ["Without storage"]);
    await flush(page);
    await page.reload();
    await page.evaluate((given) => kehu.init(given), options);
    seen.ids.push(await page.evaluate(() => kehu.anonymousId()));
    await track(page, ["Again"]);
    await flush(page);
  },
};

try {
  await scenarios[scenario]();
  await pause(100);
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
