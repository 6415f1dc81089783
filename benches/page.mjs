// The contests in a page of headless Chromium: builds the page, serves it, and has it measure. Knows no figure.
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { installPackages, run } from "./commands.mjs";

/** Builds the page: our wasm as the product's is built, its peers optimised for speed, and the peer in JavaScript. */
async function buildPage({ root, target, out }) {
  const here = join(root, "benches");
  const page = join(out, "page");
  rmSync(page, { recursive: true, force: true });
  cpSync(join(here, "page"), page, { recursive: true });
  run("cargo", ["build", "--locked", "--profile", "measure", "--target", "wasm32-unknown-unknown", "-p", "causeway-bench", "--lib"]);
  run("wasm-bindgen", ["--target", "web", "--no-typescript", "--out-dir", page, join(target, "wasm32-unknown-unknown/measure/causeway_bench.wasm")]);
  const wasm = join(page, "causeway_bench_bg.wasm");
  run("wasm-opt", ["-Oz", wasm, "-o", wasm]);

  installPackages(here, "esbuild");
  installPackages(join(root, "tests/independent"), "baileys");
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
    const name = (request.url ?? "/").slice(1) || "index.html";
    const kind = kinds[name.split(".").pop() ?? ""];
    if (!kind || !/^[\w.]+$/.test(name) || !existsSync(join(folder, name))) return response.writeHead(404).end();
    response.writeHead(200, {
      "content-type": kind,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(readFileSync(join(folder, name)));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(undefined)));
  return server;
}

/** Every contest in the browser, as bench.js returns them. */
export async function inChromium({ root, target, out, chromium, glance }) {
  const server = await servePage(await buildPage({ root, target, out }));
  const session = await chromium.session();
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  await session.open(`http://127.0.0.1:${port}/`);
  const contests = await session.run(
    `while (!globalThis.benchReady) await new Promise((next) => setTimeout(next, 20));
     if (!crossOriginIsolated) throw new Error("the clock is coarse");
     return bench(arguments[0]);`.replace("arguments[0]", String(glance)),
  );
  await session.end();
  server.close();
  return contests;
}
