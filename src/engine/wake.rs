//! A push has come: the mailbox is read, and whoever asked for it is told.

use super::state::Engine;
use crate::push::AfterLoss;
use crate::time::Millis;
use crate::view::{ConnectionState, Done, Issue, News, Stage, Update};
use rand_core::CryptoRng;

impl Engine {
    /// Fetches what waits. Answers now only if that cannot be.
    pub(super) fn woken(&mut self, tag: u64, now: Millis, rng: &mut dyn CryptoRng) -> Option<Issue> {
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
        // A connection that there is may only look alive, and a message may be on its way behind what it says.
        self.channel.require_round_trip(now, rng);
        self.connect(now, rng);
        None
    }

    /// Answers whoever waits, if there is nothing more to wait for. The answer stands on the group that gathers now.
    pub(super) fn complete_wakes(&mut self) {
        if !self.wake_requests.is_empty() && self.channel.is_caught_up() && self.queue.is_empty() {
            for tag in self.wake_requests.answer() {
                self.done(tag, Issue::None);
            }
        }
    }

    /// The connection was lost while somebody may wait for the mailbox.
    pub(super) fn wake_lost(&mut self, now: Millis, rng: &mut dyn CryptoRng) {
        let is_final = self.channel.view() == ConnectionState::Stopped;
        match self.wake_requests.lost(is_final) {
            AfterLoss::Nothing => {}
            AfterLoss::Connect => self.connect(now, rng),
            AfterLoss::GiveUp(tags) => {
                // A server that only wants another connection is no issue; whoever waits must not take that for success.
                let issue = match self.channel.issue() {
                    Issue::None => Issue::ChatUnreachable,
                    issue => issue,
                };
                self.fail_wakes(tags, issue);
            }
        }
    }

    /// Tells those who waited why they wait in vain; it stands on nothing that must be durable.
    pub(super) fn fail_wakes(&mut self, tags: Vec<u64>, issue: Issue) {
        for tag in tags {
            let done = Done { tag, issue: issue.into(), ..Done::default() };
            self.out.push_back(crate::io::Output::Update(Update::from(News::Done(done))));
        }
    }
}
