//! The queue of stanzas and commands, in the order in which they came.
//!
//! What this module does not know: what a task does, and when it runs.

use crate::id::Order;
use crate::view::{Command, Issue};
use causeway_proto::jid::Jid;
use causeway_proto::stanza::Stanza;
use std::collections::VecDeque;

/// A unit of work in the queue.
#[derive(Debug)]
pub(super) enum Task {
    /// A stanza, and its weight in bytes.
    Stanza(Box<Stanza>, usize),
    Command(Command),
    /// Apply the opened message of this order.
    Apply(Order),
    /// Let the messages fail that wait for the keys of this device.
    Unreachable(Jid, Issue),
    /// Tell of messages that nobody has receipted in time.
    Expire,
}

/// The waiting tasks, and the size of the group that gathers.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) tasks: VecDeque<Task>,
    /// Tasks completed since the last group was closed.
    pub(super) gathered: usize,
    /// Bytes of the stanzas among them.
    pub(super) gathered_weight: usize,
    /// How often the head task failed for a row that is not in memory.
    pub(super) misses: u32,
    pub(super) waits: bool,
}

impl Queue {
    /// Whether no task waits.
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Appends a task.
    pub(super) fn push(&mut self, task: Task) {
        self.tasks.push_back(task);
    }

    /// Puts a task before all others.
    pub(super) fn push_front(&mut self, task: Task) {
        self.tasks.push_front(task);
    }

    /// The connection is gone: drops its stanzas, which the server sends again.
    pub(super) fn forget_stanzas(&mut self) {
        self.tasks.retain(|task| !matches!(task, Task::Stanza(..)));
        (self.misses, self.waits) = (0, false);
    }

    /// Rows were loaded, or a transaction ended: the head task may be tried again.
    pub(super) fn retry(&mut self) {
        self.waits = false;
    }

    /// The group was closed: the next one starts empty.
    pub(super) fn close_group(&mut self) {
        (self.gathered, self.gathered_weight) = (0, 0);
    }
}
