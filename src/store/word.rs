//! A kind of row for the tests of tables.

use super::changes::Table;
use super::row::{Row, RowError};
use zeroize::Zeroizing;

#[derive(Debug, PartialEq)]
pub(super) struct Word(pub(super) String);

impl Row for Word {
    const TABLE: Table = Table::Chat;

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.clone().into_bytes())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        let error = RowError { table: Self::TABLE, expected: "UTF-8" };
        Ok(Self(String::from_utf8(bytes.to_vec()).map_err(|_| error)?))
    }
}
