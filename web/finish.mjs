// The last step of a build, called by Trunk (Trunk.toml). Adds the modules into which tests/toolchain has cut the client, with
// their hashes; writes the names of the client's files into the workers and the list of the release's files into the service
// worker; compresses the files for which it pays, so that the partner server never compresses anything. It does not look into
// them.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = process.env.TRUNK_STAGING_DIR;
const source = process.env.TRUNK_SOURCE_DIR;
if (!dist || !source) throw new Error("finish.mjs is called by Trunk, which names the folder of the build");
// In development files change while the page is open: the service worker caches nothing.
const isRelease = process.env.TRUNK_PROFILE === "release";
const WORKER = "service-worker.js";
const PLACE = 'const SHELL = { release: "", files: {} };';
const WORTH_IT = /\.(css|html|js|svg|wasm|webmanifest)$/;
const SMALLEST = 512;

const at = (name) => join(dist, name);
const text = (name) => readFileSync(at(name), "utf8");
const hash = (bytes) => `sha384-${createHash("sha384").update(bytes).digest("base64")}`;
const list = () =>
  readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dist, join(entry.parentPath, entry.name)))
    .sort();

// What must be there exactly once in a file, replaced.
function put(name, place, words) {
  const parts = text(name).split(place);
  if (parts.length !== 2) throw new Error(`${name} must hold ${place} once`);
  writeFileSync(at(name), parts.join(words));
}

// --- the modules of the client

// Trunk gives the program a name with a hash; the modules get the same one.
const client = list()
  .find((name) => /^client-[0-9a-f]+\.js$/.test(name))
  ?.slice(0, -".js".length);
if (!client) throw new Error("Trunk has built no client-HASH.js");
const target = process.env.CARGO_TARGET_DIR ?? join(source, "..", "target");
const built = join(target, "wasm-bindgen", isRelease ? "release" : "debug");
const parts = readdirSync(built).filter((name) => /^client\.[a-z_0-9]+\.wasm$/.test(name)).sort();
const glue = `${client}.js`;
const loader = `${client}.pieces.js`;
const named = (part) => part.replace("client", client);

copyFileSync(join(built, "client.pieces.js"), at(loader));
put(loader, '"./client.js"', `"./${glue}"`);
for (const part of parts) {
  const name = named(part);
  if (isRelease) execFileSync("wasm-opt", ["-Oz", join(built, part), "-o", at(name)], { stdio: ["ignore", "inherit", "ignore"] });
  else copyFileSync(join(built, part), at(name));
  const integrity = hash(readFileSync(at(name)));
  put(loader, `new URL("./${part}", import.meta.url)`, `new URL("./${name}", import.meta.url), { integrity: "${integrity}" }`);
}

// The page's module and the code that it shares are loaded beside the main module, not after it. The browser has them then
// when the loader asks for them.
const first = parts.map(named).filter((name) => !name.endsWith(".secondary.wasm"));
const preload = (name, kind) =>
  `<link rel="${kind}" href="/${name}" crossorigin="anonymous" integrity="${hash(readFileSync(at(name)))}"`;
const preloads = [
  `${preload(loader, "modulepreload")}>`,
  ...first.map((name) => `${preload(name, "preload")} as="fetch" type="application/wasm">`),
];
put("index.html", "</head>", `${preloads.join("")}</head>`);

const before = hash(readFileSync(at(glue)));
// Where it is imported; the name by which the program knows the imported functions stays.
writeFileSync(at(glue), text(glue).replaceAll('from "./client.pieces.js"', `from "./${loader}"`));
put("index.html", before, hash(readFileSync(at(glue))));
for (const name of ["worker.js", WORKER]) {
  put(name, '"./client.js"', `"./${glue}"`);
  put(name, '"client_bg.wasm"', `"${client}_bg.wasm"`);
}

// --- the release

const names = list();
const files = names.filter((name) => name !== WORKER).map((name) => /** @type {const} */ ([name, readFileSync(at(name))]));
const worker = text(WORKER);
const hashes = Object.fromEntries(files.map(([name, bytes]) => [`/${name}`, hash(bytes)]));
const release = createHash("sha256").update(worker).update(JSON.stringify(hashes)).digest("hex").slice(0, 16);
const shell = isRelease ? { release, files: hashes } : { release: "", files: {} };
put(WORKER, PLACE, `const SHELL = ${JSON.stringify(shell)};`);

if (isRelease) {
  for (const [name, bytes] of files) {
    if (!WORTH_IT.test(name) || bytes.length < SMALLEST) continue;
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    writeFileSync(at(`${name}.br`), brotliCompressSync(bytes, { params }));
    writeFileSync(at(`${name}.gz`), gzipSync(bytes, { level: 9 }));
  }
}
