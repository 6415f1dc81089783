//! Outgoing messages: queued here, encrypted once, sent until acknowledged.
//!
//! ```text
//!   queued ── encrypted and durable ──▶ in flight ── ack ──▶ sent ── receipt ──▶ delivered ── receipt ──▶ read
//!     ▲                                    │  │
//!     └──── connection lost: same bytes ───┘  └── refused ──▶ failed ── "try again" ──▶ queued
//! ```
//!
//! Messages of one chat are sent in order and one at a time: the next one when the server has acknowledged the
//! previous. Losses, temporary refusals and late acks never let a later message overtake an earlier one. A message
//! without an ack is sent again after its time-out, on the same connection: the same bytes under the same id.
//!
//! What this module does not know: sockets, and how sessions are established.

mod in_flight;

use crate::chat;
use crate::context::Context;
use crate::peer;
use crate::session::Sessions;
use crate::sorted_map::SortedMap;
use crate::sorted_set::SortedSet;
use crate::store::chats::{MessageRow, OutboxRow};
use crate::store::row_cache::NotLoaded;
use crate::store::row_key;
use crate::time::Millis;
use crate::transient::is_transient;
use crate::view::{Delivery, Issue, MessageKind};
use causeway_proto::jid::Jid;
use causeway_proto::stanza::message::Again;
use causeway_proto::stanza::{Ack, Outgoing as Stanza};
use in_flight::InFlight;

/// Delay before a message is sent again after a transient refusal (overload, rate limit).
const PAUSE: Millis = 10_000;

/// Waiting messages, by order, and messages in flight.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: SortedSet<u64>,
    in_flight: InFlight,
    by_id: SortedMap<String, u64>,
    resume_at: Option<Millis>,
}

impl Outbox {
    /// After reading the store, or after a connection was lost: everything unacknowledged waits again.
    pub(crate) fn reset(&mut self, cx: &mut Context<'_>) {
        self.waiting.clear();
        self.by_id.clear();
        self.in_flight.clear();
        self.resume_at = None;
        for (key, row) in cx.records.outbox.iter() {
            if let Some(order) = row_key::order_of(key) {
                self.waiting.insert(order);
                self.by_id.insert(row.id.clone(), order);
            }
        }
    }

    /// Queues a text of the user. The id derives from the command, so a repeated command sends once.
    pub(crate) fn send(&mut self, cx: &mut Context<'_>, id: &str, chat: &str, text: &str) -> Result<(), NotLoaded> {
        if cx.records.positions.get(&row_key::message_id(chat, true, id))?.is_some() {
            return Ok(());
        }
        let message = MessageRow {
            id: id.to_owned(),
            outgoing: true,
            kind: MessageKind::Text.into(),
            text: text.to_owned(),
            at: cx.now,
            delivery: Delivery::Queued.into(),
            ..MessageRow::default()
        };
        let seq = chat::append(cx, chat, message);
        chat::save_draft(cx, chat, "");
        self.enqueue(cx, OutboxRow { seq, ..outgoing(chat, id, text) });
        Ok(())
    }

    /// Puts a message in the queue.
    fn enqueue(&mut self, cx: &mut Context<'_>, row: OutboxRow) {
        let order = cx.records.change_account().take_order();
        self.by_id.insert(row.id.clone(), order);
        self.waiting.insert(order);
        cx.records.outbox.put(row_key::order(order), row);
    }

    /// Queues a failed message again, under the same id.
    pub(crate) fn retry(&mut self, cx: &mut Context<'_>, chat: &str, seq: u64) -> Result<(), NotLoaded> {
        let Some(mut message) = cx.records.messages.get(&row_key::message(chat, seq))?.cloned() else { return Ok(()) };
        if message.outgoing && message.delivery() == Delivery::Failed && !self.by_id.contains_key(&message.id) {
            message.set_delivery(Delivery::Queued);
            message.set_issue(Issue::None);
            self.enqueue(cx, OutboxRow { seq, ..outgoing(chat, &message.id, &message.text) });
            chat::replace(cx, chat, message);
        }
        Ok(())
    }

    /// Deletes a failed message, or one that could not be decrypted.
    pub(crate) fn discard(&mut self, cx: &mut Context<'_>, chat: &str, seq: u64) -> Result<(), NotLoaded> {
        let Some(message) = cx.records.messages.get(&row_key::message(chat, seq))?.cloned() else { return Ok(()) };
        let failed = message.outgoing && message.delivery() == Delivery::Failed;
        if failed || message.kind() == MessageKind::Undecryptable {
            chat::remove(cx, chat, &message);
        }
        Ok(())
    }

    /// The peer could not decrypt a message: sends it under the same id, encrypted for the device that requested it.
    pub(crate) fn resend(&mut self, cx: &mut Context<'_>, chat: &str, message: &MessageRow, device: &Jid) {
        let row = OutboxRow {
            seq: message.seq,
            resend: message.retries,
            address: device.to_string(),
            t: message.at / 1000,
            ..outgoing(chat, &message.id, &message.text)
        };
        match self.by_id.get(&message.id) {
            // An earlier envelope is in flight: the new one supersedes it, and acks of the old one do not count.
            Some(&order) => {
                self.in_flight.forget(order, &message.id);
                self.waiting.insert(order);
                cx.records.outbox.put(row_key::order(order), row);
            }
            None => self.enqueue(cx, row),
        }
    }

    /// Sends what can be sent. Sessions that are not in memory are noted as wanted; keys that are needed are fetched.
    pub(crate) fn pump(&mut self, cx: &mut Context<'_>, sessions: &mut Sessions) {
        if self.resume_at.is_some() || self.waiting.is_empty() {
            return;
        }
        let mut blocked = self.in_flight.chats();
        for order in self.waiting.clone() {
            let key = row_key::order(order);
            let Some(row) = cx.records.outbox.peek(&key) else {
                self.waiting.remove(&order);
                continue;
            };
            if !blocked.insert(row.chat.clone()) {
                continue;
            }
            let row = row.clone();
            let chat = row.chat.clone();
            if let Some(stanza) = self.ready(cx, sessions, key, row) {
                self.waiting.remove(&order);
                self.in_flight.begin(order, chat, cx.now);
                cx.transmit(stanza.to_node());
            }
        }
    }

    /// Builds the stanza; its ciphertext joins the pending changes. `None` while the chat must wait.
    fn ready(
        &mut self,
        cx: &mut Context<'_>,
        sessions: &mut Sessions,
        key: Vec<u8>,
        mut row: OutboxRow,
    ) -> Option<Stanza> {
        let to = row.address.parse::<Jid>().ok()?;
        if row.envelope.is_empty() {
            let device = peer::device_of(cx.records, &to)?;
            let envelope = sessions.encrypt(cx, &device, &row.text)?;
            row.envelope_kind = envelope.kind().as_str().to_owned();
            row.envelope = envelope.as_bytes().to_vec();
            cx.records.outbox.put(key, row.clone());
        }
        let again = (row.resend > 0).then_some(Again { count: row.resend, t: row.t });
        Some(Stanza::text(to, row.id, row.envelope_kind, row.envelope, again))
    }

    /// Handles an ack: the server has the message, or refuses it.
    pub(crate) fn acknowledged(&mut self, cx: &mut Context<'_>, ack: &Ack) -> Result<(), NotLoaded> {
        let Some(&order) = self.by_id.get(&ack.id) else { return Ok(()) };
        let Some(row) = cx.records.outbox.peek(&row_key::order(order)).cloned() else { return Ok(()) };
        let message = cx.records.messages.get(&row_key::message(&row.chat, row.seq))?.cloned();
        if !self.in_flight.acknowledged(order, &ack.id, cx.now) {
            return Ok(());
        }
        match ack.error.filter(|&error| error != 0) {
            Some(error) if is_transient(error) => {
                self.waiting.insert(order);
                self.pause(cx.now);
            }
            Some(_) => self.fail_row(cx, order, &row, message, Issue::MessageRefused),
            None => {
                self.forget(cx, order, &row.id);
                if let Some(mut message) = message
                    && message.raise(Delivery::Sent)
                {
                    chat::replace(cx, &row.chat, message);
                }
            }
        }
        Ok(())
    }

    /// The peer cannot be reached: every message that waits for it fails with the issue.
    pub(crate) fn fail_peer(&mut self, cx: &mut Context<'_>, peer: &Jid, issue: Issue) -> Result<(), NotLoaded> {
        let address = peer.to_string();
        let mut failed = Vec::new();
        for &order in self.waiting.iter() {
            let Some(row) = cx.records.outbox.peek(&row_key::order(order)) else { continue };
            if row.address == address && row.envelope.is_empty() {
                let row = row.clone();
                let message = cx.records.messages.get(&row_key::message(&row.chat, row.seq))?.cloned();
                failed.push((order, row, message));
            }
        }
        for (order, row, message) in failed {
            self.fail_row(cx, order, &row, message, issue);
        }
        Ok(())
    }

    fn fail_row(
        &mut self,
        cx: &mut Context<'_>,
        order: u64,
        row: &OutboxRow,
        message: Option<MessageRow>,
        issue: Issue,
    ) {
        self.forget(cx, order, &row.id);
        if let Some(mut message) = message {
            message.fail(issue);
            chat::replace(cx, &row.chat, message);
        }
    }

    fn forget(&mut self, cx: &mut Context<'_>, order: u64, id: &str) {
        cx.records.outbox.delete(&row_key::order(order));
        self.waiting.remove(&order);
        self.in_flight.forget(order, id);
        self.by_id.remove(id);
    }

    /// The server is busy: sends nothing for [`PAUSE`].
    pub(crate) fn pause(&mut self, now: Millis) {
        self.resume_at = Some(now.saturating_add(PAUSE));
    }

    /// Handles time-outs that are due.
    pub(crate) fn elapsed(&mut self, now: Millis) {
        self.resume_at = self.resume_at.filter(|&at| at > now && at <= now.saturating_add(PAUSE));
        self.waiting.extend(self.in_flight.overdue(now));
    }

    /// When [`elapsed`](Self::elapsed) has something to do.
    pub(crate) fn wake_at(&self) -> Option<Millis> {
        [self.resume_at, self.in_flight.wake_at()].into_iter().flatten().min()
    }
}

fn outgoing(chat: &str, id: &str, text: &str) -> OutboxRow {
    OutboxRow {
        chat: chat.to_owned(),
        id: id.to_owned(),
        text: text.to_owned(),
        address: chat.to_owned(),
        ..OutboxRow::default()
    }
}
