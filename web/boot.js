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

const fail = () => {
  document.getElementById("boot-failed").hidden = false;
};

// After a trap, nothing on the page answers any more.
addEventListener("error", ({ error }) => {
  if (error instanceof WebAssembly.RuntimeError) fail();
});

try {
  // Chromium does not check `integrity` on a preload, so the hash is carried over to the fetch that counts.
  const preload = document.querySelector('link[rel="preload"][type="application/wasm"]');
  const integrity = preload?.integrity ?? "";
  const response = fetch(wasm, { integrity });
  const { default: init } = await import(js);
  await init({ module_or_path: response });
} catch (error) {
  console.error(error);
  fail();
}
