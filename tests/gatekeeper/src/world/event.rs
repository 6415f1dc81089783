//! What can happen to the sandbox's state, one record each: the journal holds these and nothing else.
//!
//! State is the fold of its events, so what survives a restart is exactly what was recorded.

use super::encoding::{blob, bytes, jid};
use crate::time::UnixSeconds;
use causeway_peer::stanza::keys::SignedPreKey;
use causeway_proto::jid::Jid;
use causeway_proto::signal::{PreKeyBundle, PublicKey};
use serde::{Deserialize, Serialize};

/// A signed prekey as the wire carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignedKey {
    /// 24 bits.
    pub(crate) id: u32,
    #[serde(with = "blob")]
    pub(crate) value: [u8; 32],
    #[serde(with = "blob")]
    pub(crate) signature: [u8; 64],
}

impl SignedKey {
    /// The signed prekey of a bundle.
    pub(crate) fn of(bundle: &PreKeyBundle) -> Self {
        Self { id: bundle.signed_prekey_id, value: bundle.signed_prekey.0, signature: bundle.signed_prekey_signature }
    }

    /// The public half.
    pub(crate) fn key(&self) -> PublicKey {
        PublicKey(self.value)
    }
}

impl From<&SignedPreKey> for SignedKey {
    fn from(signed: &SignedPreKey) -> Self {
        Self { id: signed.id, value: signed.key.0, signature: signed.signature }
    }
}

/// A one-time prekey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OneTimeKey {
    /// 24 bits.
    pub(crate) id: u32,
    #[serde(with = "blob")]
    pub(crate) value: [u8; 32],
}

/// Which kind of acknowledgement clears a stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// `<message>`.
    Message,
    /// `<receipt>`: delivered, read, please retry.
    Receipt,
    /// `<notification>` of the server's own.
    Notification,
}

impl Class {
    /// The `class` attribute of an ack, and the tag of the stanza.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Receipt => "receipt",
            Self::Notification => "notification",
        }
    }
}

/// One stanza waiting in a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueuedStanza {
    /// Order of arrival over all mailboxes.
    pub(crate) seq: u64,
    pub(crate) class: Class,
    pub(crate) id: String,
    #[serde(with = "jid")]
    pub(crate) from: Jid,
    /// The stanza's `type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    /// Retention counts from here.
    pub(crate) at: UnixSeconds,
    /// The stanza, binary-encoded without flag byte.
    #[serde(with = "bytes")]
    pub(crate) stanza: Vec<u8>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// A Partner's user enlisted, for the first time or again: keys are replaced, one-time prekeys dropped.
    Enlisted {
        #[serde(with = "jid")]
        who: Jid,
        identifier: String,
        #[serde(with = "blob")]
        noise: [u8; 32],
        registration: u32,
        #[serde(with = "blob")]
        identity: [u8; 32],
        signed: SignedKey,
        at: UnixSeconds,
    },
    /// A WhatsApp user logged in by number for the first time, or after a reinstall.
    Registered {
        #[serde(with = "jid")]
        who: Jid,
        #[serde(with = "blob")]
        noise: [u8; 32],
        at: UnixSeconds,
    },
    /// A WhatsApp user is about to reinstall: the next Noise key that appears is taken.
    Released {
        #[serde(with = "jid")]
        who: Jid,
    },
    /// The name that others see.
    Named {
        #[serde(with = "jid")]
        who: Jid,
        name: String,
    },
    /// Key upload: identity and signed prekey replaced, one-time prekeys added (or replaced with a new identity).
    Uploaded {
        #[serde(with = "jid")]
        who: Jid,
        registration: u32,
        #[serde(with = "blob")]
        identity: [u8; 32],
        signed: SignedKey,
        one_time: Vec<OneTimeKey>,
    },
    /// A new signed prekey.
    Rotated {
        #[serde(with = "jid")]
        who: Jid,
        signed: SignedKey,
    },
    /// A one-time prekey was handed out and is gone.
    HandedOut {
        #[serde(with = "jid")]
        who: Jid,
        id: u32,
    },
    /// A stanza was put into a mailbox.
    Queued {
        #[serde(with = "jid")]
        to: Jid,
        #[serde(rename = "letter")]
        queued: QueuedStanza,
    },
    /// A stanza left a mailbox: acknowledged, or too old.
    Cleared {
        #[serde(with = "jid")]
        who: Jid,
        seq: u64,
    },
    /// A message was accepted; the same key from the same sender is acknowledged again but not delivered again.
    Accepted {
        #[serde(with = "jid")]
        from: Jid,
        key: String,
        at: UnixSeconds,
    },
    /// Two users are contacts: each is notified of the other's identity changes.
    Met {
        #[serde(with = "jid")]
        a: Jid,
        #[serde(with = "jid")]
        b: Jid,
    },
    /// A block was set or lifted.
    Blocked {
        #[serde(with = "jid")]
        who: Jid,
        #[serde(with = "jid")]
        target: Jid,
        blocked: bool,
    },
    /// A client was connected at this time.
    Seen {
        #[serde(with = "jid")]
        who: Jid,
        at: UnixSeconds,
    },
}
