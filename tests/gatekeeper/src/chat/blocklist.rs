//! Reading and changing one's blocklist (docs/spec/wire.md §5.13).

use crate::sandbox::Sandbox;
use causeway_peer::stanza::iq::{error, result};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;

/// Entries of one list at most.
const MAX_BLOCKED: usize = 5_000;

pub(super) fn answer(sandbox: &Sandbox, who: &Jid, iq: &Node, set: bool) -> Node {
    if set && let Err(refusal) = change(sandbox, who, iq) {
        return refusal;
    }
    let world = sandbox.world();
    let blocked = world.account(who).into_iter().flat_map(|account| &account.blocked);
    let items = blocked.map(|jid| Node::new("item").with("jid", jid)).collect();
    let list = Node::new("list").with("dhash", world.blocklist_hash(who)).with_nodes(items);
    result(iq).with_node(list)
}

fn change(sandbox: &Sandbox, who: &Jid, iq: &Node) -> Result<(), Node> {
    let bad = || error(iq, 400, "bad-request");
    let item = iq.child("item").ok_or_else(bad)?;
    let target = item.jid("jid").ok().flatten().ok_or_else(bad)?.to_bare();
    let blocked = match item.text("action").as_deref() {
        Some("block") => true,
        Some("unblock") => false,
        _ => return Err(bad()),
    };
    let mut world = sandbox.world();
    if blocked && world.account(who).is_some_and(|account| account.blocked.len() >= MAX_BLOCKED) {
        return Err(error(iq, 406, "not-acceptable"));
    }
    world.block(who, &target, blocked).map_err(|failure| {
        tracing::error!(error = %failure, "a block could not be recorded");
        error(iq, 500, "internal-server-error")
    })
}
