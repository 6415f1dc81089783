// The folder that Trunk has filled and publishes when the hook has ended: its files, and how they are changed. It does not
// know what they are for.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

const folder = process.env.TRUNK_STAGING_DIR;
const web = process.env.TRUNK_SOURCE_DIR;
if (!folder || !web) throw new Error("finish.mjs is called by Trunk, which names the folder of the build");

/** The root of the repository. */
export const root = join(web, "..");
/** In development files change while the page is open: nothing is shrunk, and the service worker caches nothing. */
export const isRelease = process.env.TRUNK_PROFILE === "release";
export const INDEX = "index.html";
export const WORKER = "service-worker.js";

export const at = (/** @type {string} */ name) => join(folder, name);
export const text = (/** @type {string} */ name) => readFileSync(at(name), "utf8");
export const hash = (/** @type {Buffer} */ bytes) => `sha384-${createHash("sha384").update(bytes).digest("base64")}`;
export const list = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();

/**
 * Replaces what must be there exactly once in a file.
 * @param {string} name
 * @param {string} place
 * @param {string} words
 */
export function put(name, place, words) {
  const parts = text(name).split(place);
  if (parts.length !== 2) throw new Error(`${name} must hold ${place} once`);
  writeFileSync(at(name), parts.join(words));
}

/**
 * Changes a file, and its hash in index.html where Trunk has written one.
 * @param {string} name
 * @param {() => void} change
 */
export function keepingHash(name, change) {
  const before = hash(readFileSync(at(name)));
  change();
  writeFileSync(at(INDEX), text(INDEX).replaceAll(before, hash(readFileSync(at(name)))));
}
