//! What becomes of a message that was sent: accepted, refused, receipted, or not opened in time.

use super::Outbox;
use crate::chat;
use crate::context::Context;
use crate::id::Order;
use crate::model::{ChatId, DeviceAddress, Recipient, Stage, StanzaId};
use crate::peer;
use crate::store::chats::MessageRow;
use crate::store::paged::NotLoaded;
use crate::store::records::Records;
use crate::store::row_key;
use crate::trace::Event;
use crate::transient::is_transient;
use crate::view::{Delivery, Issue};
use causeway_proto::jid::Jid;
use causeway_proto::stanza::{Ack, AckClass};

impl Outbox {
    /// Looks up the message of an ack. An ack of another class, or from somebody else, is not the message's.
    ///
    /// # Errors
    /// [`NotLoaded`] while it is not in memory.
    pub(crate) fn plan_acknowledged(&self, records: &Records, ack: &Ack) -> Result<AckPlan, NotLoaded> {
        let Some((order, recipient)) = self.recipient_of(records, &StanzaId::new(ack.id.clone())) else {
            return Ok(AckPlan::default());
        };
        let from = ack.from.as_ref().and_then(|from| peer::device_of(records, from));
        if ack.class != AckClass::Message || from.is_none_or(|from| from.peer != recipient.address.peer) {
            return Ok(AckPlan { is_foreign: true, ..AckPlan::default() });
        }
        let message = records.message(&recipient.chat, recipient.seq)?.cloned();
        let error = ack.error.filter(|&error| error != 0);
        let unfinished = Some(Unfinished { order, recipient: recipient.clone(), message });
        Ok(AckPlan { unfinished, error, is_foreign: false })
    }

    /// Handles an ack: the server has the message, or refuses it.
    pub(crate) fn acknowledged(&mut self, cx: &mut Context<'_>, plan: AckPlan) {
        if plan.is_foreign {
            cx.note(Event::AckIgnored);
        }
        let Some(Unfinished { order, mut recipient, message }) = plan.unfinished else { return };
        if !self.in_flight.acknowledged(order, &recipient.id, cx.now) {
            return;
        }
        match plan.error {
            Some(error) if is_transient(error) => {
                self.waiting.insert(recipient.chat.clone(), order);
                self.pause(cx.now);
            }
            Some(error) => {
                cx.note(Event::MessageRefused(error));
                self.fail(cx, order, recipient, message, Issue::MessageRefused);
            }
            None => {
                recipient.stage = Stage::Accepted;
                recipient.accepted_at = Some(cx.now);
                self.expiry.note(&recipient);
                self.waiting.remove(&recipient.chat, order);
                self.in_flight.forget(order, &recipient.id);
                let chat = recipient.chat.clone();
                cx.records.outbox.put(row_key::order(order), recipient);
                raise(cx, &chat, message, Delivery::Sent);
            }
        }
    }

    /// A device has receipted messages.
    pub(crate) fn receipted(&mut self, cx: &mut Context<'_>, plan: ReceiptedPlan, delivery: Delivery) {
        let ReceiptedPlan { chat, messages } = plan;
        for (id, message) in messages {
            if let Some((order, recipient)) = self.recipient_of(cx.records, &id)
                && recipient.chat == chat
            {
                self.finish(cx, order, &chat, &id);
            }
            raise(cx, &chat, message, delivery);
        }
    }

    /// Looks up the messages that wait for the keys of a peer.
    ///
    /// # Errors
    /// [`NotLoaded`] while one is not in memory.
    pub(crate) fn plan_fail_peer(&self, records: &Records, peer: &Jid) -> Result<Vec<Unfinished>, NotLoaded> {
        let Some(address) = peer::device_of(records, peer) else { return Ok(Vec::new()) };
        let mut waiting = Vec::new();
        for order in self.waiting.iter() {
            let Some(recipient) = records.outbox.get(&row_key::order(order)) else { continue };
            if recipient.address == address && recipient.stage == Stage::Queued {
                let message = records.message(&recipient.chat, recipient.seq)?.cloned();
                waiting.push(Unfinished { order, recipient: recipient.clone(), message });
            }
        }
        Ok(waiting)
    }

    /// A peer cannot be reached: every message that waits for its keys fails with the issue.
    pub(crate) fn fail_peer(&mut self, cx: &mut Context<'_>, waiting: Vec<Unfinished>, issue: Issue) {
        for Unfinished { order, recipient, message } in waiting {
            cx.note(Event::KeysRefused(issue.into()));
            self.fail(cx, order, recipient, message, issue);
        }
    }

    /// The recipient of the message with this id that is not finished.
    pub(super) fn recipient_of<'a>(&self, records: &'a Records, id: &StanzaId) -> Option<(Order, &'a Recipient)> {
        let &order = self.by_id.get(id.as_str())?;
        Some((order, records.outbox.get(&row_key::order(order))?))
    }
}

/// A recipient that is not finished, and the message.
#[derive(Debug)]
pub(crate) struct Unfinished {
    pub(super) order: Order,
    pub(super) recipient: Recipient,
    /// `None` if it was deleted.
    pub(super) message: Option<MessageRow>,
}

/// What an ack concerns.
#[derive(Default)]
pub(crate) struct AckPlan {
    /// `None` if no message waits for it.
    unfinished: Option<Unfinished>,
    /// Why the server refuses the message.
    error: Option<u32>,
    /// A message with its id went to somebody else, or waits for an ack of another class.
    is_foreign: bool,
}

/// The messages of a chat that a device has receipted, by their ids.
pub(crate) struct ReceiptedPlan {
    chat: ChatId,
    messages: Vec<(StanzaId, Option<MessageRow>)>,
}

impl ReceiptedPlan {
    /// Looks up the messages with these ids. Receipts of others than the person's known devices say nothing.
    ///
    /// # Errors
    /// [`NotLoaded`] while one is not in memory.
    pub(crate) fn plan(records: &Records, from: &DeviceAddress, ids: Vec<StanzaId>) -> Result<Self, NotLoaded> {
        let chat = from.peer.chat().clone();
        let (mut messages, mut found) = (Vec::new(), Ok(()));
        if peer::is_known(records, from) {
            // To the end, so that all that is missing is read at once.
            for id in ids {
                match records.message_of(&chat, true, &id) {
                    Ok(message) => messages.push((id, message.cloned())),
                    Err(NotLoaded) => found = Err(NotLoaded),
                }
            }
        }
        found.map(|()| Self { chat, messages })
    }
}

fn raise(cx: &mut Context<'_>, chat: &ChatId, message: Option<MessageRow>, delivery: Delivery) {
    if let Some(mut message) = message
        && message.raise(delivery)
    {
        chat::replace(cx, chat, message);
    }
}
