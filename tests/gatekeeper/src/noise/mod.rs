//! Noise XX as WhatsApp speaks it, on `snow`: the responder for the chat server, the initiator for the phones.
//!
//! Written apart from the client's handshake on purpose: every constant is typed again here, so that both ends cannot
//! agree on one mistake (wire.md §2). What it does not know: sockets, certificates' meaning, and stanzas.

mod cipher;
mod initiator;
mod messages;
mod resolver;
mod responder;

pub(crate) use cipher::{CipherError, OpeningCipher, SealingCipher};
pub(crate) use initiator::{InitiatorError, initiate};
pub(crate) use messages::{CertificateChain, CertificateDetails, SignedCertificate};
pub(crate) use responder::{ResponderError, respond};

/// Name of the one pattern spoken here (wire.md §2.1).
const PATTERN: &str = "Noise_XX_25519_AESGCM_SHA256";
/// Bytes of an X25519 public key.
const KEY: usize = 32;
/// Bytes of an AES-GCM tag.
const TAG: usize = 16;
/// `snow` takes no handshake message above this.
const MAX_MESSAGE: usize = 65_535;
