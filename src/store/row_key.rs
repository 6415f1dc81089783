//! Row keys. Every key sorts the way its table is read.
//!
//! Keys are not sealed: a reader of the disk learns which JIDs the user writes with, and how much.
//! A chat's id is hostile text, so it is length-prefixed: no id can reach into another's range.

use crate::id::{MessageSeq, Order, PreKeyId};
use crate::model::{ChatId, DeviceAddress, StanzaId};

/// The one row of [`Table::Account`](crate::store::changes::Table::Account).
pub const ACCOUNT: &[u8] = b"account";

/// Key of a prekey: 3 bytes, big endian. Ids are 24-bit; higher bits are dropped.
pub fn prekey(id: PreKeyId) -> Vec<u8> {
    let [_, high, middle, low] = id.0.to_be_bytes();
    vec![high, middle, low]
}

/// Key of a session: the device's address as text.
pub fn session(address: &DeviceAddress) -> Vec<u8> {
    address.to_string().into_bytes()
}

/// Key of a row that is ordered by arrival.
pub fn order(order: Order) -> Vec<u8> {
    order.0.to_be_bytes().to_vec()
}

/// Which row a key made by [`order`] is of.
pub fn order_of(key: &[u8]) -> Option<Order> {
    key.try_into().ok().map(|bytes| Order(u64::from_be_bytes(bytes)))
}

/// Key of a message.
pub fn message(chat: &ChatId, seq: MessageSeq) -> Vec<u8> {
    let mut key = prefix(chat);
    key.extend_from_slice(&seq.0.to_be_bytes());
    key
}

/// Which message a key made by [`message`] is of.
pub fn seq_of(key: &[u8]) -> Option<MessageSeq> {
    key.last_chunk().map(|bytes| MessageSeq(u64::from_be_bytes(*bytes)))
}

/// Key of a message's id. Ids of the two directions are apart: a peer that reuses one of ours hides nothing.
pub fn message_id(chat: &ChatId, outgoing: bool, id: &StanzaId) -> Vec<u8> {
    let mut key = prefix(chat);
    key.push(u8::from(outgoing));
    key.extend_from_slice(id.as_str().as_bytes());
    key
}

/// The key of a message or of a message's id, in another chat.
pub fn moved(key: &[u8], from: &ChatId, to: &ChatId) -> Vec<u8> {
    let mut moved = prefix(to);
    moved.extend_from_slice(key.strip_prefix(prefix(from).as_slice()).unwrap_or_default());
    moved
}

/// The range of the keys of a chat's message ids: from the first to the second, which is not in it.
pub fn message_ids(chat: &ChatId) -> (Vec<u8>, Vec<u8>) {
    let (from, mut to) = (prefix(chat), prefix(chat));
    to.push(u8::from(true) + 1);
    (from, to)
}

fn prefix(chat: &ChatId) -> Vec<u8> {
    let chat = chat.as_bytes();
    let length = u32::try_from(chat.len()).unwrap_or(u32::MAX);
    let mut key = Vec::with_capacity(4 + chat.len() + 24);
    key.extend_from_slice(&length.to_be_bytes());
    key.extend_from_slice(chat);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_sort_by_sequence_number_within_their_chat() {
        assert!(message(&ChatId::named("a"), MessageSeq(255)) < message(&ChatId::named("a"), MessageSeq(256)));
        assert!(message(&ChatId::named("a"), MessageSeq::GREATEST) < message(&ChatId::named("b"), MessageSeq::LEAST));
    }

    #[test]
    fn no_chat_id_reaches_into_anothers_range() {
        let (from, to) =
            (message(&ChatId::named("a"), MessageSeq::LEAST), message(&ChatId::named("a"), MessageSeq::GREATEST));
        for other in ["a\0", "a\0\0\0\0\0\0\0\u{1}", "", "aa"] {
            let key = message(&ChatId::named(other), MessageSeq(1));
            assert!(key < from || key > to, "{other:?}");
        }
    }
}
