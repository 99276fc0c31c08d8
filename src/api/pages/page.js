"use strict";
const texts = {
  zh: { token: "管理令牌", signIn: "进入", tokenHint: "启动 kehu 时终端里打印的 admin token。", rate: "事件 / 秒", events: "事件总数", customers: "客户数",
        rejections: "隔离事件", search: "查找客户", find: "查找", stream: "实时事件", pause: "暂停", resume: "继续", none: "没有找到。", other: "English",
        live: "实时", lost: "连接中断，正在重连…", wrong: "令牌不对。", identifiers: "身份", traits: "属性", counters: "行为", orders: "订单", recent: "最近事件", missed: "条消息因页面太慢被略过" },
  en: { token: "Admin token", signIn: "Enter", tokenHint: "Printed in the terminal when kehu started.", rate: "events / second", events: "events", customers: "customers",
        rejections: "in quarantine", search: "Find a customer", find: "Find", stream: "Live events", pause: "Pause", resume: "Resume", none: "Nobody found.", other: "中文",
        live: "live", lost: "connection lost, trying again…", wrong: "Wrong token.", identifiers: "Identifiers", traits: "Traits", counters: "Behaviour", orders: "Orders", recent: "Recent events", missed: "messages skipped: the page was too slow" },
};
const $ = (id) => document.getElementById(id);
let language = localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
let token = sessionStorage.getItem("token") || "";
let paused = false;
const rates = [];

function say(key) { return texts[language][key]; }
function translate() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  $("language").textContent = say("other");
  $("pause").textContent = say(paused ? "resume" : "pause");
}
$("language").onclick = () => { language = language === "zh" ? "en" : "zh"; localStorage.setItem("language", language); translate(); };
$("pause").onclick = () => { paused = !paused; translate(); };

async function get(path) {
  const answer = await fetch(path, { headers: { Authorization: "Bearer " + token } });
  const body = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(body.detail), { status: answer.status });
  return body;
}
const number = (n) => Number(n).toLocaleString(language === "zh" ? "zh-CN" : "en");
const clock = (text) => new Date(text).toLocaleString(language === "zh" ? "zh-CN" : "en", { hour12: false });

function node(tag, text, properties = {}) {
  const element = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) element.textContent = text;
  return element;
}
function table(title, rows) {
  const part = node("section");
  part.append(node("h3", title));
  const body = node("table");
  for (const cells of rows) {
    const row = node("tr");
    for (const cell of cells) row.append(node("td", cell));
    body.append(row);
  }
  part.append(body);
  return part;
}

async function show(name) {
  const result = $("result");
  result.replaceChildren();
  try {
    const c = await get("/api/v1/customers/" + encodeURIComponent(name));
    result.append(node("p", c.customer_id, { className: "time" }));
    result.append(table(say("identifiers"), c.identifiers.map((i) => [i.type, i.value])));
    result.append(table(say("traits"), Object.entries(c.traits).map(([k, v]) => [k, typeof v === "string" ? v : JSON.stringify(v)])));
    result.append(table(say("counters"), c.counters.map((k) => [k.event, number(k.total), clock(k.last)])));
    result.append(table(say("orders"), c.orders.map((o) => [o.order_id, o.status, o.amount === null ? "" : number(o.amount) + " " + o.currency, clock(o.last)])));
    result.append(table(say("recent"), c.recent_events.map((e) => [clock(e.time), e.event || e.type, e.channel])));
  } catch (error) {
    result.append(node("p", error.message, { className: "error" }));
  }
}
$("search").onsubmit = async (event) => {
  event.preventDefault();
  const query = $("query").value.trim();
  if (!query) return;
  const result = $("result");
  result.replaceChildren();
  if (query.includes(":") || /^[0-9a-f]{32}$/.test(query)) return show(query);
  try {
    const found = (await get("/api/v1/customers?q=" + encodeURIComponent(query))).customers;
    if (found.length === 1) return show(found[0].customer_id);
    if (found.length === 0) result.append(node("p", say("none")));
    for (const customer of found) {
      const link = node("a", customer.matched + " · " + customer.customer_id);
      link.onclick = () => show(customer.customer_id);
      result.append(node("p")).append(link);
    }
  } catch (error) {
    result.append(node("p", error.message, { className: "error" }));
  }
};

function draw() {
  const top = Math.max(1, ...rates);
  const points = rates.map((rate, i) => (i * 600 / 119).toFixed(1) + "," + (78 - 76 * rate / top).toFixed(1)).join(" ");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  line.setAttribute("points", points);
  $("chart").replaceChildren(line);
}
function counts(message) {
  $("rate").textContent = number(Math.round(message.events_per_second));
  $("events").textContent = number(message.events);
  $("customers").textContent = number(message.customers);
  $("rejections").textContent = number(message.rejections);
  $("freshness").textContent = say("live") + " · " + clock(message.time) + " · " + Intl.DateTimeFormat().resolvedOptions().timeZone;
  rates.push(message.events_per_second);
  if (rates.length > 120) rates.shift();
  draw();
}
let shown = 0;
function stream(message) {
  if (paused || ++shown > 10) return;
  const item = node("li");
  item.append(node("span", new Date(message.time).toLocaleTimeString(), { className: "time" }));
  const link = node("a", message.event || message.type);
  link.onclick = () => show(message.customer_id);
  item.append(link, node("span", message.channel));
  $("stream").prepend(item);
  while ($("stream").children.length > 20) $("stream").lastChild.remove();
}
setInterval(() => { shown = 0; }, 500);

function listen() {
  const scheme = location.protocol === "https:" ? "wss://" : "ws://";
  const socket = new WebSocket(scheme + location.host + "/api/v1/live?subscribe=events,counts&access_token=" + encodeURIComponent(token));
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.kind === "counts") counts(message);
    if (message.kind === "event") stream(message);
    if (message.kind === "missed") $("freshness").textContent = number(message.messages) + " " + say("missed");
  };
  socket.onclose = () => { $("freshness").textContent = say("lost"); setTimeout(listen, 1000); };
}

async function enter() {
  try {
    counts({ ...(await get("/api/v1/stats")), events_per_second: 0 });
    $("sign-in").hidden = true;
    $("main").hidden = false;
    listen();
  } catch (error) {
    $("sign-in").hidden = false;
    if (token && error.status === 401) $("freshness").textContent = say("wrong");
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
translate();
enter();
