//! Prekeys: keys that a receiver uploads to the server, so that others can write to it while it is offline.
//!
//! What this module does not know: how prekeys are uploaded, fetched, stored and counted.

use core::fmt;

use rand_core::CryptoRng;

use super::key::{IdentityKeyPair, KeyPair, PublicKey};

/// A one-time prekey of ours; deleted when it is used.
#[derive(Clone, PartialEq, Eq)]
pub struct PreKeyPair {
    /// 24 bits on the wire.
    pub id: u32,
    /// The pair.
    pub pair: KeyPair,
}

impl PreKeyPair {
    /// Draws a new one.
    pub fn generate(id: u32, rng: &mut dyn CryptoRng) -> Self {
        Self { id, pair: KeyPair::generate(rng) }
    }
}

impl fmt::Debug for PreKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, pair } = self;
        f.debug_struct("PreKeyPair").field("id", id).field("public", &pair.public()).finish_non_exhaustive()
    }
}

/// A signed prekey of ours: used by many peers for some weeks.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedPreKeyPair {
    /// 24 bits on the wire.
    pub id: u32,
    /// The pair.
    pub pair: KeyPair,
    /// XEdDSA by the identity, over the serialized public key (33 bytes).
    pub signature: [u8; 64],
    /// When it was made, as the caller counts time.
    pub created: u64,
}

impl SignedPreKeyPair {
    /// Draws a new one and signs it.
    pub fn generate(id: u32, identity: &IdentityKeyPair, now: u64, rng: &mut dyn CryptoRng) -> Self {
        let pair = KeyPair::generate(rng);
        let signature = identity.sign(&pair.public().serialize(), rng);
        Self { id, pair, signature, created: now }
    }
}

impl fmt::Debug for SignedPreKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, pair, signature: _, created } = self;
        f.debug_struct("SignedPreKeyPair")
            .field("id", id)
            .field("public", &pair.public())
            .field("created", created)
            .finish_non_exhaustive()
    }
}

/// The prekeys of a peer, as the server hands them out: everything that is needed to establish a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreKeyBundle {
    /// Drawn by the other side when it was installed.
    pub registration_id: u32,
    /// The peer's identity, as the server claims it; verified only by comparing the security code.
    pub identity: PublicKey,
    /// 24 bits on the wire.
    pub signed_prekey_id: u32,
    /// The signed prekey.
    pub signed_prekey: PublicKey,
    /// XEdDSA by `identity`, over the serialized signed prekey.
    pub signed_prekey_signature: [u8; 64],
    /// A one-time prekey with its id, if the server had one left.
    pub prekey: Option<(u32, PublicKey)>,
}

impl PreKeyBundle {
    /// Whether the signed prekey is the identity's own.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.identity.verify(&self.signed_prekey.serialize(), &self.signed_prekey_signature)
    }
}

/// Look-up of our own prekeys during decryption. The caller has loaded them into memory.
pub trait PreKeys {
    /// The one-time prekey `id`, unless it was used or never existed.
    fn prekey(&self, id: u32) -> Option<&KeyPair>;
    /// The signed prekey `id`: the current one or a recent predecessor.
    fn signed_prekey(&self, id: u32) -> Option<&KeyPair>;
}
