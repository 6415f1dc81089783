//! A person sends a failed message again.

use super::{Outbox, recipient};
use crate::chat;
use crate::context::Context;
use crate::id::MessageSeq;
use crate::model::{ChatId, StanzaId};
use crate::store::chats::MessageRow;
use crate::time::UnixMillis;
use crate::view::{Delivery, Issue};

impl Outbox {
    /// Queues a failed message again. One that never left keeps its id. One that was not opened becomes another message,
    /// under the id `fresh`: its recipient would take the old id for the message that it could not open.
    pub(crate) fn retry(&mut self, cx: &mut Context<'_>, chat: &ChatId, mut message: MessageRow, fresh: &StanzaId) {
        if !message.outgoing || message.delivery() != Delivery::Failed || self.by_id.contains_key(message.id.as_str()) {
            return;
        }
        if message.issue() == Issue::NotOpened {
            chat::remove(cx, chat, &message);
            self.append(cx, fresh, chat, message.kind(), message.to_encrypt().to_vec());
            return;
        }
        let Some(id) = message.stanza_id() else { return };
        message.deliver(Delivery::Queued);
        self.enqueue(cx, recipient(chat, MessageSeq(message.seq), &id, UnixMillis(message.at)));
        chat::replace(cx, chat, message);
    }
}
