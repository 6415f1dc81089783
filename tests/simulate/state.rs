//! The page's model, as it ships, to which updates are applied.

#[path = "../../web/src/state/message_window.rs"]
pub mod message_window;
#[path = "../../web/src/state/model.rs"]
pub mod model;
#[path = "../../web/src/state/peer_name.rs"]
pub mod peer_name;
