// The names of the files. Trunk names a file by a hash of what it has read. What is served is made of that by this hook and its
// tools, and is cached for a year: they belong into the name.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { INDEX, at, list, root, text } from "./staging.mjs";

const TOOLS = [
  "web/finish.mjs",
  "web/index.html",
  "tests/toolchain/package-lock.json",
  "tests/toolchain/Cargo.lock",
  "tests/toolchain/src/bin/wasm-bindgen/split.rs",
];
const HASHED = /-([0-9a-f]{12,16})(?=[._])/;

/** Renames the files with a hash, here and in index.html. */
export function name() {
  const steps = readdirSync(join(root, "web/finish")).map((step) => join("web/finish", step));
  const salt = [...TOOLS, ...steps.sort()].map((tool) => readFileSync(join(root, tool), "utf8")).join("\n");
  for (const file of list().filter((file) => HASHED.test(file))) {
    const before = HASHED.exec(file)?.[1] ?? "";
    const after = createHash("sha256").update(before).update(salt).digest("hex").slice(0, 16);
    renameSync(at(file), at(file.replace(before, after)));
    writeFileSync(at(INDEX), text(INDEX).replaceAll(before, after));
  }
}
