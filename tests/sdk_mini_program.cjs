// Drives the mini-program SDK for sdk_test.py with the parts of wx that it uses: node sdk_mini_program.cjs SDK SCENARIO
// OPTIONS. Prints what the scenario saw as JSON. A launch is a fresh copy of the SDK; the storage outlives it.
const [sdk, scenario, optionsText] = process.argv.slice(2);
const options = { debug: true, ...JSON.parse(optionsText) };
const seen = { requests: 0, warnings: [] };
const storage = new Map();
let connected = true;
let onNetwork = () => {};
let app, pages;

console.warn = (text) => seen.warnings.push(text);
global.wx = {
  getStorageSync: (key) => storage.get(key) ?? "",
  setStorageSync: (key, value) => void storage.set(key, value),
  removeStorageSync: (key) => void storage.delete(key),
  getStorageInfoSync: () => ({ keys: [...storage.keys()] }),
  getDeviceInfo: () => ({ brand: "HUAWEI", model: "Mate 60", system: "HarmonyOS 4.2", platform: "android" }),
  getAppBaseInfo: () => ({ version: "8.0.50", SDKVersion: "3.5.1", language: "zh_CN" }),
  getWindowInfo: () => ({ screenWidth: 390, screenHeight: 844, pixelRatio: 3 }),
  getAccountInfoSync: () => ({ miniProgram: { appId: "wx1234567890", version: "1.2.0", envVersion: "release" } }),
  onNetworkStatusChange: (listener) => (onNetwork = listener),
  request({ url, method, data, header, success, fail }) {
    seen.requests++;
    if (!connected) return setTimeout(() => fail({ errMsg: "request:fail" }), 5);
    fetch(url, { method, body: data, headers: header }).then(
      (answer) => success({ statusCode: answer.status, header: Object.fromEntries(answer.headers) }),
      (error) => fail({ errMsg: String(error) }));
  },
};

function launch({ kehuOptions = options, query = {} } = {}) {
  for (const file of Object.keys(require.cache)) if (file.startsWith(sdk)) delete require.cache[file];
  pages = {};
  global.App = (given) => (app = given);
  global.Page = (given) => (pages[given.route] = given);
  global.Component = (given) => (pages[given.route] = { ...given.methods, route: given.route });
  const kehu = require(sdk + "/kehu.js");
  if (kehuOptions) kehu.init(kehuOptions);
  App({ onLaunch() { seen.launched = this === app; } });
  Page({ route: "pages/index", onShareAppMessage: () => ({ title: "来看看" }), onLoad(given) { seen.loaded = given; } });
  Component({ route: "pages/detail", methods: { onLoad() {} } });
  app.onLaunch({ path: "pages/index", scene: 1047, query });
  app.onShow({ path: "pages/index", scene: 1047, query, referrerInfo: { appId: "wx-other" } });
  return kehu;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const queued = () => [...storage.keys()].filter((key) => key.includes(":q")).length;
async function idle() {
  for (let i = 0; i < 200 && queued(); i++) await pause(50);
}

const scenarios = {
  async life() {
    const kehu = launch({ query: { utm_source: "qr", scene: "secret-scene" } });
    seen.anonymousId = kehu.anonymousId();
    pages["pages/index"].onLoad({ utm_source: "qr", phone: "secret-phone" });
    pages["pages/index"].onShow();
    await pause(1200);
    seen.share = pages["pages/index"].onShareAppMessage({ from: "button" });
    seen.timeline = typeof pages["pages/index"].onShareTimeline;
    kehu.track("Product Viewed", { product_id: "p1", price: 68, nested: { list: [1, "二", null] } });
    kehu.identify(null, { openid: "o-1", unionid: "un-1" });
    kehu.identify("mini-user", { city: "上海", phone: "13912345678" });
    pages["pages/index"].onHide();
    pages["pages/detail"].onLoad({});
    pages["pages/detail"].onShow();
    kehu.group("g1", { plan: "pro" });
    pages["pages/detail"].onHide();
    app.onHide(); // sends
    await idle();
    app.onShow({ path: "pages/detail", scene: 1001, query: {} });
    await kehu.flush();
  },
  async offline() {
    connected = false;
    const kehu = launch();
    for (let i = 0; i < 30; i++) kehu.track("Kept " + i, { name: "Kept " + i });
    await kehu.flush();
    seen.kept = queued();
    const later = launch();
    later.track("Next launch", { name: "Next launch" });
    await later.flush();
    connected = true;
    onNetwork({ isConnected: true });
    await idle();
    seen.left = queued();
  },
  async retries() {
    // A phone's timers may fire before its clock reads their time.
    const { setTimeout } = global;
    global.setTimeout = (work, ms = 0) => setTimeout(work, Math.max(0, ms - 20));
    const kehu = launch();
    for (let i = 0; i < 5; i++) kehu.track("Retried " + i, { name: "Retried " + i });
    await kehu.flush();
    await kehu.flush(); // the server asked for a second: this sends nothing
    await idle();
  },
  async consent() {
    const kehu = launch({ kehuOptions: { ...options, consent: "pending" } });
    kehu.track("Held", { name: "Held" });
    await kehu.flush();
    await pause(300);
    seen.pending = { keys: storage.size, requests: seen.requests };
    kehu.consent("granted");
    await kehu.flush();
    kehu.track("Taken back", {});
    kehu.consent("denied");
    kehu.track("Denied", {});
    await kehu.flush();
    seen.denied = { keys: storage.size, requests: seen.requests };
  },
};

scenarios[scenario]().then(() => {
  console.log(JSON.stringify(seen));
  process.exit(0);
});
