//! Receipts and acks: both clear stanzas from the mailbox; receipts also go to the sender (docs/spec/wire.md §5.9,
//! §5.10).

use super::notify::post;
use crate::sandbox::Sandbox;
use crate::world::Class;
use causeway_peer::stanza::acknowledgement::{Confirmation, receipt_ack};
use causeway_peer::stanza::forward;
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;

/// Types of receipts that are for one's own devices or the server only.
const PRIVATE: &[&str] = &["read-self", "played-self", "sender", "peer_msg", "hist_sync"];

/// Accepts a receipt: clears what it confirms from the mailbox and passes it on. Its ack, and the numbers of the
/// cleared stanzas.
pub(super) fn accept(sandbox: &Sandbox, who: &Jid, node: &Node) -> (Node, Vec<u64>) {
    let cleared = confirmed(sandbox, who, node);
    let private = node.text("type").is_some_and(|kind| PRIVATE.contains(&&*kind));
    if let Some(to) = node.jid("to").ok().flatten()
        && to.to_bare() != who.to_bare()
        && !private
    {
        let passed = forward::receipt(node, who, sandbox.clock.now_secs().get());
        if let Err(error) = post(sandbox, &to, Class::Receipt, &passed, false) {
            tracing::error!(%error, "a receipt could not be queued");
        }
    }
    (receipt_ack(node), cleared)
}

/// Clears what a receipt or an ack confirms; the numbers of the cleared stanzas.
pub(super) fn confirmed(sandbox: &Sandbox, who: &Jid, node: &Node) -> Vec<u64> {
    let Some(confirmation) = Confirmation::read(node) else { return Vec::new() };
    sandbox.world().clear(who, &confirmation).unwrap_or_else(|error| {
        tracing::error!(%error, "an acknowledgement could not be recorded");
        Vec::new()
    })
}
