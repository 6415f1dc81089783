//! `<ib>`: information about the connection itself, mainly the offline mailbox (docs/spec/wire.md §5.4, §5.5).

use super::StanzaError;
use super::fields::Fields;
use crate::node::Node;

/// Longest routing blob that is kept. Those in the field have some twenty bytes.
const MAX_ROUTING: usize = 4096;

/// An info bulletin. None is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ib {
    /// The mailbox holds this much; ask for it with [`passive::offline_batch`](super::passive::offline_batch).
    OfflinePreview {
        /// Stanzas of all kinds.
        count: u32,
        /// Messages among them.
        message: u32,
    },
    /// The mailbox is empty now.
    Offline {
        /// Stanzas that were in it.
        count: u32,
    },
    /// To be sent in front of the next connection's header (docs/spec/wire.md §1.1).
    EdgeRouting(Vec<u8>),
    /// Any other bulletin.
    Other(Node),
}

impl Ib {
    /// Reads `<ib>`. A count that is left out, or is no number, is 0.
    ///
    /// # Errors
    /// A routing blob that is missing or longer than 4 KiB.
    pub fn from_node(node: &Node) -> Result<Self, StanzaError> {
        let fields = Fields::of(node, "ib")?;
        if let Some(preview) = fields.child_opt("offline_preview") {
            let count = preview.number_if_any("count").unwrap_or(0);
            return Ok(Self::OfflinePreview { count, message: preview.number_if_any("message").unwrap_or(0) });
        }
        if let Some(offline) = fields.child_opt("offline") {
            return Ok(Self::Offline { count: offline.number_if_any("count").unwrap_or(0) });
        }
        if let Some(routing) = fields.child_opt("edge_routing") {
            let blob = routing.child("routing_info")?.bytes()?;
            if blob.len() > MAX_ROUTING {
                return Err(StanzaError::TooMany { tag: "routing_info", most: MAX_ROUTING, got: blob.len() });
            }
            return Ok(Self::EdgeRouting(blob.to_vec()));
        }
        Ok(Self::Other(node.clone()))
    }
}
