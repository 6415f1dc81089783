//! Stanzas: the messages between client and server inside the channel, as types (docs/spec/wire.md §5).
//!
//! One file a stanza. [`Stanza::from_node`] reads whatever the server sends and never fails: a stanza that is not
//! understood is [`Stanza::Unknown`], one that is not as it should be [`Stanza::Malformed`], both with the node, so
//! that it can still be acknowledged. It does not know bytes (`node` does), nor what to do about any stanza.

pub mod ack;
pub mod alias;
mod fields;
pub mod ib;
pub mod iq;
pub mod message;
pub mod notification;
pub mod passive;
pub mod ping;
pub mod prekeys;
pub mod presence;
pub mod receipt;
pub mod stream;

pub use ack::{Ack, AckClass};
pub use alias::{Alias, AliasOf};
pub use ib::Ib;
pub use iq::{Iq, IqError, IqKind};
pub use message::{Enc, Incoming, Outgoing};
pub use notification::{Notification, NotificationBody};
pub use receipt::{Receipt, ReceiptKind, RetryRequest};
pub use stream::{Failure, StreamError, Success};

use crate::jid::JidError;
use crate::node::{DecodeError, Node, Undecodable};

/// Longest `<device-identity>` that is read, in bytes; those in the field have some 150.
const MAX_DEVICE_IDENTITY: usize = 1024;

/// Anything that the server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stanza {
    /// Logged in.
    Success(Success),
    /// Login refused.
    Failure(Failure),
    /// The server ends the stream, with a reason.
    StreamError(StreamError),
    /// The server ends the stream.
    StreamEnd,
    /// News about the connection itself.
    Ib(Ib),
    /// A question, or the answer to one of ours.
    Iq(Iq),
    /// An incoming message.
    Message(Incoming),
    /// A peer received, read or could not decrypt a message of ours. The node is unchanged, for [`Ack::for_node`].
    Receipt(Receipt, Node),
    /// The server got something of ours, or refuses it.
    Ack(Ack),
    /// A change of a peer, or of our keys at the server.
    Notification(Notification),
    /// A stanza of a kind that this module does not read.
    Unknown(Node),
    /// A stanza without a part that it cannot do without, or one that the codec refuses.
    Malformed {
        /// As it came; of one that the codec refuses, the root as far as it was read.
        node: Node,
        /// What is wrong.
        error: StanzaError,
    },
}

impl Stanza {
    /// Reads a stanza.
    pub fn from_node(node: Node) -> Self {
        let read = match node.tag.as_ref() {
            "success" => Success::from_node(&node).map(Self::Success),
            "failure" => Failure::from_node(&node).map(Self::Failure),
            "stream:error" => Ok(Self::StreamError(StreamError::from_node(&node))),
            "xmlstreamend" => Ok(Self::StreamEnd),
            "ib" => Ib::from_node(&node).map(Self::Ib),
            "iq" => Iq::from_node(&node).map(Self::Iq),
            "message" => Incoming::from_node(&node).map(Self::Message),
            "receipt" => match Receipt::from_node(&node) {
                Ok(receipt) => return Self::Receipt(receipt, node),
                Err(error) => Err(error),
            },
            "ack" => Ack::from_node(&node).map(Self::Ack),
            "notification" => Notification::from_node(&node).map(Self::Notification),
            _ => return Self::Unknown(node),
        };
        read.unwrap_or_else(|error| Self::Malformed { node, error })
    }

    /// What there is to read of a stanza that the codec refuses. Beginning and end of the stream need no more than the
    /// root; everything else is malformed.
    pub fn from_undecodable(Undecodable { root, error }: Undecodable) -> Self {
        match root.tag.as_ref() {
            "success" | "failure" | "stream:error" | "xmlstreamend" => Self::from_node(*root),
            _ => Self::Malformed { node: *root, error: StanzaError::Undecodable(error) },
        }
    }
}

/// What is wrong with a stanza: where, and what was expected there. Never holds what a person wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StanzaError {
    /// The codec refuses it.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    /// A node of another kind.
    #[error("expected <{expected}>, got another node")]
    WrongTag {
        /// Tag of the node that is read here.
        expected: &'static str,
    },
    /// An attribute is not there.
    #[error("<{tag}> has no attribute {attribute}")]
    MissingAttribute {
        /// The node.
        tag: &'static str,
        /// What it lacks.
        attribute: &'static str,
    },
    /// A child is not there.
    #[error("<{tag}> has no child <{child}>")]
    MissingChild {
        /// The node.
        tag: &'static str,
        /// What it lacks.
        child: &'static str,
    },
    /// There should be bytes inside.
    #[error("<{tag}> has no content")]
    MissingContent {
        /// The node.
        tag: &'static str,
    },
    /// An attribute that should be a decimal number within range.
    #[error("<{tag}> attribute {attribute} is not a number, or too large")]
    NotANumber {
        /// The node.
        tag: &'static str,
        /// Its attribute.
        attribute: &'static str,
    },
    /// An attribute that should be an address.
    #[error("<{tag}> attribute {attribute}: {error}")]
    NotAJid {
        /// The node.
        tag: &'static str,
        /// Its attribute.
        attribute: &'static str,
        /// What is wrong with it.
        error: JidError,
    },
    /// Content of another length.
    #[error("<{tag}> should hold {expected} bytes, got {got}")]
    WrongLength {
        /// The node.
        tag: &'static str,
        /// Bytes it must hold.
        expected: usize,
        /// Bytes it holds.
        got: usize,
    },
    /// More children, or more bytes, than this module keeps.
    #[error("<{tag}> may hold {most}, got {got}")]
    TooMany {
        /// The node.
        tag: &'static str,
        /// Most that is accepted.
        most: usize,
        /// What it holds.
        got: usize,
    },
    /// A key of another curve than Curve25519.
    #[error("expected keys of type 5, got type {got}")]
    UnknownKeyType {
        /// The type byte.
        got: u8,
    },
}
