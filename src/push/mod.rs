//! Woken by a push: who waits until the mailbox has been read?
//!
//! Whoever asked hears that it is done when the server has been reached after the question, nothing that it sent is still
//! in the queue, and all of it is durable; or hears why that cannot be had now. One lost connection is made good silently:
//! the connection of a device that slept looks alive and is not.
//!
//! What this room does not know: notifications, and how a connection is made.

use crate::view::Issue;

/// Questions at once; another one is refused.
const MOST: usize = 64;
/// Connections that may be lost while somebody waits.
const PATIENCE: u32 = 1;

/// The questions without an answer.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
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

impl Wakes {
    /// Somebody waits.
    ///
    /// # Errors
    /// The issue to answer with at once: too many do.
    pub(crate) fn wait(&mut self, tag: u64) -> Result<(), Issue> {
        if self.tags.contains(&tag) {
            return Ok(());
        }
        if self.tags.len() >= MOST {
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
        match is_final || self.losses > PATIENCE {
            true => AfterLoss::GiveUp(self.answer()),
            false => AfterLoss::Connect,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_loss_is_made_good_and_the_second_is_told() {
        let mut wakes = Wakes::default();
        assert_eq!(wakes.lost(false), AfterLoss::Nothing);
        assert_eq!((wakes.wait(7), wakes.wait(7), wakes.wait(9)), (Ok(()), Ok(()), Ok(())));
        assert_eq!(wakes.lost(false), AfterLoss::Connect);
        assert_eq!(wakes.lost(false), AfterLoss::GiveUp(vec![7, 9]));
        assert_eq!((wakes.wait(1), wakes.lost(false)), (Ok(()), AfterLoss::Connect), "patience is fresh");
        assert_eq!(wakes.lost(true), AfterLoss::GiveUp(vec![1]));
    }

    #[test]
    fn there_is_a_bound() {
        let mut wakes = Wakes::default();
        assert!((0..MOST as u64).all(|tag| wakes.wait(tag).is_ok()));
        assert_eq!(wakes.wait(MOST as u64), Err(Issue::RateLimited));
    }
}
