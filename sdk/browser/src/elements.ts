// Clicks and exposures of elements. What people type is never read.
import { Properties } from "./api";
import { cleanUrl } from "./location";

const PREFIX = "data-kehu-";
const TEXT_MAX = 80;
const EXPOSED_SHARE = 0.5, EXPOSED_MS = 1000;

type Track = (event: string, properties: Properties) => void;

// data-kehu-product-id="7" → {product_id: "7"}
function declared(element: Element): Properties {
  const found: Properties = {};
  for (const { name, value } of Array.from(element.attributes)) {
    if (!name.startsWith(PREFIX) || /^(event|exposure)$/.test(name.slice(PREFIX.length))) continue;
    found[name.slice(PREFIX.length).replace(/-/g, "_")] = value;
  }
  return found;
}

export interface Clicks {
  text: boolean;
  keepQuery: string[];
}

export function watchClicks(track: Track, { text, keepQuery }: Clicks): void {
  document.addEventListener("click", ({ target }) => {
    if (!(target instanceof Element) || target.closest(`[${PREFIX}ignore]`)) return;
    const named = target.closest(`[${PREFIX}event]`);
    if (named) return track(named.getAttribute(PREFIX + "event")!, declared(named));
    const element = target.closest("a,button,[role=button],input[type=submit],input[type=button]");
    if (!element) return;
    const properties = declared(element);
    properties.element = element.tagName.toLowerCase();
    if (element.id) properties.id = element.id;
    const href = element.getAttribute("href");
    if (href) properties.href = cleanUrl(href, keepQuery);
    if (text && !element.querySelector("input,textarea,select,[contenteditable]")) {
      properties.text = (element.textContent || "").trim().replace(/\s+/g, " ").slice(0, TEXT_MAX);
    }
    track("Element Clicked", properties);
  }, true);
}

// Each element counts once, when half of it was in sight for a second; those added later too.
export function watchExposure(track: Track): void {
  if (!window.IntersectionObserver) return;
  const timers = new Map<Element, ReturnType<typeof setTimeout>>();
  const known = new WeakSet<Element>();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      clearTimeout(timers.get(target));
      timers.delete(target);
      if (!isIntersecting) continue;
      timers.set(target, setTimeout(() => {
        timers.delete(target);
        observer.unobserve(target);
        track(target.getAttribute(PREFIX + "exposure")!, declared(target));
      }, EXPOSED_MS));
    }
  }, { threshold: EXPOSED_SHARE });
  const find = () => {
    for (const element of Array.from(document.querySelectorAll(`[${PREFIX}exposure]`))) {
      if (!known.has(element)) observer.observe(element);
      known.add(element);
    }
  };
  find();
  new MutationObserver(find).observe(document, { childList: true, subtree: true });
}
