// The WebAssembly modules into which tests/toolchain/src/bin/wasm-bindgen/split.rs has cut the program, and the script that
// loads them. They wait in cargo's build folder, where another build may have replaced them: their names hold a hash of the
// program that they were cut from, and the program's script names the one that it belongs to.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { optimize } from "./shrink.mjs";
import { INDEX, WORKER, at, hash, isRelease, keepingHash, list, put, root, text } from "./staging.mjs";

// The end of the names of modules that are fetched later than with the page.
const ON_DEMAND = ".secondary.wasm";
// What the program's script imports.
const LOADER = /from "\.\/(client\.[0-9a-f]{16}\.)pieces\.js"/;

/** The folder that cargo builds into, as Trunk asks for it. */
function targetFolder() {
  const options = ["metadata", "--format-version=1", "--no-deps", "--offline", "--quiet"];
  return JSON.parse(execFileSync("cargo", options, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 28 })).target_directory;
}

/**
 * Adds the modules of the program and their loader, with hashes, and writes their names where they are imported.
 * @returns {{ loader: string, modules: string[] }} names of the loader and of the modules
 */
export function addModules() {
  // Trunk gives the program a name with a hash; the modules get the same one.
  const client = list()
    .find((name) => /^client-[0-9a-f]+\.js$/.test(name))
    ?.slice(0, -".js".length);
  if (!client) throw new Error("Trunk has built no client-HASH.js");
  const glue = `${client}.js`;
  const prefix = LOADER.exec(text(glue))?.[1];
  if (!prefix) throw new Error(`${glue} imports no client.HASH.pieces.js: is the wasm-bindgen on the PATH that of tests/toolchain?`);
  const built = join(targetFolder(), "wasm-bindgen", isRelease ? "release" : "debug");
  if (!existsSync(join(built, `${prefix}pieces.js`))) {
    throw new Error(`${built} has no ${prefix}pieces.js: another build has replaced the modules of this program. Build again.`);
  }
  const parts = readdirSync(built)
    .filter((name) => name.startsWith(prefix) && name.endsWith(".wasm"))
    .sort();
  const named = (/** @type {string} */ part) => part.replace(prefix, `${client}.`);
  const loader = `${client}.pieces.js`;

  copyFileSync(join(built, `${prefix}pieces.js`), at(loader));
  put(loader, '"./client.js"', `"./${glue}"`);
  for (const part of parts) {
    const name = named(part);
    if (isRelease) optimize(join(built, part), name);
    else copyFileSync(join(built, part), at(name));
    const integrity = hash(readFileSync(at(name)));
    put(loader, `new URL("./${part}", import.meta.url)`, `new URL("./${name}", import.meta.url), { integrity: "${integrity}" }`);
  }
  if (text(loader).includes(`"./${prefix}`)) throw new Error(`${built} lacks a module that ${prefix}pieces.js loads. Build again.`);
  // Where it is imported; the name by which the program knows the imported functions stays.
  const imported = () => writeFileSync(at(glue), text(glue).replaceAll(`from "./${prefix}pieces.js"`, `from "./${loader}"`));
  keepingHash(glue, imported);
  for (const name of ["worker.js", WORKER]) {
    put(name, '"./client.js"', `"./${glue}"`);
    put(name, '"client_bg.wasm"', `"${client}_bg.wasm"`);
  }
  return { loader, modules: parts.map(named) };
}

/**
 * Has the page's module, and the code that it shares, loaded beside the main module and not after it: the browser has them
 * when the loader asks for them.
 * @param {{ loader: string, modules: string[] }} added
 */
export function linkModules({ loader, modules }) {
  const link = (/** @type {string} */ name, /** @type {string} */ kind) =>
    `<link rel="${kind}" href="/${name}" crossorigin="anonymous" integrity="${hash(readFileSync(at(name)))}"`;
  const links = [
    `${link(loader, "modulepreload")}>`,
    ...modules
      .filter((name) => !name.endsWith(ON_DEMAND))
      .map((name) => `${link(name, "preload")} as="fetch" type="application/wasm">`),
  ];
  put(INDEX, "</head>", `${links.join("")}</head>`);
}
