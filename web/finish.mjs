// The last step of a build, called by Trunk (Trunk.toml). Adds the modules into which tests/toolchain has cut the client, with
// their hashes; writes the names of the client's files into the workers and the list of the release's files into the service
// worker; shrinks and compresses the files for which it pays, so that the partner server never compresses anything. It does
// not look into them.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = process.env.TRUNK_STAGING_DIR;
const source = process.env.TRUNK_SOURCE_DIR;
if (!dist || !source) throw new Error("finish.mjs is called by Trunk, which names the folder of the build");
// In development files change while the page is open: the service worker caches nothing.
const isRelease = process.env.TRUNK_PROFILE === "release";
const WORKER = "service-worker.js";
const INDEX = "index.html";
const CUTTER = "tests/toolchain/src/bin/wasm-bindgen/split.rs";
// The end of the names of modules that are fetched later than with the page.
const ON_DEMAND = ".secondary.wasm";
// Where the worker has the list of files, before and after esbuild.
const PLACE = '{ release: "", files: {} }';
const PLACE_MINIFIED = '{release:"",files:{}}';
const COMPRESSED = /\.(css|html|js|svg|wasm|webmanifest)$/;
const SMALLEST = 512;

const at = (/** @type {string} */ name) => join(dist, name);
const text = (/** @type {string} */ name) => readFileSync(at(name), "utf8");
const hash = (/** @type {Buffer} */ bytes) => `sha384-${createHash("sha384").update(bytes).digest("base64")}`;
const list = () =>
  readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dist, join(entry.parentPath, entry.name)))
    .sort();

/**
 * Replaces what must be there exactly once in a file.
 * @param {string} name
 * @param {string} place
 * @param {string} words
 */
function put(name, place, words) {
  const parts = text(name).split(place);
  if (parts.length !== 2) throw new Error(`${name} must hold ${place} once`);
  writeFileSync(at(name), parts.join(words));
}

/**
 * Changes a file, and its hash in index.html where Trunk has written one.
 * @param {string} name
 * @param {() => void} change
 */
function keepingHash(name, change) {
  const before = hash(readFileSync(at(name)));
  change();
  writeFileSync(at(INDEX), text(INDEX).replaceAll(before, hash(readFileSync(at(name)))));
}

/**
 * Takes comments, white space and long local names out of a script or a style sheet.
 * @param {string} name
 */
function minify(name) {
  const options = ["--minify", "--target=es2022", "--log-level=warning", "--allow-overwrite"];
  execFileSync("esbuild", [at(name), ...options, `--outfile=${at(name)}`], { stdio: "inherit" });
}

// --- names

// Trunk names files by a hash of what it has read. What is served is made of that by this script and its tools, and is cached
// for a year: they belong into the name.
const tools = ["web/finish.mjs", "web/index.html", "tests/toolchain/package-lock.json", "tests/toolchain/Cargo.lock", CUTTER];
const salt = tools.map((tool) => readFileSync(join(source, "..", tool), "utf8")).join("\n");
const HASHED = /-([0-9a-f]{12,16})(?=[._])/;
for (const name of list().filter((name) => HASHED.test(name))) {
  const before = HASHED.exec(name)?.[1] ?? "";
  const after = createHash("sha256").update(before).update(salt).digest("hex").slice(0, 16);
  renameSync(at(name), at(name.replace(before, after)));
  writeFileSync(at(INDEX), text(INDEX).replaceAll(before, after));
}

// --- the modules of the client

// Trunk gives the program a name with a hash; the modules get the same one.
const client = list()
  .find((name) => /^client-[0-9a-f]+\.js$/.test(name))
  ?.slice(0, -".js".length);
if (!client) throw new Error("Trunk has built no client-HASH.js");
const target = process.env.CARGO_TARGET_DIR ?? join(source, "..", "target");
const built = join(target, "wasm-bindgen", isRelease ? "release" : "debug");
const parts = readdirSync(built)
  .filter((name) => /^client\.[a-z_0-9]+\.wasm$/.test(name))
  .sort();
const glue = `${client}.js`;
const loader = `${client}.pieces.js`;
const named = (/** @type {string} */ part) => part.replace("client", client);

copyFileSync(join(built, "client.pieces.js"), at(loader));
put(loader, '"./client.js"', `"./${glue}"`);
for (const part of parts) {
  const name = named(part);
  // wasm-opt warns of a section of names that it does not know.
  if (isRelease) execFileSync("wasm-opt", ["-Oz", join(built, part), "-o", at(name)], { stdio: ["ignore", "inherit", "ignore"] });
  else copyFileSync(join(built, part), at(name));
  const integrity = hash(readFileSync(at(name)));
  put(loader, `new URL("./${part}", import.meta.url)`, `new URL("./${name}", import.meta.url), { integrity: "${integrity}" }`);
}
// Where it is imported; the name by which the program knows the imported functions stays.
const imported = () => writeFileSync(at(glue), text(glue).replaceAll('from "./client.pieces.js"', `from "./${loader}"`));
keepingHash(glue, imported);
for (const name of ["worker.js", WORKER]) {
  put(name, '"./client.js"', `"./${glue}"`);
  put(name, '"client_bg.wasm"', `"${client}_bg.wasm"`);
}
if (isRelease) {
  for (const name of list().filter((name) => /\.(css|js)$/.test(name) && name !== WORKER)) keepingHash(name, () => minify(name));
}

// The page's module and the code that it shares are loaded beside the main module, not after it. The browser has them then
// when the loader asks for them.
const first = parts.map(named).filter((name) => !name.endsWith(ON_DEMAND));
const link = (/** @type {string} */ name, /** @type {string} */ kind) =>
  `<link rel="${kind}" href="/${name}" crossorigin="anonymous" integrity="${hash(readFileSync(at(name)))}"`;
const links = [
  `${link(loader, "modulepreload")}>`,
  ...first.map((name) => `${link(name, "preload")} as="fetch" type="application/wasm">`),
];
put(INDEX, "</head>", `${links.join("")}</head>`);

// --- the release

const files = list()
  .filter((name) => name !== WORKER)
  .map((name) => ({ name, bytes: readFileSync(at(name)) }));
const hashes = Object.fromEntries(files.map(({ name, bytes }) => [`/${name}`, hash(bytes)]));
const release = createHash("sha256").update(text(WORKER)).update(JSON.stringify(hashes)).digest("hex").slice(0, 16);
const shell = isRelease ? { release, files: hashes } : { release: "", files: {} };
if (isRelease) minify(WORKER);
put(WORKER, isRelease ? PLACE_MINIFIED : PLACE, JSON.stringify(shell));

if (isRelease) {
  for (const { name, bytes } of files) {
    if (!COMPRESSED.test(name) || bytes.length < SMALLEST) continue;
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    writeFileSync(at(`${name}.br`), brotliCompressSync(bytes, { params }));
    writeFileSync(at(`${name}.gz`), gzipSync(bytes, { level: 9 }));
  }
}
