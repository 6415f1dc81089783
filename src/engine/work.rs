//! Runs the queue: stanzas and commands in arrival order, gathered into one group after the other.
//!
//! While a transaction is in progress, reads are delayed: a store serves a read only after it, and one later read
//! covers all tasks that arrive meanwhile. That read is issued just before the next transaction, and its rows are used
//! while that transaction is written. If many tasks wait for a read, a small group waits with them, because a
//! transaction costs much more than a row. The size of a group and the read-ahead are bounded, whatever the server
//! sends.
//!
//! What this module does not know: what a task does.

use super::queue::{Queue, Task};
use super::stanza;
use super::state::{Engine, Phase, Read};
use crate::io::UnixMillis;
use crate::outbox::Outbox;
use crate::store::paged::NotLoaded;
use rand_core::CryptoRng;

/// Largest number of tasks in one group, and of tasks whose rows are read ahead.
const MAX_GROUP: usize = 500;
/// Bytes of stanzas in one group, beyond which it takes no more: a transaction of large messages stays small.
const MAX_GROUP_WEIGHT: usize = 8 << 20;
/// Number of waiting tasks for which a smaller group waits.
const MIN_BATCH: usize = 100;

impl Engine {
    /// Runs tasks until the head needs rows that are not in memory, then reads the rows that all tasks need.
    pub(super) fn work(&mut self, now: UnixMillis, rng: &mut dyn CryptoRng) {
        if self.reads_rows() || self.backups.is_exporting() || !self.join(now, rng) {
            return;
        }
        while !self.queue.waits
            && self.records.joining.is_empty()
            && self.queue.gathered < MAX_GROUP
            && self.queue.gathered_weight < MAX_GROUP_WEIGHT
            && let Some(task) = self.queue.tasks.pop_front()
        {
            if self.run(&task, now, rng) == Err(NotLoaded) {
                self.queue.tasks.push_front(task);
                self.queue.misses = self.queue.misses.saturating_add(1);
                self.queue.waits = true;
            } else {
                self.queue.misses = 0;
                self.queue.gathered += 1;
                if let Task::Stanza(_, weight) = task {
                    self.queue.gathered_weight += weight;
                    self.channel.handled(weight);
                }
            }
        }
        if self.channel.is_live() && self.records.joining.is_empty() {
            self.with_context(now, rng, |modules, cx| modules.outbox.pump(cx, modules.sessions));
        }
        if !self.group_commit.is_writing() || self.queue.tasks.len() >= MAX_GROUP {
            self.read_ahead();
        }
    }

    /// Whether the group is small and the rows of many waiting tasks are being read.
    pub(super) fn waits_for_many(&self) -> bool {
        self.queue.gathered < MIN_BATCH && self.queue.tasks.len() >= MIN_BATCH && self.reads_rows()
    }

    pub(super) fn read_ahead(&mut self) {
        // Evicting rows that the head task has loaded would livelock it.
        if self.queue.misses <= 1 && self.reads.is_empty() {
            self.records.trim();
        }
        for task in self.queue.tasks.iter().take(MAX_GROUP) {
            if let Task::Stanza(stanza, _) = task {
                stanza::prefetch(&self.records, stanza);
            }
        }
        let wanted = self.records.take_wanted();
        if !wanted.is_empty() {
            self.load(Read::Rows(wanted.clone()), wanted);
        }
    }

    /// Whether a group was closed while runnable tasks are left and no other event will run them.
    pub(super) fn has_more_to_do(&self) -> bool {
        let Queue { tasks, gathered, waits, .. } = &self.queue;
        let may_work = self.phase == Phase::Ready && !self.reads_rows() && !self.backups.is_exporting();
        may_work && !tasks.is_empty() && *gathered == 0 && !waits && self.records.joining.is_empty()
    }

    fn reads_rows(&self) -> bool {
        self.reads.any(|read| matches!(read, Read::Rows(_)))
    }

    fn run(&mut self, task: &Task, now: UnixMillis, rng: &mut dyn CryptoRng) -> Result<(), NotLoaded> {
        match task {
            Task::Stanza(stanza, _) => self.stanza(stanza, now, rng),
            Task::Command(command) => self.command(command, now, rng),
            Task::Unreachable(peer, issue) => {
                let plan = self.outbox.plan_fail_peer(&self.records, peer)?;
                self.with_context(now, rng, |modules, cx| modules.outbox.fail_peer(cx, plan, *issue));
                Ok(())
            }
            Task::Expire => {
                let plan = Outbox::plan_expire(&self.records, now)?;
                self.with_context(now, rng, |modules, cx| modules.outbox.expire(cx, plan));
                Ok(())
            }
            Task::Apply(order) => self.apply(*order, now, rng),
        }
    }
}
