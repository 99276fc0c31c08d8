"use strict";
// The requests of one source, newest first; see docs/debugger.md. Only while it is open does the server record them.
const requests = new Map();  // id → message, oldest first
const expanded = new Set();  // ids
let watching = null;         // the socket

function badge(verdict, text = named("verdicts", verdict)) {
  return node("span", text, { className: "verdict " + verdict });
}
function sizes(message) {
  const { bytes, unpacked_bytes: unpacked } = message.body;
  return number(bytes) + (unpacked !== bytes && unpacked > 0 ? " → " + number(unpacked) : "") + " B";
}
function summary(message) {
  const { method, path, protocol, library } = message.request;
  const decoded = message.steps.find((step) => step.step === "decode");
  const counts = decoded ? "✓ " + number(decoded.accepted) + (decoded.rejected ? "  ✗ " + number(decoded.rejected) : "") : "";
  const status = message.answer ? (message.answer.status || message.answer.body) : "…";
  return parent("button", [badge(message.verdict), node("span", clock(message.received_at), { className: "time" }),
    node("span", method + " " + path, { className: "path" }), node("span", [protocol, library].filter(Boolean).join(" · "), { className: "detail" }),
    node("span", counts), node("span", sizes(message), { className: "amount" }), node("span", status, { className: "amount" })],
    { type: "button", className: "request", ariaExpanded: String(expanded.has(message.id)), onclick: () => toggle(message.id) });
}
function stepLine(step) {
  const { step: name, verdict, detail, ...counts } = step;
  const figures = Object.entries(counts).map(([key, value]) => named("stepCounts", key) + " " + number(value)).join(", ");
  return parent("tr", [parent("td", [badge(verdict)]), node("td", named("stepNames", name)), node("td", [detail, figures].filter(Boolean).join(" · "))]);
}
function eventLine(event) {
  const good = event.verdict === "accepted" || event.verdict === "repeat";
  const colour = good ? "passed" : event.verdict === "not_stored" ? "partly" : "failed";
  const { verdict, ...rest } = event;
  const parts = [parent("p", [badge(colour, named("eventVerdicts", verdict)), node("strong", " " + (event.reason || event.event || event.type))])];
  for (const warning of event.warnings || []) parts.push(parent("p", [badge("partly", say("warning")), node("span", " " + warning)]));
  if (event.customer_id) {
    parts.push(node("button", named("stepCounts", event.customer) + " · " + event.customer_id, { className: "link", type: "button",
      onclick: () => { open(event.customer_id); scrollTo(0, 0); } }));
  }
  return parent("li", [...parts, node("pre", JSON.stringify(rest, null, 1))]);
}
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 1);
  } catch {
    return text;  // several documents, or none
  }
}
function details(message) {
  const parts = [parent("table", message.steps.map(stepLine))];
  if (message.events.length) parts.push(node("h3", say("understood")), parent("ol", message.events.map(eventLine)));
  if (message.more_events) parts.push(node("p", say("more") + number(message.more_events), { className: "soft" }));
  parts.push(node("h3", say("received") + " · " + message.request.remote), node("pre", JSON.stringify({ ...message.request.query, ...message.request.headers }, null, 1)));
  if (message.body.text) parts.push(node("pre", pretty(message.body.text)));
  if (message.answer) parts.push(node("h3", say("answered") + " · " + number(message.answer.micros) + " µs"), node("pre", message.answer.body));
  return parent("div", parts, { className: "steps" });
}
function line(message) {
  const parts = [summary(message)];
  if (message.skipped) parts.unshift(node("p", number(message.skipped) + say("skipped"), { className: "soft" }));
  if (expanded.has(message.id)) parts.push(details(message));
  return parent("li", parts, { id: "request-" + message.id });
}
function toggle(id) {
  if (!expanded.delete(id)) expanded.add(id);
  $("request-" + id).replaceWith(line(requests.get(id)));
  $("request-" + id).querySelector("button").focus();
}
function showRequest(message) {
  const shown = requests.get(message.id);
  if (shown && shown.complete) return;
  requests.set(message.id, message);
  if (shown) return $("request-" + message.id).replaceWith(line(message));
  $("requests").prepend(line(message));
  while (requests.size > 50) {
    const [oldest] = requests.keys();
    requests.delete(oldest);
    expanded.delete(oldest);
    $("request-" + oldest).remove();
  }
  showState();
}
function showState() {
  $("debugger-state").textContent = say(!watching ? "lost" : requests.size ? "watchingSource" : "nothingYet");
}

function leave() {
  if (!watching) return;
  watching.onclose = null;
  watching.close();
  watching = null;
}
function watchSource() {
  leave();
  requests.clear();
  $("requests").replaceChildren();
  const scheme = location.protocol === "https:" ? "wss://" : "ws://";
  const socket = new WebSocket(scheme + location.host + "/api/v1/live?source=" + encodeURIComponent($("debugged").value) + "&access_token=" + encodeURIComponent(token));
  watching = socket;
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.kind === "request") showRequest(message);
    if (message.kind === "missed") $("debugger-state").textContent = number(message.messages) + say("missed");
  };
  socket.onclose = () => {
    watching = null;
    showState();
    setTimeout(() => { if ($("debugger").open && !watching) watchSource(); }, 1000);
  };
  showState();
}
$("debugger").ontoggle = async () => {
  if (!$("debugger").open) return leave();
  try {
    const { sources } = await get("/api/v1/sources");
    const chosen = $("debugged").value;
    $("debugged").replaceChildren(...sources.map((source) => node("option", source.name, { value: source.name, selected: source.name === chosen })));
    watchSource();
  } catch (error) {
    $("debugger-state").textContent = error.message;
  }
};
$("debugged").onchange = watchSource;
$("language").addEventListener("click", () => {
  $("requests").replaceChildren(...[...requests.values()].reverse().map(line));
  if ($("debugger").open) showState();
});
