//! The row of a message that was opened and not applied.

use crate::model::{DeviceAddress, Opened, PeerId};
use crate::store::changes::Table;
use crate::store::row_cache::{Row, RowError};
use causeway_proto::signal::PublicKey;
use prost::Message;
use zeroize::{Zeroize, Zeroizing};

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct OpenedRow {
    #[prost(string, tag = "1")]
    peer: String,
    #[prost(uint32, tag = "2")]
    device: u32,
    #[prost(bytes = "vec", tag = "3")]
    identity: Vec<u8>,
    #[prost(string, tag = "4")]
    id: String,
    #[prost(uint64, tag = "5")]
    at: u64,
    #[prost(string, optional, tag = "6")]
    name: Option<String>,
    #[prost(bytes = "vec", tag = "7")]
    plaintext: Vec<u8>,
}

impl Drop for OpenedRow {
    fn drop(&mut self) {
        self.plaintext.zeroize();
    }
}

impl Row for Opened {
    const TABLE: Table = Table::Opened;

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut row = OpenedRow::default();
        row.peer = self.from.peer.to_string();
        row.device = self.from.device.into();
        row.identity = self.identity.0.to_vec();
        row.id.clone_from(&self.id);
        row.at = self.at;
        row.name.clone_from(&self.name);
        row.plaintext = self.plaintext.to_vec();
        Zeroizing::new(row.encode_to_vec())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        let expected = |expected| RowError { table: Self::TABLE, expected };
        let mut row = OpenedRow::decode(bytes).map_err(|_| expected("an opened message"))?;
        Ok(Self {
            from: DeviceAddress {
                peer: PeerId::from_row(std::mem::take(&mut row.peer)),
                device: u16::try_from(row.device).map_err(|_| expected("a device number"))?,
            },
            identity: PublicKey::from_slice(&row.identity).map_err(|_| expected("an identity key"))?,
            id: std::mem::take(&mut row.id),
            at: row.at,
            name: row.name.take(),
            plaintext: Zeroizing::new(std::mem::take(&mut row.plaintext)),
        })
    }
}
