// Starts the engine in a dedicated module worker. See src/bin/engine.rs for what it does.
import init from "./engine.js";

// A rejection surfaces as an "error" event on the page's Worker, which tells the person.
init().catch((error) => {
  setTimeout(() => {
    throw error;
  });
});
