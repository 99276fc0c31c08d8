// Kehu in a WeChat mini-program: require("./kehu/kehu") at the top of app.js, before App(…). docs/clients/sdk.md has all
// options. Written for every base library from 2.1.2 on: no syntax that tools must translate.
const capture = require("./capture");
const identities = require("./identity");
const queues = require("./queue");
const senders = require("./sender");
const stores = require("./store");

const VERSION = "1.0.0";
const HELD_MAX = 300;
const DEFAULTS = {
  consent: "granted",
  keepQuery: [],
  batchSize: 30,
  flushAfterMs: 3000,
  queueSize: 500,
  queueDays: 7,
  sessionMinutes: 30,
  debug: false,
};

let options;
let consent; // undefined: nobody said anything yet
let room; // what exists while consent is granted: {store, identity, queue, sender}
let held = [];
let place = {}; // {page, campaign} of the page in sight

function warn(count, why) {
  if (options && options.debug) console.warn("kehu: " + count + " event(s) dropped: " + why);
}

function ask(name) {
  try {
    return (wx[name] && wx[name]()) || {};
  } catch (error) {
    return {};
  }
}

function batchContext() {
  const old = wx.getDeviceInfo ? {} : ask("getSystemInfoSync");
  const device = Object.assign({}, old, ask("getDeviceInfo"));
  const base = Object.assign({}, old, ask("getAppBaseInfo"));
  const view = Object.assign({}, old, ask("getWindowInfo"));
  const app = ask("getAccountInfoSync").miniProgram || {};
  const system = String(device.system || "").split(" ");
  return {
    library: { name: "kehu-miniprogram", version: VERSION },
    channel: "mini_program",
    app: { id: app.appId, version: app.version, environment: app.envVersion },
    host: { name: "WeChat", version: base.version, library: base.SDKVersion },
    device: { manufacturer: device.brand, model: device.model },
    os: { name: system[0], version: system[1] },
    screen: { width: view.screenWidth, height: view.screenHeight, density: view.pixelRatio },
    locale: base.language,
  };
}

function enter() {
  const store = stores.open("kehu:" + options.writeKey + ":");
  const queue = queues.open(store, { events: options.queueSize, days: options.queueDays }, warn);
  const identity = identities.open(store, options.sessionMinutes * 60000);
  const sender = senders.open(queue, options, batchContext, warn);
  if (queue.size()) sender.schedule(1); // of the launch before
  return { store, identity, queue, sender };
}

function close() {
  if (room) room.sender.stop();
  room = undefined;
}

function apply(given) {
  consent = given;
  if (given === "denied") held = [];
  if (!options) return;
  if (given === "granted") {
    room = room || enter();
    held.splice(0).forEach((work) => work(room));
    return;
  }
  close();
  if (given === "denied") stores.open("kehu:" + options.writeKey + ":").clear();
}

// Now, later or never.
function whenGranted(work) {
  if (room) return work(room);
  if (consent === "denied") return;
  held.push(work);
  if (held.length > HELD_MAX && held.shift()) warn(1, "too many wait for consent");
}

// Time and place are those of the call; who it was is settled when it is allowed to know.
function record(fields, before) {
  const time = Date.now();
  let text;
  try {
    text = JSON.stringify(Object.assign({}, fields, { context: place })); // as it is now
  } catch (error) {
    return warn(1, String(error));
  }
  whenGranted((room) => {
    if (before) before(room.identity);
    const event = Object.assign(JSON.parse(text), {
      messageId: identities.messageId(time),
      timestamp: new Date(time).toISOString(),
      anonymousId: room.identity.anonymousId(),
    });
    const userId = room.identity.userId();
    if (userId) event.userId = userId;
    event.context.session = { id: room.identity.sessionId(time) };
    const kept = options.before ? options.before(event) : event;
    if (kept === false) return;
    room.queue.add(event.messageId, JSON.stringify(kept || event));
    room.sender.added();
  });
}

const kehu = {
  // Once, before App(…).
  init(given) {
    if (options) return;
    options = Object.assign({}, DEFAULTS, given);
    apply(consent || options.consent);
    const all = given.autoCapture === undefined ? true : given.autoCapture;
    const wanted = all === true ? { launches: true, views: true, dwell: true, shares: true } : all || {};
    const moveTo = (where) => (place = where);
    capture.start({ kehu, wanted, keepQuery: options.keepQuery, moveTo, onHide: () => void kehu.flush() });
    if (wx.onNetworkStatusChange) {
      wx.onNetworkStatusChange((status) => status.isConnected && room && room.sender.online());
    }
  },
  track(event, properties) {
    record({ type: "track", event, properties: properties || {} });
  },
  page(name, properties) {
    const fields = { type: "page", properties: Object.assign({}, place.page, properties) };
    if (name) fields.name = name;
    record(fields);
  },
  // Without a user id the traits belong to the anonymous visitor: identify(null, {openid, unionid}).
  identify(userId, traits) {
    record({ type: "identify", traits: traits || {} }, (identity) => userId && identity.setUserId(String(userId)));
  },
  group(groupId, traits) {
    record({ type: "group", groupId, traits: traits || {} });
  },
  reset() {
    whenGranted((room) => room.identity.forget());
  },
  consent: apply,
  // Fulfilled when the server has answered or cannot be reached.
  flush() {
    return room ? room.sender.flush() : Promise.resolve();
  },
  anonymousId() {
    return room ? room.identity.anonymousId() : undefined;
  },
};

module.exports = kehu;
