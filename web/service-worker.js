// The service worker, which the browser starts while no tab is open. It does two things:
//
// - The shell: it caches every file of one release together, so that the app opens offline and a page never runs with a
//   worker of another release. A new release waits until no page of the old one is open, or until a person asks for it.
// - Pushes: each push ends in exactly one visible notification, whatever fails. Its text comes from the engine
//   (src/background.rs).
//
// It must not know what a message is: commands to the engine are names and strings.
import init from "./client.js";

/**
 * The files of the release with their hashes, by path. web/finish.mjs writes them here at the end of a build. Empty in
 * development: nothing is cached then.
 * @type {{ release: string, files: Record<string, string> }}
 */
const SHELL = { release: "", files: {} };

const SHELL_CACHE = `shell-${SHELL.release}`;
const INDEX = "/index.html";
// The cache of the push state, none of it secret: the time of the last push, and whether the person has turned pushes
// on.
const NOTES = "notes";
const [LAST, WANTED] = ["/notes/last", "/notes/wanted"];

// Prefix of the tags of notifications that are shown before anything that can fail; port/notification.rs has the same
// constant. Each such notification has a tag of its own: Chromium confuses one that is being closed with a new one of
// the same tag.
const WAITING = "waiting:";
// Copies of texts in src/text/english/notifications.rs, for the case that WebAssembly does not start.
const PLAIN = ["New message", "Open Causeway to read it."];
const TESTED = ["Notifications work", "This browser will tell you when somebody writes."];
const REPLY_LOST = "Your answer was not sent";
const ICON = "/icon-192.png";

// Time-outs in milliseconds. A task's is longer than the engine's own (src/background.rs), in case that one fails.
const TASK_TIMEOUT = 25_000;
// Some browsers never settle a subscription that they cannot make.
const SUBSCRIPTION_TIMEOUT = 20_000;
// Longest reply from a notification, in UTF-16 code units.
const LONGEST_REPLY = 4_096;

/**
 * Rejects if `promise` has not settled after the time-out.
 * @template T
 * @param {number} milliseconds
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
const withTimeout = (milliseconds, promise) =>
  Promise.race([promise, new Promise((_, reject) => setTimeout(reject, milliseconds, new Error("timed out")))]);

// --- the shell

addEventListener("install", (event) => {
  event.waitUntil(SHELL.release ? cacheShell() : skipWaiting());
});

async function cacheShell() {
  const cache = await caches.open(SHELL_CACHE);
  // A file that does not match its hash fails the installation; the browser tries again later.
  /** @param {[string, string]} file */
  const add = async ([path, integrity]) => {
    const response = await fetch(path, { integrity, cache: "no-cache" });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    await cache.put(path, response);
  };
  await Promise.all(Object.entries(SHELL.files).map(add));
}

addEventListener("activate", (event) => {
  event.waitUntil(deleteOldShells());
});

async function deleteOldShells() {
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

/**
 * @param {string} path
 * @param {Request} request
 * @returns {Promise<Response>}
 */
async function fromShell(path, request) {
  const cached = await (await caches.open(SHELL_CACHE)).match(path);
  if (cached) return cached;
  try {
    // The browser has evicted the file. The integrity check accepts only the same bytes.
    return await fetch(path, { integrity: SHELL.files[path] });
  } catch (error) {
    if (path !== INDEX || !navigator.onLine) throw error;
    // The release is gone from the server and incomplete here: unregister, and load the page without this worker.
    await registration.unregister();
    return fetch(request);
  }
}

// --- the engine

/** @type {Promise<void> | undefined} */
let engine;

/** Starts the engine's WebAssembly once; after a failure the next call tries again. */
function start() {
  engine ??= (async () => {
    const url = new URL("client_bg.wasm", location.href);
    const cached = await caches.match(url.pathname, { cacheName: SHELL_CACHE });
    await init({ module_or_path: cached ?? fetch(url) });
  })().catch((error) => {
    engine = undefined;
    throw error;
  });
  return engine;
}

// Tasks run one after the other, because each reads and changes the notifications on screen.
/** @type {Promise<unknown>} */
let queue = Promise.resolve();

/**
 * Runs a task after all that were queued before it.
 * @template T
 * @param {() => Promise<T>} task
 * @returns {Promise<T>}
 */
function enqueue(task) {
  const done = queue.then(task);
  queue = done.catch(() => {});
  return done;
}

/**
 * Runs a function that src/bin/client/worker.rs offers under the global name `causeway`.
 * @param {string} name
 * @param {...string} texts
 * @returns {Promise<void>}
 */
const withEngine = (name, ...texts) =>
  enqueue(() => withTimeout(TASK_TIMEOUT, start().then(() => globalThis.causeway[name](texts))));

// --- pushes

/**
 * @param {string} tag
 * @param {string[]} text title and body
 * @param {NotificationOptions} [more]
 */
const show = (tag, [title, body], more) => registration.showNotification(title, { tag, body, icon: ICON, ...more });

addEventListener("push", (event) => {
  event.waitUntil((event.data?.text() === "test" ? onTest() : onPush()).then(() => renewSubscription(false)));
});

async function onTest() {
  await show("test", TESTED);
  await writeState(LAST, Date.now());
  await notifyPages();
}

async function onPush() {
  // Shown first and silently: if the browser ends this worker at any moment from here on, the person knows that a
  // message came. The engine closes it after it has shown a more specific notification.
  const tag = `${WAITING}${Date.now()}`;
  await show(tag, PLAIN, { silent: true });
  // Close those that workers left when they were ended; one is enough.
  for (const one of await registration.getNotifications()) {
    if (one.tag.startsWith(WAITING) && one.tag !== tag) one.close();
  }
  await writeState(LAST, Date.now());
  try {
    await withEngine("pushed", tag);
  } catch (error) {
    console.warn("the notification stays unspecific:", String(error));
    await show(tag, PLAIN);
  }
  await notifyPages();
}

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(onClick(event));
});

/** @param {NotificationEvent & { reply?: string }} event with the text of an answer, where the browser offers one */
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

/**
 * Focuses a page on a chat, or opens one.
 * @param {string} [chat]
 */
async function open(chat) {
  const fragment = chat ? `#/chat/${encodeURIComponent(chat)}` : "#/";
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find(({ visibilityState }) => visibilityState === "visible") ?? pages[0];
  if (!page) return clients.openWindow(`/${fragment}`);
  page.postMessage({ open: fragment });
  await page.focus();
}

// --- the subscription

/**
 * @param {string} path
 * @param {string | number} value
 */
async function writeState(path, value) {
  await (await caches.open(NOTES)).put(path, new Response(String(value)));
}

/**
 * @param {string} path
 * @returns {Promise<string>} empty if nothing is stored
 */
async function readState(path) {
  const stored = await (await caches.open(NOTES)).match(path);
  return stored ? stored.text() : "";
}

/** @param {ArrayBuffer} bytes */
const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/**
 * A request to the partner server: GET without a form, POST with one.
 * @param {string} path
 * @param {Record<string, string>} [form]
 */
async function callPartner(path, form) {
  const body = form && new URLSearchParams(form);
  const response = await fetch(path, { method: form ? "POST" : "GET", body, redirect: "error", cache: "no-store" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
}

const partnersKey = async () => new URLSearchParams(await (await callPartner("/api/push")).text()).get("key") ?? "";

/**
 * @param {string} key
 * @param {PushSubscription} subscription
 */
const isFor = (key, subscription) => base64url(subscription.options.applicationServerKey ?? new ArrayBuffer()) === key;

/**
 * Subscribes with the partner server's current key and registers the subscription there.
 * @returns {Promise<string>} the problem, or nothing
 */
async function syncSubscription() {
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
    subscription ??= await withTimeout(SUBSCRIPTION_TIMEOUT, registration.pushManager.subscribe(options));
  } catch {
    return "service-silent";
  }
  /** @type {PushEncryptionKeyName[]} */
  const names = ["p256dh", "auth"];
  const [p256dh, auth] = names.map((name) => base64url(subscription.getKey(name) ?? new ArrayBuffer()));
  try {
    await callPartner("/api/push", { endpoint: subscription.endpoint, p256dh, auth, previous });
  } catch {
    return "not-registered";
  }
  return "";
}

addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(renewSubscription(true));
});

/**
 * Renews the subscription if the browser has changed it, or the partner server its key. Runs while no page is open.
 * @param {boolean} isChanged
 */
async function renewSubscription(isChanged) {
  if (!(await readState(WANTED))) return;
  const renewed = await enqueue(async () => {
    const subscription = await registration.pushManager.getSubscription();
    if (!isChanged && subscription && isFor(await partnersKey(), subscription)) return false;
    await syncSubscription();
    return true;
  }).catch(() => false);
  // Pushes to the former subscription may be lost.
  if (renewed) await withEngine("catchUp").catch(() => {});
}

/**
 * The commands of pages; each returns the problem, or nothing.
 * @type {Record<string, () => Promise<string>>}
 */
const commands = {
  async state() {
    return "";
  },
  async on() {
    await writeState(WANTED, "yes");
    return syncSubscription();
  },
  // Sent at each start of a page: the browser may have dropped the subscription, or the partner server changed its key.
  async keep() {
    return (await readState(WANTED)) && Notification.permission === "granted" ? syncSubscription() : "";
  },
  async off() {
    await writeState(WANTED, "");
    const subscription = await registration.pushManager?.getSubscription();
    if (subscription) {
      // If this request fails, the partner server learns it from the push service.
      await callPartner("/api/push/end", { endpoint: subscription.endpoint }).catch(() => {});
      await subscription.unsubscribe();
    }
    return "";
  },
  async test() {
    const subscription = await registration.pushManager.getSubscription();
    const endpoint = subscription?.endpoint ?? "";
    return callPartner("/api/push/test", { endpoint }).then(() => "", () => "test-failed");
  },
};

addEventListener("message", (event) => {
  const { order: command } = event.data ?? {};
  if (command === "activate") return event.waitUntil(skipWaiting());
  if (command === "look") return event.waitUntil(withEngine("look").catch(() => {}));
  const [port] = event.ports;
  if (port && Object.hasOwn(commands, command)) event.waitUntil(enqueue(() => answer(port, commands[command])));
});

/**
 * Runs a command and posts its problem together with the push state.
 * @param {MessagePort} port
 * @param {() => Promise<string>} run
 */
async function answer(port, run) {
  let problem = "failed";
  try {
    problem = await run();
  } catch (error) {
    console.warn("a command failed:", String(error));
  }
  port.postMessage({ problem, wanted: (await readState(WANTED)) !== "", last: Number(await readState(LAST)) || 0 });
}

async function notifyPages() {
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const page of pages) page.postMessage({ woken: true });
}
