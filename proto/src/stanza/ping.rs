//! Pings, both ways (docs/spec/wire.md §5.1).

use super::iq::{self, Iq};
use crate::node::Node;

/// Asks the server for a sign of life.
pub fn request(id: &str) -> Node {
    iq::request(id, "get", "w:p")
}

/// Our sign of life, in answer to the server's ping.
pub fn answer(ping: &Iq) -> Node {
    ping.result()
}
