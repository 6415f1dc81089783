//! The ClientPayload: what a client says of itself at the end of the handshake (wire.md §2.8), typed again.
//!
//! Only the fields that the chat server acts on. What it does not know: whether any of it is true.

use prost::Message;

/// `ClientPayload.product` of third-party clients.
pub(crate) const PRODUCT_INTEROP: i32 = 2;

/// What the server reads of a ClientPayload; everything else is skipped.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ClientPayload {
    /// Phone number of a WhatsApp user.
    #[prost(uint64, optional, tag = "1")]
    pub(crate) username: Option<u64>,
    /// Withhold live traffic until `<active/>`.
    #[prost(bool, optional, tag = "3")]
    pub(crate) passive: Option<bool>,
    #[prost(message, optional, tag = "5")]
    pub(crate) user_agent: Option<UserAgent>,
    #[prost(string, optional, tag = "7")]
    pub(crate) push_name: Option<String>,
    /// Companion device of a WhatsApp user; 0 is the phone itself.
    #[prost(uint32, optional, tag = "18")]
    pub(crate) device: Option<u32>,
    #[prost(int32, optional, tag = "20")]
    pub(crate) product: Option<i32>,
    /// The client asks for its mailbox in batches.
    #[prost(bool, optional, tag = "33")]
    pub(crate) pull: Option<bool>,
    #[prost(message, optional, tag = "38")]
    pub(crate) interop: Option<InteropData>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct UserAgent {
    #[prost(int32, optional, tag = "1")]
    pub(crate) platform: Option<i32>,
    #[prost(message, optional, tag = "2")]
    pub(crate) version: Option<AppVersion>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AppVersion {
    #[prost(uint32, optional, tag = "1")]
    pub(crate) primary: Option<u32>,
    #[prost(uint32, optional, tag = "2")]
    pub(crate) secondary: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    pub(crate) tertiary: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct InteropData {
    /// The number after the dash of the login id.
    #[prost(uint64, optional, tag = "1")]
    pub(crate) account: Option<u64>,
    /// The Partner's JWT, as ASCII.
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(crate) token: Option<Vec<u8>>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) read_receipts: Option<bool>,
}

impl ClientPayload {
    /// The version that the client claims; absent parts count as 0.
    pub(crate) fn version(&self) -> [u32; 3] {
        let version = self.user_agent.clone().and_then(|agent| agent.version).unwrap_or_default();
        [version.primary(), version.secondary(), version.tertiary()]
    }
}
