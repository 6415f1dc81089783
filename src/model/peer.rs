//! A person, apart from any chat: addresses, devices, name.

use super::address::{DeviceNumber, PeerId};
use crate::time::UnixMillis;
use causeway_proto::jid::Jid;
use causeway_proto::signal::PublicKey;

/// Largest number of devices of a person that are kept, the phone included.
pub const MAX_DEVICES: usize = 32;
/// Largest number of other addresses of a person.
pub const MAX_ALIASES: usize = 8;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The address that stands for the person; it never changes.
    pub id: PeerId,
    /// Other addresses of the same person, without devices.
    pub aliases: Vec<Jid>,
    /// The name that the person chose.
    pub name: Option<String>,
    /// Devices whose identity the chat has shown: the phone, and those that it vouches for.
    pub devices: Vec<Device>,
    /// Messages that were sent again to them in the last hour.
    pub resends: Option<Resends>,
}

/// Messages that were sent again since a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resends {
    /// The moment.
    pub since: UnixMillis,
    /// How many.
    pub count: u32,
}

/// A device of a person, and the identity key that the chat has shown for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The device's number.
    pub number: DeviceNumber,
    /// Its identity key.
    pub identity: PublicKey,
    /// When the key was first seen; `None` if a release that kept no times saw it.
    pub first_seen: Option<UnixMillis>,
}

impl Peer {
    /// A person of whom nothing but the address is known.
    pub fn new(id: PeerId) -> Self {
        Self { id, aliases: Vec::new(), name: None, devices: Vec::new(), resends: None }
    }

    /// The identity key of a device.
    pub fn identity(&self, device: DeviceNumber) -> Option<PublicKey> {
        self.devices.iter().find(|known| known.number == device).map(|known| known.identity)
    }

    /// Every identity key, the phone's first: what the security code is computed from.
    pub fn identities(&self) -> impl Iterator<Item = PublicKey> {
        self.devices.iter().map(|device| device.identity)
    }
}
