//! Telling the server whether a person is there (docs/spec/wire.md §5.12).
//!
//! Optional between messengers; whether peers see it is the server's affair.

use crate::node::Node;

/// A person is there, under this name.
pub fn available(name: Option<&str>) -> Node {
    let node = Node::new("presence").with("type", "available");
    match name {
        Some(name) => node.with("name", name.to_owned()),
        None => node,
    }
}

/// Nobody is there.
pub fn unavailable() -> Node {
    Node::new("presence").with("type", "unavailable")
}
