// What a visitor downloads: every file of the release build, raw, gzip and brotli, against budget.toml. Ends with the size of
// a first visit, which is everything that a browser fetches from an empty profile until a chat can be written in, and then of
// each piece.
// Usage: size.mjs [--check] [--json]     Knows files, sizes and what loads them; not what is in them.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const root = new URL("../..", import.meta.url).pathname;
const dist = join(root, "dist");

/**
 * The pieces, in the order in which a file is assigned: the first pattern that fits. The story `first_visit` of tests/e2e
 * checks in a browser that the settings and the service worker are no part of a first visit.
 * @type {[name: string, files: RegExp, isFirstVisit: boolean][]}
 */
const PIECES = [
  ["engine", /^client-\w+_bg\.wasm$/, true],
  ["page", /^client-\w+\.(page|shared_\d+)\.wasm$/, true],
  ["settings", /^client-\w+\.(secondary|compute)\.wasm$/, false],
  ["offline", /^(service-worker\.js|icon-\d+\.png|icon\.svg|badge\.png)$/, false],
  ["scripts", /\.js$/, true],
  ["styles", /\.css$/, true],
  ["document", /^(index\.html|favicon\.svg|manifest\.webmanifest)$/, true],
];

/** Bytes that budget.toml allows, by name. */
function budgets() {
  const text = readFileSync(join(root, "budget.toml"), "utf8");
  const lines = [...text.matchAll(/^(\w+) = ([\d_]+)$/gm)];
  return new Map(lines.map(([, name, bytes]) => [name, Number(bytes.replaceAll("_", ""))]));
}

export function measure() {
  if (!existsSync(dist)) throw new Error("there is no dist: make build first");
  const files = readdirSync(dist, { recursive: true, withFileTypes: true })
    // Compressed copies are the same download once more.
    .filter((entry) => entry.isFile() && !/\.(br|gz)$/.test(entry.name))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const bytes = readFileSync(path);
      // The copy that is served, where there is one.
      const brotli = existsSync(`${path}.br`)
        ? readFileSync(`${path}.br`)
        : brotliCompressSync(bytes, {
            params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
          });
      const gzip = gzipSync(bytes, { level: 9 });
      return { name: relative(dist, path), raw: bytes.length, gzip: gzip.length, brotli: brotli.length };
    })
    .sort((a, b) => b.brotli - a.brotli);
  if (files.length === 0) throw new Error("dist is empty: make build first");
  const allowed = budgets();
  const pieces = PIECES.map(([name, , isFirstVisit]) => ({ name, isFirstVisit, brotli: 0, budget: allowed.get(name) ?? 0 }));
  for (const file of files) {
    const at = PIECES.findIndex(([, pattern]) => pattern.test(file.name));
    if (at < 0) throw new Error(`${file.name} belongs to no piece: add it to tests/toolchain/size.mjs`);
    pieces[at].brotli += file.brotli;
  }
  const sum = (/** @type {"raw" | "gzip" | "brotli"} */ kind) => files.reduce((total, file) => total + file[kind], 0);
  const firstVisit = pieces.filter((piece) => piece.isFirstVisit).reduce((total, piece) => total + piece.brotli, 0);
  const total = { name: "total", raw: sum("raw"), gzip: sum("gzip"), brotli: sum("brotli") };
  return { files, total, pieces, firstVisit, budget: allowed.get("first_visit") ?? 0 };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const size = measure();
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify(size));
  } else {
    const width = Math.max(...size.files.map((file) => file.name.length), 10);
    const row = (/** @type {string} */ name, /** @type {(number | string)[]} */ ...cells) =>
      console.log(name.padEnd(width), ...cells.map((cell) => String(cell).padStart(11)));
    row("file", "raw", "gzip", "brotli");
    for (const file of [...size.files, size.total]) row(file.name, file.raw, file.gzip, file.brotli);
    console.log(`first visit ${size.firstVisit} bytes, budget ${size.budget}`);
    for (const piece of size.pieces) console.log(`${piece.name} ${piece.brotli} bytes, budget ${piece.budget}`);
  }
  if (process.argv.includes("--check")) {
    const sizes = [{ name: "first visit", brotli: size.firstVisit, budget: size.budget }, ...size.pieces];
    const over = sizes.filter((piece) => piece.brotli > piece.budget);
    for (const { name, brotli, budget } of over) {
      console.error(`${name} is ${brotli - budget} bytes over its budget: find what grew, or raise budget.toml knowingly.`);
    }
    if (over.length > 0) process.exit(1);
  }
}
