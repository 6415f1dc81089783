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
// Status of the partner server's answer to a subscription that it will never send to.
const INVALID = 422;
// Some browsers never settle the focusing of a window. A window must be opened soon after the click, or not at all.
const FOCUS_TIMEOUT = 2_000;

/**
 * Rejects if `promise` has not settled after the time-out.
 * @template T
 * @param {number} milliseconds
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
const withTimeout = (milliseconds, promise) =>
  Promise.race([promise, new Promise((_, reject) => setTimeout(reject, milliseconds, new Error("timed out")))]);

/**
 * Resolves when `promise` has settled: what follows does not depend on its success. A failure is logged.
 * @param {Promise<unknown>} promise
 */
const settled = async (promise) => {
  try {
    await promise;
  } catch (error) {
    console.warn("a step failed:", String(error));
  }
};

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
  const cached = await stored(path);
  if (cached) return cached;
  try {
    // The browser has evicted the file, or cannot read it. The integrity check accepts only the same bytes.
    return await fetch(path, { integrity: SHELL.files[path] });
  } catch (error) {
    if (path !== INDEX || !navigator.onLine) throw error;
    // The release is gone from the server and incomplete here: unregister, and load the page without this worker.
    await settled(registration.unregister());
    return fetch(request);
  }
}

/**
 * A file of the release, if the browser has it and can read it.
 * @param {string} path
 */
const stored = (path) => caches.match(path, { cacheName: SHELL_CACHE }).catch(() => undefined);

// --- the engine

/** @type {Promise<void> | undefined} */
let engine;

/** Starts the engine's WebAssembly once; after a failure the next call tries again. */
function start() {
  engine ??= (async () => {
    const url = new URL("client_bg.wasm", location.href);
    await init({ module_or_path: (await stored(url.pathname)) ?? fetch(url) });
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
  event.waitUntil(settled(event.data?.text() === "test" ? onTest() : onPush()).then(() => renewSubscription(false)));
});

async function onTest() {
  await settled(show("test", TESTED));
  await settled(writeState(LAST, Date.now()));
  await settled(notifyPages());
}

async function onPush() {
  // Shown first and silently: if the browser ends this worker at any moment from here on, the person knows that a
  // message came. The engine closes it after it has shown a more specific notification.
  const tag = `${WAITING}${Date.now()}`;
  await settled(show(tag, PLAIN, { silent: true }));
  await settled(closeLeftovers(tag));
  await settled(writeState(LAST, Date.now()));
  try {
    await withEngine("pushed", tag);
  } catch (error) {
    console.warn("the notification stays unspecific:", String(error));
    await settled(show(tag, PLAIN));
  }
  await settled(notifyPages());
}

/**
 * Closes the unspecific notifications that workers left when they were ended, except the one with this tag.
 * @param {string} tag
 */
async function closeLeftovers(tag) {
  for (const one of await registration.getNotifications()) {
    if (one.tag.startsWith(WAITING) && one.tag !== tag) one.close();
  }
}

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(onClick(event));
});

/** @param {NotificationEvent & { reply?: string }} event with the text of an answer, where the browser offers one */
async function onClick({ action, reply: text, notification }) {
  const { chat, seq } = notification.data ?? {};
  const body = typeof text === "string" ? text.trim() : "";
  if (!chat || (action === "reply" && !body) || !action) return open(chat);
  try {
    if (action === "reply") await withEngine("reply", chat, body);
    else await withEngine("read", chat, String(seq));
  } catch {
    // The engine has kept it as the chat's draft, if it could and there was none.
    if (action === "reply") await settled(show(`lost:${chat}`, [REPLY_LOST, body], { data: { chat } }));
  }
}

/**
 * Focuses a page on a chat, or opens one.
 * @param {string} [chat]
 */
async function open(chat) {
  const fragment = chat ? `#/chat/${encodeURIComponent(chat)}` : "#/";
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true }).catch(() => []);
  const page = pages.find(({ visibilityState }) => visibilityState === "visible") ?? pages[0];
  if (page) {
    try {
      await withTimeout(FOCUS_TIMEOUT, page.focus());
      return page.postMessage({ open: fragment });
    } catch (error) {
      console.warn("the page cannot be focused:", String(error));
    }
  }
  await settled(clients.openWindow(`/${fragment}`));
}

// --- the subscription

/**
 * @param {string} path
 * @param {string | number} value empty removes it, which needs no room
 */
async function writeState(path, value) {
  const notes = await caches.open(NOTES);
  await (value === "" ? notes.delete(path) : notes.put(path, new Response(String(value))));
}

/**
 * @param {string} path
 * @returns {Promise<string>} empty if nothing is stored, or it cannot be read
 */
async function readState(path) {
  try {
    const note = await caches.match(path, { cacheName: NOTES });
    return note ? await note.text() : "";
  } catch {
    return "";
  }
}

/** @param {ArrayBuffer} bytes */
const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** An answer of the partner server that is not a success. */
class Refusal extends Error {
  /**
   * @param {string} path
   * @param {number} status
   */
  constructor(path, status) {
    super(`${path}: ${status}`);
    this.status = status;
  }
}

/**
 * A request to the partner server: GET without a form, POST with one.
 * @param {string} path
 * @param {Record<string, string>} [form]
 */
async function callPartner(path, form) {
  const body = form && new URLSearchParams(form);
  const response = await fetch(path, { method: form ? "POST" : "GET", body, redirect: "error", cache: "no-store" });
  if (!response.ok) throw new Refusal(path, response.status);
  return response;
}

const partnersKey = async () => new URLSearchParams(await (await callPartner("/api/push")).text()).get("key") ?? "";

/**
 * @param {string} key
 * @param {PushSubscription} subscription
 */
const isFor = (key, subscription) => base64url(subscription.options.applicationServerKey ?? new ArrayBuffer()) === key;

/**
 * Whether a push can arrive there. Chromium gives `https://permanently-removed.invalid/…` for a subscription that its
 * push service has dropped; no address of `.invalid` exists (RFC 2606 §2).
 * @param {PushSubscription} subscription
 */
function isUsable({ endpoint, expirationTime }) {
  try {
    return !new URL(endpoint).hostname.endsWith(".invalid") && (expirationTime ?? Infinity) > Date.now();
  } catch {
    return false;
  }
}

/**
 * Registers a subscription at the partner server.
 * @param {PushSubscription} subscription
 * @param {string} previous endpoint that this one replaces
 * @returns {Promise<string>} the problem, or nothing
 */
async function registerSubscription(subscription, previous) {
  /** @type {PushEncryptionKeyName[]} */
  const names = ["p256dh", "auth"];
  const [p256dh, auth] = names.map((name) => base64url(subscription.getKey(name) ?? new ArrayBuffer()));
  try {
    await callPartner("/api/push", { endpoint: subscription.endpoint, p256dh, auth, previous });
    return "";
  } catch (error) {
    return error instanceof Refusal && error.status === INVALID ? "address-unusable" : "not-registered";
  }
}

/**
 * Subscribes with the partner server's current key and registers the subscription there. One that cannot be used is given
 * up, and the browser is asked for another, once.
 * @returns {Promise<string>} the problem, or nothing
 */
async function syncSubscription() {
  let key;
  try {
    key = await partnersKey();
  } catch {
    return "not-registered";
  }
  const former = await registration.pushManager.getSubscription().catch(() => null);
  if (former && isFor(key, former) && isUsable(former)) {
    const problem = await registerSubscription(former, "");
    if (problem !== "address-unusable") return problem;
  }
  if (former) await settled(former.unsubscribe());
  let subscription;
  try {
    const options = { userVisibleOnly: true, applicationServerKey: key };
    subscription = await withTimeout(SUBSCRIPTION_TIMEOUT, registration.pushManager.subscribe(options));
  } catch {
    return "service-silent";
  }
  return isUsable(subscription) ? registerSubscription(subscription, former?.endpoint ?? "") : "address-unusable";
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
    if (!isChanged && subscription && isUsable(subscription) && isFor(await partnersKey(), subscription)) return false;
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
      await settled(callPartner("/api/push/end", { endpoint: subscription.endpoint }));
      await subscription.unsubscribe();
    }
    return "";
  },
  async test() {
    try {
      const subscription = await registration.pushManager.getSubscription();
      await callPartner("/api/push/test", { endpoint: subscription?.endpoint ?? "" });
      return "";
    } catch {
      return "test-failed";
    }
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
