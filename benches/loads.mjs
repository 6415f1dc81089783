// From navigation to a usable page, and to "connected", with the client as released and the servers beside it.
// Every load is in a browser of its own or after a full restart of the page, unthrottled, over loopback.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const MOST_USABLE = 1000;
const MOST_CONNECTED = 2000;
const LOADS = 9;
const PATIENCE = 60_000;

// Runs before the page's own scripts, and notes when each mark is first there. Milliseconds since navigation.
const WATCH = `
  globalThis.seen = {};
  const marks = { onboarding: "#identifier", chats: "#chats", connected: "#connection[data-state=online]" };
  const look = () => {
    for (const [mark, selector] of Object.entries(marks)) {
      if (!(mark in seen) && document.querySelector(selector)) seen[mark] = performance.now();
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
`;

async function freePort() {
  const server = createServer();
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

async function start(command, environment, url) {
  const child = spawn(command, [], { env: { ...process.env, RUST_LOG: "warn", ...environment }, stdio: ["ignore", "ignore", "inherit"] });
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return child;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${command} did not start`);
    await pause(50);
  }
}

async function servers({ root, target, data }) {
  execFileSync("cargo", ["build", "--locked", "--bins", "-p", "causeway-gatekeeper", "-p", "causeway-partner"], { cwd: root, stdio: "inherit" });
  const [gate, tcp, partner] = [await freePort(), await freePort(), await freePort()];
  const sandbox = `127.0.0.1:${gate}`;
  const gatekeeper = await start(join(target, "debug/gatekeeper"), {
    GATEKEEPER_LISTEN: sandbox,
    GATEKEEPER_TCP_LISTEN: `127.0.0.1:${tcp}`,
    GATEKEEPER_DATA: join(data, "gatekeeper"),
    GATEKEEPER_INTEGRATOR: `1=http://127.0.0.1:${partner}`,
  }, `http://${sandbox}/health`);
  const key = (await (await fetch(`http://${sandbox}/control/root`)).text()).trim();
  const page = `http://127.0.0.1:${partner}`;
  const server = await start(join(target, "debug/partner"), {
    CAUSEWAY_PARTNER_LISTEN: `127.0.0.1:${partner}`,
    CAUSEWAY_PARTNER_PUBLIC_URL: page,
    CAUSEWAY_PARTNER_DATA_DIR: join(data, "partner"),
    CAUSEWAY_PARTNER_CLIENT_DIR: join(root, "dist"),
    CAUSEWAY_PARTNER_WHATSAPP_ENLIST_URL: `http://${sandbox}/3p/interop_reg`,
    CAUSEWAY_PARTNER_WHATSAPP_CHAT_URL: `ws://${sandbox}/ws/chat`,
    CAUSEWAY_PARTNER_WHATSAPP_ROOT_KEY: key,
  }, `${page}/health`);
  return { page, children: [server, gatekeeper] };
}

const wait = (expression) => `
  const end = performance.now() + ${PATIENCE};
  while (!(${expression})) {
    if (performance.now() > end) throw new Error(${JSON.stringify(expression)} + " never came: " + document.body.innerText.slice(0, 300));
    await new Promise((next) => setTimeout(next, 20));
  }`;

/** Onboarding as a person does it. */
const ENLIST = `
  const click = (selector) => document.querySelector(selector).click();
  const type = (selector, text) => {
    const field = document.querySelector(selector);
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  ${wait('document.querySelector("#identifier")')}
  click("#account-create");
  type("#identifier", "bench");
  type("#password", "correct horse battery");
  click("#sign-in");
  ${wait('document.querySelector("#consent")')}
  click("#consent");
  click("#agree");
  ${wait('document.querySelector("#enlist-finish, #chats")')}
  document.querySelector("#enlist-finish")?.click();
  ${wait('document.querySelector("#connection[data-state=online]")')}`.replaceAll("const end", "var end");

function figure(name, most, taken) {
  const sorted = taken.sort((a, b) => a - b);
  const at = (share) => sorted[Math.round((sorted.length - 1) * share)];
  return { name, unit: "ms", median: at(0.5), low: at(0.1), high: at(0.9), loads: taken.length, most };
}

export async function loads({ root, target, chromium, glance }) {
  const data = mkdtempSync(join(tmpdir(), "causeway-bench-"));
  const { page, children } = await servers({ root, target, data });
  try {
    const times = glance ? 1 : LOADS;
    const first = [];
    let session;
    for (let load = 0; load < times; load++) {
      await session?.end();
      session = await chromium.session();
      await session.before(WATCH);
      await session.open(page);
      first.push(await session.run(`${wait("seen.onboarding")} return seen.onboarding;`));
    }
    await session.run(ENLIST);
    const [usable, connected] = [[], []];
    for (let load = 0; load < times; load++) {
      await session.open(page);
      const seen = await session.run(`${wait("seen.connected && seen.chats")} return seen;`);
      usable.push(seen.chats);
      connected.push(seen.connected);
    }
    await session.end();
    return [
      figure("first visit: to a usable page", MOST_USABLE, first),
      figure("return: to a usable page", MOST_USABLE, usable),
      figure('return: to "connected"', MOST_CONNECTED, connected),
    ];
  } finally {
    for (const child of children) child.kill();
    rmSync(data, { recursive: true, force: true });
  }
}
