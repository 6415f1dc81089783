//! Woken by a push: who waits until the mailbox has been read?
//!
//! Whoever asked hears that it is done when the server has been reached after the question, nothing that it sent is still
//! in the queue, and all of it is durable; or hears why that cannot be had now. One lost connection is made good silently:
//! the connection of a device that slept looks alive and is not.
//!
//! What this room does not know: notifications, and how a connection is made.

use crate::view::Issue;

/// Questions at once; another one is refused.
const MAX_WAITING: usize = 64;
/// Connections that may be lost while somebody waits.
const MAX_LOSSES: u32 = 1;

/// The questions without an answer.
#[derive(Debug, Default)]
pub(crate) struct WakeRequests {
    tags: Vec<u64>,
    losses: u32,
}

/// What to do after a connection was lost.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AfterLoss {
    /// Nobody waits.
    Nothing,
    /// Connect again, now.
    Connect,
    /// Tell these.
    GiveUp(Vec<u64>),
}

impl WakeRequests {
    /// Somebody waits.
    ///
    /// # Errors
    /// The issue to answer with at once: too many do.
    pub(crate) fn wait(&mut self, tag: u64) -> Result<(), Issue> {
        if self.tags.contains(&tag) {
            return Ok(());
        }
        if self.tags.len() >= MAX_WAITING {
            return Err(Issue::RateLimited);
        }
        if self.tags.is_empty() {
            self.losses = 0;
        }
        self.tags.push(tag);
        Ok(())
    }

    /// Nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Everybody who waits, who will be answered now.
    pub(crate) fn answer(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.tags)
    }

    /// The connection was lost; `is_final` says that no other will be tried.
    pub(crate) fn lost(&mut self, is_final: bool) -> AfterLoss {
        if self.tags.is_empty() {
            return AfterLoss::Nothing;
        }
        self.losses += 1;
        match is_final || self.losses > MAX_LOSSES {
            true => AfterLoss::GiveUp(self.answer()),
            false => AfterLoss::Connect,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_proto::width;

    #[test]
    fn one_loss_is_made_good_and_the_second_is_told() {
        let mut wake_requests = WakeRequests::default();
        assert_eq!(wake_requests.lost(false), AfterLoss::Nothing);
        assert_eq!((wake_requests.wait(7), wake_requests.wait(7), wake_requests.wait(9)), (Ok(()), Ok(()), Ok(())));
        assert_eq!(wake_requests.lost(false), AfterLoss::Connect);
        assert_eq!(wake_requests.lost(false), AfterLoss::GiveUp(vec![7, 9]));
        assert_eq!(
            (wake_requests.wait(1), wake_requests.lost(false)),
            (Ok(()), AfterLoss::Connect),
            "patience is fresh"
        );
        assert_eq!(wake_requests.lost(true), AfterLoss::GiveUp(vec![1]));
    }

    #[test]
    fn there_is_a_bound() {
        let mut wake_requests = WakeRequests::default();
        assert!((0..width::to_u64(MAX_WAITING)).all(|tag| wake_requests.wait(tag).is_ok()));
        assert_eq!(wake_requests.wait(width::to_u64(MAX_WAITING)), Err(Issue::RateLimited));
    }
}
