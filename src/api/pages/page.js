"use strict";
const $ = (id) => document.getElementById(id);
let language = localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
let token = sessionStorage.getItem("token") || "";
let zone = "UTC";
let paused = false;
let connection = "";  // "", "live" or "lost"
let asOf = null;      // server time of the newest counts
let heardAt = 0;      // our own clock, when they came
let customer = null;  // the document shown
const lines = [];     // the live events shown, newest first
let hovered = false;  // a line must not move away under the pointer
const samples = [];   // [our clock in ms, events so far], newest last
const rates = [];     // events of each of the last 120 seconds

const say = (key) => texts[language][key];
const named = (group, name) => say(group)[name] || name;
const number = (n) => Number(n).toLocaleString(say("locale"));
const clock = (text) => new Date(text).toLocaleTimeString("sv", { timeZone: zone });  // 14:45:24
const date = (text) => !text ? "–" : new Date(text).toLocaleString("sv", { timeZone: zone, dateStyle: "short", timeStyle: "short" });  // 2026-11-22 14:45
function money(amount, currency) {
  if (amount === null || amount === undefined) return "";
  try {
    return Number(amount).toLocaleString(say("locale"), { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  } catch {
    return number(amount) + (currency ? " " + currency : "");  // not a currency of ISO 4217
  }
}

function node(tag, text, properties = {}) {
  const element = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) element.textContent = text;
  return element;
}
function parent(tag, children, properties = {}) {
  const element = node(tag, undefined, properties);
  element.append(...children);
  return element;
}

function translate() {
  document.documentElement.lang = say("locale");
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
  for (const element of document.querySelectorAll("[data-placeholder]")) element.placeholder = say(element.dataset.placeholder);
  $("language").textContent = say("other");
  $("pause").textContent = say(paused ? "resume" : "pause");
  $("stream").replaceChildren(...lines.map(streamLine));
  showFreshness();
  showSegments();
  if (customer) showCustomer(customer);
}
$("language").onclick = () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  translate();
  refresh();
};
$("pause").onclick = () => {
  paused = !paused;
  $("pause").textContent = say(paused ? "resume" : "pause");
};

async function get(path) {
  const answer = await fetch(path, { headers: { Authorization: "Bearer " + token } });
  const body = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(body.detail), { status: answer.status });
  return body;
}

// A customer, and while it is shown every change of it.
function table(heads, rows) {
  const cell = (tag, value, at) => node(tag, value, { className: heads[at].startsWith("#") ? "number" : "" });
  const head = parent("tr", heads.map((text, at) => cell("th", text.replace("#", ""), at)));
  return parent("table", [head, ...rows.map((row) => parent("tr", row.map((value, at) => cell("td", value, at))))]);
}
function section(title, heads, rows, most = 12) {
  if (!rows.length) return node("span");
  const whole = parent("section", [node("h3", title), table(heads, rows.slice(0, most))]);
  if (rows.length > most) {
    const all = () => whole.replaceWith(section(title, heads, rows, rows.length));
    whole.append(parent("p", [node("button", say("more") + number(rows.length - most), { className: "link", type: "button", onclick: all })]));
  }
  return whole;
}
// What joined the identifiers, asked for only when somebody wants to know.
function evidence(c) {
  const shown = parent("p", [node("button", say("whyOne"), { className: "link", type: "button", onclick: async () => {
    try {
      const graph = await get("/api/v1/customers/" + c.customer_id + "/identities");
      const name = (token) => {
        const known = graph.identifiers.find((i) => i.token === token);
        return known ? named("types", known.type) + " " + known.value : token;
      };
      const rows = graph.links.map((link) => [name(link.a) + " – " + name(link.b), named("linkKinds", link.kind), link.source || link.reason || "", number(link.link)]);
      shown.replaceWith(rows.length ? section(say("links"), [say("joined"), say("type"), say("source"), "#" + say("record")], rows) : node("p", say("oneOnly"), { className: "soft" }));
    } catch (error) {
      shown.replaceWith(node("p", error.message, { className: "error" }));
    }
  } })]);
  return c.identifiers.length > 1 ? shown : node("span");
}
function favourites(c) {
  const tops = (c.metrics || []).filter((metric) => metric.kind === "top");
  return tops.flatMap((metric) => metric.top.slice(0, 3).map((one) => [named("eventNames", metric.event), metric.property.replace(/^products\[\]\./, ""), one.value, number(one.count)]));
}
function figure(title, value) { return parent("div", [node("dt", title), node("dd", value)]); }
function person(c) {
  const name = c.traits.name || (c.identifiers[0] && c.identifiers[0].type !== "anonymous_id" ? c.identifiers[0].value : say("unnamed"));
  const lines = [node("strong", name), node("p", c.customer_id + " · " + say("updating"), { className: "soft" })];
  return parent("div", [node("span", [...name][0], { className: "face" }), parent("div", lines)], { className: "person" });
}
function figures(c) {
  const items = [figure(say("lastSeen"), date(c.last_seen).replace(" ", "\n")), figure(say("firstSeen"), date(c.first_seen).replace(" ", "\n")), figure(say("eventCount"), number(c.events))];
  for (const r of c.revenue) {
    items.push(figure(say("orderCount"), number(r.orders)), figure(say("revenue") + " " + r.currency, money(r.revenue - r.refunded, r.currency)));
    if (r.refunded > 0) items.push(figure(say("refunded") + " " + r.currency, money(r.refunded, r.currency)));
  }
  return parent("dl", items, { className: "figures" });
}
function showCustomer(c) {
  customer = c;
  const value = (v) => (typeof v === "string" ? v : typeof v === "number" ? String(v) : JSON.stringify(v));
  const identity = section(say("identifiers"), [say("type"), say("value")],
    c.identifiers.map((i) => [named("types", i.type), i.value + (i.shared ? " (" + say("shared") + ")" : "")]));
  const traits = section(say("traits"), [say("type"), say("value")],
    Object.entries(c.traits).filter(([k]) => k !== "name" && !c.identifiers.some((i) => i.type === k)).map(([k, v]) => [named("traitNames", k), value(v)]));
  $("result").replaceChildren(person(c), memberships(c), figures(c), parent("div", [identity, traits], { className: "halves" }), evidence(c),
    section(say("channelsTitle"), [say("channel"), "#" + say("firstSeen"), "#" + say("lastSeen")],
      c.channels.map((one) => [named("channels", one.channel), date(one.first_seen), date(one.last_seen)])),
    section(say("orders"), [say("order"), say("status"), "#" + say("amount"), "#" + say("time")],
      c.orders.map((o) => [o.order_id, named("statuses", o.status), o.amount_unread ? "?" : money(o.amount, o.currency), date(o.last)]), 6),
    section(say("counters"), [say("event"), "#" + say("total"), "#" + say("days30"), "#" + say("last")],
      c.counters.map((k) => [named("eventNames", k.event), number(k.total), number(k.last_30d), date(k.last)])),
    section(say("favourites"), [say("event"), say("type"), say("value"), "#" + say("total")], favourites(c)),
    section(say("recent"), [say("time"), say("event"), say("channel")],
      c.recent_events.map((e) => [date(e.time), named("eventNames", e.event || e.type), named("channels", e.channel)]), 20));
}
function complain(text) {
  customer = null;
  $("result").replaceChildren(node("p", text, { className: "error" }));
}
async function open(name) {
  try {
    showCustomer(await get("/api/v1/customers/" + encodeURIComponent(name)));
  } catch (error) {
    complain(error.status === 404 ? say("none") : error.message);
  }
}
let reopening = 0;
function reopen() {
  if (reopening) return;
  reopening = setTimeout(() => { reopening = 0; if (customer) open(customer.customer_id); }, 300);
}
$("search").onsubmit = async (event) => {
  event.preventDefault();
  const query = $("query").value.trim();
  if (!query) return complain(say("searchHelp"));
  if (/^[a-z_]+:./.test(query) || /^[0-9a-f]{32}$/.test(query)) return open(query);
  try {
    const found = (await get("/api/v1/customers?q=" + encodeURIComponent(query))).customers;
    if (found.length === 0) return complain(say("none"));
    if (found.length === 1) return open(found[0].customer_id);
    customer = null;
    const links = found.map((one) => parent("p", [node("button", named("types", one.matched) + " · " + one.customer_id,
      { className: "link", type: "button", onclick: () => open(one.customer_id) })]));
    $("result").replaceChildren(node("p", say("several")), ...links);
  } catch (error) {
    complain(error.message);
  }
};

$("try-one").onclick = () => { $("query").value = $("try-one").textContent; open($("try-one").textContent); };
// An identifier that can be read, of the first customer who has one: something to search for.
let offering = false;
async function offer(message) {
  if (offering || !$("try").hidden || /^0*$/.test(message.customer_id || "")) return;
  offering = true;
  try {
    const { identifiers } = await get("/api/v1/customers/" + message.customer_id);
    const known = identifiers.find((i) => !i.masked && i.type !== "anonymous_id" && i.type !== "device_id");
    if (known) {
      $("try-one").textContent = known.type + ":" + known.value;
      $("try").hidden = false;
    }
  } catch {  // the next event is another chance
  } finally {
    offering = false;
  }
}
$("quarantine").onclick = async () => {
  try {
    const { rejections } = await get("/api/v1/rejections?limit=50&state=open");
    customer = null;
    const rows = rejections.map((one) => [date(one.received_at), one.source, one.reason, [one.origin, one.path].filter(Boolean).join(" "), one.detail]);
    $("result").replaceChildren(rows.length ? section(say("openRejections"), [say("time"), say("source"), say("reason"), say("place"), say("detail")], rows) : node("p", say("noRejections"), { className: "soft" }),
      node("p", say("repairHint"), { className: "soft" }));
    $("result").scrollIntoView({ block: "nearest" });
  } catch (error) {
    complain(error.message);
  }
};

// Counters. Messages come only while something happens, so the rate and the chart run on a clock of our own.
function showFreshness() {
  $("freshness").className = connection;
  const quiet = Date.now() - heardAt > 5000;
  $("freshness-text").textContent = connection === "lost" ? say("lost") : asOf ? say(quiet ? "idle" : "live") + clock(asOf) + " (" + zone + ")" : "";
}
function showCounts(counts) {
  asOf = counts.time;
  heardAt = Date.now();
  samples.push([heardAt, counts.events]);
  $("events").textContent = number(counts.events);
  $("customers").textContent = number(counts.customers);
  $("rejections").textContent = number(counts.rejections);
  const share = counts.rejections / Math.max(1, counts.events + counts.rejections);
  $("rejections-share").textContent = share.toLocaleString(say("locale"), { style: "percent", maximumFractionDigits: 2 });
  showFreshness();
}
function eventsSince(start) {
  const newest = samples[samples.length - 1];
  const base = samples.findLast(([at]) => at <= start) || samples[0];
  return newest && newest[0] > start ? newest[1] - base[1] : 0;
}
function draw() {
  const top = Math.max(1, ...rates);
  const points = rates.map((rate, i) => ((120 - rates.length + i) * 600 / 119).toFixed(1) + "," + (59 - 57 * rate / top).toFixed(1));
  const shape = (tag, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    element.setAttribute("points", text);
    return element;
  };
  const left = ((120 - rates.length) * 600 / 119).toFixed(1);
  $("chart").replaceChildren(shape("polygon", left + ",60 " + points.join(" ") + " 600,60"), shape("polyline", points.join(" ")));
  $("chart-top").textContent = say("peak") + " " + number(Math.round(top));
}
setInterval(() => {
  if (!samples.length) return;
  const now = Date.now();
  const span = Math.min(5, Math.max(1, (now - samples[0][0]) / 1000));
  const rate = eventsSince(now - 5000) / span;
  $("rate").textContent = rate > 0 && rate < 10 ? rate.toLocaleString(say("locale"), { maximumFractionDigits: 1 }) : number(Math.round(rate));
  rates.push(eventsSince(now - 1000));
  if (rates.length > 120) rates.shift();
  while (samples.length > 2 && samples[1][0] < now - 10000) samples.shift();
  draw();
  showFreshness();
}, 1000);

let room = 5;  // more lines than this in half a second nobody can read
setInterval(() => { room = 5; }, 500);
$("stream").onmouseenter = () => { hovered = true; };
$("stream").onmouseleave = () => { hovered = false; };
function streamLine(message) {
  const p = message.properties;
  const amount = message.event.startsWith("Order ") ? money(p.total ?? p.revenue ?? p.value, p.currency) : "";
  const detail = p.name ?? p.query ?? p.title ?? p.store ?? p.topic ?? p.category ?? p.products?.[0]?.name ?? "";
  return parent("li", [
    node("span", clock(message.time), { className: "time" }),
    node("button", named("eventNames", message.event || message.type), { className: "link", type: "button" }),
    node("span", detail, { className: "detail" }), node("span", amount, { className: "amount" }), node("span", named("channels", message.channel), { className: "tag" })],
    { onclick: () => open(message.customer_id) });  // of the button too
}
function stream(message) {
  if (customer && message.customer_id === customer.customer_id) reopen();
  offer(message);
  if (paused || hovered || room-- <= 0) return;
  $("quiet").hidden = true;
  lines.unshift(message);
  $("stream").prepend(streamLine(message));
  if (lines.length <= 20) return;
  lines.pop();
  $("stream").lastChild.remove();
}

function listen() {
  const scheme = location.protocol === "https:" ? "wss://" : "ws://";
  const socket = new WebSocket(scheme + location.host + "/api/v1/live?subscribe=events,counts&access_token=" + encodeURIComponent(token));
  socket.onopen = () => { connection = "live"; refresh(); };
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.kind === "counts") showCounts(message);
    if (message.kind === "event") stream(message);
    if (message.kind === "missed") $("freshness-text").textContent = number(message.messages) + say("missed");
  };
  socket.onclose = () => { connection = "lost"; showFreshness(); setTimeout(listen, 1000); };
}
async function refresh() {
  if (!token) return;
  try {
    showCounts(await get("/api/v1/stats"));
  } catch { /* the socket tells when the server is back */ }
}
async function enter() {
  $("sign-in").hidden = token !== "";
  if (!token) return;
  try {
    const stats = await get("/api/v1/stats");
    zone = stats.time_zone;
    showCounts(stats);
    $("main").hidden = false;
    listen();
  } catch (error) {
    $("sign-in").hidden = false;
    $("sign-in-error").textContent = error.status === 401 ? say("wrong") : error.message;
  }
}
$("sign-in").onsubmit = (event) => {
  event.preventDefault();
  token = $("token").value.trim();
  sessionStorage.setItem("token", token);
  enter();
};
// A link with #token=… signs in; the fragment never leaves the browser and is removed at once.
if (location.hash.startsWith("#token=")) {
  token = decodeURIComponent(location.hash.slice(7));
  sessionStorage.setItem("token", token);
  history.replaceState(null, "", location.pathname);
}
$("example").textContent = "curl -u WRITE_KEY: " + location.origin + "/v1/track -d '{\"userId\":\"me\",\"event\":\"Order Completed\",\"properties\":{\"total\":99,\"currency\":\"CNY\"}}'";
