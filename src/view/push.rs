//! What notifications need of the engine.

use prost::Message;

/// A push has come.
#[derive(Clone, PartialEq, Message)]
pub struct Woken {}

/// The person has been notified of everything in a chat up to a message.
#[derive(Clone, PartialEq, Message)]
pub struct Notified {
    /// The chat's id.
    #[prost(string, tag = "1")]
    pub chat: String,
    /// Sequence number of the newest message that a notification showed.
    #[prost(uint64, tag = "2")]
    pub up_to: u64,
}

/// Whether notifications say who wrote, and what.
#[derive(Clone, PartialEq, Message)]
pub struct HideText {
    /// They do not.
    #[prost(bool, tag = "1")]
    pub hide: bool,
}
