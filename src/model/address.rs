//! Who somebody is: a person, one of their devices; and the chat with a person.

use causeway_proto::jid::{Jid, Server};
use core::fmt;

/// Identifies a chat: the address of its peer as text, or any text that a page takes for one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChatId(String);

impl ChatId {
    /// The chat of this name in a row or in a command.
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of the chat's row, and of its peer's.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The peer.
    pub fn peer(&self) -> PeerId {
        PeerId(self.clone())
    }
}

impl core::borrow::Borrow<str> for ChatId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A person, by one of their addresses: the first that was known. The other addresses are
/// [aliases](super::Peer::aliases).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(ChatId);

impl PeerId {
    /// The person with this address, if nothing else is known of them: without the device, and with one spelling for
    /// each kind of address (docs/spec/wire.md §3.4). `None` for groups, lists, channels and servers.
    pub fn of(address: &Jid) -> Option<Self> {
        let server = match &address.server {
            Server::User | Server::Legacy | Server::Hosted => Server::User,
            Server::Lid | Server::HostedLid => Server::Lid,
            server @ (Server::Interop | Server::Messenger) => server.clone(),
            _ => return None,
        };
        let bare = Jid { server, ..address.to_bare() };
        (!bare.user.is_empty()).then(|| Self(ChatId(bare.to_string())))
    }

    /// The id that a row holds.
    pub fn from_row(address: String) -> Self {
        Self(ChatId(address))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The chat with this person.
    pub fn chat(&self) -> &ChatId {
        &self.0
    }

    /// The address; `None` for a row that no build of ours wrote.
    pub fn jid(&self) -> Option<Jid> {
        self.as_str().parse().ok()
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Identifies a device among those of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceNumber(pub u16);

impl DeviceNumber {
    /// The phone, which vouches for the other devices.
    pub const PHONE: Self = Self(0);
}

/// A device of a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceAddress {
    /// The person.
    pub peer: PeerId,
    /// The device's number.
    pub device: DeviceNumber,
}

impl DeviceAddress {
    /// Whether it is the person's phone.
    pub fn is_primary(&self) -> bool {
        self.device == DeviceNumber::PHONE
    }

    /// The address, for stanzas; `None` for a row that no build of ours wrote.
    pub fn jid(&self) -> Option<Jid> {
        Some(self.peer.jid()?.on_device(self.device.0))
    }
}

impl fmt::Display for DeviceAddress {
    /// As the address is written: `user@server`, `user:device@server`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.device.0, self.peer.as_str().rsplit_once('@')) {
            (0, _) => f.write_str(self.peer.as_str()),
            (device, Some((user, server))) => write!(f, "{user}:{device}@{server}"),
            (device, None) => write!(f, "{}:{device}", self.peer.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Option<String> {
        PeerId::of(&address.parse().unwrap()).map(|peer| peer.to_string())
    }

    #[test]
    fn each_spelling_of_an_address_is_one_person() {
        for address in
            ["4915112345@s.whatsapp.net", "4915112345:7@s.whatsapp.net", "4915112345@c.us", "4915112345:99@hosted"]
        {
            assert_eq!(peer(address).as_deref(), Some("4915112345@s.whatsapp.net"), "{address}");
        }
        assert_eq!(peer("77:3@lid").as_deref(), Some("77@lid"));
        assert_eq!(peer("77:99@hosted.lid").as_deref(), Some("77@lid"));
        assert_eq!(peer("999-alice:3@interop").as_deref(), Some("999-alice@interop"));
        assert_ne!(peer("77@lid"), peer("77@s.whatsapp.net"));
    }

    #[test]
    fn what_is_no_person() {
        for address in ["1-2@g.us", "status@broadcast", "1@newsletter", "s.whatsapp.net", "interop", "x@example.org"] {
            assert_eq!(peer(address), None, "{address}");
        }
    }
}
