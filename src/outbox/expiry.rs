//! Messages that nobody receipts: after a time their sender is told.
//!
//! The mailbox keeps a message for 30 days (docs/spec/wire.md §5.5); a device that has asked for it as often as it may
//! asks no more, and receipts the last envelope soon or never. A receipt that comes later still counts.

use super::Outbox;
use crate::context::Context;
use crate::model::{Recipient, Stage};
use crate::store::row_cache::NotLoaded;
use crate::store::row_key;
use crate::time::Millis;
use crate::trace::Event;
use crate::view::{Issue, MAX_RETRIES};

/// How long the mailbox keeps a message.
pub(super) const MAILBOX: Millis = 30 * 86_400 * 1_000;
/// How long a receipt of the last envelope may take.
const LAST_TRY: Millis = 15 * 60 * 1_000;

/// When to look for messages whose last envelope was not receipted.
#[derive(Debug, Default)]
pub(super) struct Expiry(Option<Millis>);

impl Expiry {
    /// A device has a message, or another envelope of it.
    pub(super) fn note(&mut self, recipient: &Recipient) {
        if recipient.resends >= MAX_RETRIES
            && let Some(at) = expires_at(recipient)
        {
            self.0 = Some(self.0.map_or(at, |known| known.min(at)));
        }
    }

    /// When the first one expires.
    pub(super) fn at(&self) -> Option<Millis> {
        self.0
    }
}

/// When the sender is told that a message was not opened; `None` while the server does not have its envelope.
fn expires_at(recipient: &Recipient) -> Option<Millis> {
    let wait = if recipient.resends >= MAX_RETRIES { LAST_TRY } else { MAILBOX };
    let accepted_at = recipient.accepted_at.filter(|_| recipient.stage == Stage::Accepted)?;
    Some(accepted_at.saturating_add(wait))
}

impl Outbox {
    /// Whether [`expire`](Self::expire) has something to do, if the mailbox is read.
    pub(crate) fn expires(&self, now: Millis) -> bool {
        self.expiry.at().is_some_and(|at| at <= now)
    }

    /// The mailbox has been read to its end, and with it every receipt: gives up what has expired.
    pub(crate) fn expire(&mut self, cx: &mut Context<'_>) -> Result<(), NotLoaded> {
        let now = cx.now;
        let expired: Vec<(u64, Recipient)> = cx
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
