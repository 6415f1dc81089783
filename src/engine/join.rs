//! Joins two chats that turned out to be one person's (docs/decisions/0042-one-chat-for-each-person.md).
//!
//! ```text
//!   an alias that has a chat ── one transaction: one row in the list, sessions, outbox ──▶ the first chat says "joins"
//!   "joins" ── a piece of the messages and ids, moved in one transaction ──▶ "joins" ── ... ──▶ nothing is left: done
//! ```
//!
//! Until it is done nothing else runs: nobody sees half of it, and a receipt or a duplicate finds its message. Both states
//! are in the rows, so an engine that boots goes on where the last one ended. A moved row is deleted where it was in the
//! same transaction, so that no message is lost or there twice.
//!
//! What this module does not know: who is one person.

use super::state::{Engine, Read};
use crate::chat;
use crate::id::MessageSeq;
use crate::io::UnixMillis;
use crate::model::{Opened, PeerId, StanzaId};
use crate::session::JoinPlan;
use crate::store::changes::{Query, Table};
use crate::store::chats::{Join, MessageRow, PositionRow};
use crate::store::paged::{Found, NotLoaded};
use crate::store::records::{self, Records};
use crate::store::row_key;
use crate::view::{Issue, MessageKind};
use rand_core::CryptoRng;

/// Rows of a table that are moved in one transaction.
const PIECE: u32 = 200;
/// Bytes of messages beyond which a transaction takes no more.
const PIECE_BYTES: usize = 8 << 20;

impl Engine {
    /// After a boot: finds the joins that the last engine began, and those that it had to begin.
    pub(super) fn find_joins(&mut self) {
        let mut joining = Vec::new();
        for (_, chat) in self.records.chats.iter() {
            if chat.joins.is_some() {
                joining.push(PeerId::from_row(chat.id.clone()));
            }
            joining.extend(self.records.aliases.get(chat.id.as_str()).map(|id| PeerId::clone(id)));
        }
        self.records.joining = joining;
    }

    /// Takes the next step of every join, as far as the rows in memory allow. Returns whether none is left.
    pub(super) fn join(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) -> bool {
        while let Some(id) = self.records.joining.last().cloned() {
            if self.join_step(&id, now, rng) == Err(NotLoaded) {
                self.queue.misses = self.queue.misses.saturating_add(1);
                if !self.group_commit.is_writing() {
                    self.read_ahead();
                }
                return false;
            }
            self.queue.misses = 0;
        }
        true
    }

    fn join_step(&mut self, id: &PeerId, now: UnixMillis, rng: &mut dyn CryptoRng) -> Result<(), NotLoaded> {
        let chat = self.records.chats.get(id.as_str().as_bytes());
        let Some(Join { from, behind }) = chat.and_then(|chat| chat.joins.as_ref()) else {
            let mut aliases = self.records.peers.get(id.as_str().as_bytes()).into_iter().flat_map(|peer| &peer.aliases);
            let with_chat = aliases.find_map(|alias| {
                let alias = alias.to_string();
                let has_chat = alias != id.as_str() && self.records.chats.get(alias.as_bytes()).is_some();
                has_chat.then_some(alias)
            });
            return match with_chat {
                Some(alias) => self.begin_join(id, &PeerId::from_row(alias), now, rng),
                None => {
                    self.records.joining.pop();
                    Ok(())
                }
            };
        };
        let (from, behind) = (PeerId::from_row(from.clone()), *behind);
        // The store must have everything: what it says is moved.
        if self.group_commit.is_writing() || self.records.is_dirty() {
            return Err(NotLoaded);
        }
        let Some(rows) = self.joins.take() else {
            if !self.reads.any(|read| matches!(read, Read::Join(_))) {
                let queries = join_queries(&from);
                self.load(Read::Join(from), queries);
            }
            return Err(NotLoaded);
        };
        let [messages, ids] = &rows[..] else { return Err(NotLoaded) };
        if messages.is_empty() && ids.is_empty() {
            self.end_join(id, now, rng);
            return Ok(());
        }
        let (messages, ids) = (self.open_messages(messages, behind), self.open_ids(ids, id, &from, behind));
        match Piece::plan(&self.records, id, messages, ids) {
            Ok(piece) => {
                piece.apply(&mut self.records, id);
                Ok(())
            }
            Err(NotLoaded) => {
                self.joins.loaded(rows);
                Err(NotLoaded)
            }
        }
    }

    /// One row in the list instead of two, and everything that is in memory.
    fn begin_join(
        &mut self,
        id: &PeerId,
        alias: &PeerId,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), NotLoaded> {
        let sessions = JoinPlan::plan(&self.records, id, alias)?;
        self.with_context(now, rng, |modules, cx| {
            sessions.apply(cx.records);
            let Some(behind) = chat::begin_join(cx, id, alias) else { return };
            modules.outbox.join(cx, id, alias, behind);
            let opened = cx.records.opened.iter().filter(|(_, opened)| opened.from.peer == *alias);
            let opened: Vec<(Vec<u8>, Opened)> = opened.map(|(key, opened)| (key.to_vec(), opened.clone())).collect();
            for (key, mut opened) in opened {
                opened.from.peer = id.clone();
                cx.records.opened.put(key, opened);
            }
        });
        self.pages.join(id.chat(), alias.chat());
        Ok(())
    }

    fn end_join(&mut self, id: &PeerId, now: UnixMillis, rng: &mut dyn CryptoRng) {
        self.with_context(now, rng, |_, cx| chat::end_join(cx, id));
        if self.pages.have_opened(id.chat()) {
            // A page holds a part of the chat: it reads it again.
            self.snapshot().into_iter().for_each(|update| self.group_commit.show(update));
        }
    }

    /// The messages of a piece, with their new numbers, by their keys.
    fn open_messages(&mut self, rows: &[(Vec<u8>, Vec<u8>)], behind: u64) -> Vec<(Vec<u8>, MessageRow)> {
        let (mut messages, mut bytes) = (Vec::new(), 0_usize);
        for (key, sealed) in rows {
            bytes = bytes.saturating_add(sealed.len());
            if bytes > PIECE_BYTES && !messages.is_empty() {
                break;
            }
            let mut message = records::open(key, sealed, &self.sealer).unwrap_or_else(|_| {
                self.storage = Issue::StorageDamaged;
                let seq = key.last_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
                let kind = MessageKind::Unsupported.into();
                MessageRow { seq, kind, text: "damaged".to_owned(), ..MessageRow::default() }
            });
            message.seq = behind.saturating_add(message.seq);
            messages.push((key.clone(), message));
        }
        messages
    }

    /// The ids of a piece, by their keys: the new keys, and the new places.
    fn open_ids(&mut self, rows: &[(Vec<u8>, Vec<u8>)], id: &PeerId, from: &PeerId, behind: u64) -> Vec<MovedId> {
        let moved = rows.iter().map(|(key, sealed)| {
            let known = records::open::<PositionRow>(key, sealed, &self.sealer).unwrap_or_default();
            let position = PositionRow { seq: known.seq.map(|seq| behind.saturating_add(seq)) };
            (key.clone(), row_key::moved(key, from.chat(), id.chat()), position)
        });
        moved.collect()
    }
}

/// A piece of the rows that are moved.
struct Piece {
    /// Each message with its key, and the message with the same id that is in the chat already.
    messages: Vec<(Vec<u8>, MessageRow, Option<Found<MessageRow>>)>,
    /// Each id with its key, and what is known under its new key.
    ids: Vec<(Vec<u8>, Found<PositionRow>, PositionRow)>,
}

impl Piece {
    /// Looks up what is in the chat already.
    fn plan(
        records: &Records,
        id: &PeerId,
        messages: Vec<(Vec<u8>, MessageRow)>,
        ids: Vec<MovedId>,
    ) -> Result<Self, NotLoaded> {
        let place =
            |message: &MessageRow| row_key::message_id(id.chat(), message.outgoing, &StanzaId::new(message.id.clone()));
        messages.iter().for_each(|(_, message)| records.positions.want(&place(message)));
        ids.iter().for_each(|(_, to, _)| records.positions.want(to));
        let mut twins = Vec::new();
        for (key, message) in messages {
            let known = records.positions.get(&place(&message))?.and_then(|known| known.seq);
            let twin = known.filter(|seq| *seq != message.seq).map(|seq| row_key::message(id.chat(), MessageSeq(seq)));
            twin.iter().for_each(|key| records.messages.want(key));
            twins.push((key, message, twin));
        }
        let mut piece = Self { messages: Vec::new(), ids: Vec::new() };
        for (key, message, twin) in twins {
            let twin = twin.map(|key| records.messages.find(key)).transpose()?;
            piece.messages.push((key, message, twin));
        }
        for (key, to, position) in ids {
            piece.ids.push((key, records.positions.find(to)?, position));
        }
        Ok(piece)
    }

    /// Moves the piece. Of two messages with the same id, which the server delivered under both addresses, one stays: the
    /// one that was opened.
    fn apply(self, records: &mut Records, id: &PeerId) {
        let Records { positions, messages: table, .. } = records;
        for (key, message, twin) in self.messages {
            table.delete(&key);
            let known = twin.and_then(|found| table.row(&found).map(|twin| (twin.kind(), twin.seq)).zip(Some(found)));
            match known {
                None => table.put(row_key::message(id.chat(), MessageSeq(message.seq)), message),
                Some(((kind, seq), found)) if kind.is_placeholder() => table.set(&found, MessageRow { seq, ..message }),
                Some(_) => {}
            }
        }
        for (key, to, position) in self.ids {
            positions.delete(&key);
            if positions.row(&to).is_none_or(|known| known.seq.is_none()) {
                positions.set(&to, position);
            }
        }
    }
}

/// A row of an id: its key, its new key, its new value.
type MovedId = (Vec<u8>, Vec<u8>, PositionRow);

/// The next piece of what is under a chat's keys.
pub(super) fn join_queries(from: &PeerId) -> Vec<Query> {
    let range = |table, from, to| Query::Range { table, from, to: Some(to), reverse: false, limit: PIECE };
    let (first, behind) = row_key::message_ids(from.chat());
    vec![
        range(
            Table::Message,
            row_key::message(from.chat(), MessageSeq::LEAST),
            row_key::message(from.chat(), MessageSeq::GREATEST),
        ),
        range(Table::MessageId, first, behind),
    ]
}
