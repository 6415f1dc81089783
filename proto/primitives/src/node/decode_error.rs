//! What can be wrong with the bytes of a node.

use super::Node;

/// Why bytes are not a node. Offsets count from the first byte of the node; for what was compressed, after inflating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end too early.
    #[error("at byte {offset}: expected {expected} more bytes, got {got}")]
    UnexpectedEnd {
        /// Where the item begins that is cut short.
        offset: usize,
        /// Bytes that it needs.
        expected: usize,
        /// Bytes that are left.
        got: usize,
    },
    /// A tag that means nothing.
    #[error("at byte {offset}: tag {tag} means nothing")]
    UnknownTag {
        /// Where the tag stands.
        offset: usize,
        /// The tag.
        tag: u8,
    },
    /// Something other than a list where a node has to be.
    #[error("at byte {offset}: expected a node, got tag {tag}")]
    NotANode {
        /// Where the tag stands.
        offset: usize,
        /// The tag.
        tag: u8,
    },
    /// A node of zero items.
    #[error("at byte {offset}: a node without even a tag")]
    EmptyNode {
        /// Where the node begins.
        offset: usize,
    },
    /// A node whose tag is empty text.
    #[error("at byte {offset}: the tag of a node is empty")]
    EmptyTag {
        /// Where the tag stands.
        offset: usize,
    },
    /// An attribute whose key is empty text.
    #[error("at byte {offset}: the key of an attribute is empty")]
    EmptyKey {
        /// Where the key stands.
        offset: usize,
    },
    /// A list or an address where only a string may stand.
    #[error("at byte {offset}: expected a string, got tag {tag}")]
    NotAString {
        /// Where the tag stands.
        offset: usize,
        /// The tag.
        tag: u8,
    },
    /// A packed string of an odd number of characters in no bytes.
    #[error("at byte {offset}: a packed string that is shorter than nothing")]
    PackedHeader {
        /// Where the string begins.
        offset: usize,
    },
    /// Nodes within nodes beyond [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("at byte {offset}: nodes are nested deeper than {most}")]
    TooDeep {
        /// Where the node begins that is too deep.
        offset: usize,
        /// The deepest that is read.
        most: usize,
    },
    /// A list that cannot fit into the bytes that follow.
    #[error("at byte {offset}: a list of {count}, but only {got} bytes follow")]
    CountExceedsInput {
        /// Where the list begins.
        offset: usize,
        /// Items that it announces.
        count: usize,
        /// Bytes that are left.
        got: usize,
    },
    /// More nodes and attributes announced than the whole input can hold, or than [`MAX_ITEMS`](super::MAX_ITEMS).
    #[error("at byte {offset}: more nodes and attributes than the input can hold, or than {most}")]
    TooManyItems {
        /// Where the list begins that is one too many.
        offset: usize,
        /// The most that is ever read.
        most: usize,
    },
    /// Something after the end of the node.
    #[error("at byte {offset}: {got} bytes too many")]
    TrailingBytes {
        /// Where the node ends.
        offset: usize,
        /// Bytes after it.
        got: usize,
    },
    /// Not even the flag byte.
    #[error("an empty document")]
    EmptyDocument,
    /// The compressed form is damaged or cut short.
    #[error("the compressed stanza is damaged or cut short")]
    Compression,
    /// The compressed form ends before the document does.
    #[error("{got} bytes too many after the compressed stanza")]
    TrailingCompressed {
        /// Bytes after it.
        got: usize,
    },
    /// The stanza is larger than may be.
    #[error("the compressed stanza is larger than {most} bytes")]
    InflatedTooLarge {
        /// The most that is inflated.
        most: usize,
    },
}

/// A document that is no node, and what was read of its root: enough to acknowledge a stanza that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Undecodable {
    /// Tag and attributes of the root up to the fault, without children; the tag is empty if the fault is before it.
    pub root: Box<Node>,
    /// The first thing that is wrong.
    pub error: DecodeError,
}
