//! How far the mailbox is read: what waits in it, and what is left of the batch that was requested.
//!
//! What this module does not know: stanzas, and when a batch is requested.

/// The mailbox of one connection.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    /// Messages that wait in it, as far as the server has told.
    waiting: u32,
    /// Stanzas left of the requested batch; `None` when none is requested.
    batch: Option<u32>,
}

impl Mailbox {
    /// Number of messages that wait.
    pub(super) fn waiting(&self) -> u32 {
        self.waiting
    }

    /// The server tells how many messages wait.
    pub(super) fn announced(&mut self, messages: u32) {
        self.waiting = messages;
    }

    /// A message was handled that had waited.
    pub(super) fn took_message(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }

    /// A batch of this number of stanzas is requested.
    pub(super) fn requested(&mut self, stanzas: u32) {
        self.batch = Some(stanzas);
    }

    /// Whether more of a requested batch is to come.
    pub(super) fn is_requested(&self) -> bool {
        self.batch.is_some()
    }

    /// A stanza was handled that had waited. Returns whether it was the last one of a batch.
    pub(super) fn took_stanza(&mut self) -> bool {
        let Some(left) = self.batch.map(|left| left.saturating_sub(1)) else { return false };
        self.batch = (left > 0).then_some(left);
        left == 0
    }

    /// It is read to its end, or the connection is gone.
    pub(super) fn close(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_ends_once() {
        let mut mailbox = Mailbox::default();
        assert!(!mailbox.took_stanza(), "none was requested");
        mailbox.announced(1);
        mailbox.requested(2);
        assert!(!mailbox.took_stanza() && mailbox.is_requested());
        assert!(mailbox.took_stanza() && !mailbox.is_requested() && !mailbox.took_stanza());
        (0..2).for_each(|_| mailbox.took_message());
        assert_eq!(mailbox.waiting(), 0, "it had more than the server has told");
        mailbox.requested(1);
        mailbox.close();
        assert!(!mailbox.is_requested());
    }
}
