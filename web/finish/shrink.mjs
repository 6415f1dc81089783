// Makes files smaller, for a release: scripts and style sheets by esbuild, WebAssembly by wasm-opt, and compressed copies of
// those for which it pays, so that the partner server never compresses anything.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { at } from "./staging.mjs";

const COMPRESSED = /\.(css|html|js|svg|wasm|webmanifest)$/;
const SMALLEST = 512;

/**
 * Passes that make a module smaller and its compressed copy larger: without them, what the compiler wrote alike stays alike.
 * Each was measured; so was a second run of wasm-opt, Trunk's own, which is off for the same reason.
 */
const KEPT_ALIKE = ["local-cse", "simplify-locals", "inlining-optimizing", "dae-optimizing", "code-folding"].map(
  (pass) => `--skip-pass=${pass}`,
);

/**
 * Takes comments, white space and long local names out of a script or a style sheet.
 * @param {string} name
 */
export function minify(name) {
  const options = ["--minify", "--target=es2022", "--log-level=warning", "--allow-overwrite"];
  execFileSync("esbuild", [at(name), ...options, `--outfile=${at(name)}`], { stdio: "inherit" });
}

/**
 * Optimises a module for the size of its compressed copy.
 * @param {string} from path
 * @param {string} name
 */
export function optimize(from, name) {
  // wasm-opt warns of a section of names that it does not know.
  execFileSync("wasm-opt", ["-Os", ...KEPT_ALIKE, from, "-o", at(name)], { stdio: ["ignore", "inherit", "ignore"] });
}

/**
 * How brotli writes distances (RFC 7932 §4): bits that follow a distance, and distances with a code of their own. Which
 * suits a module best is chance: the shared one is 2 % smaller by one of these than by the default, which is the first.
 */
const DISTANCES = [
  [0, 0],
  [0, 4],
  [1, 2],
  [1, 16],
  [3, 8],
];

/**
 * The smallest of several encodings.
 * @param {Buffer} bytes
 */
function brotli(bytes) {
  const encodings = DISTANCES.map(([postfix, direct]) => {
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      [constants.BROTLI_PARAM_NPOSTFIX]: postfix,
      [constants.BROTLI_PARAM_NDIRECT]: direct,
    };
    return brotliCompressSync(bytes, { params });
  });
  return encodings.reduce((best, other) => (other.length < best.length ? other : best));
}

/**
 * Writes the compressed copies of a file beside it.
 * @param {string} name
 * @param {Buffer} bytes
 */
export function compress(name, bytes) {
  if (!COMPRESSED.test(name) || bytes.length < SMALLEST) return;
  writeFileSync(at(`${name}.br`), brotli(bytes));
  writeFileSync(at(`${name}.gz`), gzipSync(bytes, { level: 9 }));
}
