//! Errors of encryption and decryption, and their codes in retry receipts.
//!
//! What this module does not know: how often a message is retried, and what the user sees.

use super::agreement::AgreementError;
use super::message::EnvelopeError;

/// A message that could not be encrypted. The record is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// There is no session to encrypt with.
    #[error("there is no session with this contact yet; fetch their keys and initiate one")]
    NoSession,
    /// The session was built under another identity of ours.
    #[error("the session belongs to an identity that is no longer ours; fetch the contact's keys and initiate another")]
    OtherIdentity,
    /// 2³² − 1 messages without one answer.
    #[error("the sending chain is used up; fetch the contact's keys and initiate another session")]
    ChainExhausted,
    /// The session was restored from an older copy, and its sending chain may have been used since.
    #[error("the session was restored from an older copy; fetch the contact's keys and initiate another")]
    Frozen,
}

/// A message that could not be decrypted. The record is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// It belongs to a session that we do not have.
    #[error("there is no session with the sender; ask for the message again")]
    NoSession,
    /// It was decrypted before, or its key was deleted as one of too many. Acknowledge it; never request it again.
    #[error("message {counter} was decrypted before")]
    DuplicateMessage {
        /// The message's place in its chain.
        counter: u32,
    },
    /// It begins a session with a one-time prekey that we do not have, or no longer.
    #[error("the sender used one-time prekey {id}, which is used up or unknown; ask for the message again")]
    UnknownPreKey {
        /// The prekey's id.
        id: u32,
    },
    /// It begins a session with a signed prekey that we do not have, or no longer.
    #[error("the sender used signed prekey {id}, which is unknown or too old; ask for the message again")]
    UnknownSignedPreKey {
        /// The signed prekey's id.
        id: u32,
    },
    /// It names a session of ours, but another sender than the session's.
    #[error("the message names a session of ours, but another identity than the session's")]
    IdentityMismatch,
    /// Forged, damaged, or encrypted with a session that is out of step.
    #[error("the message's authenticator is wrong; ask for the message again")]
    BadMac,
    /// Genuine, but what is inside is not whole cipher blocks with a proper fill.
    #[error("the message is genuine, but its ciphertext is malformed; ask for the message again")]
    BadCiphertext,
    /// More messages are missing before it than we are willing to work through.
    #[error("message {counter} came when {next} was due; at most {max_jump} may be missing")]
    TooFarAhead {
        /// The message's place in its chain.
        counter: u32,
        /// The place that was due.
        next: u32,
        /// How many may be missing.
        max_jump: u32,
    },
    /// One of its keys cannot be used for an agreement.
    #[error(transparent)]
    Agreement(#[from] AgreementError),
    /// Not an envelope.
    #[error(transparent)]
    Malformed(EnvelopeError),
    /// Another version of the protocol.
    #[error("the message is of protocol version {got}, only version 3 is supported")]
    WrongVersion {
        /// The message's version.
        got: u8,
    },
}

impl DecryptError {
    /// The `error` of a retry receipt (docs/spec/wire.md §5.10). A [`DuplicateMessage`](Self::DuplicateMessage) is not
    /// retried; its code is 0, unknown.
    pub fn retry_code(&self) -> u32 {
        match self {
            Self::DuplicateMessage { .. } => 0,
            Self::NoSession => 1,
            Self::Agreement(AgreementError::WeakPublicKey(_)) => 2,
            Self::UnknownPreKey { .. } | Self::UnknownSignedPreKey { .. } => 3,
            Self::BadCiphertext | Self::Malformed(_) | Self::WrongVersion { .. } => 4,
            Self::Agreement(AgreementError::BadSignature) => 5,
            Self::TooFarAhead { .. } => 6,
            Self::BadMac => 7,
            Self::IdentityMismatch => 8,
        }
    }
}

impl From<EnvelopeError> for DecryptError {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::WrongVersion { got } => Self::WrongVersion { got },
            error => Self::Malformed(error),
        }
    }
}
