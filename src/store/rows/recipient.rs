//! The row of a recipient.

use crate::id::MessageSeq;
use crate::model::recipient::{FINGERPRINT, Recipient, Stage};
use crate::model::{ChatId, DeviceAddress, DeviceNumber, PeerId, StanzaId};
use crate::protobuf::{Message as _, message};
use crate::store::changes::Table;
use crate::store::row::{Row, RowError};
use crate::time::{UnixMillis, UnixSeconds};
use causeway_proto::jid::Jid;
use causeway_proto::signal::PublicKey;
use zeroize::Zeroizing;

/// A message on its way to one device.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OutboxRow<'a> {
    /// The chat.
    pub chat: &'a str,
    /// The message's sequence number.
    pub seq: u64,
    /// The stanza's id.
    pub id: &'a str,
    /// The text, in rows of versions that did not take it from the message.
    pub text: &'a str,
    /// The envelope, once encrypted and until it is acknowledged.
    pub envelope: &'a [u8],
    /// `pkmsg` or `msg`.
    pub envelope_kind: &'a str,
    /// Number of re-encryptions because the peer could not decrypt it; 0 for the first envelope.
    pub resend: u32,
    /// The device to encrypt to, as JID text.
    pub address: &'a str,
    /// When the message was written, unix seconds.
    pub t: u64,
    /// The identity key that the last envelope was encrypted for.
    pub identity: &'a [u8],
    /// The server has accepted the last envelope.
    pub accepted: bool,
    /// When the server first accepted an envelope, unix milliseconds.
    pub accepted_at: Option<u64>,
    /// Fingerprints of the retry requests that were served, one after the other.
    pub served: &'a [u8],
}

message!(OutboxRow<'a> { 1 => chat, 2 => seq, 3 => id, 4 => text, 5 => envelope, 6 => envelope_kind, 7 => resend, 8 => address, 9 => t, 10 => identity, 11 => accepted, 12 => accepted_at, 13 => served });

impl Row for Recipient {
    const TABLE: Table = Table::Outbox;

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let (envelope_kind, envelope) = match &self.stage {
            Stage::Sealed { kind, envelope } => (kind.as_str(), envelope.as_slice()),
            Stage::Queued | Stage::Accepted => Default::default(),
        };
        let address = self.address.to_string();
        let row = OutboxRow {
            chat: self.chat.as_str(),
            seq: self.seq.0,
            id: self.id.as_str(),
            text: "",
            envelope,
            envelope_kind,
            resend: self.resends,
            address: &address,
            t: self.written_at.seconds().0,
            identity: self.identity.as_ref().map_or(&[], |identity| identity.as_bytes()),
            accepted: self.stage == Stage::Accepted,
            accepted_at: self.accepted_at.map(|at| at.0),
            served: self.served.as_flattened(),
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
            chat: ChatId::named(row.chat),
            seq: MessageSeq(row.seq),
            id: StanzaId::new(row.id.to_owned()),
            address: DeviceAddress {
                peer: PeerId::from_row(address.to_bare().to_string()),
                device: DeviceNumber(address.device),
            },
            written_at: UnixSeconds(row.t).millis(),
            stage: match (row.accepted, row.envelope.is_empty()) {
                (true, _) => Stage::Accepted,
                (false, true) => Stage::Queued,
                (false, false) => Stage::Sealed { kind: row.envelope_kind.to_owned(), envelope: row.envelope.to_vec() },
            },
            accepted_at: row.accepted_at.map(UnixMillis),
            identity: match row.identity {
                [] => None,
                identity => Some(PublicKey::from_slice(identity).map_err(|_| expected("an identity key"))?),
            },
            resends: row.resend,
            served: served.to_vec(),
        })
    }
}
