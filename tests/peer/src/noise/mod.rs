//! WhatsApp's variant of Noise XX, on `snow`: the responder for the chat server, the initiator for phones
//! (docs/spec/wire.md §2).
//!
//! Written separately from the client's handshake on purpose: every constant stands here a second time, so that both
//! ends can't agree on one mistake. Must not know sockets, what certificates mean, and stanzas.

mod cipher;
mod initiator;
mod messages;
mod resolver;
mod responder;

pub use cipher::{CipherError, OpeningCipher, SealingCipher};
pub use initiator::{AwaitHello, AwaitVerdict, InitiatorError, initiate};
pub use messages::{CertificateChain, CertificateDetails, SignedCertificate};
pub use responder::{Accepted, AwaitFinish, ResponderError, respond};

/// Noise protocol name (docs/spec/wire.md §2.1).
const PATTERN: &str = "Noise_XX_25519_AESGCM_SHA256";
/// Bytes of an X25519 public key.
const KEY: usize = 32;
/// Bytes of an AES-GCM tag.
const TAG: usize = 16;
/// `snow` takes no handshake message above this.
const MAX_MESSAGE: usize = 65_535;
