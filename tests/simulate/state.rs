//! The page's own model, as it ships: what the engine's updates are applied to.

#[path = "../../web/src/state/model.rs"]
pub mod model;
#[path = "../../web/src/state/thread.rs"]
pub mod thread;
