//! User lookup as WhatsApp's own clients do it before a first message: devices and contacts (as Baileys sends it).

use crate::sandbox::Sandbox;
use causeway_peer::stanza::iq::{error, result};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;

/// Users in one question at most.
const MAX_USERS: usize = 256;

pub(super) fn answer(sandbox: &Sandbox, iq: &Node) -> Node {
    let Some(usync) = iq.child("usync") else { return error(iq, 400, "bad-request") };
    let (Some(query), Some(list)) = (usync.child("query"), usync.child("list")) else {
        return error(iq, 400, "bad-request");
    };
    if list.children().len() > MAX_USERS {
        return error(iq, 406, "not-acceptable");
    }
    let asked = |protocol| query.child(protocol).is_some();
    let users = list.children().iter().filter_map(|user| {
        let jid = sandbox.phones.reached(&address(user)?);
        let mut facts = Vec::new();
        if asked("contact") {
            let known = sandbox.world().account(&jid).is_some();
            facts.push(Node::new("contact").with("type", if known { "in" } else { "out" }));
        }
        if asked("devices") {
            facts.push(devices(sandbox, &jid));
        }
        Some(Node::new("user").with("jid", jid).with_nodes(facts))
    });
    let users = users.collect();
    let protocols = query.children().iter().map(|protocol| Node::new(protocol.tag.clone())).collect();
    let mut answer = Node::new("usync");
    for name in ["sid", "index", "last", "mode", "context"] {
        if let Some(value) = usync.attr(name) {
            answer = answer.with(name, value.clone());
        }
    }
    let parts = vec![Node::new("result").with_nodes(protocols), Node::new("list").with_nodes(users)];
    result(iq).with_node(answer.with_nodes(parts))
}

/// Named by address, or by number inside `<contact>`.
fn address(user: &Node) -> Option<Jid> {
    if let Some(jid) = user.jid("jid").ok().flatten() {
        return Some(jid.to_bare());
    }
    let number = std::str::from_utf8(user.child("contact")?.bytes()?).ok()?;
    Jid::from_phone(number).ok()
}

fn devices(sandbox: &Sandbox, jid: &Jid) -> Node {
    let devices = sandbox.world().devices(jid);
    let device = |jid: &Jid| {
        let node = Node::new("device").with("id", u32::from(jid.device));
        if jid.device == 0 { node } else { node.with("key-index", u32::from(jid.device)) }
    };
    Node::new("devices").with_node(Node::new("device-list").with_nodes(devices.iter().map(device).collect()))
}
