//! How a stream begins and ends: `<success>`, `<failure>`, `<stream:error>` (docs/spec/wire.md §5.2).
//!
//! It does not know what to do about an end: reconnect, ask a person, or give up.

use super::StanzaError;
use super::fields::Fields;
use crate::node::Node;

/// Logged in: the first stanza of a good connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Success {
    /// The server's clock, unix seconds.
    pub t: Option<u64>,
}

impl Success {
    /// Reads `<success>`.
    ///
    /// # Errors
    /// Another node than `<success>`.
    pub fn from_node(node: &Node) -> Result<Self, StanzaError> {
        Ok(Self { t: Fields::of(node, "success")?.number_if_any("t") })
    }
}

/// Login refused; the stream ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why: 401 not authorised, 402 banned for a time, 405 too old, ... (the table of docs/spec/wire.md §5.2).
    pub reason: u32,
    /// With reason 402: the kind of ban, 101 to 106.
    pub code: Option<u32>,
    /// With reason 402: seconds until the ban ends.
    pub expire: Option<u64>,
    /// The server's words.
    pub message: Option<String>,
}

impl Failure {
    /// Reads `<failure>`.
    ///
    /// # Errors
    /// No reason, or one that is no number.
    pub fn from_node(node: &Node) -> Result<Self, StanzaError> {
        let fields = Fields::of(node, "failure")?;
        Ok(Self {
            reason: fields.number("reason")?,
            code: fields.number_if_any("code"),
            expire: fields.number_if_any("expire"),
            message: fields.text_opt("message"),
        })
    }
}

/// Why the server ends a stream that was good until now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamError {
    /// 515: reconnect at once.
    Restart,
    /// 516: logged out.
    ForcedLogout,
    /// This client was removed from the account.
    DeviceRemoved,
    /// Another client connected with the same credentials.
    Replaced,
    /// 503: the server restarts.
    Unavailable,
    /// 429: too much, too fast.
    RateLimited,
    /// Anything else, for instance 500 for a stanza of ours that the server did not like.
    Other {
        /// The code, if there is one.
        code: Option<u32>,
    },
}

impl StreamError {
    /// Parses `<stream:error>`. Never fails: the stream ends whatever its reason.
    pub fn from_node(node: &Node) -> Self {
        let code = node.text("code").and_then(|code| code.parse().ok());
        let conflict = node.child("conflict").and_then(|conflict| conflict.text("type"));
        match (conflict.as_deref(), code) {
            (Some("device_removed"), _) => Self::DeviceRemoved,
            (Some("replaced"), _) | (_, Some(409)) => Self::Replaced,
            (_, Some(515)) => Self::Restart,
            (_, Some(516)) => Self::ForcedLogout,
            (_, Some(503)) => Self::Unavailable,
            (_, Some(429)) => Self::RateLimited,
            (_, code) => Self::Other { code },
        }
    }
}
