// The last step of a build, called by Trunk (Trunk.toml): writes the list of the release's files into the service
// worker, and compresses the files for which it pays, so that the partner server never compresses anything. It does not
// look into them.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = process.env.TRUNK_STAGING_DIR;
if (!dist) throw new Error("finish.mjs is called by Trunk, which names the folder of the build");
// In development files change while the page is open: the service worker caches nothing.
const isRelease = process.env.TRUNK_PROFILE === "release";
const WORKER = "service-worker.js";
const PLACE = 'const SHELL = { release: "", files: {} };';
const WORTH_IT = /\.(css|html|js|svg|wasm|webmanifest)$/;
const SMALLEST = 512;

const names = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(dist, join(entry.parentPath, entry.name)))
  .sort();
const files = names.filter((name) => name !== WORKER).map((name) => [name, readFileSync(join(dist, name))]);

/** @param {Buffer} bytes */
const digest = (bytes) => createHash("sha384").update(bytes).digest("base64");
const worker = readFileSync(join(dist, WORKER), "utf8");
if (!worker.includes(PLACE)) throw new Error(`${WORKER} must hold the line ${PLACE}`);
const hashes = Object.fromEntries(files.map(([name, bytes]) => [`/${name}`, `sha384-${digest(bytes)}`]));
const release = createHash("sha256").update(worker).update(JSON.stringify(hashes)).digest("hex").slice(0, 16);
const shell = isRelease ? { release, files: hashes } : { release: "", files: {} };
writeFileSync(join(dist, WORKER), worker.replace(PLACE, () => `const SHELL = ${JSON.stringify(shell)};`));

if (isRelease) {
  for (const [name, bytes] of files) {
    if (!WORTH_IT.test(name) || bytes.length < SMALLEST) continue;
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    writeFileSync(join(dist, `${name}.br`), brotliCompressSync(bytes, { params }));
    writeFileSync(join(dist, `${name}.gz`), gzipSync(bytes, { level: 9 }));
  }
}
