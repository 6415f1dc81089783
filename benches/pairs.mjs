// `make bench-pairs BASE=../older`: measures another clone's build and this one in turn, each with its own harness, and
// compares each figure: the median of the ratios of the pairs. Two builds that are measured one after the other on a machine
// with other load differ by more than what is looked for here; the two halves of a pair differ by less.
//
// `make build` must have run in the other clone. Each runs its own `benches/run.mjs` in its own target folder; both must know ONLY. The file pairs.json in this clone's
// target folder holds all results as soon as each has been measured.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const file = join(target, "bench", "pairs.json");
const PARTS = "native wasm relay media rates push loads mailbox";
/** The smallest ratio that counts as no worse. */
const NO_WORSE = 0.95;

/** @returns {never} */
function stop(sentence) {
  console.error(`bench-pairs: ${sentence}`);
  process.exit(1);
}

/** @returns {never} */
const missing = () => stop("say where the older clone is: make bench-pairs BASE=../older");
const base = resolve(process.env.BASE || missing());
if (!existsSync(join(base, "benches/run.mjs"))) stop(`there is no benches/run.mjs in ${base}`);
const pairs = Number(process.env.PAIRS || 5);
if (!Number.isInteger(pairs) || pairs < 1) stop(`PAIRS is a whole number from 1 on, not ${process.env.PAIRS}`);
const only = process.env.ONLY || PARTS;

/** @typedef {{ root: string, target: string }} Build */
/** @type {Record<"base" | "new", Build>} */
const BUILDS = {
  base: { root: base, target: process.env.BASE_TARGET ? resolve(process.env.BASE_TARGET) : join(base, "target") },
  new: { root, target },
};

/** Measures the chosen parts of one build and returns its results. */
function measured({ root: cwd, target: folder }) {
  const results = join(folder, "bench", "results.json");
  const env = { ...process.env, ONLY: only, CARGO_TARGET_DIR: folder };
  try {
    execFileSync("node", ["benches/run.mjs"], { cwd, env, stdio: ["ignore", "ignore", "inherit"] });
  } catch {
    stop(`a part was not measured in ${cwd}; what was is in ${file}`);
  }
  return JSON.parse(readFileSync(results, "utf8"));
}

/**
 * The figures of results.json that are compared: a name, the value, and whether less is better.
 * @returns {[string, number, boolean][]}
 */
function figures(results) {
  const rows = [];
  const less = (name, value) => rows.push([name, value, true]);
  const more = (name, value) => rows.push([name, value, false]);
  const chosen = only.split(/\s+/);
  const has = (part) => chosen.includes(part);
  for (const part of ["native", "wasm"].filter(has)) {
    for (const { contest, entrants } of results[part]) less(`${part}: ${contest}`, entrants[0].low);
  }
  if (has("loads")) {
    for (const { name, median } of results.loads) less(name, median);
  }
  if (has("mailbox")) {
    const { drains, bare, sending } = results.mailbox;
    for (const { messages, perSecond, engineMemory, rendererPeak } of drains) {
      more(`mailbox of ${messages}: drained`, perSecond);
      less(`mailbox of ${messages}: engine's memory`, engineMemory);
      less(`mailbox of ${messages}: renderer, peak`, rendererPeak);
    }
    more(`mailbox of ${drains.at(-1).messages}: drained, of bare IndexedDB`, drains.at(-1).perSecond / bare.perSecond);
    less(`${sending.name}: median`, sending.median);
    less(`${sending.name}: 95th percentile`, sending.p95);
  }
  if (has("push")) {
    less("push to notification: median", results.push.p50);
    less("push to notification: 95th percentile", results.push.p95);
  }
  if (has("relay")) {
    for (const { name, memory, p50, p95, cpu } of results.relay.rows.filter((row) => row.name.startsWith("partner"))) {
      less(`relay, ${name}: memory of a connection`, memory);
      less(`relay, ${name}: latency, median`, p50);
      less(`relay, ${name}: latency, 95th percentile`, p95);
      less(`relay, ${name}: processor time`, cpu);
    }
  }
  if (has("media")) {
    more("media: up", results.media.up);
    more("media: down", results.media.down);
    less("media: memory, peak", results.media.peak);
  }
  if (has("rates")) {
    more("identity tokens", results.rates.tokens);
    more("calls to /push: verified", results.rates.verified);
    more("calls to /push: verified and made durable", results.rates.durable);
  }
  return rows;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

/** @type {Record<"base" | "new", any[]>} */
const runs = { base: [], new: [] };

function print() {
  const rounds = Math.min(runs.base.length, runs.new.length);
  const [olds, news] = [runs.base.slice(0, rounds).map(figures), runs.new.slice(0, rounds).map(figures)];
  for (const [name, , less] of news[0] ?? []) {
    const values = (list) => list.map((rows) => rows.find(([other]) => other === name)?.[1]);
    const [old, current] = [values(olds), values(news)];
    if (old.includes(undefined)) continue;
    const ratio = median(old.map((value, at) => (less ? value / current[at] : current[at] / value)));
    const show = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
    const verdict = ratio >= NO_WORSE ? "✓" : "✗";
    console.log(`${name.padEnd(60)} ${show(median(old)).padStart(12)} ${show(median(current)).padStart(12)} ${ratio.toFixed(3).padStart(7)} ${verdict}`);
  }
}

mkdirSync(join(target, "bench"), { recursive: true });
for (let pair = 0; pair < pairs; pair++) {
  for (const name of /** @type {("base" | "new")[]} */ (pair % 2 ? ["new", "base"] : ["base", "new"])) {
    runs[name].push(measured(BUILDS[name]));
    writeFileSync(file, `${JSON.stringify(runs, null, 2)}\n`);
  }
  console.log(`\nafter ${pair + 1} of ${pairs} pairs: figure, ${base}, this build, ratio (above 1: this build is better)`);
  print();
}
