//! Acks, and which stanzas of a mailbox an ack or a receipt covers (docs/spec/wire.md §5.8 to §5.10).

use causeway_proto::jid::Jid;
use causeway_proto::node::Node;

/// Most ids that are read from one receipt.
const MAX_IDS: usize = 1024;
/// Types of receipts that don't confirm the delivery: the message stays in the mailbox until it is acknowledged.
const UNDELIVERED: [&str; 2] = ["retry", "enc_rekey_retry"];

/// The server's ack of a message, with the id and the address of the message. The caller adds `t`, `error` or both.
pub fn message_ack(message: &Node) -> Node {
    copied(Node::new("ack").with("class", "message"), message, &[("id", "id"), ("from", "to")])
}

/// The server's ack of a receipt.
pub fn receipt_ack(receipt: &Node) -> Node {
    let attributes = [("id", "id"), ("from", "to"), ("type", "type"), ("participant", "participant")];
    copied(Node::new("ack").with("class", "receipt"), receipt, &attributes)
}

/// A client's ack of a stanza that the server has sent.
pub fn client_ack(stanza: &Node) -> Node {
    let attributes = [("id", "id"), ("to", "from"), ("participant", "participant"), ("type", "type")];
    // An ack of a message does not repeat its type (docs/spec/wire.md §5.9).
    let count = if stanza.tag == "message" { 3 } else { 4 };
    let attributes = attributes.get(..count).unwrap_or(&attributes);
    copied(Node::new("ack").with("class", stanza.tag.clone()), stanza, attributes)
}

fn copied(mut node: Node, source: &Node, attributes: &[(&'static str, &'static str)]) -> Node {
    for (name, of) in attributes {
        if let Some(value) = source.attr(of) {
            node = node.with(*name, value.clone());
        }
    }
    node
}

/// What a receipt or an ack of a client confirms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// Tag of the confirmed stanzas: `message`, `receipt` or `notification`.
    pub class: String,
    /// Ids of the confirmed stanzas.
    pub ids: Vec<String>,
    /// Sender of the confirmed stanzas, as the client names it.
    pub from: Option<Jid>,
    /// Type of a confirmed receipt, of which one id may have several.
    pub kind: Option<String>,
}

impl Confirmation {
    /// Reads a `<receipt>` or an `<ack>`. `None` for every other stanza, for a receipt that asks for a resend, and for
    /// an ack without class or id.
    pub fn read(node: &Node) -> Option<Self> {
        let text = |name| node.text(name).map(|text| text.into_owned());
        let (from, kind) = (node.jid("to").ok().flatten(), text("type"));
        match node.tag.as_ref() {
            "receipt" if kind.as_deref().is_some_and(|kind| UNDELIVERED.contains(&kind)) => None,
            "receipt" => {
                let items = node.child("list").map(Node::children).unwrap_or_default().iter().take(MAX_IDS);
                let more = items.filter_map(|item| item.text("id")).map(|id| id.into_owned());
                let ids = text("id").into_iter().chain(more).collect();
                Some(Self { class: "message".to_owned(), ids, from, kind: None })
            }
            "ack" => Some(Self { class: text("class")?, ids: vec![text("id")?], from, kind }),
            _ => None,
        }
    }

    /// Whether a waiting stanza with this class, type and sender is one of those, its id aside.
    pub fn covers(&self, class: &str, kind: Option<&str>, from: &Jid) -> bool {
        self.class == class
            && self.from.as_ref().is_none_or(|named| named.to_bare() == from.to_bare())
            && (class != "receipt" || self.kind.as_deref() == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_confirms_messages_and_a_retry_confirms_nothing() {
        let bob = Jid::user("14155550123");
        let list = Node::new("list").with_node(Node::new("item").with("id", "B"));
        let receipt = Node::new("receipt").with("id", "A").with("to", &bob).with_node(list);
        let confirmation = Confirmation::read(&receipt).unwrap();
        assert_eq!(confirmation.ids, ["A", "B"]);
        assert!(confirmation.covers("message", Some("text"), &bob.on_device(1)));
        assert!(!confirmation.covers("receipt", None, &bob));
        assert!(!confirmation.covers("message", None, &Jid::user("14155550199")));
        assert_eq!(Confirmation::read(&receipt.with("type", "retry")), None);
    }

    #[test]
    fn an_ack_of_a_receipt_is_of_its_type() {
        let bob = Jid::user("14155550123");
        let ack = Node::new("ack").with("class", "receipt").with("id", "A").with("type", "read");
        let confirmation = Confirmation::read(&ack).unwrap();
        assert!(confirmation.covers("receipt", Some("read"), &bob) && !confirmation.covers("receipt", None, &bob));
    }
}
