// Starts the engine (src/bin/engine.rs) in a dedicated module worker.
import init from "./engine.js";

// Only an uncaught exception becomes an "error" event on the page's Worker; the page then replaces this worker.
addEventListener("unhandledrejection", ({ reason }) => {
  setTimeout(() => {
    throw reason;
  });
});

init();
