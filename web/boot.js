// Starts the page: sets the one Trusted Types policy, then loads the page's WebAssembly.
// A file of its own, because the content security policy allows no inline script.

// The chosen colours, before the first paint; where nothing may be remembered, the device's.
try {
  const theme = localStorage.getItem("causeway-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {}

const script = document.querySelector("script[data-js][data-wasm]");
const { js, wasm } = script.dataset;
const workers = ["worker.js", "service-worker.js"].map((name) => new URL(name, script.src).href);

// Leptos builds static markup through innerHTML, always from its own literals. Script sinks stay closed, but for our workers.
globalThis.trustedTypes?.createPolicy("default", {
  createHTML: (html) => html,
  createScriptURL: (url) => {
    if (workers.includes(new URL(url, document.baseURI).href)) return url;
    throw new TypeError("refused to load a script that is not ours");
  },
});

// Where the reason of the last failure is kept until the next one, for a support log.
const LAST_FAILURE = "causeway-last-failure";
const LONGEST_REASON = 1000;

const failure = document.getElementById("boot-failed");
let failed = false;

// After a panic or a trap, nothing on the page answers any more: the failure takes the place of all of it. The first failure
// is the cause; others follow from it. The reason holds no user content: see port/boot.rs, and errors of WebAssembly itself
// have fixed messages.
const fail = (reason) => {
  if (failed) return;
  failed = true;
  try {
    const kept = { at: Date.now(), build: wasm, reason: reason.slice(0, LONGEST_REASON) };
    localStorage.setItem(LAST_FAILURE, JSON.stringify(kept));
  } catch {
    // Nothing may be kept in this browser.
  }
  failure.hidden = false;
  // Not only hidden: an open dialog would keep the focus, and the dead page would go on listening.
  document.body.replaceChildren(failure);
  failure.focus();
};

document.getElementById("boot-reload").addEventListener("click", () => location.reload());

// Called by port/boot.rs, before a panic traps.
globalThis.causewayFailed = fail;

const onTrap = (error) => {
  if (error instanceof WebAssembly.RuntimeError) fail(`${error.name}: ${error.message}`);
};
addEventListener("error", ({ error }) => onTrap(error));
addEventListener("unhandledrejection", ({ reason }) => onTrap(reason));

try {
  // Chromium does not check `integrity` on a preload, so the hash is carried over to the fetch that counts.
  const preload = document.querySelector('link[rel="preload"][type="application/wasm"]');
  const integrity = preload?.integrity ?? "";
  const response = fetch(wasm, { integrity });
  const { default: init } = await import(js);
  await init({ module_or_path: response });
} catch (error) {
  console.error(error);
  fail(`the page did not start: ${error}`);
}
