export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join("");
}

let count = 0;

// Sorts by time, then by the order in which this page made them.
export function messageId(timeMs: number): string {
  return `${timeMs.toString(36)}-${(1296 + (count++ % 45360)).toString(36)}-${randomId()}`;
}

export function timeOf(id: string): number {
  return parseInt(id, 36);
}
