//! `<notification>`: changes of a peer, or of our keys at the server (docs/spec/wire.md §5.11). Each must be
//! acknowledged.

use super::StanzaError;
use super::fields::Fields;
use crate::jid::Jid;
use crate::node::Node;

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// For the acknowledgement.
    pub id: String,
    /// Whom it is about; the server itself for our own keys.
    pub from: Jid,
    /// Its type: "encrypt", "devices", "account_sync", ...
    pub kind: Option<String>,
    /// When, unix seconds.
    pub t: Option<u64>,
    /// The change.
    pub body: NotificationBody,
    /// As it came.
    pub node: Node,
}

/// The change that a notification announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationBody {
    /// The server holds this many of our one-time prekeys.
    PreKeyCount(u32),
    /// The identity key of `from` is new.
    IdentityChanged,
    /// Something that this module does not read.
    Other,
}

impl Notification {
    /// Reads `<notification>`.
    ///
    /// # Errors
    /// No id or sender.
    pub fn from_node(node: &Node) -> Result<Self, StanzaError> {
        let fields = Fields::of(node, "notification")?;
        let from = fields.jid("from")?;
        let kind = fields.text_opt("type");
        // About our prekeys only the server may speak, about an identity only its owner.
        let body = match (kind.as_deref(), from.user.is_empty()) {
            (Some("encrypt"), true) => match fields.child_opt("count").and_then(|count| count.number_if_any("value")) {
                Some(count) => NotificationBody::PreKeyCount(count),
                None => NotificationBody::Other,
            },
            (Some("encrypt"), false) if fields.child_opt("identity").is_some() => NotificationBody::IdentityChanged,
            _ => NotificationBody::Other,
        };
        Ok(Self { id: fields.text("id")?, from, kind, t: fields.number_if_any("t"), body, node: node.clone() })
    }
}
