//! Saying what this client is ready to take after login: live traffic, and the offline mailbox (docs/spec/wire.md §5.3,
//! §5.5).

use super::iq;
use crate::node::Node;

/// From now on, send live traffic. Until then the server may keep it back.
pub fn active_request(id: &str) -> Node {
    iq::request(id, "set", "passive").with_node(Node::new("active"))
}

/// Send the next `count` stanzas of the offline mailbox.
pub fn offline_batch(count: u32) -> Node {
    Node::new("ib").with_node(Node::new("offline_batch").with("count", count))
}
