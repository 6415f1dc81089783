//! The encrypted channel to the chat server: Noise XX with WhatsApp's one deviation, and its certificate check.
//!
//! [`handshake`] is a chain of types consumed by value, so that no step can be left out or repeated:
//! `start` -> [`handshake::AwaitServerHello`] -> [`handshake::Verified`] -> [`Transport`]. A [`trust::VerifiedServer`]
//! comes only from the verifier. [`payload`] is the client payload of the last message, [`cipher`]
//! seals and opens frames afterwards.
//!
//! What this module does not know: sockets, frames (`frame`), and the content of the channel.

pub mod handshake;
pub mod payload;
mod resolver;
pub mod trust;

pub use causeway_primitives::cipher;

use crate::curve;
use crate::secret::Secret;
use cipher::{OpeningCipher, SealingCipher};
use core::fmt;

/// The client's long-lived X25519 key of the channel: `authkey` of the enlistment (docs/spec/wire.md §9.1).
///
/// It is not the identity key of the end-to-end encryption.
#[derive(Clone)]
pub struct StaticKey {
    secret: Secret<32>,
    public: [u8; 32],
}

impl StaticKey {
    /// Draws a key.
    pub fn generate(rng: &mut dyn rand_core::CryptoRng) -> Self {
        Self::from_secret(Secret::random(rng))
    }

    /// The key whose secret scalar is `secret`; X25519 clamps it where it is used.
    pub fn from_secret(secret: Secret<32>) -> Self {
        let public = curve::mul_base_clamped(secret.expose());
        Self { secret, public }
    }

    /// The public half, as the server knows it: 32 bytes, no type byte.
    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// The secret half, for storing.
    pub fn secret(&self) -> &Secret<32> {
        &self.secret
    }
}

impl fmt::Debug for StaticKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticKey").finish_non_exhaustive()
    }
}

/// Both directions of the channel once the handshake is done. Each frame of the stream goes through it once, in order.
#[derive(Debug)]
pub struct Transport {
    /// Client to server.
    pub seal: SealingCipher,
    /// Server to client.
    pub open: OpeningCipher,
}
