// The servers that a measured page talks to, each a process of its own on ports of its own, and what a person does on
// the page before there is anything to measure. The sandbox is built for speed: it must not be what is measured.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { buildDebug, run } from "./commands.mjs";
import { freePorts } from "../tests/toolchain/ports.mjs";

const TIMEOUT = 120_000;

/** Ends with this process, however that ends. */
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill()));

async function start(command, environment, url) {
  const child = spawn(command, [], { env: { ...process.env, RUST_LOG: "warn", ...environment }, stdio: ["ignore", "ignore", "inherit"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const deadline = Date.now() + TIMEOUT;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return child;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${command} did not start`);
    await pause(50);
  }
}

function build() {
  buildDebug("partner");
  run("cargo", ["build", "--locked", "--release", "-p", "causeway-gatekeeper", "--bins"]);
}

/** Sandbox and partner server, which serves the client that lies in `client`. */
export class Servers {
  static async start({ root, target, client = join(root, "dist") }) {
    build();
    const data = mkdtempSync(join(tmpdir(), "causeway-bench-"));
    const first = await freePorts(4);
    const [sandbox, tcp, push, partner] = [0, 1, 2, 3].map((at) => `127.0.0.1:${first + at}`);
    const gatekeeper = await start(join(target, "release/gatekeeper"), {
      GATEKEEPER_LISTEN: sandbox,
      GATEKEEPER_TCP_LISTEN: tcp,
      GATEKEEPER_PUSH_LISTEN: push,
      GATEKEEPER_DATA: join(data, "gatekeeper"),
      GATEKEEPER_INTEGRATOR: `1=http://${partner}`,
    }, `http://${sandbox}/health`);
    const key = (await (await fetch(`http://${sandbox}/control/root`)).text()).trim();
    const page = `http://${partner}`;
    const server = await start(join(target, "debug/partner"), {
      CAUSEWAY_PARTNER_LISTEN: partner,
      CAUSEWAY_PARTNER_PUBLIC_URL: page,
      CAUSEWAY_PARTNER_DATA_DIR: join(data, "partner"),
      CAUSEWAY_PARTNER_CLIENT_DIR: client,
      CAUSEWAY_PARTNER_WHATSAPP_ENLIST_URL: `http://${sandbox}/3p/interop_reg`,
      CAUSEWAY_PARTNER_WHATSAPP_CHAT_URL: `ws://${sandbox}/ws/chat`,
      CAUSEWAY_PARTNER_WHATSAPP_ROOT_KEY: key,
    }, `${page}/health`);
    return new Servers(page, `http://${sandbox}/control`, [server, gatekeeper], data);
  }

  constructor(page, control, children, data) {
    this.page = page;
    this.control = control;
    this.children = children;
    this.data = data;
  }

  /** Sends a request to the sandbox's control API: GET without a body, POST with one. */
  async sandbox(path, body) {
    const request = body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(`${this.control}/${path}`, request);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the sandbox refused ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  /** Polls the control API until `check` accepts the response. */
  async until(path, check) {
    const deadline = Date.now() + TIMEOUT;
    while (!check(await this.sandbox(path))) {
      if (Date.now() > deadline) throw new Error(`the sandbox's ${path} never was as it should be`);
      await pause(50);
    }
  }

  async stop() {
    const ended = this.children.map((child) => once(child, "exit"));
    for (const child of this.children) child.kill();
    await Promise.all(ended);
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** Script of a page: waits until an expression holds. */
export const wait = (expression, timeout = 60_000) => `
  {
    const end = performance.now() + ${timeout};
    while (!(${expression})) {
      if (performance.now() > end) throw new Error(${JSON.stringify(expression)} + " never came: " + document.body.innerText.slice(0, 300));
      await new Promise((next) => setTimeout(next, 20));
    }
  }`;

/** Script of a page: clicking and typing. */
export const HANDS = `
  const click = (selector) => document.querySelector(selector).click();
  const type = (selector, text) => {
    const field = document.querySelector(selector);
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };`;

/** Script of a page: onboarding as a person does it. */
export const enlist = (identifier) => `
  ${HANDS}
  ${wait('document.querySelector("#identifier")')}
  click("#account-create");
  type("#identifier", ${JSON.stringify(identifier)});
  type("#password", "correct horse battery");
  click("#sign-in");
  ${wait('document.querySelector("#consent")')}
  click("#consent");
  click("#agree");
  ${wait('document.querySelector("#enlist-finish, #chats")')}
  document.querySelector("#enlist-finish")?.click();
  ${wait('document.querySelector("#connection[data-state=online]")')}`;
