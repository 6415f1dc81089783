//! `<receipt>`: what became of a message at the other end: got, read, or not to be opened (docs/spec/wire.md §5.10).

use super::StanzaError;
use super::fields::Fields;
use super::prekeys;
use crate::jid::Jid;
use crate::node::Node;
use crate::signal::PreKeyBundle;

/// Messages that one receipt may speak of.
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
    /// How often it was asked for, from 1.
    pub count: u32,
    /// Id of the message.
    pub id: String,
    /// Time of the message, unix seconds.
    pub t: u64,
    /// Why: 1 no session, 3 unknown prekey, 7 bad MAC, ... (docs/spec/wire.md §5.10).
    pub error: Option<u32>,
    /// The asking device's registration id. Another one than before means another installation.
    pub registration_id: u32,
    /// Keys of the asking device, to begin a new session with.
    pub keys: Option<PreKeyBundle>,
}

impl Receipt {
    /// A receipt about one message, to its sender.
    pub fn new(to: Jid, id: String, kind: ReceiptKind) -> Self {
        Self { jid: to, participant: None, recipient: None, kind, ids: vec![id.clone()], id, t: None }
    }

    /// Reads `<receipt>`.
    ///
    /// # Errors
    /// No id or sender; more than 4096 messages; a retry without count, id, time or registration, or with broken keys.
    pub fn from_node(node: &Node) -> Result<Self, StanzaError> {
        let fields = Fields::of(node, "receipt")?;
        let id = fields.text("id")?;
        let mut ids = vec![id.clone()];
        if let Some(list) = fields.child_opt("list") {
            for item in list.children("item", MAX_IDS)? {
                ids.push(item.text("id")?);
            }
        }
        let kind = match fields.text_opt("type") {
            None => ReceiptKind::Delivered,
            Some(kind) => match kind.as_str() {
                "read" => ReceiptKind::Read,
                "played" => ReceiptKind::Played,
                "inactive" => ReceiptKind::Inactive,
                "sender" => ReceiptKind::Sender,
                "retry" => ReceiptKind::Retry(Box::new(RetryRequest::read(&fields)?)),
                _ => ReceiptKind::Other(kind),
            },
        };
        Ok(Self {
            jid: fields.peer()?,
            participant: fields.jid_opt("participant")?,
            recipient: fields.jid_opt("recipient")?,
            kind,
            id,
            ids,
            t: fields.number_opt("t")?,
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
    fn read(receipt: &Fields<'_>) -> Result<Self, StanzaError> {
        let retry = receipt.child("retry")?;
        let registration_id = u32::from_be_bytes(receipt.child("registration")?.exactly()?);
        let keys = receipt.child_opt("keys").map(|keys| prekeys::read_keys(&keys, registration_id)).transpose()?;
        Ok(Self {
            count: retry.number("count")?,
            id: retry.text("id")?,
            t: retry.number("t")?,
            error: retry.number_opt("error")?,
            registration_id,
            keys,
        })
    }

    fn write(&self, receipt: Node) -> Node {
        let mut retry = Node::new("retry").with("v", 1_u32).with("count", self.count).with("id", self.id.clone());
        retry = retry.with("t", self.t);
        if let Some(error) = self.error {
            retry = retry.with("error", error);
        }
        let receipt = receipt.with_node(retry).with_node(prekeys::registration(self.registration_id));
        match &self.keys {
            Some(keys) => receipt.with_node(Node::new("keys").with_nodes(prekeys::write_keys(keys))),
            None => receipt,
        }
    }
}
