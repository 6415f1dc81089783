//! The queue: stanzas and commands in the order in which they came, worked into one group after the other.
//!
//! While a transaction is under way, little is read for the queue: a store answers only after it, and what comes meanwhile
//! is read in one go. That read is asked for just before the next transaction, and what it brings is worked on while that one
//! is written. Where many jobs wait for a read, a group of few waits with them: a transaction costs much, a row little. A
//! group is bounded, and so is what is read ahead, however much a server sends.
//!
//! What this module does not know: what a job does.

use super::queue::{Queue, Task};
use super::stanza;
use super::state::{Engine, Phase, Read};
use crate::io::Millis;
use crate::store::row_cache::NotLoaded;
use rand_core::CryptoRng;

/// Jobs of one group, and jobs whose rows are read ahead.
const MAX_GROUP: usize = 500;
/// So many jobs are worth waiting for with a group of fewer.
const MIN_BATCH: usize = 100;

impl Engine {
    /// Runs the queue until its head needs rows that are not in memory, then asks for all that anything in it needs.
    pub(super) fn work(&mut self, now: Millis, rng: &mut dyn CryptoRng) {
        if self.reads_rows() || self.export.is_some() {
            return;
        }
        while !self.queue.waits
            && self.queue.gathered < MAX_GROUP
            && let Some(task) = self.queue.tasks.pop_front()
        {
            if self.run(&task, now, rng) == Err(NotLoaded) {
                self.queue.tasks.push_front(task);
                self.queue.misses = self.queue.misses.saturating_add(1);
                self.queue.waits = true;
            } else {
                self.queue.misses = 0;
                self.queue.gathered += 1;
            }
        }
        if self.channel.is_live() {
            self.with_context(now, rng, |modules, cx| modules.outbox.pump(cx, modules.sessions));
        }
        if !self.group_commit.is_writing() || self.queue.tasks.len() >= MAX_GROUP {
            self.read_ahead();
        }
    }

    /// Few jobs were done, and what many others wait for is on its way.
    pub(super) fn waits_for_many(&self) -> bool {
        self.queue.gathered < MIN_BATCH && self.queue.tasks.len() >= MIN_BATCH && self.reads_rows()
    }

    fn read_ahead(&mut self) {
        // A head that has come half of its way would lose what was read for it, and begin again for ever.
        if self.queue.misses <= 1 && self.reads.is_empty() {
            self.records.trim();
        }
        for task in self.queue.tasks.iter().take(MAX_GROUP) {
            if let Task::Stanza(stanza) = task {
                stanza::prefetch(&mut self.records, stanza);
            }
        }
        let wanted = self.records.take_wanted();
        if !wanted.is_empty() {
            self.load(Read::Rows(wanted.clone()), wanted);
        }
    }

    /// A group was closed and nothing else will call for the rest of the queue.
    pub(super) fn has_more_to_do(&self) -> bool {
        let Queue { tasks, gathered, waits, .. } = &self.queue;
        let may_work = self.phase == Phase::Ready && !self.reads_rows() && self.export.is_none();
        may_work && !tasks.is_empty() && *gathered == 0 && !waits
    }

    fn reads_rows(&self) -> bool {
        self.reads.any(|read| matches!(read, Read::Rows(_)))
    }

    fn run(&mut self, task: &Task, now: Millis, rng: &mut dyn CryptoRng) -> Result<(), NotLoaded> {
        match task {
            Task::Stanza(stanza) => self.stanza(stanza, now, rng),
            Task::Command(command) => self.command(command, now, rng),
        }
    }
}
