//! A backup file that is being made: its state between two pages.

use crate::backup::contents::Kind;
use crate::backup::format::{UnkeyedFile, Writer};
use crate::id::CommandTag;
use crate::store::changes::Table;

/// A file that is being made.
pub(super) struct Export {
    pub(super) tag: CommandTag,
    pub(super) kind: Kind,
    pub(super) state: State,
}

/// How far the file is.
pub(super) enum State {
    /// Its keys are being derived.
    Deriving(UnkeyedFile),
    /// Waits for everything before the export to be durable.
    Waiting(Box<Writer>),
    Reading(Box<Reading>),
}

/// The file between two pages.
pub(super) struct Reading {
    pub(super) writer: Writer,
    pub(super) tables: &'static [Table],
    /// Rows of the next page.
    pub(super) page: u32,
    /// Bytes sent to the page.
    pub(super) given: u64,
    pub(super) rows: u64,
    pub(super) left_out: u64,
    /// Estimated number of rows, for the progress bar.
    pub(super) expected: u64,
}

impl Export {
    /// Whether rows are being read: no transaction may start.
    pub(super) fn is_reading(&self) -> bool {
        matches!(self.state, State::Reading(_))
    }

    pub(super) fn tag(&self) -> CommandTag {
        self.tag
    }
}
