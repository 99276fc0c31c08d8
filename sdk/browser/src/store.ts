// What is kept in the browser: localStorage, or memory where that is blocked. Values that must outlive the page
// (names below) go into a cookie as well when there is no localStorage, or when hosts share it.

const YEAR_S = 31536000;

export class Store {
  private readonly memory = new Map<string, string>();
  private readonly storage: Storage | undefined;

  constructor(private readonly prefix: string, private readonly cookieDomain?: string) {
    try {
      this.storage = window.localStorage || undefined;
    } catch {
      this.storage = undefined;
    }
  }

  get(name: string): string | null {
    return this.storage?.getItem(this.prefix + name) ?? this.memory.get(name) ?? null;
  }

  // False when there is no room.
  set(name: string, value: string): boolean {
    try {
      if (this.storage) this.storage.setItem(this.prefix + name, value);
      else this.memory.set(name, value);
      return true;
    } catch {
      return false;
    }
  }

  remove(name: string): void {
    this.storage?.removeItem(this.prefix + name);
    this.memory.delete(name);
  }

  names(): string[] {
    if (!this.storage) return [...this.memory.keys()];
    return Object.keys(this.storage)
      .filter((key) => key.startsWith(this.prefix))
      .map((key) => key.slice(this.prefix.length));
  }

  getLasting(name: string): string | null {
    return (this.usesCookies() && this.cookie(this.cookieName(name) + "=")) || this.get(name);
  }

  // An empty value removes it.
  setLasting(name: string, value: string): void {
    if (!value) this.remove(name);
    else if (!this.set(name, value)) this.memory.set(name, value);
    if (!this.usesCookies()) return;
    const domain = this.cookieDomain ? `;domain=${this.cookieDomain}` : "";
    const secure = location.protocol === "https:" ? ";secure" : "";
    const age = `;max-age=${value ? YEAR_S : 0}`;
    try {
      document.cookie = `${this.cookieName(name)}=${encodeURIComponent(value)};path=/;samesite=lax${age}${domain}${secure}`;
    } catch {
      // A sandboxed frame: ids last as long as the page.
    }
  }

  private cookie(key: string): string | undefined {
    try {
      const found = document.cookie.split("; ").find((cookie) => cookie.startsWith(key));
      return found && decodeURIComponent(found.slice(key.length));
    } catch {
      return undefined;
    }
  }

  private usesCookies(): boolean {
    return !this.storage || !!this.cookieDomain;
  }

  private cookieName(name: string): string {
    return (this.prefix + name).replace(/\W/g, "_");
  }
}
