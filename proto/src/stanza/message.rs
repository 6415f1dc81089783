//! `<message>`: what people send each other, still sealed (docs/spec/wire.md §5.8).
//!
//! Sender and id suffice: whatever else is missing or malformed is taken for absent, and each envelope is read by
//! itself. It does not know how to open an envelope, nor what is in one.

use super::alias::{self, Alias};
use super::fields::Fields;
use super::{MAX_DEVICE_IDENTITY, StanzaError};
use crate::jid::Jid;
use crate::node::{Node, Text};

/// Envelopes that are read of one message. A message for one device has one, in a group two.
const MAX_ENC: usize = 16;

/// Version of the padded content that every envelope between people carries.
const ENC_VERSION: u32 = 2;

/// An incoming message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The chat: a person's device, or a group.
    pub from: Jid,
    /// Who wrote it, in groups.
    pub participant: Option<Jid>,
    /// Other names of the same people, as the server gives them.
    pub aliases: Vec<Alias>,
    /// The sender's id of it; a redelivered or resent message has the same.
    pub id: String,
    /// When the server got it, unix seconds.
    pub t: Option<u64>,
    /// "text", "media", "reaction", "poll", ...
    pub kind: Option<String>,
    /// The name that the sender gives themselves.
    pub notify: Option<String>,
    /// Whether it waited in the mailbox.
    pub offline: bool,
    /// The first 16 envelopes, or what is wrong with each; none if there is nothing to open.
    pub enc: Vec<Result<Enc, StanzaError>>,
    /// What vouches for the device that sent it (docs/spec/wire.md §5.19), not verified.
    pub device_identity: Option<Vec<u8>>,
    /// As it came.
    pub node: Node,
}

/// One envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enc {
    /// "pkmsg", "msg", "skmsg", "msmsg".
    pub kind: String,
    /// 2 for messages between people.
    pub version: u32,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
    /// How often the message was sent again, from 1; absent at first.
    pub count: Option<u32>,
}

impl Incoming {
    /// Reads `<message>`.
    ///
    /// # Errors
    /// No sender or id; a sender that is no address.
    pub fn from_node(node: &Node) -> Result<Self, StanzaError> {
        let fields = Fields::of(node, "message")?;
        Ok(Self {
            from: fields.jid("from")?,
            participant: fields.jid_if_any("participant"),
            aliases: alias::read(&fields),
            id: fields.text("id")?,
            t: fields.number_if_any("t"),
            kind: fields.text_opt("type"),
            notify: fields.text_opt("notify"),
            offline: node.attr("offline").is_some(),
            enc: fields.first_children("enc", MAX_ENC).map(|enc| Enc::read(&enc)).collect(),
            device_identity: fields.bytes_if_any("device-identity", MAX_DEVICE_IDENTITY),
            node: node.clone(),
        })
    }
}

impl Enc {
    fn read(fields: &Fields<'_>) -> Result<Self, StanzaError> {
        Ok(Self {
            kind: fields.text("type")?,
            version: fields.number("v")?,
            bytes: fields.bytes()?.to_vec(),
            count: fields.number_if_any("count"),
        })
    }
}

/// A message of ours to one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The person, or the one device that asked for it again.
    pub to: Jid,
    /// Chosen by the sender, never reused for another message; unchanged when the message is sent again.
    pub id: String,
    /// "text", "media", ...
    pub kind: Text,
    /// The envelope.
    pub enc: Sealed,
}

/// The envelope of an outgoing message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// "pkmsg" or "msg".
    pub kind: Text,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
    /// Said when the message is sent again because the peer could not open it.
    pub again: Option<Again>,
}

/// A message that is sent again because the peer could not open it (docs/spec/wire.md §5.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Again {
    /// How often it was sent again, from 1.
    pub count: u32,
    /// When it was written, unix seconds.
    pub t: u64,
}

impl Outgoing {
    /// Text, or anything else that is not media.
    pub fn text(to: Jid, id: String, enc_kind: impl Into<Text>, enc_bytes: Vec<u8>, again: Option<Again>) -> Self {
        Self { to, id, kind: "text".into(), enc: Sealed { kind: enc_kind.into(), bytes: enc_bytes, again } }
    }

    /// `<message>` with its one envelope.
    pub fn to_node(&self) -> Node {
        let enc = Node::new("enc").with("v", ENC_VERSION).with("type", self.enc.kind.clone());
        let node = Node::new("message").with("to", &self.to).with("type", self.kind.clone());
        let node = node.with("id", self.id.clone());
        // A message that is sent again is for the one device that asked.
        let (node, enc) = match self.enc.again {
            Some(Again { count, t }) => (node.with("device_fanout", "false").with("t", t), enc.with("count", count)),
            None => (node, enc),
        };
        node.with_node(enc.with_bytes(self.enc.bytes.as_slice()))
    }
}
