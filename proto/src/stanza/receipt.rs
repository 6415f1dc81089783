//! `<receipt>`: what became of a message at the other end: got, read, or not to be opened (docs/spec/wire.md §5.10).

use super::alias::{self, Alias};
use super::fields::Fields;
use super::prekeys;
use super::{MAX_DEVICE_IDENTITY, StanzaError};
use crate::jid::Jid;
use crate::node::Node;
use crate::signal::PreKeyBundle;

/// Messages in the list of a receipt that are read.
const MAX_IDS: usize = 4096;

/// A receipt, ours or a peer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The other end: where it came from, or to whom it goes.
    pub jid: Jid,
    /// Who it is about, in groups.
    pub participant: Option<Jid>,
    /// The other device of the sender that it is about.
    pub recipient: Option<Jid>,
    /// Other names of the same people, as the server gives them; not written.
    pub aliases: Vec<Alias>,
    /// What became of the messages.
    pub kind: ReceiptKind,
    /// Id of the stanza, which is also the first of `ids`.
    pub id: String,
    /// All messages that it speaks of.
    pub ids: Vec<String>,
    /// When, unix seconds.
    pub t: Option<u64>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptKind {
    /// The device has it.
    Delivered,
    /// A person has seen it.
    Read,
    /// A person has heard it.
    Played,
    /// The device has it, in the background.
    Inactive,
    /// Another device of the sender has it.
    Sender,
    /// The device could not open it and asks for it again.
    Retry(Box<RetryRequest>),
    /// A type that this module does not read.
    Other(String),
}

/// "I could not open this: send it again."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryRequest {
    /// How often it was asked for, from 1; 1 where it does not say.
    pub count: u32,
    /// Id of the message: the receipt's where it does not say.
    pub id: String,
    /// Time of the message, unix seconds.
    pub t: Option<u64>,
    /// Why: 1 no session, 3 unknown prekey, 7 bad MAC, ... (docs/spec/wire.md §5.10).
    pub error: Option<u32>,
    /// The asking device's registration id. Another one than before means another installation.
    pub registration_id: Option<u32>,
    /// Keys of the asking device, to begin a new session with; absent also where they are malformed.
    pub keys: Option<PreKeyBundle>,
    /// What vouches for these keys (docs/spec/wire.md §5.19), not verified.
    pub device_identity: Option<Vec<u8>>,
}

impl Receipt {
    /// A receipt about one message, to its sender.
    pub fn new(to: Jid, id: String, kind: ReceiptKind) -> Self {
        let ids = vec![id.clone()];
        Self { jid: to, participant: None, recipient: None, aliases: Vec::new(), kind, ids, id, t: None }
    }

    /// Reads `<receipt>`.
    ///
    /// # Errors
    /// No id or sender. Of the list, the first 4096 items are read, and those without an id left out.
    pub fn from_node(node: &Node) -> Result<Self, StanzaError> {
        let fields = Fields::of(node, "receipt")?;
        let id = fields.text("id")?;
        let mut ids = vec![id.clone()];
        if let Some(list) = fields.child_opt("list") {
            ids.extend(list.first_children("item", MAX_IDS).filter_map(|item| item.text_opt("id")));
        }
        let kind = match fields.text_opt("type") {
            None => ReceiptKind::Delivered,
            Some(kind) => match kind.as_str() {
                "read" => ReceiptKind::Read,
                "played" => ReceiptKind::Played,
                "inactive" => ReceiptKind::Inactive,
                "sender" => ReceiptKind::Sender,
                "retry" => ReceiptKind::Retry(Box::new(RetryRequest::read(&fields, &id))),
                _ => ReceiptKind::Other(kind),
            },
        };
        Ok(Self {
            jid: fields.peer()?,
            participant: fields.jid_if_any("participant"),
            recipient: fields.jid_if_any("recipient"),
            aliases: alias::read(&fields),
            kind,
            id,
            ids,
            t: fields.number_if_any("t"),
        })
    }

    /// `<receipt>`, to be sent. The first of `ids` is the stanza's id, the others go in a list.
    pub fn to_node(&self) -> Node {
        let mut node = Node::new("receipt").with("to", &self.jid).with("id", self.id.clone());
        if let Some(kind) = self.kind.name() {
            node = node.with("type", kind.to_owned());
        }
        if let Some(t) = self.t {
            node = node.with("t", t);
        }
        if let Some(participant) = &self.participant {
            node = node.with("participant", participant);
        }
        if let Some(recipient) = &self.recipient {
            node = node.with("recipient", recipient);
        }
        let others: Vec<Node> = self.ids.iter().skip(1).map(|id| Node::new("item").with("id", id.clone())).collect();
        if !others.is_empty() {
            node = node.with_node(Node::new("list").with_nodes(others));
        }
        match &self.kind {
            ReceiptKind::Retry(request) => request.write(node),
            _ => node,
        }
    }
}

impl ReceiptKind {
    /// The `type` attribute. Delivery has none, and an invented one makes the server end the stream.
    fn name(&self) -> Option<&str> {
        match self {
            Self::Delivered => None,
            Self::Read => Some("read"),
            Self::Played => Some("played"),
            Self::Inactive => Some("inactive"),
            Self::Sender => Some("sender"),
            Self::Retry(_) => Some("retry"),
            Self::Other(kind) => Some(kind),
        }
    }
}

impl RetryRequest {
    /// Reads what a receipt of the type `retry` holds. The type alone is the request: the rest is taken as it comes.
    fn read(receipt: &Fields<'_>, id: &str) -> Self {
        let retry = receipt.child_opt("retry");
        let registration_id = receipt.child_opt("registration").and_then(|child| child.exactly().ok());
        let registration_id = registration_id.map(u32::from_be_bytes);
        let keys = receipt.child_opt("keys");
        Self {
            count: retry.and_then(|retry| retry.number_if_any("count")).filter(|count| *count > 0).unwrap_or(1),
            id: retry.and_then(|retry| retry.text_opt("id")).unwrap_or_else(|| id.to_owned()),
            t: retry.and_then(|retry| retry.number_if_any("t")),
            error: retry.and_then(|retry| retry.number_if_any("error")),
            registration_id,
            keys: keys.zip(registration_id).and_then(|(keys, id)| prekeys::read_keys(&keys, id).ok()),
            device_identity: keys.and_then(|keys| keys.bytes_if_any("device-identity", MAX_DEVICE_IDENTITY)),
        }
    }

    fn write(&self, receipt: Node) -> Node {
        let mut retry = Node::new("retry").with("v", 1_u32).with("count", self.count).with("id", self.id.clone());
        if let Some(t) = self.t {
            retry = retry.with("t", t);
        }
        if let Some(error) = self.error {
            retry = retry.with("error", error);
        }
        let mut receipt = receipt.with_node(retry);
        if let Some(registration_id) = self.registration_id {
            receipt = receipt.with_node(prekeys::registration(registration_id));
        }
        let Some(keys) = &self.keys else { return receipt };
        let mut nodes = prekeys::write_keys(keys);
        if let Some(device_identity) = &self.device_identity {
            nodes.push(Node::new("device-identity").with_bytes(device_identity.as_slice()));
        }
        receipt.with_node(Node::new("keys").with_nodes(nodes))
    }
}
