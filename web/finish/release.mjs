// The release: the list of its files with their hashes, which the service worker holds, and a name made of them.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { compress, minify } from "./shrink.mjs";
import { WORKER, at, hash, isRelease, list, put, text } from "./staging.mjs";

// Where the worker has the list of files, before and after esbuild.
const PLACE = '{ release: "", files: {} }';
const PLACE_MINIFIED = '{release:"",files:{}}';

/** Writes the list into the service worker, and compresses the files. No file may change afterwards. */
export function seal() {
  const files = list()
    .filter((name) => name !== WORKER)
    .map((name) => ({ name, bytes: readFileSync(at(name)) }));
  const hashes = Object.fromEntries(files.map(({ name, bytes }) => [`/${name}`, hash(bytes)]));
  const release = createHash("sha256").update(text(WORKER)).update(JSON.stringify(hashes)).digest("hex").slice(0, 16);
  const shell = isRelease ? { release, files: hashes } : { release: "", files: {} };
  if (isRelease) minify(WORKER);
  put(WORKER, isRelease ? PLACE_MINIFIED : PLACE, JSON.stringify(shell));
  if (isRelease) files.forEach(({ name, bytes }) => compress(name, bytes));
}
