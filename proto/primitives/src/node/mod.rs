//! Binary nodes: the trees that both ends exchange, and their encoding (docs/spec/wire.md §3 and §4).
//!
//! A [`Node`] is a tag, attributes, and content. [`encode`](encode()) and [`decode`](decode()) turn it into bytes and
//! back, [`document`] adds the flag byte and compression of the transport, [`xml`] prints it as text. What this module
//! does not know: what any stanza means.
//!
//! ```
//! use causeway_primitives::node::{Node, decode, encode};
//! use causeway_primitives::profile::Profile;
//!
//! let node = Node::new("iq").with("id", "1").with("type", "get").with_node(Node::new("ping"));
//! let mut bytes = Vec::new();
//! encode(&node, &Profile::default(), &mut bytes)?;
//! assert_eq!(decode(&bytes)?, node);
//!
//! // Hostile input ends in a typed error with the offset.
//! bytes.pop();
//! assert!(decode(&bytes).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decode;
mod decode_error;
pub mod document;
mod encode;
mod packed;
mod tag;
mod token;
mod token_table;
mod tree;
mod unknown_jid;
pub mod xml;

pub use decode::{decode, root};
pub use decode_error::{DecodeError, Undecodable};
pub use encode::{EncodeError, encode};
pub use tree::{Content, Node, Text, Value};
pub use unknown_jid::UnknownJid;

/// Deepest nesting of nodes in either direction; the root is at depth 1. The field's stanzas stay below ten.
pub const MAX_DEPTH: usize = 64;

/// Most nodes and attributes, counted together, that one document may bring. A short compressed document can hold
/// many millions, and each costs far more memory than its two or three bytes.
pub const MAX_ITEMS: usize = 1 << 18;
