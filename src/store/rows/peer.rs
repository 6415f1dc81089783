//! The row of a person.

use crate::model::peer::{MAX_ALIASES, MAX_DEVICES, Resends};
use crate::model::{Device, Peer, PeerId};
use crate::store::changes::Table;
use crate::store::row_cache::{Row, RowError};
use causeway_proto::jid::Jid;
use causeway_proto::signal::PublicKey;
use prost::Message;
use zeroize::Zeroizing;

#[derive(Clone, PartialEq, Message)]
struct PeerRow {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, repeated, tag = "2")]
    aliases: Vec<String>,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(message, repeated, tag = "4")]
    devices: Vec<DeviceRow>,
    #[prost(uint64, optional, tag = "5")]
    resends_since: Option<u64>,
    #[prost(uint32, tag = "6")]
    resends: u32,
}

#[derive(Clone, PartialEq, Message)]
struct DeviceRow {
    #[prost(uint32, tag = "1")]
    number: u32,
    #[prost(bytes = "vec", tag = "2")]
    identity: Vec<u8>,
    #[prost(uint64, optional, tag = "3")]
    first_seen: Option<u64>,
}

impl Row for Peer {
    const TABLE: Table = Table::Peer;

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let device = |device: &Device| DeviceRow {
            number: device.number.into(),
            identity: device.identity.0.to_vec(),
            first_seen: device.first_seen,
        };
        let row = PeerRow {
            id: self.id.to_string(),
            aliases: self.aliases.iter().map(ToString::to_string).collect(),
            name: self.name.clone().unwrap_or_default(),
            devices: self.devices.iter().map(device).collect(),
            resends_since: self.resends.map(|resends| resends.since),
            resends: self.resends.map_or(0, |resends| resends.count),
        };
        Zeroizing::new(row.encode_to_vec())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        let expected = |expected| RowError { table: Self::TABLE, expected };
        let row = PeerRow::decode(bytes).map_err(|_| expected("a person"))?;
        if row.aliases.len() > MAX_ALIASES || row.devices.len() > MAX_DEVICES {
            return Err(expected("at most 8 aliases and 32 devices"));
        }
        let device = |device: DeviceRow| {
            Ok(Device {
                number: u16::try_from(device.number).map_err(|_| expected("a device number"))?,
                identity: PublicKey::from_slice(&device.identity).map_err(|_| expected("an identity key"))?,
                first_seen: device.first_seen,
            })
        };
        Ok(Self {
            id: PeerId::from_row(row.id),
            aliases: row
                .aliases
                .iter()
                .map(|alias| alias.parse::<Jid>().map_err(|_| expected("an address")))
                .collect::<Result<_, _>>()?,
            name: Some(row.name).filter(|name| !name.is_empty()),
            devices: row.devices.into_iter().map(device).collect::<Result<_, _>>()?,
            resends: row.resends_since.map(|since| Resends { since, count: row.resends }),
        })
    }
}
