//! The ClientPayload of a client finish (docs/spec/wire.md §2.8): the fields that the chat server acts on.
//!
//! Must not know whether any of it is true.

use prost::Message;

/// `ClientPayload.product` of third-party clients.
pub const PRODUCT_INTEROP: i32 = 2;

/// The ClientPayload. Fields that the server doesn't read are skipped.
#[derive(Clone, PartialEq, Message)]
pub struct ClientPayload {
    /// Phone number of a WhatsApp user.
    #[prost(uint64, optional, tag = "1")]
    pub username: Option<u64>,
    /// Withhold live traffic until `<active/>`.
    #[prost(bool, optional, tag = "3")]
    pub passive: Option<bool>,
    /// Which program the client is.
    #[prost(message, optional, tag = "5")]
    pub user_agent: Option<UserAgent>,
    /// The name that others see.
    #[prost(string, optional, tag = "7")]
    pub push_name: Option<String>,
    /// Companion device of a WhatsApp user; 0 is the phone itself.
    #[prost(uint32, optional, tag = "18")]
    pub device: Option<u32>,
    /// [`PRODUCT_INTEROP`] for third-party clients.
    #[prost(int32, optional, tag = "20")]
    pub product: Option<i32>,
    /// The client asks for its mailbox in batches.
    #[prost(bool, optional, tag = "33")]
    pub pull: Option<bool>,
    /// Only a Partner's users have it.
    #[prost(message, optional, tag = "38")]
    pub interop: Option<InteropData>,
}

/// Which program a client is.
#[derive(Clone, PartialEq, Message)]
pub struct UserAgent {
    /// The enumeration of docs/spec/wire.md §2.8.
    #[prost(int32, optional, tag = "1")]
    pub platform: Option<i32>,
    /// The client's version.
    #[prost(message, optional, tag = "2")]
    pub version: Option<AppVersion>,
}

/// A version of three numbers.
#[derive(Clone, PartialEq, Message)]
pub struct AppVersion {
    /// First number.
    #[prost(uint32, optional, tag = "1")]
    pub primary: Option<u32>,
    /// Second number.
    #[prost(uint32, optional, tag = "2")]
    pub secondary: Option<u32>,
    /// Third number.
    #[prost(uint32, optional, tag = "3")]
    pub tertiary: Option<u32>,
}

/// Login data of a Partner's user.
#[derive(Clone, PartialEq, Message)]
pub struct InteropData {
    /// The number after the dash of the login id.
    #[prost(uint64, optional, tag = "1")]
    pub account: Option<u64>,
    /// The Partner's JWT, as ASCII.
    #[prost(bytes = "vec", optional, tag = "2")]
    pub token: Option<Vec<u8>>,
    /// Whether the user sends read receipts.
    #[prost(bool, optional, tag = "3")]
    pub read_receipts: Option<bool>,
}

impl ClientPayload {
    /// The version that the client claims; absent parts count as 0.
    pub fn version(&self) -> [u32; 3] {
        let version = self.user_agent.clone().and_then(|agent| agent.version).unwrap_or_default();
        [version.primary(), version.secondary(), version.tertiary()]
    }
}
