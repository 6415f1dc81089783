// From navigation to a usable page, and to "connected", with the client as released and the servers beside it.
// Every load is in a browser of its own or after a full restart of the page, unthrottled, over loopback.
import { Servers, enlist, wait } from "./servers.mjs";

const MOST_USABLE = 1000;
const MOST_CONNECTED = 2000;
const LOADS = 9;

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

function figure(name, most, taken) {
  const sorted = taken.sort((a, b) => a - b);
  const at = (share) => sorted[Math.round((sorted.length - 1) * share)];
  return { name, unit: "ms", median: at(0.5), low: at(0.1), high: at(0.9), loads: taken.length, most };
}

export async function loads({ root, target, chromium, glance }) {
  const servers = await Servers.start({ root, target });
  try {
    const times = glance ? 1 : LOADS;
    /** @type {number[]} */
    const first = [];
    let session;
    for (let load = 0; load < times; load++) {
      await session?.end();
      session = await chromium.session();
      await session.before(WATCH);
      await session.open(servers.page);
      first.push(await session.run(`${wait("seen.onboarding")} return seen.onboarding;`));
    }
    await session.run(enlist("bench"));
    // A return is served by the service worker, which the first visit registers after a while.
    await session.run("await navigator.serviceWorker.ready;");
    /** @type {[number[], number[]]} */
    const [usable, connected] = [[], []];
    for (let load = 0; load < times; load++) {
      await session.open(servers.page);
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
    await servers.stop();
  }
}
