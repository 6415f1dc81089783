//! What a push says.
//!
//! What this module does not know: to whom.

/// The two messages that the client understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    /// Something waits at WhatsApp.
    Wake,
    /// A person wants to see whether notifications arrive.
    Test,
}

impl Message {
    /// The payload, before encryption; also its name in the database. Both have the same length: their ciphertexts look
    /// alike.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Wake => "wake",
            Self::Test => "test",
        }
    }

    pub(super) fn named(text: &str) -> Option<Self> {
        [Self::Wake, Self::Test].into_iter().find(|message| message.text() == text)
    }

    /// How long it is worth delivering: WhatsApp keeps a mailbox for 30 days; who tests, waits.
    pub(crate) fn lifetime_seconds(self) -> i64 {
        match self {
            Self::Wake => 28 * 86_400,
            Self::Test => 60,
        }
    }

    /// The topic under which a push service replaces an undelivered message by a newer one (RFC 8030 §5.4).
    pub(super) fn topic(self) -> Option<&'static str> {
        (self == Self::Wake).then_some("wake")
    }
}
