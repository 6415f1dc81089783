//! The payloads of pushes.
//!
//! What this module does not know: who receives them.

use std::time::Duration;

/// The two messages that the client understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    /// A message waits at WhatsApp.
    Wake,
    /// A test notification that a person requested.
    Test,
}

impl Message {
    /// The payload before encryption, which is also the name in the database. Both have the same length, so that their
    /// ciphertexts are indistinguishable.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Wake => "wake",
            Self::Test => "test",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Wake, Self::Test].into_iter().find(|message| message.text() == text)
    }

    /// Time for which a push is worth delivering: WhatsApp stores undelivered messages for 30 days; a test is only
    /// useful at once.
    pub(crate) fn lifetime(self) -> Duration {
        match self {
            Self::Wake => Duration::from_secs(28 * 86_400),
            Self::Test => Duration::from_secs(60),
        }
    }

    /// The topic under which a push service replaces an undelivered push by a newer one (RFC 8030 §5.4).
    pub(super) fn topic(self) -> Option<&'static str> {
        (self == Self::Wake).then_some("wake")
    }
}
