//! Addresses that are one person's: phone numbers, LID (docs/spec/wire.md §5.6, §5.19).
//!
//! The server says which belong together. If it lies, one person's messages come into another's chat with the notice
//! that a new phone causes, because their identity keys differ. Two people whose phones' keys are known, and differ, never
//! become one (docs/decisions/0042-one-chat-for-each-person.md).

use super::device_of;
use crate::context::Context;
use crate::model::peer::{MAX_ALIASES, MAX_DEVICES};
use crate::model::{DeviceAddress, DeviceNumber, Peer, PeerId};
use crate::store::records::Records;
use causeway_proto::jid::{Jid, Server};
use causeway_proto::stanza::{Alias, AliasOf};

/// Bytes of an address, beyond which it is nobody's: it becomes a key of rows and a part of every update.
const MAX_ADDRESS: usize = 256;

/// Takes the other names of a stanza's sender for addresses of the person with `address`.
///
/// A person with a chat keeps the id of the chat. Of two with chats, the one that was active less recently keeps theirs:
/// behind its messages the others' are nearly in order.
pub(crate) fn link(cx: &mut Context<'_>, address: &Jid, names: &[Alias]) {
    for other in names.iter().filter(|name| name.whose == AliasOf::Sender).map(|name| &name.jid) {
        let (Some(one), Some(other)) = (device_of(cx.records, address), device_of(cx.records, other)) else { continue };
        let (one, other) = (one.peer, other.peer);
        let order = |id: &PeerId| {
            let active = cx.records.chats.get(id.as_str().as_bytes()).map_or(u64::MAX, |chat| chat.active_at);
            // A number is what people know each other by.
            (!is_known(cx.records, id), active, !is_number(id))
        };
        match order(&other) < order(&one) {
            true => unite(cx, &other, &one),
            false => unite(cx, &one, &other),
        };
    }
}

/// The server has answered a question about one device with the keys of another: then the address in the answer is the
/// person's, and the one that was asked for, which somebody typed, is another way to write it. Returns whether both are
/// one device now.
pub(crate) fn answered(cx: &mut Context<'_>, asked: &DeviceAddress, answered: &DeviceAddress) -> bool {
    let is_new = super::identity(cx.records, &phone(&answered.peer)).is_none();
    // A person who is known already keeps their address.
    let stays = is_new && super::identity(cx.records, &phone(&asked.peer)).is_some();
    let (id, alias) = if stays { (asked, answered) } else { (answered, asked) };
    asked.device == answered.device && unite(cx, &id.peer, &alias.peer)
}

/// Makes the second person's addresses, devices and chat the first one's, unless their phones differ. Returns whether they
/// are one now.
fn unite(cx: &mut Context<'_>, id: &PeerId, alias: &PeerId) -> bool {
    if id == alias {
        return true;
    }
    let known = |id| super::identity(cx.records, &phone(id));
    let differ = known(id).zip(known(alias)).is_some_and(|(one, other)| one != other);
    let row = |id: &PeerId| cx.records.peers.get(id.as_str().as_bytes());
    let addresses = |id| row(id).map_or(0, |peer| peer.aliases.len());
    let Some(jid) = alias.jid() else { return false };
    let is_long = |id: &PeerId| id.as_str().len() > MAX_ADDRESS;
    if differ || is_long(id) || is_long(alias) || addresses(id) + addresses(alias) >= MAX_ALIASES {
        return false;
    }
    let other = row(alias).cloned().unwrap_or_else(|| Peer::new(alias.clone()));
    let peer = super::change(cx, id);
    peer.name = peer.name.take().or(other.name);
    for device in other.devices {
        if peer.identity(device.number).is_none() && peer.devices.len() < MAX_DEVICES {
            peer.devices.push(device);
        }
    }
    peer.aliases.push(jid);
    peer.aliases.extend(other.aliases);
    for jid in peer.aliases.clone() {
        cx.records.aliases.insert(jid.to_string(), Box::new(id.clone()));
    }
    cx.records.peers.delete(alias.as_str().as_bytes());
    if cx.records.chats.get(alias.as_str().as_bytes()).is_some() {
        cx.records.joining.push(id.clone());
    } else {
        cx.group_commit.show_chat(id.chat());
    }
    true
}

fn phone(id: &PeerId) -> DeviceAddress {
    DeviceAddress { peer: id.clone(), device: DeviceNumber::PHONE }
}

fn is_known(records: &Records, id: &PeerId) -> bool {
    let key = id.as_str().as_bytes();
    records.chats.get(key).is_some() || records.peers.get(key).is_some_and(|peer: &Peer| !peer.devices.is_empty())
}

fn is_number(id: &PeerId) -> bool {
    id.jid().is_some_and(|jid| jid.server == Server::User)
}
