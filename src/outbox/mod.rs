//! Outgoing messages: queued here, encrypted once for each recipient, sent until accepted, kept until receipted.
//!
//! ```text
//!   queued ── encrypted and durable ──▶ in flight ── ack ──▶ accepted ── receipt ──▶ finished
//!     ▲                                    │  │                 │  ▲
//!     │                                    │  └── refused ──▶ failed ── "try again" ──▶ queued
//!     └──── connection lost: same bytes ───┘                    │  │
//!                                        asked for again ◀──────┤  └── sent again and accepted
//!                             not opened: 30 days, or five tries └──▶ given up ── "send again" ──▶ another message
//! ```
//!
//! Messages of one chat are sent in order and one at a time: the next one when the server has acknowledged the
//! previous. Losses, temporary refusals and late acks never let a later message overtake an earlier one. A message
//! without an ack is sent again after its time-out, on the same connection: the same bytes under the same id. An envelope
//! leaves only while its device has the identity key that it was encrypted for; else the message is encrypted again.
//!
//! What this module does not know: sockets, and how sessions are established.

mod answers;
mod expiry;
mod give_up;
mod in_flight;
mod joined;
mod resend;
mod send_again;
mod step;
mod waiting;

pub(crate) use answers::ReceiptedPlan;
pub(crate) use resend::ResendPlan;

use crate::chat;
use crate::context::Context;
use crate::id::{MessageSeq, Order};
use crate::model::{ChatId, DeviceAddress, DeviceNumber, Recipient, Stage, StanzaId};
use crate::session::Sessions;
use crate::sorted_map::SortedMap;
use crate::store::chats::{MessageRow, PositionRow};
use crate::store::group_commit::Effect;
use crate::store::paged::Found;
use crate::store::records::Records;
use crate::store::row_key;
use crate::time::{Millis, UnixMillis};
use crate::view::{Delivery, Issue, MessageKind};
use causeway_proto::content;
use causeway_proto::node::Node;
use causeway_proto::stanza::Outgoing as Stanza;
use causeway_proto::stanza::message::Again;
use expiry::Expiry;
use in_flight::InFlight;
use step::{Step, is_current};
use waiting::Waiting;

/// Delay before a message is sent again after a transient refusal (overload, rate limit).
const PAUSE: Millis = Millis(10_000);

/// Waiting messages, and messages in flight.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: Waiting,
    in_flight: InFlight,
    /// The recipient of each message that is not finished, by the message's id.
    by_id: SortedMap<StanzaId, Order>,
    resume_at: Option<UnixMillis>,
    expiry: Expiry,
}

impl Outbox {
    /// After reading the store, or after a connection was lost: everything that the server has not accepted waits again.
    pub(crate) fn reset(&mut self, cx: &mut Context<'_>) {
        self.waiting = Waiting::default();
        self.by_id.clear();
        self.in_flight.clear();
        self.resume_at = None;
        self.expiry = Expiry::default();
        for (key, recipient) in cx.records.outbox.iter() {
            if let Some(order) = row_key::order_of(key) {
                if recipient.waits() {
                    self.waiting.insert(recipient.chat.clone(), order);
                }
                self.by_id.insert(recipient.id.clone(), order);
                self.expiry.note(recipient);
            }
        }
    }

    /// Queues a text of the user, in the place of its id. The id derives from the command, so a repeated command sends
    /// once.
    pub(crate) fn send(
        &mut self,
        cx: &mut Context<'_>,
        place: &Found<PositionRow>,
        id: &StanzaId,
        chat: &ChatId,
        text: &str,
    ) {
        if cx.records.positions.row(place).is_none() {
            self.append(cx, id, chat, MessageKind::Text, content::text(text));
            chat::save_draft(cx, chat, "");
        }
    }

    /// Appends a message of ours to its chat, and queues it.
    fn append(&mut self, cx: &mut Context<'_>, id: &StanzaId, chat: &ChatId, kind: MessageKind, plaintext: Vec<u8>) {
        let message = MessageRow {
            id: id.as_str().to_owned(),
            outgoing: true,
            kind: kind.into(),
            at: cx.now.0,
            delivery: Delivery::Queued.into(),
            plaintext,
            ..MessageRow::default()
        };
        let seq = chat::append(cx, chat, message);
        self.enqueue(cx, recipient(chat, seq, id, cx.now));
    }

    fn enqueue(&mut self, cx: &mut Context<'_>, recipient: Recipient) {
        let order = cx.records.change_account().take_order();
        self.by_id.insert(recipient.id.clone(), order);
        self.waiting.insert(recipient.chat.clone(), order);
        cx.records.outbox.put(row_key::order(order), recipient);
    }

    /// Deletes a failed message, or one that could not be opened.
    pub(crate) fn discard(cx: &mut Context<'_>, chat: &ChatId, message: &MessageRow) {
        let failed = message.outgoing && message.delivery() == Delivery::Failed;
        if failed || message.kind().is_placeholder() {
            chat::remove(cx, chat, message);
        }
    }

    /// Sends what can be sent. Rows that are not in memory are noted as wanted; keys that are needed are fetched.
    pub(crate) fn pump(&mut self, cx: &mut Context<'_>, sessions: &mut Sessions) {
        if self.resume_at.is_some() || self.waiting.is_empty() {
            return;
        }
        let busy = self.in_flight.chats();
        for (order, chat) in self.waiting.first_of_each(|chat| !busy.contains(chat)) {
            let Some(recipient) = cx.records.outbox.get(&row_key::order(order)) else {
                self.waiting.remove(&chat, order);
                continue;
            };
            let Ok(step) = Step::plan(cx.records, recipient) else { continue };
            let recipient = recipient.clone();
            if let Some(number) = self.step(cx, sessions, order, recipient, step) {
                self.waiting.remove(&chat, order);
                self.in_flight.begin(order, chat, cx.now);
                cx.group_commit.after(Effect::Message(cx.socket, order, number));
            }
        }
    }

    /// Takes the next step of a recipient whose turn it is. Returns the number of the envelope that is to be sent; `None`
    /// while the chat must wait, or if the message has failed.
    fn step(
        &mut self,
        cx: &mut Context<'_>,
        sessions: &mut Sessions,
        order: Order,
        mut recipient: Recipient,
        step: Step,
    ) -> Option<u32> {
        match step {
            Step::Send => Some(recipient.resends),
            Step::GiveUp(message) => {
                self.give_up(cx, order, &recipient, message, Issue::NotOpened);
                None
            }
            Step::Encrypt { plaintext, session } => {
                if recipient.stage != Stage::Queued {
                    // Acks of the envelope for the former key, if it was sent, do not count for the next one.
                    self.in_flight.forget(order, &recipient.id);
                    recipient.resends += 1;
                }
                let (envelope, identity) = sessions.encrypt(cx, &recipient.address, &session, &plaintext?)?;
                let number = recipient.resends;
                recipient.identity = Some(identity);
                recipient.stage =
                    Stage::Sealed { kind: envelope.kind().as_str().to_owned(), envelope: envelope.as_bytes().to_vec() };
                cx.records.outbox.put(row_key::order(order), recipient);
                Some(number)
            }
        }
    }

    /// The stanza of a recipient's envelope whose row is durable; with this it counts as sent. `None` if its message is
    /// receipted, if another envelope has taken the place of this one, or if the device has another identity key since it
    /// was encrypted: then it waits to be encrypted again.
    pub(crate) fn take_stanza(&mut self, records: &Records, order: Order, number: u32) -> Option<Node> {
        let recipient = records.outbox.get(&row_key::order(order)).filter(|recipient| recipient.resends == number)?;
        if !is_current(records, recipient) {
            self.in_flight.withhold(order);
            self.waiting.insert(recipient.chat.clone(), order);
            return None;
        }
        let Stage::Sealed { kind, envelope } = &recipient.stage else { return None };
        let again = Again { count: number, t: recipient.written_at.seconds().0 };
        let again = (number > 0).then_some(again);
        let to = recipient.address.jid()?;
        self.in_flight.sent(order);
        Some(Stanza::text(to, recipient.id.as_str().to_owned(), kind.clone(), envelope.clone(), again).to_node())
    }

    /// The recipient's part in the message has ended.
    fn finish(&mut self, cx: &mut Context<'_>, order: Order, chat: &ChatId, id: &StanzaId) {
        cx.records.outbox.delete(&row_key::order(order));
        self.waiting.remove(chat, order);
        self.in_flight.forget(order, id);
        self.by_id.remove(id.as_str());
    }

    /// The message of a recipient fails, unless the server has it already: then it stays as it is.
    fn fail(
        &mut self,
        cx: &mut Context<'_>,
        order: Order,
        mut recipient: Recipient,
        message: Option<MessageRow>,
        issue: Issue,
    ) {
        if recipient.accepted_at.is_some() {
            recipient.stage = Stage::Accepted;
            self.waiting.remove(&recipient.chat, order);
            self.in_flight.forget(order, &recipient.id);
            return cx.records.outbox.put(row_key::order(order), recipient);
        }
        self.give_up(cx, order, &recipient, message, issue);
    }

    /// The message of a recipient fails for good.
    fn give_up(
        &mut self,
        cx: &mut Context<'_>,
        order: Order,
        recipient: &Recipient,
        message: Option<MessageRow>,
        issue: Issue,
    ) {
        self.finish(cx, order, &recipient.chat, &recipient.id);
        if let Some(mut message) = message {
            message.fail(issue);
            chat::replace(cx, &recipient.chat, message);
        }
    }

    /// The server is busy: sends nothing for [`PAUSE`].
    pub(crate) fn pause(&mut self, now: UnixMillis) {
        self.resume_at = Some(now.after(PAUSE));
    }

    /// Handles time-outs that are due.
    pub(crate) fn elapsed(&mut self, now: UnixMillis) {
        self.resume_at = self.resume_at.filter(|&at| at > now && at <= now.after(PAUSE));
        for (order, chat) in self.in_flight.overdue(now) {
            self.waiting.insert(chat, order);
        }
    }

    /// When [`elapsed`](Self::elapsed) has something to do; if the mailbox is read, [`expire`](Self::expire) as well.
    pub(crate) fn wake_at(&self, mailbox_read: bool) -> Option<UnixMillis> {
        let expiry = self.expiry.at().filter(|_| mailbox_read);
        [self.resume_at, self.in_flight.wake_at(), expiry].into_iter().flatten().min()
    }
}

/// The one recipient of a message: the phone of the chat's person.
fn recipient(chat: &ChatId, seq: MessageSeq, id: &StanzaId, written_at: UnixMillis) -> Recipient {
    Recipient {
        chat: chat.clone(),
        seq,
        id: id.clone(),
        address: DeviceAddress { peer: chat.peer(), device: DeviceNumber::PHONE },
        written_at,
        stage: Stage::Queued,
        accepted_at: None,
        identity: None,
        resends: 0,
        served: Vec::new(),
    }
}
