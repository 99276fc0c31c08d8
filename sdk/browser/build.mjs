// npm run build [DIRECTORY]: checks the types and writes kehu.min.js (for <script>), kehu.mjs (for bundlers) and their
// types to DIRECTORY, dist when none is given.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

process.chdir(import.meta.dirname);
const out = process.argv[2] ?? "dist";
mkdirSync(out, { recursive: true });

const types = mkdtempSync(join(tmpdir(), "kehu-types-"));
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "--outDir", types], { stdio: "inherit" });
for (const name of ["kehu.d.ts", "api.d.ts"]) cpSync(join(types, name), join(out, name));
rmSync(types, { recursive: true });

// Members of our own classes, which nobody outside sees: neither calls, options nor parts of an event.
const inside = `inFlight sending waiting failures resumeAt asked stopped delivery schedule due added online leave locked mustWait
  drain waitAfter oldest dropOldest bounds getLasting setLasting usesCookies cookieName setUserId sessionId retitle
  lock onDrop store identity sender begin forget own memory storage`.split(/\s+/);
const mangleProps = new RegExp(`^(${inside.join("|")})$`);
const shared = { bundle: true, minify: true, mangleProps, target: "es2018", charset: "utf8", legalComments: "none" };
await build({ ...shared, entryPoints: ["src/script.ts"], format: "iife", outfile: join(out, "kehu.min.js") });
await build({ ...shared, entryPoints: ["src/kehu.ts"], format: "esm", outfile: join(out, "kehu.mjs") });
