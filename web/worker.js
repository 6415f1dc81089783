// Starts the engine in a dedicated module worker. See src/bin/engine.rs for what it does.
import init from "./engine.js";

// Only an uncaught exception becomes an "error" event on the page's Worker, which then replaces this one.
addEventListener("unhandledrejection", ({ reason }) => {
  setTimeout(() => {
    throw reason;
  });
});

init();
