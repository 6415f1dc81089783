//! Rows of our own prekeys, one-time and signed.

use super::changes::Table;
use super::row_cache::{Row, RowError};
use causeway_proto::secret::Secret;
use causeway_proto::signal::KeyPair;
use causeway_proto::signal::prekey::{PreKeyPair, SignedPreKeyPair};
use prost::Message;
use zeroize::{Zeroize, Zeroizing};

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
    /// When another took its place, unix seconds; 0 while none has.
    pub replaced: u64,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct PreKeyRow {
    #[prost(uint32, tag = "1")]
    id: u32,
    #[prost(bytes = "vec", tag = "2")]
    secret: Vec<u8>,
    #[prost(bool, tag = "3")]
    uploaded: bool,
    #[prost(bytes = "vec", tag = "4")]
    signature: Vec<u8>,
    #[prost(uint64, tag = "5")]
    created: u64,
    #[prost(uint64, tag = "6")]
    replaced: u64,
    #[prost(bool, tag = "7")]
    in_receipt: bool,
}

impl Drop for PreKeyRow {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

fn decode(table: Table, bytes: &[u8]) -> Result<(PreKeyRow, KeyPair), RowError> {
    let row = PreKeyRow::decode(bytes).map_err(|_| RowError { table, expected: "a prekey" })?;
    let secret = Secret::from_slice(&row.secret).map_err(|_| RowError { table, expected: "a prekey of 32 bytes" })?;
    Ok((row, KeyPair::from_secret(secret)))
}

impl Row for OneTimePreKeyRow {
    const TABLE: Table = Table::PreKey;

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut row = PreKeyRow::default();
        row.id = self.key.id;
        row.secret = self.key.pair.secret().expose().to_vec();
        row.uploaded = self.uploaded;
        row.in_receipt = self.in_receipt;
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
        let mut row = PreKeyRow::default();
        row.id = self.key.id;
        row.secret = self.key.pair.secret().expose().to_vec();
        row.signature = self.key.signature.to_vec();
        row.created = self.key.created;
        row.replaced = self.replaced;
        Zeroizing::new(row.encode_to_vec())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        let (row, pair) = decode(Self::TABLE, bytes)?;
        let signature = row
            .signature
            .as_slice()
            .try_into()
            .map_err(|_| RowError { table: Self::TABLE, expected: "a signature of 64 bytes" })?;
        let key = SignedPreKeyPair { id: row.id, pair, signature, created: row.created };
        Ok(Self { key, replaced: row.replaced })
    }
}
