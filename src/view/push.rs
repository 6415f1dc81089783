//! Commands for push notifications.

use prost::Message;

/// A push arrived.
#[derive(Clone, PartialEq, Message)]
pub struct Woken {}

/// A notification has shown everything in a chat up to a message.
#[derive(Clone, PartialEq, Message)]
pub struct Notified {
    /// The chat's id.
    #[prost(string, tag = "1")]
    pub chat: String,
    /// Sequence number of the newest message that a notification showed.
    #[prost(uint64, tag = "2")]
    pub up_to: u64,
}

/// Whether notifications hide the sender and the text.
#[derive(Clone, PartialEq, Message)]
pub struct HideText {
    /// Hide them.
    #[prost(bool, tag = "1")]
    pub hide: bool,
}
