//! Messages that nobody receipts: after a time their sender is told.
//!
//! The mailbox keeps a message for 30 days (docs/spec/wire.md §5.5); a device that has asked for it as often as it may
//! asks no more, and receipts the last envelope soon or never. A receipt that comes later still counts.

use crate::model::{Recipient, Stage};
use crate::time::{Millis, UnixMillis};
use crate::view::MAX_RETRIES;

/// How long the mailbox keeps a message.
pub(super) const MAILBOX: Millis = Millis(30 * 86_400 * 1_000);
/// How long a receipt of the last envelope may take.
const LAST_TRY: Millis = Millis(15 * 60 * 1_000);

/// When to look for messages whose last envelope was not receipted.
#[derive(Debug, Default)]
pub(super) struct Expiry(Option<UnixMillis>);

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
    pub(super) fn at(&self) -> Option<UnixMillis> {
        self.0
    }

    /// Whether the first one has expired. It is told once: who asks looks at all of them, and then the next one is known.
    pub(super) fn take_due(&mut self, now: UnixMillis) -> bool {
        self.0.take_if(|at| *at <= now).is_some()
    }
}

/// When the sender is told that a message was not opened; `None` while the server does not have its envelope.
pub(super) fn expires_at(recipient: &Recipient) -> Option<UnixMillis> {
    let wait = if recipient.resends >= MAX_RETRIES { LAST_TRY } else { MAILBOX };
    let accepted_at = recipient.accepted_at.filter(|_| recipient.stage == Stage::Accepted)?;
    Some(accepted_at.after(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_told_once_and_asks_for_no_timer_in_the_past() {
        let mut expiry = Expiry(Some(UnixMillis(5)));
        assert!(!expiry.take_due(UnixMillis(4)));
        assert_eq!(expiry.at(), Some(UnixMillis(5)));
        assert!(expiry.take_due(UnixMillis(5)));
        assert_eq!(expiry.at(), None);
        assert!(!expiry.take_due(UnixMillis(6)));
    }
}
