// The contests in a page, and the codec against Baileys's in the same rounds. `run.mjs` calls `globalThis.bench`.
import { decodeDecompressedBinaryNode } from "baileys/lib/WABinary/decode.js";
import { encodeBinaryNode } from "baileys/lib/WABinary/encode.js";
import * as constants from "baileys/lib/WABinary/constants.js";
import { Buffer } from "buffer";

globalThis.Buffer = Buffer;

// As in src/contest.rs.
const BATCH = 3;
const BATCHES = 101;

function percentile(taken, share) {
  const sorted = [...taken].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)];
}

function spread(taken) {
  return { median: percentile(taken, 0.5), low: percentile(taken, 0.1), high: percentile(taken, 0.9), batches: taken.length };
}

function time(run, times) {
  const start = performance.now();
  run(times);
  return performance.now() - start;
}

function contest(name, entrants, glance) {
  const times = entrants.map(({ run }) => {
    let times = 1;
    while (!glance && time(run, times) < BATCH) times *= 2;
    return times;
  });
  const taken = entrants.map(() => []);
  for (let batch = 0; batch < (glance ? 1 : BATCHES); batch++) {
    entrants.forEach((_, place) => {
      const at = (batch + place) % entrants.length;
      taken[at].push((time(entrants[at].run, times[at]) * 1e6) / times[at]);
    });
  }
  const base = percentile(taken[0], 0.1);
  const figures = entrants.map(({ name }, at) => ({
    ...spread(taken[at]),
    name,
    ...(at > 0 && { ratio: percentile(taken[at], 0.1) / base }),
  }));
  return { contest: name, unit: "ns", entrants: figures };
}

// How often the peer's work is done, for its own optimiser to have seen it.
const WARM_UP = 2_000;

function codec(wasm, glance) {
  return [[false, "a message"], [true, "100 prekeys"]].flatMap(([prekeys, what]) => {
    const bytes = Buffer.from(wasm.sample(prekeys));
    const node = decodeDecompressedBinaryNode(bytes, constants);
    // Baileys puts the document's flag byte in front; the rest must be what we wrote, or the work is not the same.
    const written = encodeBinaryNode(node);
    if (!written.subarray(1).equals(bytes)) throw new Error(`Baileys encodes ${what} differently`);
    const encode = (times) => { for (let i = 0; i < times; i++) encodeBinaryNode(node); };
    const decode = (times) => { for (let i = 0; i < times; i++) decodeDecompressedBinaryNode(bytes, constants); };
    if (!glance) { encode(WARM_UP); decode(WARM_UP); }
    return [
      contest(`codec: encode ${what}`, [
        { name: "ours", run: (times) => wasm.encode(prekeys, times) },
        { name: "Baileys's JavaScript", run: encode },
      ], glance),
      contest(`codec: decode ${what}`, [
        { name: "ours", run: (times) => wasm.decode(prekeys, times) },
        { name: "Baileys's JavaScript", run: decode },
      ], glance),
    ];
  });
}

globalThis.bench = async (glance) => {
  const wasm = await import("./causeway_bench.js");
  await wasm.default();
  const peers = codec(wasm, glance);
  const ours = JSON.parse(wasm.figures(() => performance.now(), glance));
  const compared = new Set(peers.map(({ contest }) => contest));
  return [...peers, ...ours.filter(({ contest }) => !compared.has(contest))];
};
globalThis.benchReady = true;
