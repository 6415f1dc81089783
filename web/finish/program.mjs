// Makes the program and its script smaller where no tool does: what is never used goes (unused.mjs), and what the program
// imports from its script gets short names in both. The names that wasm-bindgen gives end in a hash each, which no compression
// makes smaller, and they are in a release twice.
import { readFileSync, writeFileSync } from "node:fs";
import { optimize } from "./shrink.mjs";
import { at, keepingHash, list, text } from "./staging.mjs";
import { withoutClasses, withoutExports } from "./unused.mjs";
import { IMPORTS, renameImports, withSection } from "./wasm.mjs";

const IMPORTED = /^__wb[a-z]+_\w+_[0-9a-f]{16}$/;

/** Changes client-HASH_bg.wasm and client-HASH.js. Before the script is minified: what is looked for has a line of its own. */
export function shrinkProgram() {
  const program = list().find((name) => /^client-[0-9a-f]+_bg\.wasm$/.test(name));
  if (!program) throw new Error("Trunk has built no client-HASH_bg.wasm");
  const script = program.replace("_bg.wasm", ".js");
  /** @type {Map<string, string>} */
  const names = new Map();
  const short = (/** @type {string} */ name) => {
    if (!IMPORTED.test(name)) return name;
    const known = names.get(name) ?? `_${names.size.toString(36)}`;
    names.set(name, known);
    return known;
  };
  keepingHash(program, () => {
    writeFileSync(at(program), withoutExports(readFileSync(at(program))));
    // First, so that only what is still imported gets a name.
    optimize(at(program), program);
    writeFileSync(at(program), withSection(readFileSync(at(program)), IMPORTS, (section) => renameImports(section, short)));
  });
  keepingHash(script, () => writeFileSync(at(script), withNames(withoutClasses(text(script)), names)));
}

/**
 * The script, with what it offers the program under other names, and without what the program does not import.
 * @param {string} script
 * @param {Map<string, string>} names
 */
function withNames(script, names) {
  const offered = /^( +)(__wb[a-z]+_\w+_[0-9a-f]{16}): ([^\n]*\{\n[^]*?^\1\}[^\n]*|[^\n]*),\n/gm;
  let found = 0;
  const renamed = script.replace(offered, (_, indent, name, body) => {
    const known = names.get(name);
    if (known) found++;
    return known ? `${indent}${known}: ${body},\n` : "";
  });
  if (found !== names.size) throw new Error(`the program imports ${names.size} functions of its script, which offers ${found}`);
  return renamed;
}
