//! The page's model, as it ships, to which updates are applied.

#[path = "../../web/src/state/model.rs"]
pub mod model;
#[path = "../../web/src/state/thread.rs"]
pub mod thread;
