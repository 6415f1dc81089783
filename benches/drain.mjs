// The two figures of a mailbox: how fast a full one is read, and how long a message takes from Enter to the socket.
//
// The client as released, its worker with a probe beside it (probe.js); the sandbox's phones encrypt every message
// before the clock starts. Drained is what is committed and painted: one of the chats is open on screen, the others
// count unread. Every mailbox is read by a browser of its own, into an empty database.
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bare } from "./bare.mjs";
import { HANDS, Servers, enlist, wait } from "./servers.mjs";

const PEERS = 20;
const MAILBOXES = [2500, 5000, 10_000];
const BYTES = 200;
const SENDS = 200;
/** Texts that the sandbox takes in one request. */
const AT_ONCE = 250;
/** In milliseconds; how often the renderer's memory is looked at. */
const SAMPLE = 250;
/** The frame that opens the mailbox, `<offline_preview>`: before it come the server's hello and `<success>`. */
const FIRST = 2;

const number = (peer) => String(14155551000 + peer);
const text = (at) => `message ${String(at).padStart(6, "0")} `.padEnd(BYTES, "lorem ipsum dolor sit amet ");

/** A copy of the client whose worker brings the probe along. */
function probed(root) {
  const client = mkdtempSync(join(tmpdir(), "causeway-client-"));
  cpSync(join(root, "dist"), client, { recursive: true });
  cpSync(join(root, "benches/probe.js"), join(client, "probe.js"));
  // The server prefers a compressed copy.
  for (const kind of ["br", "gz"]) rmSync(join(client, `worker.js.${kind}`), { force: true });
  const worker = join(client, "worker.js");
  writeFileSync(worker, `import "./probe.js";\n${readFileSync(worker, "utf8")}`);
  return client;
}

const REPORT = `
  const report = () => new Promise((heard) => {
    const line = new BroadcastChannel("bench-probe");
    line.onmessage = ({ data }) => { line.close(); heard(data); };
    line.postMessage("report");
  });`;

/** A chat with everybody, begun by us: from then on phones write ordinary messages. */
const meet = (peers) => `
  ${HANDS}
  ${REPORT}
  // The page itself asks whom to write to first.
  ${wait('document.querySelector("dialog[open]")')}
  click("#dialog-close");
  for (const peer of ${JSON.stringify(peers)}) {
    ${wait('!document.querySelector("dialog[open]")')}
    click("#new-chat");
    ${wait('document.querySelector("#phone")')}
    type("#phone", "+" + peer);
    click("#start-chat");
    ${wait('document.querySelector(`.pane.chat[data-chat^="${peer}"] #composer`)')}
    type("#composer", "hello");
    click("#send");
    ${wait('document.querySelector(".message.out[data-state=delivered]")')}
  }`;

/** Runs before the page's own scripts: long tasks, and when everything is on screen. */
const watch = (unread, last) => `
  globalThis.tasks = [];
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) tasks.push([performance.timeOrigin + startTime, duration]);
  }).observe({ type: "longtask" });
  const now = () => performance.timeOrigin + performance.now();
  const all = () => {
    let counted = 0;
    for (const badge of document.querySelectorAll("#chats .badge > [aria-hidden]")) counted += Number(badge.textContent);
    if (counted < ${unread}) return false;
    const newest = document.querySelector("#messages li.message:last-of-type .text");
    return newest?.textContent === ${JSON.stringify(last)};
  };
  const frame = () => {
    if (!all()) return requestAnimationFrame(frame);
    // By the next frame this one is on screen.
    requestAnimationFrame(() => { globalThis.painted = now(); });
  };
  requestAnimationFrame(frame);`;

/** Private memory of Chromium's renderers, in bytes: what is resident, less what is shared with other processes. */
function renderers(chromedriver) {
  const PAGE = 4096;
  const processes = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      processes.set(Number(pid), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It has just ended.
    }
  }
  const descends = (pid) => pid === chromedriver || (processes.has(pid) && descends(processes.get(pid)));
  let bytes = 0;
  for (const pid of processes.keys()) {
    try {
      if (!descends(pid) || !readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=renderer")) continue;
      const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ").map(Number);
      bytes += (resident - shared) * PAGE;
    } catch {
      // It has just ended.
    }
  }
  return bytes;
}

/** Enlists, meets everybody, leaves, has the mailbox filled, and comes back. */
async function drain({ chromium, servers, messages }) {
  const identifier = `drain-${messages}`;
  const peers = Array.from({ length: PEERS }, (_, peer) => number(peer));
  const each = messages / PEERS;
  for (const peer of peers) await servers.sandbox(`phones/${peer}/online`, {});
  const session = await chromium.session();
  await session.open(servers.page);
  await session.run(enlist(identifier));
  await session.run(meet(peers));
  const open = await session.run("return location.hash;");
  await session.open("about:blank");

  const waiting = (users) => users.find((user) => user.identifier === identifier);
  await servers.until("users", (users) => !waiting(users).online);
  const texts = Array.from({ length: each }, (_, at) => text(at));
  for (const peer of peers) {
    for (let from = 0; from < each; from += AT_ONCE) {
      await servers.sandbox(`phones/${peer}/send_all`, { to: identifier, texts: texts.slice(from, from + AT_ONCE) });
    }
  }
  await servers.until("users", (users) => waiting(users).waiting >= messages);
  // Phones must not respond to receipts while the clock runs.
  for (const peer of peers) await servers.sandbox(`phones/${peer}/offline`, {});

  await session.before(watch(messages - each, texts[each - 1]));
  let peak = 0;
  const sampling = setInterval(() => {
    peak = Math.max(peak, renderers(chromium.driver.pid));
  }, SAMPLE);
  await session.open(`${servers.page}/${open}`);
  const before = renderers(chromium.driver.pid);
  const { painted, tasks, probe, heap } = await session.run(`
    ${REPORT}
    ${wait("globalThis.painted")}
    const probe = await report();
    return { painted, tasks, probe, heap: performance.memory.usedJSHeapSize };`);
  clearInterval(sampling);
  const first = probe.frames[FIRST];
  const ms = painted - first;
  // Browsers report tasks from 50 ms on. The page's own start is over when the mailbox opens.
  const longest = Math.max(0, ...tasks.filter(([began]) => began >= first && began <= painted).map(([, taken]) => taken));
  const figure = {
    messages, ms, perSecond: (messages / ms) * 1000, longestTask: longest, groups: probe.commits, engineMemory: probe.memory,
    pageHeap: heap, rendererBefore: before, rendererPeak: peak,
  };
  return { figure, session };
}

/** From Enter to the bytes handed to the socket; the commit lies between. Each message waits for the one before. */
async function latency(session, sends) {
  const { entered, probe } = await session.run(`
    ${HANDS}
    ${REPORT}
    const entered = [];
    ${wait('document.querySelector("#composer") && document.querySelector("#connection[data-state=online]")')}
    for (let at = 0; at < ${sends}; at++) {
      type("#composer", "message " + at);
      entered.push(performance.timeOrigin + performance.now());
      document.querySelector("#composer").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
      const isSent = ({ dataset, textContent }) => dataset.state !== "queued" && textContent.includes("message " + at);
      ${wait('[...document.querySelectorAll(".message.out")].slice(-1).some(isSent)')}
    }
    return { entered, probe: await report() };`);
  const taken = entered.map((at) => probe.sent.find((sent) => sent >= at) - at).sort((a, b) => a - b);
  const at = (share) => taken[Math.min(taken.length - 1, Math.floor(taken.length * share))];
  return { name: "send: from Enter to the socket", unit: "ms", median: at(0.5), p95: at(0.95), high: taken.at(-1), sends: taken.length };
}

export async function mailbox({ root, target, chromium, glance }) {
  const client = probed(root);
  const servers = await Servers.start({ root, target, client });
  try {
    for (let peer = 0; peer < PEERS; peer++) await servers.sandbox("phones", { number: number(peer) });
    const drains = [];
    let sending, limit;
    for (const messages of glance ? [200] : MAILBOXES) {
      const { figure, session } = await drain({ chromium, servers, messages });
      drains.push(figure);
      if (messages === (glance ? 200 : MAILBOXES.at(-1))) {
        limit = await bare({ session, page: servers.page, figure });
        sending = await latency(session, glance ? 5 : SENDS);
      }
      await session.end();
    }
    return { drains, bare: limit, sending };
  } finally {
    await servers.stop();
    rmSync(client, { recursive: true, force: true });
  }
}
