// The events that no answer confirmed yet, each under a name of its own: several tabs add and remove without a lock,
// and none overwrites what another one added. Names are "q" and the message id, so they sort by time. A tab leaves the
// events of others alone until they are old: then their tab is gone, or has no luck.
import { timeOf } from "./ids";
import { Store } from "./store";

const DAY_MS = 86400000;
export const ORPHAN_MS = 10000;

export interface Bounds {
  events: number;
  days: number;
}

export class Queue {
  private size: number;
  private readonly own = new Set<string>();

  constructor(
    private readonly store: Store,
    private readonly bounds: Bounds,
    private readonly onDrop: (count: number, why: string) => void,
  ) {
    this.size = this.names().length;
  }

  add(messageId: string, text: string): void {
    const name = "q" + messageId;
    this.own.add(name);
    if (++this.size > this.bounds.events) {
      this.dropOldest(this.names().length + 1 - this.bounds.events, "the queue is full");
    }
    while (!this.store.set(name, text)) {
      if (!this.dropOldest(10, "the storage is full")) return this.onDrop(1, "the storage is full");
    }
  }

  // The oldest events that are not among `except`, up to `count` and, but for one, up to `bytes`.
  oldest(limit: { count: number; bytes: number }, except: Set<string>): Map<string, string> {
    const found = new Map<string, string>();
    let bytes = 0;
    const now = Date.now();
    for (const name of this.names()) {
      const text = this.store.get(name);
      if (text === null || except.has(name)) continue;
      const age = now - timeOf(name.slice(1));
      if (Math.abs(age) < ORPHAN_MS && !this.own.has(name)) continue;
      if (age > this.bounds.days * DAY_MS) {
        this.remove([name]);
        this.onDrop(1, "it waited too long");
        continue;
      }
      bytes += utf8Bytes(text);
      if (found.size && (found.size >= limit.count || bytes > limit.bytes)) break;
      found.set(name, text);
    }
    return found;
  }

  remove(names: Iterable<string>): void {
    for (const name of names) {
      this.store.remove(name);
      this.own.delete(name);
    }
  }

  private names(): string[] {
    const names = this.store.names().filter((name) => name[0] === "q").sort();
    this.size = names.length;
    return names;
  }

  private dropOldest(count: number, why: string): number {
    const oldest = this.names().slice(0, Math.max(0, count));
    this.remove(oldest);
    if (oldest.length) this.onDrop(oldest.length, why);
    return oldest.length;
  }
}

// Of most texts; a few more for some.
function utf8Bytes(text: string): number {
  return text.length + 2 * (text.match(/[^\x00-\x7f]/g) || []).length;
}
