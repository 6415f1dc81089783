//! What the server passes on from one user to another: `to` becomes `from`, contents stay (docs/spec/wire.md §5.8,
//! §5.9).

use causeway_proto::jid::Jid;
use causeway_proto::node::Node;

/// Attributes of an outgoing message that its recipient sees too.
const PASSED_ON: [&str; 4] = ["type", "edit", "category", "peer_recipient_lid"];

/// A message as its recipient gets it, sent by `from` at `t` (unix seconds).
pub fn message(message: &Node, from: &Jid, t: u64) -> Node {
    let mut passed = Node::new("message").with("from", from).with("t", t);
    for name in ["id"].iter().chain(&PASSED_ON) {
        if let Some(value) = message.attr(name) {
            passed = passed.with(*name, value.clone());
        }
    }
    passed.with_nodes(message.children().to_vec())
}

/// A receipt as its recipient gets it, sent by `from` at `t` (unix seconds).
pub fn receipt(receipt: &Node, from: &Jid, t: u64) -> Node {
    let mut passed = Node::new("receipt").with("from", from).with("t", t);
    for (name, value) in &receipt.attrs {
        if !matches!(name.as_ref(), "to" | "from" | "t") {
            passed = passed.with(name.clone(), value.clone());
        }
    }
    passed.content = receipt.content.clone();
    passed
}
