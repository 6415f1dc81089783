//! A device that a message of ours is for, until it has receipted the message or was given up.

use super::address::{ChatId, DeviceAddress};
use super::stanza_id::StanzaId;
use crate::id::MessageSeq;
use crate::time::UnixMillis;
use causeway_proto::signal::PublicKey;
use zeroize::Zeroizing;

/// Bytes of a fingerprint of a retry request.
pub const FINGERPRINT: usize = 8;

/// One recipient of one message. The same envelope is sent until the server accepts it; another one replaces it only if
/// the device asks for the message again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The chat.
    pub chat: ChatId,
    /// The message in it.
    pub seq: MessageSeq,
    /// The stanza id, the same for every recipient and every resend.
    pub id: StanzaId,
    /// The device.
    pub address: DeviceAddress,
    /// When the message was written.
    pub written_at: UnixMillis,
    /// How far it is.
    pub stage: Stage,
    /// When the server first accepted an envelope; `None` if it never did.
    pub accepted_at: Option<UnixMillis>,
    /// The identity key that the last envelope was encrypted for.
    pub identity: Option<PublicKey>,
    /// Number of envelopes after the first.
    pub resends: u32,
    /// Fingerprints of the retry requests that were served.
    pub served: Vec<[u8; FINGERPRINT]>,
}

/// How far a message is on its way to a device.
#[derive(Clone, PartialEq, Eq)]
pub enum Stage {
    /// To be encrypted.
    Queued,
    /// Encrypted, and not accepted by the server.
    Sealed {
        /// `pkmsg` or `msg`.
        kind: String,
        /// The ciphertext.
        envelope: Vec<u8>,
    },
    /// The server has it; the device has not receipted it.
    Accepted,
}

impl core::fmt::Debug for Stage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Queued => f.write_str("Queued"),
            Self::Sealed { kind, envelope } => write!(f, "Sealed({kind}, {} bytes)", envelope.len()),
            Self::Accepted => f.write_str("Accepted"),
        }
    }
}

impl Recipient {
    /// Whether there is something to send.
    pub fn waits(&self) -> bool {
        self.stage != Stage::Accepted
    }
}

/// The content of a message as it is encrypted, without padding.
pub type Plaintext = Zeroizing<Vec<u8>>;
