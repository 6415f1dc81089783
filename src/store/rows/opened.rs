//! The row of a message that was opened and not applied.

use crate::model::{DeviceAddress, DeviceNumber, Opened, PeerId, StanzaId};
use crate::protobuf::{Message as _, message};
use crate::store::changes::Table;
use crate::store::row::{Row, RowError};
use crate::time::UnixMillis;
use causeway_proto::signal::PublicKey;
use zeroize::Zeroizing;

#[derive(Default)]
struct OpenedRow<'a> {
    peer: &'a str,
    device: u32,
    identity: &'a [u8],
    id: &'a str,
    at: u64,
    name: Option<&'a str>,
    plaintext: &'a [u8],
}

message!(OpenedRow<'a> { 1 => peer, 2 => device, 3 => identity, 4 => id, 5 => at, 6 => name, 7 => plaintext });

impl Row for Opened {
    const TABLE: Table = Table::Opened;

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let peer = self.from.peer.to_string();
        let row = OpenedRow {
            peer: &peer,
            device: self.from.device.0.into(),
            identity: self.identity.as_bytes(),
            id: self.id.as_str(),
            at: self.at.0,
            name: self.name.as_deref(),
            plaintext: &self.plaintext,
        };
        Zeroizing::new(row.encode_to_vec())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        let expected = |expected| RowError { table: Self::TABLE, expected };
        let row = OpenedRow::decode(bytes).map_err(|_| expected("an opened message"))?;
        Ok(Self {
            from: DeviceAddress {
                peer: PeerId::from_row(row.peer.to_owned()),
                device: DeviceNumber(u16::try_from(row.device).map_err(|_| expected("a device number"))?),
            },
            identity: PublicKey::from_slice(row.identity).map_err(|_| expected("an identity key"))?,
            id: StanzaId::new(row.id.to_owned()),
            at: UnixMillis(row.at),
            name: row.name.map(str::to_owned),
            plaintext: Zeroizing::new(row.plaintext.to_vec()),
        })
    }
}
