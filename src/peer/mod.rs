//! People and their devices: which addresses are one person, which identity keys the chat has shown.
//!
//! Trust on first use: a first key is taken, another one for the same device is shown as a notice in the chat before
//! anything is encrypted for it. A device other than the phone is taken only if the phone's identity vouches for it.
//!
//! What this module does not know: sessions, and what anybody wrote.

mod alias;
mod names;

pub(crate) use alias::{answered, link};
pub(crate) use names::rename;

use crate::chat;
use crate::context::Context;
use crate::model::peer::{MAX_DEVICES, Resends};
use crate::model::{Device, DeviceAddress, DeviceNumber, Peer, PeerId};
use crate::store::records::Records;
use crate::time::{Millis, UnixMillis};
use crate::view::MessageKind;
use causeway_proto::jid::Jid;
use causeway_proto::signal::PublicKey;

/// Largest number of messages that are sent again to one person in an hour: a server that asks in somebody's name gets
/// no more than that.
const MAX_RESENDS: u32 = 60;
const HOUR: Millis = Millis(3_600_000);

/// The device with this address; `None` if it is no person's.
pub(crate) fn device_of(records: &Records, address: &Jid) -> Option<DeviceAddress> {
    let peer = PeerId::of(address)?;
    let peer = records.aliases.get(peer.as_str()).map_or(peer, |id| PeerId::clone(id));
    Some(DeviceAddress { peer, device: DeviceNumber(address.device) })
}

/// The identity key that the chat has shown for a device.
pub(crate) fn identity(records: &Records, address: &DeviceAddress) -> Option<PublicKey> {
    records.peers.get(address.peer.as_str().as_bytes())?.identity(address.device)
}

/// Whether a device is the person's: the phone always is, others if the chat has shown their key.
pub(crate) fn is_known(records: &Records, address: &DeviceAddress) -> bool {
    address.is_primary() || identity(records, address).is_some()
}

/// Whether the identity key that is known for a device was the one that the chat had shown at that time.
pub(crate) fn knew_identity_at(records: &Records, address: &DeviceAddress, at: UnixMillis) -> bool {
    let peer = records.peers.get(address.peer.as_str().as_bytes());
    let device = peer.and_then(|peer| peer.devices.iter().find(|device| device.number == address.device));
    device.is_some_and(|device| device.first_seen.is_none_or(|seen| seen <= at))
}

/// Counts a message that a person asks for again; false if it was asked for too often in the last hour.
pub(crate) fn may_resend(cx: &mut Context<'_>, id: &PeerId) -> bool {
    let now = cx.now;
    let peer = change(cx, id);
    let hour = peer.resends.filter(|hour| hour.since <= now && now < hour.since.after(HOUR));
    let mut hour = hour.unwrap_or(Resends { since: now, count: 0 });
    if hour.count >= MAX_RESENDS {
        return false;
    }
    hour.count += 1;
    peer.resends = Some(hour);
    true
}

/// Takes an identity key for a device, with a notice in the chat if another key is known, or if it is a further device.
/// A new key of the phone ends what the old one vouched for.
pub(crate) fn note_identity(cx: &mut Context<'_>, address: &DeviceAddress, identity: PublicKey) {
    let known = self::identity(cx.records, address);
    if known == Some(identity) {
        return;
    }
    let chat = address.peer.chat();
    chat::open(cx, chat);
    let now = cx.now;
    let peer = change(cx, &address.peer);
    if address.is_primary() {
        peer.devices.clear();
    } else {
        peer.devices.retain(|device| device.number != address.device);
    }
    if peer.devices.len() < MAX_DEVICES {
        peer.devices.push(Device { number: address.device, identity, first_seen: Some(now) });
    }
    let notice = match known {
        Some(_) => Some(MessageKind::IdentityChanged),
        None => (!address.is_primary()).then_some(MessageKind::DeviceAdded),
    };
    if let Some(kind) = notice {
        chat::append(cx, chat, chat::notice(kind, now));
    }
    cx.group_commit.show_chat(chat);
}

/// Makes the rows of people that versions before there were such rows kept in their chats.
pub(crate) fn adopt(cx: &mut Context<'_>) {
    let mut adopted = Vec::new();
    for (key, chat) in cx.records.chats.iter() {
        if cx.records.peers.get(key).is_some() || (chat.identity.is_empty() && chat.name.is_empty()) {
            continue;
        }
        let mut peer = Peer::new(PeerId::from_row(chat.id.clone()));
        peer.name = Some(chat.name.clone()).filter(|name| !name.is_empty());
        if let Ok(identity) = PublicKey::from_slice(&chat.identity) {
            peer.devices.push(Device { number: DeviceNumber::PHONE, identity, first_seen: None });
        }
        adopted.push((key.to_vec(), peer));
    }
    for (key, peer) in adopted {
        cx.records.peers.put(key, peer);
    }
}

/// The row of a person, made if there is none; counts as changed.
fn change<'a>(cx: &'a mut Context<'_>, id: &PeerId) -> &'a mut Peer {
    cx.records.peers.change_or_insert(id.as_str().as_bytes(), || Peer::new(id.clone()))
}
