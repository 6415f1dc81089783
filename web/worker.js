// Starts the engine (src/bin/client/worker.rs) in a dedicated module worker. web/finish.mjs writes the real names of the
// client's files here.
import init from "./client.js";

// Only an uncaught exception becomes an "error" event on the page's Worker; the page then replaces this worker.
addEventListener("unhandledrejection", ({ reason }) => {
  setTimeout(() => {
    throw reason;
  });
});

init({ module_or_path: new URL("client_bg.wasm", import.meta.url) });
