//! A message on its way to a browser, and what is remembered of it for tests.
//!
//! Must not know HTTP and WebSocket.

use crate::time::UnixMillis;
use serde::Serialize;

/// How soon a browser should be bothered (RFC 8030 §5.3). This service delivers all at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Urgency {
    VeryLow,
    Low,
    #[default]
    Normal,
    High,
}

impl Urgency {
    /// Reads the header's value.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "very-low" => Some(Self::VeryLow),
            "low" => Some(Self::Low),
            "normal" => Some(Self::Normal),
            "high" => Some(Self::High),
            _ => None,
        }
    }
}

/// What a server has posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Posted {
    /// Seconds that it may wait.
    pub(crate) ttl: u64,
    /// Replaces what waits under the same topic.
    pub(crate) topic: Option<String>,
    pub(crate) urgency: Urgency,
    /// Encrypted for the browser; empty for a message without content.
    pub(crate) body: Vec<u8>,
}

/// A message that a browser has not acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) version: String,
    pub(crate) channel: String,
    pub(crate) topic: Option<String>,
    pub(crate) body: Vec<u8>,
    /// By the sandbox's clock.
    pub(crate) expires: UnixMillis,
    /// The connection that it went out on.
    pub(crate) sent_on: Option<u64>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Waiting,
    Sent,
    /// The browser took it: code 100, or 101 and 102 for what it could not decrypt or deliver.
    Acknowledged,
    /// The browser's page did not take it: codes 301 to 303.
    Refused,
    /// Its time was over before the browser came.
    Expired,
    /// A later message of the same topic took its place.
    Replaced,
    /// Its subscription ended.
    Dropped,
}

/// A message as tests see it. Times are by the sandbox's clock.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Delivery {
    pub(crate) version: String,
    pub(crate) agent: String,
    pub(crate) channel: String,
    pub(crate) ttl: u64,
    pub(crate) topic: Option<String>,
    pub(crate) urgency: Urgency,
    pub(crate) bytes: usize,
    pub(crate) posted_at: UnixMillis,
    pub(crate) state: State,
    /// Of the ack or nack.
    pub(crate) code: Option<u64>,
    /// When the state was last changed.
    pub(crate) changed_at: UnixMillis,
}

/// A post that was not taken.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Rejection {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) at: UnixMillis,
}
