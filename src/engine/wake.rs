//! Push wake-ups: reads the mailbox, then completes the waiting commands.

use super::connect::Cause;
use super::state::Engine;
use crate::id::CommandTag;
use crate::push::AfterLoss;
use crate::time::UnixMillis;
use crate::view::{ConnectionState, Done, Issue, News, Stage, Update};
use rand_core::CryptoRng;

impl Engine {
    /// Starts to read the mailbox. Returns the issue if that is impossible; otherwise the command completes later.
    pub(super) fn woken(&mut self, tag: CommandTag, now: UnixMillis, rng: &mut dyn CryptoRng) -> Option<Issue> {
        match self.records.account().stage {
            Stage::Enlisted => {}
            Stage::SignedOut => return Some(Issue::SignInNeeded),
            Stage::SignedIn | Stage::Enlisting => return Some(Issue::NotYetEnlisted),
        }
        if self.channel.view() == ConnectionState::Stopped {
            return Some(self.channel.issue());
        }
        if let Err(issue) = self.wake_requests.wait(tag) {
            return Some(issue);
        }
        // An open connection may be dead, or have a message in transit: require a round trip.
        self.channel.require_round_trip(now, rng);
        self.connect(Cause::Automatic, now, rng);
        // After too many attempts there is none now.
        if self.channel.retry_at().is_some_and(|at| at > now) && !self.enlistment.is_preparing() {
            let tags = self.wake_requests.answer();
            self.fail_wakes(tags, Issue::RateLimited);
        }
        None
    }

    /// Completes the waiting commands if the mailbox is read. Their `Done` belongs to the group that gathers now.
    pub(super) fn complete_wakes(&mut self) {
        if !self.wake_requests.is_empty() && self.channel.is_caught_up() && self.queue.is_empty() {
            for tag in self.wake_requests.answer() {
                self.done(tag, Issue::None);
            }
        }
    }

    /// The connection was lost: reconnects, or completes the waiting commands with the issue.
    pub(super) fn wake_lost(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) {
        let is_final = matches!(self.channel.view(), ConnectionState::Stopped | ConnectionState::Off);
        match self.wake_requests.lost(is_final) {
            AfterLoss::Nothing => {}
            AfterLoss::Connect => self.connect(Cause::Automatic, now, rng),
            AfterLoss::GiveUp(tags) => {
                // A requested reconnect has no issue of its own, but must not look like success to the waiting
                // commands.
                let issue = match self.channel.issue() {
                    Issue::None => Issue::ChatUnreachable,
                    issue => issue,
                };
                self.fail_wakes(tags, issue);
            }
        }
    }

    /// Completes the commands with an issue, at once: it depends on nothing that must be durable.
    pub(super) fn fail_wakes(&mut self, tags: Vec<CommandTag>, issue: Issue) {
        for tag in tags {
            let done = Done { tag: tag.0, issue: issue.into(), ..Done::default() };
            self.out.push_back(crate::io::Output::Update(Update::from(News::Done(done))));
        }
    }
}
