// The calls, and what stands between them and the queue: consent.
import { AutoCapture, Consent, Kehu, KehuEvent, Options, Properties } from "./api";
import { watchClicks, watchExposure } from "./elements";
import { messageId } from "./ids";
import { Identity } from "./identity";
import { campaign, cleanUrl, pathOf } from "./location";
import { ORPHAN_MS, Queue } from "./queue";
import { Sender } from "./sender";
import { Store } from "./store";
import { Stopwatch, watchPath } from "./views";

export type { AutoCapture, Consent, Kehu, KehuEvent, Options, Properties, Value } from "./api";

const VERSION = "1.0.0";
const HELD_MAX = 300;

// What exists while consent is granted.
interface Room {
  store: Store;
  identity: Identity;
  queue: Queue;
  sender: Sender;
}

let options: Options | undefined;
let consent: Consent | undefined; // undefined: nobody said anything yet
let room: Room | undefined;
let held: ((room: Room) => void)[] = [];
let referrer: string | undefined; // inside the application

function warn(count: number, why: string): void {
  if (options?.debug) console.warn(`kehu: ${count} event(s) dropped: ${why}`);
}

function prefix(): string {
  return `kehu:${options!.writeKey}:`;
}

function batchContext(): Properties {
  return {
    library: { name: "kehu-browser", version: VERSION },
    channel: "web",
    locale: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
    userAgent: navigator.userAgent,
  };
}

function enter(): Room {
  const { url, writeKey, batchSize = 30, flushAfterMs = 3000, cookieDomain } = options!;
  const { queueSize = 1000, queueDays = 7, sessionMinutes = 30 } = options!;
  const store = new Store(prefix(), cookieDomain);
  const queue = new Queue(store, { events: queueSize, days: queueDays }, warn);
  const delivery = { url, writeKey, batchSize, flushAfterMs, context: batchContext, lock: prefix(), onDrop: warn };
  const sender = new Sender(queue, delivery);
  // What pages before left behind.
  sender.schedule(1);
  setTimeout(() => sender.schedule(0), ORPHAN_MS);
  const identity = new Identity(store, sessionMinutes * 60000);
  identity.begin();
  return { store, queue, sender, identity };
}

// Now, later or never.
function whenGranted(work: (room: Room) => void): void {
  if (room) return work(room);
  if (consent === "denied") return;
  held.push(work);
  if (held.length > HELD_MAX && held.shift()) warn(1, "too many wait for consent");
}

function pageProperties(): Properties {
  const keep = options?.keepQuery ?? [];
  return {
    path: pathOf(location),
    url: cleanUrl(location.href, keep),
    title: document.title,
    referrer: referrer ?? (document.referrer && cleanUrl(document.referrer, keep)),
  };
}

type Fields = Pick<KehuEvent, "type"> & Partial<KehuEvent>;

// Time and place are those of the call; who it was is settled when it is allowed to know.
function record(fields: Fields, before?: (room: Room) => void): void {
  if (typeof window === "undefined") return;
  const time = Date.now();
  const page = pageProperties();
  const context: Properties = { page };
  const from = campaign();
  if (from) context.campaign = from;
  let text: string;
  try {
    text = JSON.stringify(fields); // as it is now; the caller may go on changing it
  } catch (error) {
    return warn(1, String(error));
  }
  whenGranted((room) => {
    before?.(room);
    const { identity, queue, sender } = room;
    const userId = identity.userId();
    const event = {
      ...JSON.parse(text),
      messageId: messageId(time),
      timestamp: new Date(time).toISOString(),
      anonymousId: identity.anonymousId(),
      ...(userId && { userId }),
      context: { ...context, session: { id: identity.sessionId(time) } },
    } as KehuEvent;
    const kept = options!.before ? options!.before(event) : event;
    if (kept === false) return;
    queue.add(event.messageId, JSON.stringify(kept || event));
    sender.added();
  });
}

function autoCapture(wanted: AutoCapture): void {
  const track = (event: string, properties: Properties) => kehu.track(event, properties);
  const stopwatch = new Stopwatch();
  const dwelt = () => {
    const seen = wanted.dwell && stopwatch.lap();
    if (seen) track("Page Left", seen);
  };
  const view = () => {
    stopwatch.retitle();
    if (wanted.views) kehu.page();
  };
  const keepQuery = options!.keepQuery ?? [];
  let here = cleanUrl(location.href, keepQuery);
  const onPath = () => {
    dwelt();
    referrer = here;
    here = cleanUrl(location.href, keepQuery);
  };
  if (wanted.views || wanted.dwell) watchPath({ onView: view, onPath });
  if (wanted.clicks) watchClicks(track, { text: !!wanted.clickText, keepQuery });
  if (wanted.exposure) watchExposure(track);
  // In the head of a page the title is not known yet.
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", view);
  else view();
  addEventListener("pageshow", ({ persisted }) => persisted && view());
  onLeave(dwelt);
}

function onLeave(last: () => void): void {
  const leave = () => {
    last();
    room?.sender.leave();
  };
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : last()));
}

function close(): void {
  if (room) room.sender.stopped = true;
  room = undefined;
}

function forgetEverything(): void {
  const store = room?.store ?? new Store(prefix(), options!.cookieDomain);
  close();
  new Identity(store, 0).forget();
  for (const name of store.names()) store.remove(name);
}

function apply(given: Consent): void {
  consent = given;
  if (given === "denied") held = [];
  if (!options) return;
  if (given === "denied") forgetEverything();
  if (given === "pending") close();
  if (given === "granted") {
    room ??= enter();
    for (const work of held.splice(0)) work(room);
  }
}

export const kehu: Kehu = {
  init(given) {
    if (options || typeof window === "undefined") return;
    options = given;
    apply(consent ?? given.consent ?? "granted");
    const all = given.autoCapture ?? true;
    const everything = { views: true, clicks: true, dwell: true, exposure: true };
    autoCapture(all === true ? everything : all || {});
    addEventListener("online", () => room?.sender.online());
  },
  track: (event, properties) => record({ type: "track", event, properties: properties ?? {} }),
  page: (name, properties) =>
    record({ type: "page", ...(name && { name }), properties: { ...pageProperties(), ...properties } }),
  identify: (userId, traits) =>
    record({ type: "identify", traits: traits ?? {} }, (room) => userId && room.identity.setUserId(String(userId))),
  group: (groupId, traits) => record({ type: "group", groupId, traits: traits ?? {} }),
  reset: () => whenGranted((room) => room.identity.forget()),
  consent: apply,
  flush: () => room?.sender.flush() ?? Promise.resolve(),
  anonymousId: () => room?.identity.anonymousId(),
};

export default kehu;
