// The service worker, which the browser wakes while no tab is open. Two things are its business:
//
// - The shell: every file of one release, kept together, so that the app opens offline and a page never meets a worker of
//   another release. A new release waits until no page of the old one is open, or a person asks for it.
// - Pushes: each ends in exactly one visible notification, whatever fails. What it says is the engine's (src/shift.rs).
import init from "./client.js";

// web/finish.mjs writes the files of the build here, with their hashes. Empty in development: nothing is kept then.
const SHELL = { release: "", files: {} };

const SHELL_CACHE = `shell-${SHELL.release}`;
const INDEX = "/index.html";
// What concerns pushes and is no secret: when the last one came, and whether the person wants them.
const NOTES = "notes";
const [LAST, WANTED] = ["/notes/last", "/notes/wanted"];

// What the tags of the notifications begin with that are shown before anything that can fail. port/notification.rs knows it,
// too. Each has a tag of its own: Chromium mixes up one that is just going with one of the same tag that comes.
const WAITING = "waiting:";
// The words of text/notices.rs, for when WebAssembly does not start.
const PLAIN = ["New message", "Open Causeway to read it."];
const TESTED = ["Notifications work", "This browser will tell you when somebody writes."];
const REPLY_LOST = "Your answer was not sent";
const ICON = "/icon-192.png";

// Longer than the engine's own patience (src/shift.rs), should even that fail.
const LONGEST_JOB = 25_000;
// Some browsers never answer a subscription that they cannot make.
const LONGEST_SUBSCRIPTION = 20_000;
const LONGEST_REPLY = 4_096;

const within = (milliseconds, promise) =>
  Promise.race([promise, new Promise((_, fail) => setTimeout(fail, milliseconds, new Error("took too long")))]);

// --- the shell

addEventListener("install", (event) => {
  event.waitUntil(SHELL.release ? keepShell() : skipWaiting());
});

async function keepShell() {
  const cache = await caches.open(SHELL_CACHE);
  // A file that is not the release's fails the installation, and the browser tries again later.
  const keep = async ([path, integrity]) => {
    const response = await fetch(path, { integrity, cache: "no-cache" });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    await cache.put(path, response);
  };
  await Promise.all(Object.entries(SHELL.files).map(keep));
}

addEventListener("activate", (event) => {
  event.waitUntil(forgetOtherShells());
});

async function forgetOtherShells() {
  const others = (await caches.keys()).filter((name) => name.startsWith("shell-") && name !== SHELL_CACHE);
  await Promise.all(others.map((name) => caches.delete(name)));
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  const path = request.mode === "navigate" && pathname === "/" ? INDEX : pathname;
  if (request.method === "GET" && origin === location.origin && Object.hasOwn(SHELL.files, path)) {
    event.respondWith(fromShell(path, request));
  }
});

async function fromShell(path, request) {
  const kept = await (await caches.open(SHELL_CACHE)).match(path);
  if (kept) return kept;
  try {
    // The browser threw it away. Only the same bytes will do.
    return await fetch(path, { integrity: SHELL.files[path] });
  } catch (error) {
    if (path !== INDEX || !navigator.onLine) throw error;
    // This release is gone from the server and incomplete here: begin anew without it.
    await registration.unregister();
    return fetch(request);
  }
}

// --- the engine

let engine;

function start() {
  engine ??= (async () => {
    const url = new URL("client_bg.wasm", location.href);
    const kept = await caches.match(url.pathname, { cacheName: SHELL_CACHE });
    await init({ module_or_path: kept ?? fetch(url) });
  })().catch((error) => {
    engine = undefined;
    throw error;
  });
  return engine;
}

// One job after the other: each leaves what is on screen as the next expects it.
let line = Promise.resolve();

function inTurn(job) {
  const done = line.then(job);
  line = done.catch(() => {});
  return done;
}

// What src/bin/client/worker.rs offers: a job by its name, with texts.
const withEngine = (job, ...texts) => inTurn(() => within(LONGEST_JOB, start().then(() => causeway[job](texts))));

// --- pushes

const show = (tag, [title, body], more) => registration.showNotification(title, { tag, body, icon: ICON, ...more });

addEventListener("push", (event) => {
  event.waitUntil((event.data?.text() === "test" ? onTest() : onPush()).then(() => renew(false)));
});

async function onTest() {
  await show("test", TESTED);
  await note(LAST, Date.now());
  await tellPages();
}

async function onPush() {
  // First of all and without a sound: should this worker be ended at any moment from here on, the person knows that there
  // is something. The engine takes it away when it has said more.
  const tag = `${WAITING}${Date.now()}`;
  await show(tag, PLAIN, { silent: true });
  // Those of workers that were ended: one says as much as many.
  for (const one of await registration.getNotifications()) {
    if (one.tag.startsWith(WAITING) && one.tag !== tag) one.close();
  }
  await note(LAST, Date.now());
  try {
    await withEngine("pushed", tag);
  } catch (error) {
    console.warn("no more can be said than that a message came:", String(error));
    await show(tag, PLAIN);
  }
  await tellPages();
}

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(onClick(event));
});

async function onClick({ action, reply: text, notification }) {
  const { chat, seq } = notification.data ?? {};
  const body = typeof text === "string" ? text.trim().slice(0, LONGEST_REPLY) : "";
  if (!chat || (action === "reply" && !body) || !action) return open(chat);
  try {
    if (action === "reply") await withEngine("reply", chat, body);
    else await withEngine("read", chat, String(seq));
  } catch {
    if (action === "reply") await show(`lost:${chat}`, [REPLY_LOST, body], { data: { chat } });
  }
}

async function open(chat) {
  const fragment = chat ? `#/chat/${encodeURIComponent(chat)}` : "#/";
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find(({ visibilityState }) => visibilityState === "visible") ?? pages[0];
  if (!page) return clients.openWindow(`/${fragment}`);
  page.postMessage({ open: fragment });
  await page.focus();
}

// --- the subscription

async function note(path, value) {
  await (await caches.open(NOTES)).put(path, new Response(String(value)));
}

async function noted(path) {
  const kept = await (await caches.open(NOTES)).match(path);
  return kept ? kept.text() : "";
}

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function ask(path, form) {
  const body = form && new URLSearchParams(form);
  const response = await fetch(path, { method: form ? "POST" : "GET", body, redirect: "error", cache: "no-store" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
}

const partnersKey = async () => new URLSearchParams(await (await ask("/api/push")).text()).get("key") ?? "";

const isFor = (key, subscription) => base64url(subscription.options.applicationServerKey ?? new ArrayBuffer()) === key;

// Makes the subscription the one that the partner server's key is for, and tells the partner server of it.
async function keepInStep() {
  let key;
  try {
    key = await partnersKey();
  } catch {
    return "not-registered";
  }
  let previous = "";
  let subscription = await registration.pushManager.getSubscription();
  if (subscription && !isFor(key, subscription)) {
    previous = subscription.endpoint;
    await subscription.unsubscribe();
    subscription = null;
  }
  try {
    const options = { userVisibleOnly: true, applicationServerKey: key };
    subscription ??= await within(LONGEST_SUBSCRIPTION, registration.pushManager.subscribe(options));
  } catch {
    return "service-silent";
  }
  const [p256dh, auth] = ["p256dh", "auth"].map((name) => base64url(subscription.getKey(name)));
  try {
    await ask("/api/push", { endpoint: subscription.endpoint, p256dh, auth, previous });
  } catch {
    return "not-registered";
  }
  return "";
}

addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(renew(true));
});

// While no page is open: the browser has changed the subscription, or the partner server its key.
async function renew(isChanged) {
  if (!(await noted(WANTED))) return;
  const renewed = await inTurn(async () => {
    const subscription = await registration.pushManager.getSubscription();
    if (!isChanged && subscription && isFor(await partnersKey(), subscription)) return false;
    await keepInStep();
    return true;
  }).catch(() => false);
  // Nobody hears of what was sent to the former subscription meanwhile.
  if (renewed) await withEngine("catchUp").catch(() => {});
}

// What pages ask for; each answers with what is wrong, if anything is.
const orders = {
  async state() {
    return "";
  },
  async on() {
    await note(WANTED, "yes");
    return keepInStep();
  },
  // On each start of a page: the browser may have dropped the subscription, or the partner server changed its key.
  async keep() {
    return (await noted(WANTED)) && Notification.permission === "granted" ? keepInStep() : "";
  },
  async off() {
    await note(WANTED, "");
    const subscription = await registration.pushManager?.getSubscription();
    if (subscription) {
      // Should the partner server not hear of it, the push service will tell it.
      await ask("/api/push/end", { endpoint: subscription.endpoint }).catch(() => {});
      await subscription.unsubscribe();
    }
    return "";
  },
  async test() {
    const subscription = await registration.pushManager.getSubscription();
    return ask("/api/push/test", { endpoint: subscription?.endpoint ?? "" }).then(() => "", () => "test-failed");
  },
};

addEventListener("message", (event) => {
  const { order } = event.data ?? {};
  if (order === "activate") return event.waitUntil(skipWaiting());
  if (order === "look") return event.waitUntil(withEngine("look").catch(() => {}));
  const [port] = event.ports;
  if (port && Object.hasOwn(orders, order)) event.waitUntil(inTurn(() => answer(port, orders[order])));
});

async function answer(port, carryOut) {
  let problem = "failed";
  try {
    problem = await carryOut();
  } catch (error) {
    console.warn("an order was not carried out:", String(error));
  }
  port.postMessage({ problem, wanted: (await noted(WANTED)) !== "", last: Number(await noted(LAST)) || 0 });
}

async function tellPages() {
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const page of pages) page.postMessage({ woken: true });
}
