// Starts the page: sets the only Trusted Types policy, then loads the page's WebAssembly. Covers the page when it
// fails. A file of its own, because the content security policy allows no inline script.

// The chosen theme, before the first paint; the device's, where localStorage is not available.
try {
  const theme = localStorage.getItem("causeway-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {}

const script = /** @type {HTMLScriptElement} */ (document.querySelector("script[data-js][data-wasm]"));
const { js = "", wasm = "" } = script.dataset;
const workers = ["worker.js", "service-worker.js"].map((name) => new URL(name, script.src).href);

// Leptos builds static markup through innerHTML, always from its own literals. Of scripts, only our workers are
// allowed.
globalThis.trustedTypes?.createPolicy("default", {
  createHTML: (/** @type {string} */ html) => html,
  createScriptURL: (/** @type {string} */ url) => {
    if (workers.includes(new URL(url, document.baseURI).href)) return url;
    throw new TypeError("refused to load a script that is not ours");
  },
});

// Where the reason of the last failure is kept until the next one, for a support log.
const LAST_FAILURE = "causeway-last-failure";
const LONGEST_REASON = 1000;

const failure = /** @type {HTMLElement} */ (document.getElementById("boot-failed"));
let failed = false;

/**
 * Replaces the page, which has stopped after a panic or a trap, and stores the reason. Only the first failure counts:
 * others follow from it. The reason holds no user content: see port/boot.rs; messages of WebAssembly's own errors are
 * fixed.
 * @param {string} reason
 */
const fail = (reason) => {
  if (failed) return;
  failed = true;
  try {
    const kept = { at: Date.now(), build: wasm, reason: reason.slice(0, LONGEST_REASON) };
    localStorage.setItem(LAST_FAILURE, JSON.stringify(kept));
  } catch {
    // localStorage is not available.
  }
  failure.hidden = false;
  // Removed, not only hidden: an open dialog would keep the focus, and event listeners would call into the stopped
  // program.
  document.body.replaceChildren(failure);
  failure.focus();
};

document.getElementById("boot-reload")?.addEventListener("click", () => location.reload());

// Called by port/boot.rs, before a panic traps.
Object.assign(globalThis, { causewayFailed: fail });

/** @param {unknown} error */
const onTrap = (error) => {
  // A stack overflow in WebAssembly is a RangeError, in Firefox an InternalError.
  if (!(error instanceof Error)) return;
  const isTrap = error instanceof WebAssembly.RuntimeError || /^(RangeError|InternalError)$/.test(error.name);
  if (isTrap) fail(`${error.name}: ${error.message}`);
};
addEventListener("error", ({ error }) => onTrap(error));
addEventListener("unhandledrejection", ({ reason }) => onTrap(reason));

try {
  // Chromium does not check `integrity` on a preload, so the hash is carried over to the fetch.
  /** @type {HTMLLinkElement | null} */
  const preload = document.querySelector('link[rel="preload"][type="application/wasm"]');
  const integrity = preload?.integrity ?? "";
  const response = fetch(wasm, { integrity });
  const { default: init } = await import(js);
  await init({ module_or_path: response });
} catch (error) {
  console.error(error);
  fail(`the page did not start: ${error}`);
}
