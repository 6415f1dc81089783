//! Rows that a join moves next, as the store has them. What this module does not know: whose they are.

use crate::store::changes::Rows;

/// The rows, once they were read.
#[derive(Debug, Default)]
pub(super) struct Joins(Option<Rows>);

impl Joins {
    /// They were read, or are to be used again.
    pub(super) fn loaded(&mut self, rows: Rows) {
        self.0 = Some(rows);
    }

    /// The rows, which are read again for the next step.
    pub(super) fn take(&mut self) -> Option<Rows> {
        self.0.take()
    }
}
