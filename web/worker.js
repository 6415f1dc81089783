// Starts the engine in a dedicated module worker. See src/bin/client/worker.rs for what it does. web/finish.mjs puts the
// real names of the client's files here.
import init from "./client.js";

// Only an uncaught exception becomes an "error" event on the page's Worker, which then replaces this one.
addEventListener("unhandledrejection", ({ reason }) => {
  setTimeout(() => {
    throw reason;
  });
});

init({ module_or_path: new URL("client_bg.wasm", import.meta.url) });
