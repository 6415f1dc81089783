//! The row of a recipient.

use crate::model::recipient::{FINGERPRINT, Recipient, Stage};
use crate::model::{DeviceAddress, PeerId};
use crate::store::changes::Table;
use crate::store::row_cache::{Row, RowError};
use crate::time::SECOND;
use causeway_proto::jid::Jid;
use causeway_proto::signal::PublicKey;
use prost::Message;
use zeroize::Zeroizing;

/// A message on its way to one device.
#[derive(Clone, PartialEq, Message)]
pub struct OutboxRow {
    /// The chat.
    #[prost(string, tag = "1")]
    pub chat: String,
    /// The message's sequence number.
    #[prost(uint64, tag = "2")]
    pub seq: u64,
    /// The stanza's id.
    #[prost(string, tag = "3")]
    pub id: String,
    /// The text, in rows of versions that did not take it from the message.
    #[prost(string, tag = "4")]
    pub text: String,
    /// The envelope, once encrypted and until it is acknowledged.
    #[prost(bytes = "vec", tag = "5")]
    pub envelope: Vec<u8>,
    /// `pkmsg` or `msg`.
    #[prost(string, tag = "6")]
    pub envelope_kind: String,
    /// Number of re-encryptions because the peer could not decrypt it; 0 for the first envelope.
    #[prost(uint32, tag = "7")]
    pub resend: u32,
    /// The device to encrypt to, as JID text.
    #[prost(string, tag = "8")]
    pub address: String,
    /// When the message was written, unix seconds.
    #[prost(uint64, tag = "9")]
    pub t: u64,
    /// The identity key that the last envelope was encrypted for.
    #[prost(bytes = "vec", tag = "10")]
    pub identity: Vec<u8>,
    /// The server has accepted the last envelope.
    #[prost(bool, tag = "11")]
    pub accepted: bool,
    /// When the server first accepted an envelope, unix milliseconds.
    #[prost(uint64, optional, tag = "12")]
    pub accepted_at: Option<u64>,
    /// Fingerprints of the retry requests that were served, one after the other.
    #[prost(bytes = "vec", tag = "13")]
    pub served: Vec<u8>,
}

impl Row for Recipient {
    const TABLE: Table = Table::Outbox;

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let (kind, envelope) = match &self.stage {
            Stage::Sealed { kind, envelope } => (kind.clone(), envelope.clone()),
            Stage::Queued | Stage::Accepted => Default::default(),
        };
        let row = OutboxRow {
            chat: self.chat.clone(),
            seq: self.seq,
            id: self.id.clone(),
            text: String::new(),
            envelope,
            envelope_kind: kind,
            resend: self.resends,
            address: self.address.to_string(),
            t: self.written_at / SECOND,
            identity: self.identity.map(|identity| identity.0.to_vec()).unwrap_or_default(),
            accepted: self.stage == Stage::Accepted,
            accepted_at: self.accepted_at,
            served: self.served.concat(),
        };
        Zeroizing::new(row.encode_to_vec())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        let expected = |expected| RowError { table: Self::TABLE, expected };
        let row = OutboxRow::decode(bytes).map_err(|_| expected("an outgoing message"))?;
        let address: Jid = row.address.parse().map_err(|_| expected("a device's address"))?;
        let (served, rest) = row.served.as_chunks::<FINGERPRINT>();
        if !rest.is_empty() {
            return Err(expected("fingerprints of 8 bytes"));
        }
        Ok(Self {
            chat: row.chat,
            seq: row.seq,
            id: row.id,
            address: DeviceAddress { peer: PeerId::from_row(address.to_bare().to_string()), device: address.device },
            written_at: row.t.saturating_mul(SECOND),
            stage: match (row.accepted, row.envelope.is_empty()) {
                (true, _) => Stage::Accepted,
                (false, true) => Stage::Queued,
                (false, false) => Stage::Sealed { kind: row.envelope_kind, envelope: row.envelope },
            },
            accepted_at: row.accepted_at,
            identity: match row.identity.as_slice() {
                [] => None,
                identity => Some(PublicKey::from_slice(identity).map_err(|_| expected("an identity key"))?),
            },
            resends: row.resend,
            served: served.to_vec(),
        })
    }
}
