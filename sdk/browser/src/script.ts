// window.kehu for pages that load the file by <script>. What stood there before is an array of calls that were made while
// the file was loading: [["init", {…}], ["track", "…"]].
import { kehu } from "./kehu";

type Call = [keyof typeof kehu, ...unknown[]];
const page = window as unknown as { kehu?: Call[] | object };

function push([name, ...args]: Call): void {
  (kehu[name] as (...args: unknown[]) => unknown)(...args);
}

const before = page.kehu;
page.kehu = Object.assign(kehu, { push });
if (Array.isArray(before)) before.forEach(push);
