// What a visitor downloads: every file of the release build, raw, gzip and brotli, against budget.toml.
// Usage: size.mjs [--check] [--json]     Knows files and sizes; not what is in them.
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const root = new URL("../..", import.meta.url).pathname;
const dist = join(root, "dist");

export function budget() {
  const text = readFileSync(join(root, "budget.toml"), "utf8");
  const total = /^total = ([\d_]+)$/m.exec(text);
  if (!total) throw new Error("budget.toml must say `total = BYTES`");
  return Number(total[1].replaceAll("_", ""));
}

export function measure() {
  const files = readdirSync(dist, { recursive: true, withFileTypes: true })
    // Compressed copies are the same download once more.
    .filter((entry) => entry.isFile() && !/\.(br|gz)$/.test(entry.name))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const bytes = readFileSync(path);
      const brotli = brotliCompressSync(bytes, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
      });
      const gzip = gzipSync(bytes, { level: 9 });
      return { name: relative(dist, path), raw: bytes.length, gzip: gzip.length, brotli: brotli.length };
    })
    .sort((a, b) => b.brotli - a.brotli);
  if (files.length === 0) throw new Error("dist is empty: make build first");
  const sum = (kind) => files.reduce((total, file) => total + file[kind], 0);
  return { files, total: { name: "total", raw: sum("raw"), gzip: sum("gzip"), brotli: sum("brotli") }, budget: budget() };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const size = measure();
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify(size));
  } else {
    const width = Math.max(...size.files.map((file) => file.name.length), 10);
    const row = (name, ...cells) => console.log(name.padEnd(width), ...cells.map((cell) => String(cell).padStart(11)));
    row("file", "raw", "gzip", "brotli");
    for (const file of [...size.files, size.total]) row(file.name, file.raw, file.gzip, file.brotli);
    const share = ((100 * size.total.brotli) / size.budget).toFixed(1);
    console.log(`budget: ${size.budget} bytes of brotli; used: ${share} %`);
  }
  if (process.argv.includes("--check") && size.total.brotli > size.budget) {
    console.error(`The client is ${size.total.brotli - size.budget} bytes over its budget: find what grew, or raise budget.toml knowingly.`);
    process.exit(1);
  }
}
