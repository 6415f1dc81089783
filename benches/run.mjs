// `make bench`: measures, prints one table, writes target/bench/results.json. What the figures mean: docs/BENCH.md.
// `--glance` runs everything once and proves only that it runs.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { cpus } from "node:os";
import { join } from "node:path";
import { measure as measureSizes } from "../tests/toolchain/size.mjs";
import { mailbox } from "./drain.mjs";
import { loads } from "./loads.mjs";
import { partner, push } from "./partner.mjs";
import { table } from "./table.mjs";
import { Chromium } from "./webdriver.mjs";

const root = new URL("..", import.meta.url).pathname;
const here = join(root, "benches");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const out = join(target, "bench");
const glance = process.argv.includes("--glance");

function run(command, args, options = {}) {
  return execFileSync(command, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 26, ...options }).toString();
}

function packages(folder, proof) {
  if (!existsSync(join(folder, "node_modules", proof))) run("npm", ["ci", "--silent", "--ignore-scripts"], { cwd: folder });
}

function native() {
  run("cargo", ["build", "--locked", "--release", "-p", "causeway-bench", "--bin", "bench-native"]);
  return JSON.parse(run(join(target, "release/bench-native"), glance ? ["--glance"] : []));
}

/** Builds the page: our wasm as the product's is built, its peers optimised for speed, and the peer in JavaScript. */
async function buildPage() {
  const page = join(out, "page");
  rmSync(page, { recursive: true, force: true });
  cpSync(join(here, "page"), page, { recursive: true });
  run("cargo", ["build", "--locked", "--profile", "measure", "--target", "wasm32-unknown-unknown", "-p", "causeway-bench", "--lib"]);
  run("wasm-bindgen", ["--target", "web", "--no-typescript", "--out-dir", page, join(target, "wasm32-unknown-unknown/measure/causeway_bench.wasm")]);
  const wasm = join(page, "causeway_bench_bg.wasm");
  run("wasm-opt", ["-Oz", wasm, "-o", wasm]);

  packages(here, "esbuild");
  packages(join(root, "tests/independent"), "baileys");
  const { build } = await import("esbuild");
  await build({
    entryPoints: [join(here, "page/bench.js")],
    outfile: join(page, "bench.js"),
    allowOverwrite: true,
    bundle: true,
    format: "esm",
    target: "es2022",
    logLevel: "warning",
    external: ["./causeway_bench.js"],
    nodePaths: [join(here, "node_modules"), join(root, "tests/independent/node_modules")],
    alias: {
      util: join(here, "page/absent/util.js"),
      zlib: join(here, "page/absent/zlib.js"),
      buffer: join(here, "node_modules/buffer"),
    },
  });
  return page;
}

/** Serves the page on loopback, isolated: only then is the browser's clock fine enough. */
async function servePage(folder) {
  const kinds = { html: "text/html", js: "text/javascript", wasm: "application/wasm" };
  const server = createServer((request, response) => {
    const name = request.url === "/" ? "index.html" : request.url.slice(1);
    const kind = kinds[name.split(".").pop()];
    if (!kind || !/^[\w.]+$/.test(name) || !existsSync(join(folder, name))) return response.writeHead(404).end();
    response.writeHead(200, {
      "content-type": kind,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(readFileSync(join(folder, name)));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return server;
}

async function inChromium(chromium) {
  const server = await servePage(await buildPage());
  const session = await chromium.session();
  await session.open(`http://127.0.0.1:${server.address().port}/`);
  const contests = await session.run(
    `while (!globalThis.benchReady) await new Promise((next) => setTimeout(next, 20));
     if (!crossOriginIsolated) throw new Error("the clock is coarse");
     return bench(arguments[0]);`.replace("arguments[0]", String(glance)),
  );
  await session.end();
  server.close();
  return { contests, version: session.version };
}

mkdirSync(out, { recursive: true });
console.log("measuring on the machine");
const onMachine = native();
console.log("measuring the partner server");
const server = partner({ root, target, glance });
console.log("measuring pushes");
const pushes = push({ root, target, glance });
const chromium = await Chromium.start();
try {
  console.log("measuring in Chromium");
  const { contests, version } = await inChromium(chromium);
  console.log("measuring page loads");
  const pages = await loads({ root, target, chromium, glance });
  console.log("measuring mailboxes");
  const mailboxes = await mailbox({ root, target, chromium, glance });
  const results = {
    measured: new Date().toISOString(),
    machine: { processor: cpus()[0].model, cores: cpus().length },
    chromium: version,
    rustc: run("rustc", ["--version"]).trim(),
    commit: run("git", ["rev-parse", "--short", "HEAD"]).trim(),
    native: onMachine,
    wasm: contests,
    size: measureSizes(),
    loads: pages,
    mailbox: mailboxes,
    push: pushes,
    ...server,
  };
  const file = join(out, "results.json");
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  console.log(table(results));
  console.log(`\nAll of it, with spread: ${file}`);
} finally {
  await chromium.stop();
}
