// Brings the queue to the server: batches by size and time, one request at a time over all tabs, again after failures.
// An event leaves the queue when the server said that it has it; until then it is sent again under its message id, which
// counts once.
import { Queue } from "./queue";

// Requests that outlive their page may carry 64 KB in all.
const KEEPALIVE_BYTES = 60000;
const BATCH_BYTES = 50000;
const TIMEOUT_MS = 30000;
const RETRY_MS = 1000, RETRY_MS_MAX = 300000;

export interface Delivery {
  url: string;
  writeKey: string;
  batchSize: number;
  flushAfterMs: number;
  context: () => unknown;
  lock: string;
  onDrop: (count: number, why: string) => void;
}

export class Sender {
  private readonly inFlight = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sending: Promise<void> | undefined;
  private waiting = 0; // events since the last request
  private failures = 0;
  private resumeAt = 0;
  private asked = false; // resumeAt is the server's wish
  stopped = false;

  constructor(private readonly queue: Queue, private readonly delivery: Delivery) {}

  added(): void {
    if (++this.waiting >= this.delivery.batchSize) this.schedule(0);
    else this.schedule(this.delivery.flushAfterMs);
  }

  schedule(delayMs: number): void {
    if (this.timer !== undefined && delayMs > 0) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.due(), Math.max(delayMs, this.resumeAt - Date.now()));
  }

  // Timers fire up to a millisecond before Date reaches their time, and Date can be set back: the wait is over all the same.
  private due(): void {
    this.resumeAt = 0;
    void this.flush();
  }

  // The network is back.
  online(): void {
    if (!this.asked) this.resumeAt = 0;
    this.schedule(0);
  }

  // At once, unless the server asked for time.
  flush(): Promise<void> {
    if (this.mustWait()) return this.sending ?? Promise.resolve();
    clearTimeout(this.timer);
    this.timer = undefined;
    this.sending ??= this.locked(() => this.drain()).finally(() => (this.sending = undefined));
    return this.sending;
  }

  // The page may not come back: what is not on its way leaves now, as far as it fits.
  leave(): void {
    if (this.stopped || this.mustWait()) return;
    const batch = this.queue.oldest({ count: 500, bytes: BATCH_BYTES }, this.inFlight);
    if (!batch.size) return;
    if ("keepalive" in Request.prototype) void this.send(batch);
    else navigator.sendBeacon?.(this.address(), this.body(batch));
  }

  private mustWait(): boolean {
    return this.asked && Date.now() < this.resumeAt;
  }

  // Pages without the right to lock send beside each other: more requests, the same events.
  private async locked(work: () => Promise<void>): Promise<void> {
    if (!navigator.locks) return work();
    await navigator.locks.request(this.delivery.lock, work).catch(work);
  }

  private async drain(): Promise<void> {
    this.waiting = 0;
    while (!this.stopped) {
      const batch = this.queue.oldest({ count: this.delivery.batchSize, bytes: BATCH_BYTES }, this.inFlight);
      if (!batch.size || !(await this.send(batch))) return;
    }
  }

  // False when it is to be tried again later.
  private async send(batch: Map<string, string>): Promise<boolean> {
    const names = [...batch.keys()];
    for (const name of names) this.inFlight.add(name);
    const answer = await this.post(this.body(batch));
    for (const name of names) this.inFlight.delete(name);
    const status = answer ? answer.status : 0;
    const refused = status === 400 || status === 413 || status === 415;
    if (refused) this.delivery.onDrop(names.length, `the server refused them with ${status}`);
    if (refused || (status >= 200 && status < 300)) {
      this.queue.remove(names);
      this.failures = this.resumeAt = 0;
      return true;
    }
    this.waitAfter(Number(answer?.headers.get("Retry-After")) * 1000 || 0);
    return false;
  }

  private waitAfter(asked: number): void {
    const backoff = RETRY_MS * 2 ** this.failures++ * (0.5 + Math.random());
    const wait = Math.min(asked || backoff, RETRY_MS_MAX);
    this.asked = asked > 0;
    this.resumeAt = Date.now() + wait;
    if (!this.stopped) this.schedule(0);
  }

  private async post(body: string): Promise<Response | undefined> {
    const abort = typeof AbortController === "undefined" ? undefined : new AbortController();
    const timer = setTimeout(() => abort?.abort(), TIMEOUT_MS);
    try {
      // Text, and the key in the body: neither needs a preflight.
      return await fetch(this.address(), {
        method: "POST",
        body,
        headers: { "Content-Type": "text/plain" },
        credentials: "omit",
        keepalive: new Blob([body]).size < KEEPALIVE_BYTES,
        ...(abort && { signal: abort.signal }),
      });
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  private address(): string {
    return this.delivery.url.replace(/\/+$/, "") + "/v1/batch";
  }

  private body(batch: Map<string, string>): string {
    const { writeKey, context } = this.delivery;
    const frame = JSON.stringify({ writeKey, sentAt: new Date().toISOString(), context: context() });
    return `${frame.slice(0, -1)},"batch":[${[...batch.values()].join(",")}]}`;
  }
}
