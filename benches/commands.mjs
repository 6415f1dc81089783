// Programs that the measuring starts. Knows no figure.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
/** Enough for what any of them prints, in bytes. */
const MOST_OUTPUT = 1 << 26;

/** Runs a program in the repository's root to its end and returns what it printed. */
export function run(command, args, options = {}) {
  return execFileSync(command, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"], maxBuffer: MOST_OUTPUT, ...options }).toString();
}

/** Installs the npm packages of a folder, unless `proof` is among them already. */
export function installPackages(folder, proof) {
  if (!existsSync(join(folder, "node_modules", proof))) run("npm", ["ci", "--silent", "--ignore-scripts"], { cwd: folder });
}

/** Builds programs in the debug profile with the features that they have in `make test`: see WORKSPACE in the Makefile. */
export function buildDebug(...programs) {
  const wanted = programs.flatMap((name) => ["--bin", name]);
  run("cargo", ["build", "--locked", "--workspace", "--test", "tidy", ...wanted]);
}
