//! The root key: what two parties share between one ratchet step and the next.
//!
//! What this module does not know: when a step is due, and what the chains that it starts are used for.

use super::chain_key::ChainKey;
use super::kdf;
use super::key::{KeyPair, PublicKey, WeakPublicKey};
use crate::secret::Secret;

const INFO: &[u8] = b"WhisperRatchet";

/// The secret from which the next chain is derived, together with a fresh Diffie-Hellman output.
#[derive(Clone, Debug)]
pub(super) struct RootKey(Secret<32>);

impl RootKey {
    pub(super) fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(super) fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// One Diffie-Hellman ratchet step: the next root key, and the chain between `ours` and `remote`.
    pub(super) fn step(&self, ours: &KeyPair, remote: &PublicKey) -> Result<(Self, ChainKey), WeakPublicKey> {
        let shared = ours.agree(remote)?;
        let parts = kdf::derive::<2>(Some(self.0.expose()), shared.expose(), INFO);
        let [root, chain] = &*parts;
        Ok((Self(Secret::new(*root)), ChainKey::new(Secret::new(*chain))))
    }
}
