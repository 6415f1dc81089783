//! Repairs tables that are held whole and have rows that do not open.
//!
//! Such a row is not absent. If it were taken for absent, a chat would number its messages from the first again, over
//! those that it has; a message would stay queued without end; a peer's new identity key would be taken without a
//! notice. Therefore, before anything else runs, the numbering is rebuilt from the messages, the queued messages without
//! an outbox row fail, and a notice is shown. Damaged prekeys only keep their ids from being used again.
//!
//! What this module does not know: why a row is damaged.

use super::state::Engine;
use crate::chat;
use crate::id::MessageSeq;
use crate::io::UnixMillis;
use crate::model::{ChatId, Peer, StanzaId};
use crate::sorted_set::SortedSet;
use crate::store::changes::{Query, Rows, Table};
use crate::store::chats::{ChatRow, MessageRow};
use crate::store::records;
use crate::store::row_key;
use crate::view::{Delivery, Issue, MessageKind};
use rand_core::CryptoRng;

/// Newest messages of a chat among which queued ones are looked for.
const RECENT: u32 = 64;
/// Chats in which they are looked for.
const MAX_CHATS: usize = 1_000;
/// Bytes of a text in the list of chats.
const PREVIEW: usize = 160;

impl Engine {
    /// The newest messages of each chat that is affected. The same queries until [`repair`](Self::repair).
    pub(super) fn repair_queries(&self) -> Vec<Query> {
        let newest = |chat: &ChatId| Query::Range {
            table: Table::Message,
            from: row_key::message(chat, MessageSeq::LEAST),
            to: Some(row_key::message(chat, MessageSeq::GREATEST)),
            reverse: true,
            limit: RECENT,
        };
        self.chats_to_repair().iter().map(newest).collect()
    }

    fn chats_to_repair(&self) -> Vec<ChatId> {
        let mut chats = ids(self.records.chats.damaged());
        if self.records.outbox.damaged().next().is_some() {
            chats.extend(self.records.chats.iter().map(|(_, chat)| ChatId::named(&chat.id)).take(MAX_CHATS));
        }
        chats
    }

    /// Repairs the tables from the results of [`repair_queries`](Self::repair_queries).
    pub(super) fn repair(&mut self, rows: Rows, now: UnixMillis, rng: &mut dyn CryptoRng) {
        let lost: SortedSet<ChatId> = ids(self.records.chats.damaged()).into_iter().collect();
        let queued: SortedSet<StanzaId> = self.records.outbox.iter().map(|(_, row)| row.id.clone()).collect();
        for (chat, rows) in self.chats_to_repair().into_iter().zip(rows) {
            if lost.contains(chat.as_str()) {
                self.rebuild_chat(&chat, rows.first(), now);
            }
            for (key, sealed) in rows {
                let Ok(mut message) = records::open::<MessageRow>(&key, &sealed, &self.sealer) else { continue };
                if message.outgoing && message.delivery() == Delivery::Queued && !queued.contains(message.id.as_str()) {
                    message.fail(Issue::StorageDamaged);
                    self.with_context(now, rng, |_, cx| chat::replace(cx, &chat, message));
                }
            }
        }
        let outbox: Vec<Vec<u8>> = self.records.outbox.damaged().map(<[u8]>::to_vec).collect();
        for key in outbox {
            self.records.outbox.delete(&key);
        }
        // The key that the chat has shown is unknown: the next one may be another.
        let people = ids(self.records.peers.damaged());
        let unknown = lost.into_iter().filter(|chat| self.records.peers.is_absent(chat.as_bytes()));
        for id in unknown.chain(people.clone()).collect::<Vec<_>>() {
            if people.contains(&id) {
                self.records.peers.put(id.as_bytes().to_vec(), Peer::new(id.peer()));
            }
            if self.records.chats.get(id.as_bytes()).is_some_and(|chat| chat.next_seq > 1) {
                self.with_context(now, rng, |_, cx| {
                    chat::append(cx, &id, chat::notice(MessageKind::IdentityChanged, now))
                });
            }
        }
    }

    /// A chat whose row is damaged, as far as its newest message shows it; the draft and the counts are gone.
    fn rebuild_chat(&mut self, id: &ChatId, newest: Option<&(Vec<u8>, Vec<u8>)>, now: UnixMillis) {
        let number = newest.and_then(|(key, _)| row_key::seq_of(key)).map_or(0, |seq| seq.0);
        let last = newest.and_then(|(key, sealed)| records::open::<MessageRow>(key, sealed, &self.sealer).ok());
        let is_unread = last.as_ref().is_some_and(|last| !last.outgoing && !last.kind().is_notice());
        let unread = u32::from(is_unread);
        let chat = ChatRow {
            id: id.as_str().to_owned(),
            next_seq: number.saturating_add(1),
            active_at: last.as_ref().map_or(now.0, |last| last.at),
            last: last.map(|last| last.view().cut(0, PREVIEW)),
            unread,
            read_up_to: number.saturating_sub(unread.into()),
            notified_up_to: number,
            ..ChatRow::default()
        };
        self.records.chats.put(id.as_bytes().to_vec(), chat);
        self.group_commit.show_chat(id);
    }
}

/// The chats whose keys, or whose peers' keys, these are.
fn ids<'a>(keys: impl Iterator<Item = &'a [u8]>) -> Vec<ChatId> {
    keys.filter_map(|key| core::str::from_utf8(key).ok()).map(ChatId::named).collect()
}
