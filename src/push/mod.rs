//! Wake-up commands of push notifications that wait until the mailbox has been read.
//!
//! A command completes when the server has been reached after it, no stanza is left in the queue, and everything is
//! durable; or with an issue if that is impossible now. One lost connection is replaced without an issue, because the
//! connection of a device that slept often looks alive but is dead.
//!
//! What this module does not know: notifications, and how a connection is made.

use crate::id::CommandTag;
use crate::view::Issue;

/// Largest number of waiting commands; a further one is refused.
const MAX_WAITING: usize = 64;
/// Connections that may be lost while a command waits.
const MAX_LOSSES: u32 = 1;

/// The waiting commands.
#[derive(Debug, Default)]
pub(crate) struct WakeRequests {
    tags: Vec<CommandTag>,
    losses: u32,
}

/// What to do after a connection was lost.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AfterLoss {
    /// No command waits.
    Nothing,
    /// Connect again, now.
    Connect,
    /// Complete these with the issue.
    GiveUp(Vec<CommandTag>),
}

impl WakeRequests {
    /// Adds a waiting command.
    ///
    /// # Errors
    /// [`Issue::RateLimited`] if too many wait.
    pub(crate) fn wait(&mut self, tag: CommandTag) -> Result<(), Issue> {
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

    /// Whether no command waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Removes and returns the tags of all waiting commands.
    pub(crate) fn answer(&mut self) -> Vec<CommandTag> {
        std::mem::take(&mut self.tags)
    }

    /// The connection was lost. `is_final`: no other will be tried.
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
    fn the_first_loss_reconnects_and_the_second_gives_up() {
        let mut wake_requests = WakeRequests::default();
        assert_eq!(wake_requests.lost(false), AfterLoss::Nothing);
        assert_eq!(
            (wake_requests.wait(CommandTag(7)), wake_requests.wait(CommandTag(7)), wake_requests.wait(CommandTag(9))),
            (Ok(()), Ok(()), Ok(()))
        );
        assert_eq!(wake_requests.lost(false), AfterLoss::Connect);
        assert_eq!(wake_requests.lost(false), AfterLoss::GiveUp(vec![CommandTag(7), CommandTag(9)]));
        assert_eq!(
            (wake_requests.wait(CommandTag(1)), wake_requests.lost(false)),
            (Ok(()), AfterLoss::Connect),
            "the count of losses starts again"
        );
        assert_eq!(wake_requests.lost(true), AfterLoss::GiveUp(vec![CommandTag(1)]));
    }

    #[test]
    fn the_number_of_waiting_commands_is_bounded() {
        let mut wake_requests = WakeRequests::default();
        assert!((0..width::to_u64(MAX_WAITING)).all(|tag| wake_requests.wait(CommandTag(tag)).is_ok()));
        assert_eq!(wake_requests.wait(CommandTag(width::to_u64(MAX_WAITING))), Err(Issue::RateLimited));
    }
}
