//! Transactions: each group becomes one, and its effects are released when it is durable.
//!
//! What this module does not know: what changed, and what the effects mean.

use super::state::{Engine, Phase, Read};
use crate::io::{Output, StopReason, StoreFailure, TransactionId, UnixMillis};
use crate::session;
use crate::store::group_commit::Effect;
use crate::store::records::boot_queries;
use crate::trace::Event;
use crate::view::{Done, Issue, News};
use rand_core::CryptoRng;

impl Engine {
    /// Commits the gathered group, or releases its effects at once if it changed nothing.
    pub(super) fn flush(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) {
        if self.waits_for_many() || self.flush_later {
            return;
        }
        while let Some(group) = self.group_commit.take_group() {
            self.queue.close_group();
            if group.is_empty() && !self.records.is_dirty() {
                if self.reads.is_empty() {
                    self.records.trim();
                }
                return;
            }
            let effects = self.effects_of(group);
            if !self.records.is_dirty() {
                self.release(effects, now, rng);
                continue;
            }
            match self.records.take_changes(&self.sealer, rng) {
                Ok(changes) => {
                    let transaction = self.group_commit.begin(effects);
                    self.out.push_back(Output::Commit(transaction, changes));
                }
                Err(_) => self.restart(effects, Issue::StorageFailed, now, rng),
            }
            return;
        }
    }

    /// Carries out the effects of a transaction that is durable now.
    pub(super) fn release(&mut self, effects: Vec<Effect>, now: UnixMillis, rng: &mut dyn CryptoRng) {
        for effect in effects {
            match effect {
                Effect::Transmit(socket, node) => {
                    if self.channel.is_live() && self.channel.socket() == socket {
                        self.channel.transmit(&node, now, rng);
                    }
                }
                Effect::Message(socket, order, number) => {
                    if self.channel.is_live()
                        && self.channel.socket() == socket
                        && let Some(node) = self.outbox.take_stanza(&self.records, order, number)
                    {
                        self.channel.transmit(&node, now, rng);
                    }
                }
                Effect::Upload(socket, iq, ids) => {
                    if self.channel.is_live()
                        && self.channel.socket() == socket
                        && let Some(node) = session::prekeys::upload(&self.records, &iq, &ids)
                    {
                        self.channel.transmit(&node, now, rng);
                    }
                }
                Effect::Update(mut update) => {
                    // The connection's state needs no durability; a snapshot shows the current one.
                    if let Some(News::Snapshot(snapshot)) = &mut update.news {
                        snapshot.connection = Some(self.connection_view());
                    }
                    self.out.push_back(Output::Update(*update));
                }
                Effect::Prepare => {
                    let partner = self.partner_api.clone();
                    let request = self.with_context(now, rng, |modules, cx| modules.enlistment.next(cx, &partner));
                    self.send_request(request);
                }
                Effect::Boot => self.load(Read::Boot, boot_queries()),
            }
        }
        self.drain_channel(now, rng);
    }

    pub(super) fn aborted(
        &mut self,
        transaction: TransactionId,
        failure: StoreFailure,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) {
        let Some(lost) = self.group_commit.aborted(transaction) else { return };
        self.trace.note(now, Event::StoreFailed);
        if failure == StoreFailure::Superseded {
            return self.close(StopReason::Superseded, now, rng);
        }
        self.restart(lost, issue_of(failure), now, rng);
    }

    /// A transaction failed: drops all state in memory, completes the lost commands with `issue`, and reads the store
    /// again. The server delivers again what was not acknowledged.
    pub(super) fn restart(&mut self, lost: Vec<Effect>, issue: Issue, now: UnixMillis, rng: &mut dyn CryptoRng) {
        for effect in lost {
            if let Effect::Update(update) = effect
                && let Some(News::Done(done)) = update.news
            {
                let done = Done { issue: issue.into(), ..done };
                self.out.push_back(Output::Update(News::Done(done).into()));
            }
        }
        self.storage = issue;
        let waiting = self.wake_requests.answer();
        self.fail_wakes(waiting, issue);
        // A hand-over that was not recorded has not happened.
        if self.records.account().moved_at.is_some() {
            self.channel.resume();
        }
        self.channel.postpone(issue, now, rng);
        self.drain_channel(now, rng);
        if let Some(export) = self.backups.export.take() {
            let done = Done { tag: export.tag().0, issue: issue.into(), ..Default::default() };
            self.out.push_back(Output::Update(News::Done(done).into()));
        }
        self.forget();
        self.flush_later = true;
        self.load(Read::Boot, boot_queries());
    }

    pub(super) fn close(&mut self, reason: StopReason, now: UnixMillis, rng: &mut dyn CryptoRng) {
        self.channel.stop(Issue::None, now, rng);
        self.drain_channel(now, rng);
        self.phase = Phase::Closed;
        self.out.push_back(Output::Stop(reason));
    }
}

/// The issue that shows a store failure to the user.
pub(super) fn issue_of(failure: StoreFailure) -> Issue {
    match failure {
        StoreFailure::QuotaExceeded => Issue::StorageFull,
        StoreFailure::Unavailable | StoreFailure::Superseded => Issue::StorageFailed,
    }
}
