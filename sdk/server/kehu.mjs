// Sends events to Kehu with nothing but Node (18 or newer).
//
//   const kehu = new Kehu("https://kehu.example.com", "WRITE_KEY");
//   await kehu.send([{ event: "Order Completed", user_id: "u1", properties: { order_id: "o1", total: 99.5 } }]);
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

export class Kehu {
  constructor(url, writeKey, tries = 8) {
    this.address = url.replace(/\/+$/, "") + "/api/v1/events";
    this.authorization = "Basic " + Buffer.from(writeKey + ":").toString("base64");
    this.tries = tries;
  }

  // Up to 100 MB at once; the answer counts what was accepted. Tried again after 429, 5xx and lost connections: each event
  // has a message id before the first try, so it counts once.
  async send(events) {
    const named = events.map((event) => ({ message_id: randomUUID(), time: Date.now(), ...event }));
    const body = named.map((event) => JSON.stringify(event)).join("\n");
    const headers = { Authorization: this.authorization, "Content-Type": "application/x-ndjson" };
    for (let attempt = 0; ; attempt++) {
      const last = attempt + 1 === this.tries;
      let wait = Math.min(60, 0.5 * 2 ** attempt);
      try {
        const answer = await fetch(this.address, { method: "POST", headers, body, signal: AbortSignal.timeout(30000) });
        if (answer.ok) return await answer.json();
        if (last || (answer.status !== 429 && answer.status < 500)) {
          throw Object.assign(new Error(`Kehu: ${answer.status} ${await answer.text()}`), { final: true });
        }
        wait = Number(answer.headers.get("Retry-After")) || wait;
      } catch (error) {
        if (error.final || last) throw error;
      }
      await sleep(wait * 1000);
    }
  }
}
