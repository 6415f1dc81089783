//! What the client knows, as types: people, addresses, the account. Under every other module; decides nothing.
//!
//! What this module does not know: how any of it is stored, shown, sent or encrypted.

pub mod account;
pub mod address;
pub mod opened;
pub mod peer;
pub mod recipient;
pub mod stanza_id;

pub use account::{DeviceId, Identifier};
pub use address::{ChatId, DeviceAddress, DeviceNumber, PeerId};
pub use opened::Opened;
pub use peer::{Device, Peer};
pub use recipient::{Recipient, Stage};
pub use stanza_id::StanzaId;
