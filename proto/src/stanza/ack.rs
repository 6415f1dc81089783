//! `<ack>`: one end has got a stanza of the other (docs/spec/wire.md §5.8, §5.9).

use super::StanzaError;
use super::fields::Fields;
use crate::jid::Jid;
use crate::node::Node;

/// An acknowledgement, ours or the server's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// Id of the stanza that was got.
    pub id: String,
    /// Its tag: "message", "receipt", "notification", "call".
    pub class: String,
    /// The other end: where it came from, or to whom we answer.
    pub jid: Jid,
    /// Its type, where it is to be repeated.
    pub kind: Option<String>,
    /// Its author, in groups.
    pub participant: Option<Jid>,
    /// Its recipient, where it names one.
    pub recipient: Option<Jid>,
    /// Why it was not accepted; `None` or 0 is good news.
    pub error: Option<u32>,
}

impl Ack {
    /// Reads `<ack>`.
    ///
    /// # Errors
    /// No id, class or sender; an error that is no number.
    pub fn from_node(node: &Node) -> Result<Self, StanzaError> {
        let fields = Fields::of(node, "ack")?;
        Ok(Self {
            id: fields.text("id")?,
            class: fields.text("class")?,
            jid: fields.peer()?,
            kind: fields.text_opt("type"),
            participant: fields.jid_opt("participant")?,
            recipient: fields.jid_opt("recipient")?,
            error: fields.number_opt("error")?,
        })
    }

    /// The acknowledgement that a stanza asks for; `None` if its kind asks for none, or if it lacks id or sender.
    ///
    /// `error` is for a message that cannot be accepted: 487 unreadable, 491 not a protobuf, 500 other
    /// (docs/spec/wire.md §5.9).
    pub fn for_node(node: &Node, error: Option<u32>) -> Option<Self> {
        let repeat_kind = match node.tag.as_ref() {
            "message" => false,
            "receipt" | "call" => true,
            // The official client leaves the type out when an identity changed (docs/spec/wire.md §10 row 18).
            "notification" => node.child("identity").is_none(),
            _ => return None,
        };
        Some(Self {
            id: node.text("id").filter(|id| !id.is_empty())?.into_owned(),
            class: node.tag.clone().into_owned(),
            jid: node.jid("from").ok()??,
            kind: node.text("type").filter(|kind| repeat_kind && !kind.is_empty()).map(|kind| kind.into_owned()),
            participant: node.jid("participant").ok().flatten(),
            recipient: node.jid("recipient").ok().flatten(),
            error,
        })
    }

    /// `<ack>`, to be sent.
    pub fn to_node(&self) -> Node {
        let mut node = Node::new("ack").with("class", self.class.clone()).with("id", self.id.clone());
        node = node.with("to", &self.jid);
        if let Some(participant) = &self.participant {
            node = node.with("participant", participant);
        }
        if let Some(recipient) = &self.recipient {
            node = node.with("recipient", recipient);
        }
        if let Some(kind) = &self.kind {
            node = node.with("type", kind.clone());
        }
        if let Some(error) = self.error {
            node = node.with("error", error);
        }
        node
    }
}
