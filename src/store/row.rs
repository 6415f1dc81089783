//! What every kind of row has: a table and an encoding.

use super::changes::Table;
use zeroize::Zeroizing;

/// A kind of row.
pub trait Row: Sized {
    /// Where rows of this kind are kept.
    const TABLE: Table;
    /// As bytes, before sealing.
    fn to_bytes(&self) -> Zeroizing<Vec<u8>>;
    /// From opened bytes.
    ///
    /// # Errors
    /// [`RowError`] for bytes that no build of ours wrote.
    fn from_bytes(bytes: &[u8]) -> Result<Self, RowError>;
}

/// A row that opened but does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a row of table {} does not decode: {expected}", table.name())]
pub struct RowError {
    /// The table.
    pub table: Table,
    /// What was expected.
    pub expected: &'static str,
}
