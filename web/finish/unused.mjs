// Takes out what only its own exports keep: the classes of the wasm-streams crate, which Leptos's server functions link and
// nothing here creates. Neither the linker nor wasm-bindgen can know that; wasm-opt removes what nothing refers to afterwards.
import { EXPORTS, keepExports, withSection } from "./wasm.mjs";

const CLASSES = ["IntoUnderlyingByteSource", "IntoUnderlyingSink", "IntoUnderlyingSource"];

/**
 * The program without the exports of the classes.
 * @param {Buffer<ArrayBuffer>} program
 */
export function withoutExports(program) {
  const isOfClass = (/** @type {string} */ name, /** @type {string} */ known) =>
    name.startsWith(`${known.toLowerCase()}_`) || name === `__wbg_${known.toLowerCase()}_free`;
  const isKept = (/** @type {string} */ name) => !CLASSES.some((known) => isOfClass(name, known));
  return withSection(program, EXPORTS, (section) => keepExports(section, isKept));
}

/**
 * The program's script without the classes, and without what cleans up after them.
 * @param {string} script
 */
export function withoutClasses(script) {
  return CLASSES.reduce((script, name) => {
    const parts = [
      new RegExp(`^export class ${name} \\{\\n[^]*?^\\}\\n`, "m"),
      new RegExp(`^if \\(Symbol\\.dispose\\) ${name}\\.prototype.*\\n`, "m"),
      new RegExp(`^const ${name}Finalization = [^]*?;\\n`, "m"),
    ];
    const rest = parts.reduce((left, part) => left.replace(part, ""), script);
    if (rest === script) throw new Error(`the program's script has no ${name}: take it off the list in web/finish/unused.mjs`);
    if (rest.includes(name)) throw new Error(`the program's script uses ${name}: take it off the list in web/finish/unused.mjs`);
    return rest;
  }, script);
}
