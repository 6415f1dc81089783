// Reads and writes what a WebAssembly module imports and exports. It does not know what for.
export const IMPORTS = 2;
export const EXPORTS = 7;

/**
 * The module with another body in one of its sections.
 * @param {Buffer<ArrayBuffer>} module
 * @param {number} id the section's
 * @param {(section: Buffer<ArrayBuffer>) => Buffer<ArrayBuffer>} change
 */
export function withSection(module, id, change) {
  const parts = [module.subarray(0, 8)];
  for (let at = 8; at < module.length; ) {
    const [length, body] = number(module, at + 1);
    const end = body + length;
    if (module[at] === id) {
      const changed = change(module.subarray(body, end));
      parts.push(Buffer.from([id]), leb(changed.length), changed);
    } else {
      parts.push(module.subarray(at, end));
    }
    at = end;
  }
  return Buffer.concat(parts);
}

/**
 * The section of exports, without some.
 * @param {Buffer<ArrayBuffer>} section
 * @param {(name: string) => boolean} isKept
 */
export function keepExports(section, isKept) {
  let [count, at] = number(section, 0);
  const kept = [];
  for (; count > 0; count--) {
    const [name, kind] = string(section, at);
    const [, end] = number(section, kind + 1);
    if (isKept(name)) kept.push(section.subarray(at, end));
    at = end;
  }
  return Buffer.concat([leb(kept.length), ...kept]);
}

/**
 * The section of imports, with other names. Only functions can be imported.
 * @param {Buffer<ArrayBuffer>} section
 * @param {(name: string) => string} rename
 */
export function renameImports(section, rename) {
  let [count, at] = number(section, 0);
  const entries = [leb(count)];
  for (; count > 0; count--) {
    const [, from] = string(section, at);
    const [name, kind] = string(section, from);
    if (section[kind] !== 0) throw new Error(`the program imports ${name}, which is no function`);
    const [, end] = number(section, kind + 1);
    const renamed = Buffer.from(rename(name));
    entries.push(section.subarray(at, from), leb(renamed.length), renamed, section.subarray(kind, end));
    at = end;
  }
  return Buffer.concat(entries);
}

/**
 * A text behind its length, and where the next thing begins.
 * @param {Buffer} bytes
 * @param {number} at
 * @returns {[text: string, next: number]}
 */
function string(bytes, at) {
  const [length, from] = number(bytes, at);
  return [bytes.toString("utf8", from, from + length), from + length];
}

/**
 * A number of at most 32 bits, and where the next thing begins.
 * @param {Buffer} bytes
 * @param {number} at
 * @returns {[value: number, next: number]}
 */
function number(bytes, at) {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
  throw new Error(`the WebAssembly module has no number before byte ${at}`);
}

/** @param {number} value */
function leb(value) {
  const bytes = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}
