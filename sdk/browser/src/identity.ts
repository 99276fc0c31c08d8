// Who the visitor is, and in which session. Read from the store at each event, because other tabs write it too.
import { randomId } from "./ids";
import { Store } from "./store";

const ANONYMOUS_ID = "anonymous_id", USER_ID = "user_id", SESSION = "session";

export class Identity {
  constructor(private readonly store: Store, private readonly sessionMs: number) {}

  // Before the first event: tabs that open while it is on its way to be stored would begin sessions of their own.
  begin(): void {
    this.anonymousId();
    this.sessionId(Date.now());
  }

  anonymousId(): string {
    let id = this.store.getLasting(ANONYMOUS_ID);
    if (!id) this.store.setLasting(ANONYMOUS_ID, (id = randomId()));
    return id;
  }

  userId(): string | null {
    return this.store.getLasting(USER_ID);
  }

  setUserId(id: string): void {
    const before = this.userId();
    if (before && before !== id) this.forget();
    this.store.setLasting(USER_ID, id);
  }

  // Of an event at this time, which keeps the session alive.
  sessionId(timeMs: number): string {
    const [id, last] = (this.store.get(SESSION) || "").split(" ");
    const same = id && Math.abs(timeMs - Number(last)) < this.sessionMs;
    const session = same ? id : randomId();
    this.store.set(SESSION, `${session} ${timeMs}`);
    return session;
  }

  forget(): void {
    this.store.setLasting(ANONYMOUS_ID, "");
    this.store.setLasting(USER_ID, "");
    this.store.remove(SESSION);
  }
}
