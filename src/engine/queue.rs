//! The queue of stanzas and commands, in the order in which they came.
//!
//! What this module does not know: what a task does, and when it runs.

use crate::view::Command;
use causeway_proto::stanza::Stanza;
use std::collections::VecDeque;

/// Something that waits for its turn.
#[derive(Debug)]
pub(super) enum Task {
    Stanza(Box<Stanza>),
    Command(Command),
}

/// What waits for its turn, and how far the group that gathers has come.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) tasks: VecDeque<Task>,
    /// Jobs done since the last group was closed.
    pub(super) gathered: usize,
    /// How often the job at the head has missed a row. While it waits for one it is not tried.
    pub(super) misses: u32,
    pub(super) waits: bool,
}

impl Queue {
    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// At the end of the line.
    pub(super) fn push(&mut self, task: Task) {
        self.tasks.push_back(task);
    }

    /// The connection is gone: its stanzas come again on the next one.
    pub(super) fn forget_stanzas(&mut self) {
        self.tasks.retain(|task| matches!(task, Task::Command(_)));
        (self.misses, self.waits) = (0, false);
    }

    /// Rows came, or a transaction ended: what the head waited for may be there.
    pub(super) fn retry(&mut self) {
        self.waits = false;
    }

    /// The group is closed.
    pub(super) fn close_group(&mut self) {
        self.gathered = 0;
    }
}
