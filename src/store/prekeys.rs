//! Rows of our own prekeys, one-time and signed.

use super::changes::Table;
use super::row::{Row, RowError};
use crate::protobuf::{Message as _, message};
use crate::time::UnixSeconds;
use causeway_proto::secret::Secret;
use causeway_proto::signal::KeyPair;
use causeway_proto::signal::prekey::{PreKeyPair, SignedPreKeyPair};
use zeroize::Zeroizing;

/// A one-time prekey.
#[derive(Debug)]
pub struct OneTimePreKeyRow {
    /// The key.
    pub key: PreKeyPair,
    /// The server has confirmed that it holds the public half.
    pub uploaded: bool,
    /// Sent to one peer in a retry receipt; never uploaded, or the server would hand it to another peer.
    pub in_receipt: bool,
}

/// A signed prekey; old ones are kept while mail to them may still come.
#[derive(Debug)]
pub struct SignedPreKeyRow {
    /// The key.
    pub key: SignedPreKeyPair,
    /// When another took its place; `None` while none has.
    pub replaced: Option<UnixSeconds>,
}

#[derive(Default)]
struct PreKeyRow<'a> {
    id: u32,
    secret: &'a [u8],
    uploaded: bool,
    signature: &'a [u8],
    created: u64,
    replaced: u64,
    in_receipt: bool,
}

message!(PreKeyRow<'a> { 1 => id, 2 => secret, 3 => uploaded, 4 => signature, 5 => created, 6 => replaced, 7 => in_receipt });

fn decode(table: Table, bytes: &[u8]) -> Result<(PreKeyRow<'_>, KeyPair), RowError> {
    let row = PreKeyRow::decode(bytes).map_err(|_| RowError { table, expected: "a prekey" })?;
    let secret = Secret::from_slice(row.secret).map_err(|_| RowError { table, expected: "a prekey of 32 bytes" })?;
    Ok((row, KeyPair::from_secret(secret)))
}

impl Row for OneTimePreKeyRow {
    const TABLE: Table = Table::PreKey;

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let row = PreKeyRow {
            id: self.key.id,
            secret: self.key.pair.secret().expose(),
            uploaded: self.uploaded,
            in_receipt: self.in_receipt,
            ..PreKeyRow::default()
        };
        Zeroizing::new(row.encode_to_vec())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        let (row, pair) = decode(Self::TABLE, bytes)?;
        Ok(Self { key: PreKeyPair { id: row.id, pair }, uploaded: row.uploaded, in_receipt: row.in_receipt })
    }
}

impl Row for SignedPreKeyRow {
    const TABLE: Table = Table::SignedPreKey;

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let row = PreKeyRow {
            id: self.key.id,
            secret: self.key.pair.secret().expose(),
            signature: &self.key.signature,
            created: self.key.created,
            replaced: self.replaced.map_or(0, |at| at.0),
            ..PreKeyRow::default()
        };
        Zeroizing::new(row.encode_to_vec())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        let (row, pair) = decode(Self::TABLE, bytes)?;
        let signature = row
            .signature
            .try_into()
            .map_err(|_| RowError { table: Self::TABLE, expected: "a signature of 64 bytes" })?;
        let key = SignedPreKeyPair { id: row.id, pair, signature, created: row.created };
        Ok(Self { key, replaced: (row.replaced > 0).then_some(UnixSeconds(row.replaced)) })
    }
}
