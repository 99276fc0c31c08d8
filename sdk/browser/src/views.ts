// Page views, those of applications of one page too, and for how long each was visible.
import { pathOf } from "./location";

// Routers change the address first and the title a moment later.
const TITLE_MS = 50;

export interface Views {
  onView: () => void;
  onPath: () => void; // the path has changed
}

export function watchPath({ onView, onPath }: Views): void {
  let path = pathOf(location);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const check = () => {
    if (path === pathOf(location)) return;
    path = pathOf(location);
    onPath();
    clearTimeout(timer); // a redirect: nobody saw the page in between
    timer = setTimeout(onView, TITLE_MS);
  };
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = function (this: History, ...args) {
      original.apply(this, args);
      check();
    };
  }
  addEventListener("popstate", check);
  addEventListener("hashchange", check);
}

// Counts while the page is visible.
export class Stopwatch {
  private since = performance.now();
  private running = !document.hidden;
  private path = pathOf(location);
  private title = document.title;

  // What was seen since the last call, or nothing when it was less than a second.
  lap(): { path: string; title: string; seconds: number } | undefined {
    const seconds = this.running ? (performance.now() - this.since) / 1000 : 0;
    const seen = { path: this.path, title: this.title, seconds: Math.round(seconds * 10) / 10 };
    this.since = performance.now();
    this.running = !document.hidden;
    this.path = pathOf(location);
    return seconds < 1 ? undefined : seen;
  }

  retitle(): void {
    this.title = document.title;
  }
}
