//! Gives up messages that nobody has receipted in time.

use super::Outbox;
use super::answers::Unfinished;
use super::expiry::{Expiry, expires_at};
use crate::context::Context;
use crate::store::paged::NotLoaded;
use crate::store::records::Records;
use crate::store::row_key;
use crate::time::UnixMillis;
use crate::trace::Event;
use crate::view::Issue;

impl Outbox {
    /// Whether [`expire`](Self::expire) has something to do, if the mailbox is read.
    pub(crate) fn expires(&self, now: UnixMillis) -> bool {
        self.expiry.at().is_some_and(|at| at <= now)
    }

    /// Looks up what has expired.
    ///
    /// # Errors
    /// [`NotLoaded`] while a message is not in memory.
    pub(crate) fn plan_expire(records: &Records, now: UnixMillis) -> Result<Vec<Unfinished>, NotLoaded> {
        let (mut expired, mut found) = (Vec::new(), Ok(()));
        // To the end, so that all that is missing is read at once.
        for (key, recipient) in records.outbox.iter() {
            if let Some(order) = row_key::order_of(key)
                && expires_at(recipient).is_some_and(|at| at <= now)
            {
                match records.message(&recipient.chat, recipient.seq) {
                    Ok(message) => {
                        expired.push(Unfinished { order, recipient: recipient.clone(), message: message.cloned() });
                    }
                    Err(NotLoaded) => found = Err(NotLoaded),
                }
            }
        }
        found.map(|()| expired)
    }

    /// The mailbox has been read to its end, and with it every receipt: gives up what has expired.
    pub(crate) fn expire(&mut self, cx: &mut Context<'_>, expired: Vec<Unfinished>) {
        for Unfinished { order, recipient, message } in expired {
            cx.note(Event::NotOpened);
            self.give_up(cx, order, &recipient, message, Issue::NotOpened);
        }
        self.expiry = Expiry::default();
        for (_, recipient) in cx.records.outbox.iter() {
            self.expiry.note(recipient);
        }
    }
}
