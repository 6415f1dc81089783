//! `<ack>`: one end has got a stanza of the other (docs/spec/wire.md §5.8, §5.9).

use super::StanzaError;
use super::fields::Fields;
use crate::jid::Jid;
use crate::node::{Node, Value};

/// What the server says about a stanza of ours. It is about that stanza only if class and address are the stanza's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// Id of the stanza that was got.
    pub id: String,
    /// Kind of the stanza that was got.
    pub class: AckClass,
    /// To whom the stanza was addressed.
    pub from: Option<Jid>,
    /// The device or author that the stanza named, in groups.
    pub participant: Option<Jid>,
    /// Why it was not accepted; `None` or 0 is good news.
    pub error: Option<u32>,
}

/// What an [`Ack`] acknowledges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckClass {
    /// `<message>`
    Message,
    /// `<receipt>`
    Receipt,
    /// `<notification>`
    Notification,
    /// `<call>`
    Call,
    /// Something else, or it does not say.
    Other,
}

impl AckClass {
    fn named(name: &str) -> Self {
        match name {
            "message" => Self::Message,
            "receipt" => Self::Receipt,
            "notification" => Self::Notification,
            "call" => Self::Call,
            _ => Self::Other,
        }
    }
}

impl Ack {
    /// Reads `<ack>`.
    ///
    /// # Errors
    /// No id; an error that is no number, which must not be taken for none.
    pub fn from_node(node: &Node) -> Result<Self, StanzaError> {
        let fields = Fields::of(node, "ack")?;
        Ok(Self {
            id: fields.text("id")?,
            class: node.text("class").map_or(AckClass::Other, |class| AckClass::named(&class)),
            from: fields.jid_if_any("from"),
            participant: fields.jid_if_any("participant"),
            error: fields.number_opt("error")?,
        })
    }

    /// `<ack>` for a stanza of the server; `None` if its kind asks for none, or if it lacks id or sender. Addresses are
    /// repeated as they came, whether they are any or not.
    ///
    /// `error` is for a message that cannot be accepted: 487 unreadable, 491 not a protobuf, 500 other
    /// (docs/spec/wire.md §5.9).
    pub fn for_node(node: &Node, error: Option<u32>) -> Option<Node> {
        let repeat_kind = match node.tag.as_ref() {
            "message" => false,
            "receipt" | "call" => true,
            // The official client leaves the type out when an identity changed (docs/spec/wire.md §10 row 18).
            "notification" => node.child("identity").is_none(),
            _ => return None,
        };
        let ack = Node::new("ack").with("class", node.tag.clone());
        let mut ack = ack.with("id", there(node, "id")?).with("to", there(node, "from")?);
        for attribute in ["participant", "recipient"] {
            if let Some(value) = there(node, attribute) {
                ack = ack.with(attribute, value);
            }
        }
        if let Some(kind) = there(node, "type").filter(|_| repeat_kind) {
            ack = ack.with("type", kind);
        }
        Some(match error {
            Some(error) => ack.with("error", error),
            None => ack,
        })
    }
}

/// A value that is there and not null.
fn there(node: &Node, attribute: &str) -> Option<Value> {
    node.attr(attribute).filter(|value| !matches!(value, Value::Text(text) if text.is_empty())).cloned()
}
