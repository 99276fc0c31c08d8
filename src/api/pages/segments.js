"use strict";
// The segments, their sizes and how these move, and who is in one.
const lately = new Map();  // name → [[our clock in ms, size], …] of the last minute, newest last
const written = new Map();  // rule in English → in Chinese
let segments = [];

function memberships(c) {
  const chip = (text) => node("span", text, { className: "tag" });
  const tags = Object.entries(c.tags || {}).map(([name, value]) => chip(name + ": " + value));
  return parent("p", [...(c.segments || []).map(chip), ...tags], { className: "memberships" });
}

function moved(name) {
  const known = lately.get(name) || [];
  const change = known.length ? known[known.length - 1][1] - known[0][1] : 0;
  return node("span", change > 0 ? "+" + number(change) : change < 0 ? "−" + number(-change) : "", { className: change > 0 ? "up" : "down" });
}
function remember(segment) {
  const known = lately.get(segment.name) || [];
  known.push([Date.now(), segment.size]);
  while (known.length > 2 && known[0][0] < Date.now() - 60000) known.shift();
  lately.set(segment.name, known);
}
// Rules come in English; how they are written in Chinese is asked for once.
async function write(rule) {
  if (written.has(rule)) return;
  written.set(rule, rule);
  const answer = await fetch("/api/v1/rules/check", { method: "POST", body: JSON.stringify({ rule }), headers: { Authorization: "Bearer " + token } });
  if (answer.ok) written.set(rule, (await answer.json()).chinese);
}
function showSegments() {
  $("segments").hidden = segments.length === 0;
  const rows = segments.map((one) => [
    node("span", one.name, { title: one.description || "" }),
    node("button", number(one.size), { className: "link", type: "button", title: say("members"), onclick: () => showMembers(one.name) }),
    moved(one.name),
    language === "zh" ? written.get(one.rule) || one.rule : one.rule]);
  const heads = [say("segment"), "#" + say("size"), "#" + say("perMinute"), say("rule")];
  const cells = (row) => row.map((value, at) => parent("td", [value], { className: heads[at].startsWith("#") ? "number" : "" }));
  const list = table(heads, []);
  list.append(...rows.map((row) => parent("tr", cells(row))));
  $("segment-list").replaceChildren(list);
}
async function showMembers(name) {
  try {
    const { members, next } = await get("/api/v1/segments/" + encodeURIComponent(name) + "/members?limit=50");
    customer = null;
    const title = (one) => {
      const known = one.identifiers.find((i) => i.type !== "anonymous_id" && i.type !== "device_id") || one.identifiers[0];
      return known ? named("types", known.type) + " " + known.value : one.customer_id;
    };
    const rows = members.map((one) => parent("tr", [
      parent("td", [node("button", title(one), { className: "link", type: "button", onclick: () => open(one.customer_id) })]),
      node("td", date(one.since), { className: "number" })]));
    const list = table([say("members"), "#" + say("since")], []);
    list.append(...rows);
    $("result").replaceChildren(node("h3", name), rows.length ? list : node("p", say("noMembers"), { className: "soft" }), node("p", next ? "…" : "", { className: "soft" }));
    $("result").scrollIntoView({ block: "nearest" });
  } catch (error) {
    complain(error.message);
  }
}
async function refreshSegments() {
  if (!token || connection !== "live" || document.hidden) return;
  try {
    segments = (await get("/api/v1/segments")).segments;
    segments.forEach(remember);
    await Promise.all(segments.map((one) => write(one.rule)));
    // A button must not be replaced while it is pressed.
    if (!$("segment-list").matches(":active")) showSegments();
  } catch { /* the socket tells when the server is back */ }
}
setInterval(refreshSegments, 1000);
translate();
enter();
