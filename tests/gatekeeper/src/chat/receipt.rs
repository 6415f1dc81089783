//! Receipts and acks: both tell the server that something arrived; receipts also tell the sender (wire.md §5.9, §5.10).

use super::notify::post;
use crate::sandbox::Sandbox;
use crate::world::Class;
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;

/// Receipts that are for one's own devices or the server only.
const PRIVATE: &[&str] = &["read-self", "played-self", "sender", "peer_msg", "hist_sync"];
/// Receipts that say "did not arrive": the message stays queued until it is acknowledged.
const UNDELIVERED: &[&str] = &["retry", "enc_rekey_retry"];
/// Ids in one receipt at most.
const MAX_IDS: usize = 1024;

/// Takes a receipt: clears what it covers from the mailbox, passes it on, and returns its ack and the cleared letters.
pub(super) fn accept(sandbox: &Sandbox, who: &Jid, node: &Node) -> (Node, Vec<u64>) {
    let kind = node.text("type").map(|kind| kind.into_owned());
    let to = node.jid("to").ok().flatten();
    let told = |list: &[&str]| kind.as_deref().is_some_and(|kind| list.contains(&kind));
    let mut cleared = Vec::new();
    if !told(UNDELIVERED) {
        for id in ids(node) {
            cleared.extend(clear(sandbox, who, Class::Message, &id, to.as_ref(), None));
        }
    }
    if let Some(to) = &to
        && to.to_bare() != who.to_bare()
        && !told(PRIVATE)
    {
        let mut passed = Node::new("receipt").with("from", who).with("t", sandbox.clock.now_secs());
        for (key, value) in &node.attrs {
            if !matches!(&**key, "to" | "from" | "t") {
                passed = passed.with(key.clone(), value.clone());
            }
        }
        passed.content = node.content.clone();
        if let Err(error) = post(sandbox, to, Class::Receipt, &passed, false) {
            tracing::error!(%error, "a receipt could not be queued");
        }
    }
    let mut ack = Node::new("ack").with("class", "receipt");
    for (ours, theirs) in [("id", "id"), ("from", "to"), ("type", "type"), ("participant", "participant")] {
        if let Some(value) = node.attr(theirs) {
            ack = ack.with(ours, value.clone());
        }
    }
    (ack, cleared)
}

/// Takes an ack; returns the letters that it clears.
pub(super) fn acknowledged(sandbox: &Sandbox, who: &Jid, node: &Node) -> Vec<u64> {
    let class = node.text("class").and_then(|class| Class::named(&class));
    let (Some(class), Some(id)) = (class, node.text("id")) else { return Vec::new() };
    let to = node.jid("to").ok().flatten();
    clear(sandbox, who, class, &id, to.as_ref(), node.text("type").as_deref())
}

/// The id attribute and the ids of the list.
fn ids(node: &Node) -> Vec<String> {
    let items = node.child("list").map(Node::children).unwrap_or_default().iter().take(MAX_IDS);
    let more = items.filter_map(|item| item.text("id"));
    node.text("id").into_iter().chain(more).map(|id| id.into_owned()).collect()
}

fn clear(sandbox: &Sandbox, who: &Jid, class: Class, id: &str, from: Option<&Jid>, kind: Option<&str>) -> Vec<u64> {
    sandbox.world().clear(who, class, id, from, kind).unwrap_or_else(|error| {
        tracing::error!(%error, "an acknowledgement could not be recorded");
        Vec::new()
    })
}
