//! Gives up messages that nobody has receipted in time.

use super::Outbox;
use super::expiry::{Expiry, expires_at};
use crate::context::Context;
use crate::id::Order;
use crate::model::Recipient;
use crate::store::paged::NotLoaded;
use crate::store::row_key;
use crate::time::UnixMillis;
use crate::trace::Event;
use crate::view::Issue;

impl Outbox {
    /// Whether [`expire`](Self::expire) has something to do, if the mailbox is read; told once.
    pub(crate) fn take_expired(&mut self, now: UnixMillis) -> bool {
        self.expiry.take_due(now)
    }

    /// The mailbox has been read to its end, and with it every receipt: gives up what has expired.
    pub(crate) fn expire(&mut self, cx: &mut Context<'_>) -> Result<(), NotLoaded> {
        let now = cx.now;
        let expired: Vec<(Order, Recipient)> = cx
            .records
            .outbox
            .iter()
            .filter(|(_, recipient)| expires_at(recipient).is_some_and(|at| at <= now))
            .filter_map(|(key, recipient)| Some((row_key::order_of(key)?, recipient.clone())))
            .collect();
        for (_, recipient) in &expired {
            cx.records.messages.want(&row_key::message(&recipient.chat, recipient.seq));
        }
        let mut given_up = Vec::new();
        for (order, recipient) in expired {
            let message = cx.records.messages.get(&row_key::message(&recipient.chat, recipient.seq))?.cloned();
            given_up.push((order, recipient, message));
        }
        for (order, recipient, message) in given_up {
            cx.note(Event::NotOpened);
            self.give_up(cx, order, &recipient, message, Issue::NotOpened);
        }
        self.expiry = Expiry::default();
        for (_, recipient) in cx.records.outbox.iter() {
            self.expiry.note(recipient);
        }
        Ok(())
    }
}
