//! Binary nodes: the trees in which both ends talk, and their bytes (wire.md §3 and §4).
//!
//! A [`Node`] is a tag, attributes, and content. [`encode`](encode()) and [`decode`](decode()) turn it into bytes and
//! back, [`document`] adds the flag byte and compression of the transport, [`xml`] shows it to people. What this module
//! does not know: what any stanza means.

mod decode;
pub mod document;
mod encode;
mod packed;
mod tag;
mod token;
mod token_table;
mod tree;
pub mod xml;

pub use decode::{DecodeError, decode};
pub use encode::{EncodeError, encode};
pub use tree::{Content, Node, Text, Value};

/// Deepest nesting of nodes in either direction; the root is at depth 1. The field's stanzas stay below ten.
pub const MAX_DEPTH: usize = 64;

/// Most nodes and attributes, counted together, that one document may bring. A short compressed document can hold
/// many millions, and each costs far more memory than its two or three bytes.
pub const MAX_ITEMS: usize = 1 << 18;
