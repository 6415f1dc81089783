//! What becomes of a message that was sent: accepted, refused, receipted, or not opened in time.

use super::Outbox;
use crate::chat;
use crate::context::Context;
use crate::id::{MessageSeq, Order};
use crate::model::{ChatId, DeviceAddress, Recipient, Stage, StanzaId};
use crate::peer;
use crate::store::chats::MessageRow;
use crate::store::paged::NotLoaded;
use crate::store::row_key;
use crate::trace::Event;
use crate::transient::is_transient;
use crate::view::{Delivery, Issue};
use causeway_proto::jid::Jid;
use causeway_proto::stanza::{Ack, AckClass};

impl Outbox {
    /// Handles an ack: the server has the message, or refuses it. An ack of another class, or from somebody else, is not
    /// the message's.
    pub(crate) fn acknowledged(&mut self, cx: &mut Context<'_>, ack: &Ack) -> Result<(), NotLoaded> {
        let id = StanzaId::new(ack.id.clone());
        let Some((order, mut recipient)) = self.recipient_of(cx, &id) else { return Ok(()) };
        let from = ack.from.as_ref().and_then(|from| peer::device_of(cx.records, from));
        if ack.class != AckClass::Message || from.is_none_or(|from| from.peer != recipient.address.peer) {
            cx.note(Event::AckIgnored);
            return Ok(());
        }
        let message = cx.records.messages.get(&row_key::message(&recipient.chat, recipient.seq))?.cloned();
        if !self.in_flight.acknowledged(order, &id, cx.now) {
            return Ok(());
        }
        match ack.error.filter(|&error| error != 0) {
            Some(error) if is_transient(error) => {
                self.waiting.insert(order);
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
                self.waiting.remove(&order);
                self.in_flight.forget(order, &recipient.id);
                let chat = recipient.chat.clone();
                cx.records.outbox.put(row_key::order(order), recipient);
                raise(cx, &chat, message, Delivery::Sent);
            }
        }
        Ok(())
    }

    /// A device has receipted messages of the chat. Receipts of others than the person's known devices say nothing.
    pub(crate) fn receipted(
        &mut self,
        cx: &mut Context<'_>,
        from: &DeviceAddress,
        ids: &[StanzaId],
        delivery: Delivery,
    ) -> Result<(), NotLoaded> {
        if !peer::is_known(cx.records, from) {
            return Ok(());
        }
        let chat = from.peer.chat();
        for id in ids {
            cx.records.positions.want(&row_key::message_id(chat, true, id));
        }
        let mut keys = Vec::new();
        for id in ids {
            let position = cx.records.positions.get(&row_key::message_id(chat, true, id))?;
            if let Some(seq) = position.and_then(|position| position.seq).map(MessageSeq) {
                let key = row_key::message(chat, seq);
                cx.records.messages.want(&key);
                keys.push((id, key));
            }
        }
        let mut receipted = Vec::new();
        for (id, key) in keys {
            receipted.push((id, cx.records.messages.get(&key)?.cloned()));
        }
        for (id, message) in receipted {
            if let Some((order, recipient)) = self.recipient_of(cx, id)
                && recipient.chat == *chat
            {
                self.finish(cx, order, &recipient.id);
            }
            raise(cx, chat, message, delivery);
        }
        Ok(())
    }

    /// The peer cannot be reached: every message that waits for its keys fails with the issue.
    pub(crate) fn fail_peer(&mut self, cx: &mut Context<'_>, peer: &Jid, issue: Issue) -> Result<(), NotLoaded> {
        let Some(address) = peer::device_of(cx.records, peer) else { return Ok(()) };
        let mut failed = Vec::new();
        for &order in self.waiting.iter() {
            let Some(recipient) = cx.records.outbox.get(&row_key::order(order)) else { continue };
            if recipient.address == address && recipient.stage == Stage::Queued {
                let recipient = recipient.clone();
                let key = row_key::message(&recipient.chat, recipient.seq);
                failed.push((order, recipient, cx.records.messages.get(&key)?.cloned()));
            }
        }
        for (order, recipient, message) in failed {
            cx.note(Event::KeysRefused(issue.into()));
            self.fail(cx, order, recipient, message, issue);
        }
        Ok(())
    }

    /// The recipient of the message with this id that is not finished.
    pub(super) fn recipient_of(&self, cx: &Context<'_>, id: &StanzaId) -> Option<(Order, Recipient)> {
        let &order = self.by_id.get(id.as_str())?;
        Some((order, cx.records.outbox.get(&row_key::order(order))?.clone()))
    }
}

fn raise(cx: &mut Context<'_>, chat: &ChatId, message: Option<MessageRow>, delivery: Delivery) {
    if let Some(mut message) = message
        && message.raise(delivery)
    {
        chat::replace(cx, chat, message);
    }
}
