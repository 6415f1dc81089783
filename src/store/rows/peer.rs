//! The row of a person.

use crate::model::peer::{MAX_ALIASES, MAX_DEVICES, Resends};
use crate::model::{Device, DeviceNumber, Peer, PeerId};
use crate::protobuf::{Message as _, message};
use crate::store::changes::Table;
use crate::store::row::{Row, RowError};
use crate::time::UnixMillis;
use causeway_proto::jid::Jid;
use causeway_proto::signal::PublicKey;
use zeroize::Zeroizing;

#[derive(Default)]
struct PeerRow<'a> {
    id: &'a str,
    aliases: Vec<String>,
    name: &'a str,
    devices: Vec<DeviceRow<'a>>,
    resends_since: Option<u64>,
    resends: u32,
}

message!(PeerRow<'a> { 1 => id, 2 => aliases, 3 => name, 4 => devices, 5 => resends_since, 6 => resends });

#[derive(Default)]
struct DeviceRow<'a> {
    number: u32,
    identity: &'a [u8],
    first_seen: Option<u64>,
}

message!(DeviceRow<'a> { 1 => number, 2 => identity, 3 => first_seen });

impl Row for Peer {
    const TABLE: Table = Table::Peer;

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        fn row(device: &Device) -> DeviceRow<'_> {
            DeviceRow {
                number: device.number.0.into(),
                identity: device.identity.as_bytes(),
                first_seen: device.first_seen.map(|at| at.0),
            }
        }
        let id = self.id.to_string();
        let row = PeerRow {
            id: &id,
            aliases: self.aliases.iter().map(ToString::to_string).collect(),
            name: self.name.as_deref().unwrap_or_default(),
            devices: self.devices.iter().map(row).collect(),
            resends_since: self.resends.map(|resends| resends.since.0),
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
        let device = |device: DeviceRow<'_>| {
            Ok(Device {
                number: DeviceNumber(u16::try_from(device.number).map_err(|_| expected("a device number"))?),
                identity: PublicKey::from_slice(device.identity).map_err(|_| expected("an identity key"))?,
                first_seen: device.first_seen.map(UnixMillis),
            })
        };
        Ok(Self {
            id: PeerId::from_row(row.id.to_owned()),
            aliases: row
                .aliases
                .iter()
                .map(|alias| alias.parse::<Jid>().map_err(|_| expected("an address")))
                .collect::<Result<_, _>>()?,
            name: Some(row.name).filter(|name| !name.is_empty()).map(str::to_owned),
            devices: row.devices.into_iter().map(device).collect::<Result<_, _>>()?,
            resends: row.resends_since.map(|since| Resends { since: UnixMillis(since), count: row.resends }),
        })
    }
}
