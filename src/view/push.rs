//! Commands for push notifications.

use crate::protobuf::message;

/// A push arrived.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Woken {}

message!(Woken {});

/// A notification has shown everything in a chat up to a message.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Notified {
    /// The chat's id.
    pub chat: String,
    /// Sequence number of the newest message that a notification showed.
    pub up_to: u64,
}

message!(Notified { 1 => chat, 2 => up_to });

/// Whether notifications hide the sender and the text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HideText {
    /// Hide them.
    pub hide: bool,
}

message!(HideText { 1 => hide });
