// `make bench`: measures part after part. Each part's rows are printed and target/bench/results.json is written as soon as the
// part has been measured; a part that fails says so in one line, and the others go on. What the figures mean:
// docs/BENCH.md.
// `make bench ONLY="loads push"` measures these parts and keeps the other figures of results.json. `--glance` runs everything
// once and proves only that it runs.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { measure as measureSizes } from "../tests/toolchain/size.mjs";
import { run } from "./commands.mjs";
import { mailbox } from "./drain.mjs";
import { loads } from "./loads.mjs";
import { inChromium } from "./page.mjs";
import { FILES, media, push, rates, relay } from "./partner.mjs";
import { partLines, table } from "./table.mjs";
import { Chromium } from "./webdriver.mjs";

const root = new URL("..", import.meta.url).pathname;
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const out = join(target, "bench");
const file = join(out, "results.json");
const glance = process.argv.includes("--glance");
const where = { root, target, out, glance };

/** One browser program for all parts that need one; started by the first of them. */
let chromium;
async function inBrowser(measure) {
  chromium ??= await Chromium.start();
  results.chromium = await chromium.version();
  return measure({ ...where, chromium });
}

function native() {
  run("cargo", ["build", "--locked", "--release", "-p", "causeway-bench", "--bin", "bench-native"]);
  return JSON.parse(run(join(target, "release/bench-native"), glance ? ["--glance"] : []));
}

/**
 * Name in results.json, what is printed meanwhile, how it is measured.
 * @type {[string, string, () => any][]}
 */
const PARTS = [
  ["native", "the contests on the machine", native],
  ["relay", "the relay of the partner server", () => relay(where)],
  ["media", "the media host of the partner server", () => media(where)],
  ["rates", "tokens and calls of the partner server", () => rates(where)],
  ["push", "pushes", () => push(where)],
  ["wasm", "the contests in Chromium", () => inBrowser(inChromium)],
  ["loads", "page loads", () => inBrowser(loads)],
  ["mailbox", "mailboxes", () => inBrowser(mailbox)],
  ["size", "the size of the client", () => measureSizes()],
];

/** The parts that were asked for; ends the program with one line where something could not work. */
function chosen() {
  const names = PARTS.map(([name]) => name);
  const only = (process.env.ONLY ?? "").split(/\s+/).filter(Boolean);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown) stop(`there is no part ${unknown}; there are: ${names.join(" ")}`);
  const wanted = PARTS.filter(([name]) => only.length === 0 || only.includes(name));
  const files = run("bash", ["-c", "ulimit -H -n"]).trim();
  if (!glance && wanted.some(([name]) => name === "relay") && files !== "unlimited" && Number(files) < FILES) {
    const others = names.filter((name) => name !== "relay").join(" ");
    stop(`relay needs ${FILES} open files, the hard limit is ${files}: raise it, or leave relay out: make bench ONLY="${others}"`);
  }
  return { wanted, kept: only.length > 0 };
}

function stop(sentence) {
  console.error(`bench: ${sentence}`);
  process.exit(1);
}

/** What an earlier run has measured, if there is anything. */
function earlier() {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return {};
  }
}

const { wanted, kept } = chosen();
mkdirSync(out, { recursive: true });
const results = {
  ...(kept ? earlier() : {}),
  measured: new Date().toISOString(),
  machine: { processor: cpus()[0]?.model ?? "unknown", cores: cpus().length },
  rustc: run("rustc", ["--version"]).trim(),
  commit: run("git", ["rev-parse", "--short", "HEAD"]).trim(),
};
const failed = [];
try {
  for (const [name, what, measure] of wanted) {
    console.log(`\nmeasuring ${what}`);
    try {
      results[name] = await measure();
      writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
      console.log(partLines(name, results[name]));
    } catch (error) {
      failed.push(name);
      const log = join(out, `failed-${name}.txt`);
      writeFileSync(log, `${error?.stack ?? error}\n`);
      const reason = String(error?.message ?? error).split("\n")[0];
      console.error(`bench: ${name} was not measured: ${reason}; more in ${log}; once mended: make bench ONLY=${name}`);
    }
  }
} finally {
  await chromium?.stop();
}
console.log(table(results));
console.log(`\nAll of it, with spread: ${file}`);
if (failed.length > 0) stop(`not measured: ${failed.join(", ")}; repeat with: make bench ONLY="${failed.join(" ")}"`);
