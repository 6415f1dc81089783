//! Addresses that are one person's: phone number, LID (docs/spec/wire.md §5.19).
//!
//! The server says which belong together. If it lies, one person's messages come into another's chat with the notice
//! that a new phone causes, because their identity keys differ.

use super::device_of;
use crate::context::Context;
use crate::model::peer::MAX_ALIASES;
use crate::model::{Peer, PeerId};
use crate::store::records::Records;
use causeway_proto::jid::{Jid, Server};
use causeway_proto::stanza::{Alias, AliasOf};

/// Takes the other names of a stanza's sender for addresses of the person with `address`. A person with a chat keeps the id of the chat; of two
/// with chats each keeps their own, because a chat's messages do not move.
pub(crate) fn link(cx: &mut Context<'_>, address: &Jid, names: &[Alias]) {
    for other in names.iter().filter(|name| name.whose == AliasOf::Sender).map(|name| &name.jid) {
        let (Some(one), Some(other)) = (device_of(cx.records, address), device_of(cx.records, other)) else { continue };
        if one.peer == other.peer {
            continue;
        }
        let (id, alias) = match (is_known(cx.records, &one.peer), is_known(cx.records, &other.peer)) {
            (true, true) => continue,
            (true, false) => (one.peer, other.peer),
            (false, true) => (other.peer, one.peer),
            // A number is what people know each other by.
            (false, false) if is_number(&other.peer) => (other.peer, one.peer),
            (false, false) => (one.peer, other.peer),
        };
        add(cx, &id, &alias);
    }
}

fn add(cx: &mut Context<'_>, id: &PeerId, alias: &PeerId) {
    let Some(jid) = alias.jid() else { return };
    let peer = super::change(cx, id);
    if peer.aliases.len() < MAX_ALIASES {
        peer.aliases.push(jid);
        cx.records.aliases.insert(alias.to_string(), Box::new(id.clone()));
    }
}

fn is_known(records: &Records, id: &PeerId) -> bool {
    let key = id.as_str().as_bytes();
    records.chats.get(key).is_some() || records.peers.get(key).is_some_and(|peer: &Peer| !peer.devices.is_empty())
}

fn is_number(id: &PeerId) -> bool {
    id.jid().is_some_and(|jid| jid.server == Server::User)
}
