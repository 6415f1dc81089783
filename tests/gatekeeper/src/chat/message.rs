//! Messages from one user to another: acknowledged, deduplicated, queued (docs/spec/wire.md §5.8).
//!
//! The server sees ciphertext only. It turns `to` into `from` and passes on what it does not need to understand.

use super::notify::{PostError, post};
use crate::hub::Order;
use crate::sandbox::Sandbox;
use crate::world::{Class, Posted};
use causeway_peer::stanza::acknowledgement::message_ack;
use causeway_peer::stanza::forward;
use causeway_proto::jid::{Jid, Server};
use causeway_proto::node::Node;

/// Longest stanza id.
const MAX_ID: usize = 128;
/// Devices in one fan-out at most.
const MAX_FAN_OUT: usize = 256;
/// Characters of a name that are kept.
const MAX_NAME: usize = 64;

/// Why a message is not delivered: the `error` of its ack (docs/spec/wire.md §5.8).
#[derive(Debug, thiserror::Error)]
enum Undeliverable {
    #[error("the stanza is malformed")]
    Malformed,
    #[error("this kind of address cannot be written to")]
    Forbidden,
    #[error("no such user")]
    NoSuchUser,
    #[error("the mailbox is full")]
    Full,
    #[error(transparent)]
    Post(#[from] PostError),
}

impl Undeliverable {
    fn code(&self) -> u32 {
        match self {
            Self::Malformed => 479,
            Self::Forbidden => 403,
            Self::NoSuchUser => 404,
            Self::Full => 503,
            Self::Post(_) => 500,
        }
    }
}

/// Takes a message; the answer is its ack.
pub(super) fn accept(sandbox: &Sandbox, who: &Jid, node: &Node) -> Node {
    let ack = message_ack(node).with("t", sandbox.clock.now_secs().get());
    match deliver(sandbox, who, node) {
        Ok(()) => ack,
        Err(error) => {
            tracing::info!(%who, %error, "a message was not delivered");
            ack.with("error", error.code())
        }
    }
}

fn deliver(sandbox: &Sandbox, who: &Jid, node: &Node) -> Result<(), Undeliverable> {
    let id = node.text("id").filter(|id| !id.is_empty() && id.len() <= MAX_ID).ok_or(Undeliverable::Malformed)?;
    let to = node.jid("to").ok().flatten().ok_or(Undeliverable::Malformed)?;
    let to = sandbox.phones.reached(&to);
    if !may_write(who, &to) {
        return Err(Undeliverable::Forbidden);
    }
    // A resend after a retry receipt has the same id and a count; it must get through (docs/spec/wire.md §5.10).
    let count = node.child("enc").and_then(|enc| enc.text("count")).unwrap_or_default();
    let key = format!("{} {id} {count}", to.to_bare());
    if sandbox.world().accepted(who, &key) {
        return Ok(());
    }
    match node.child("participants") {
        Some(participants) => fan_out(sandbox, who, &to, node, participants)?,
        None => match post(sandbox, &to, Class::Message, &incoming(sandbox, who, node), true)? {
            Posted::Queued | Posted::Blocked => {}
            Posted::NoSuchUser => return Err(Undeliverable::NoSuchUser),
            Posted::Full => return Err(Undeliverable::Full),
        },
    }
    let now = sandbox.clock.now_secs();
    sandbox.world().accept(who, key, now).map_err(PostError::Journal)?;
    Ok(())
}

/// WhatsApp users write to one another and to Partners' users; a Partner's users write to WhatsApp users only.
fn may_write(from: &Jid, to: &Jid) -> bool {
    match to.server {
        Server::User => true,
        Server::Interop => from.server != Server::Interop,
        _ => false,
    }
}

/// One ciphertext a device (docs/spec/wire.md §5.8). It is delivered when any device of the addressee exists.
fn fan_out(sandbox: &Sandbox, who: &Jid, chat: &Jid, node: &Node, parts: &Node) -> Result<(), Undeliverable> {
    if parts.children().len() > MAX_FAN_OUT {
        return Err(Undeliverable::Malformed);
    }
    let mut reached = false;
    for part in parts.children() {
        let device = part.jid("jid").ok().flatten().ok_or(Undeliverable::Malformed)?;
        let own = device.to_bare() == who.to_bare();
        if device == *who || !(own || device.to_bare() == chat.to_bare()) {
            continue;
        }
        let mut copy = incoming(sandbox, who, node);
        let rest = node.children().iter().filter(|child| child.tag != "participants");
        let children = part.children().iter().chain(rest).cloned().collect();
        if own {
            copy = copy.with("recipient", chat);
        }
        match post(sandbox, &device, Class::Message, &copy.with_nodes(children), !own)? {
            Posted::Queued | Posted::Blocked => reached |= !own,
            Posted::Full => return Err(Undeliverable::Full),
            Posted::NoSuchUser => {}
        }
    }
    if reached { Ok(()) } else { Err(Undeliverable::NoSuchUser) }
}

/// The stanza as its recipient gets it.
fn incoming(sandbox: &Sandbox, who: &Jid, node: &Node) -> Node {
    let message = forward::message(node, who, sandbox.clock.now_secs().get());
    let name = sandbox.world().account(who).and_then(|account| account.name.clone());
    match name {
        Some(name) => message.with("notify", name),
        None => message,
    }
}

/// Presence and typing: the name is kept, typing goes to connected users (docs/spec/wire.md §5.12).
pub(super) fn pass_on(sandbox: &Sandbox, who: &Jid, node: &Node) {
    if node.tag == "presence" {
        // A Partner's user is known by the enlisted identifier alone.
        if let Some(name) = node.text("name").filter(|name| !name.is_empty() && who.server != Server::Interop) {
            let name: String = name.chars().take(MAX_NAME).collect();
            if let Err(error) = sandbox.world().rename(who, &name) {
                tracing::error!(%error, "a name could not be recorded");
            }
        }
        return;
    }
    if let Some(to) = node.jid("to").ok().flatten()
        && may_write(who, &to)
    {
        let state = Node::new("chatstate").with("from", who).with_nodes(node.children().to_vec());
        sandbox.hub.send_order(&to, Order::Live(state));
    }
}
