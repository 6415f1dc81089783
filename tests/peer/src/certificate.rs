//! The server's certificate chain: how it is issued, and the full check of a client (docs/spec/wire.md §2.7).
//!
//! Must not know where keys are stored, and which faults a test asks for.

use crate::noise::{CertificateChain, CertificateDetails, SignedCertificate};
use causeway_proto::signal::{KeyPair, PublicKey};
use prost::Message;
use rand_core::CryptoRng;
use std::ops::RangeInclusive;

/// Serial of the root as an issuer.
const ROOT_SERIAL: u32 = 0;
const INTERMEDIATE_SERIAL: u32 = 1;
const LEAF_SERIAL: u32 = 2;

/// What a chain certifies.
pub struct Chain<'a> {
    /// Signs the intermediate certificate. Clients are configured with its public half.
    pub root: &'a KeyPair,
    /// Signs the leaf certificate.
    pub intermediate: &'a KeyPair,
    /// The server's static key, named by the leaf.
    pub leaf: PublicKey,
    /// Validity of the intermediate, in unix seconds.
    pub intermediate_validity: RangeInclusive<u64>,
    /// Validity of the leaf, in unix seconds.
    pub leaf_validity: RangeInclusive<u64>,
}

impl Chain<'_> {
    /// The serialised chain, freshly signed.
    pub fn issue(&self, rng: &mut dyn CryptoRng) -> Vec<u8> {
        let leaf = certificate(LEAF_SERIAL, INTERMEDIATE_SERIAL, self.leaf, &self.leaf_validity);
        let leaf = signed(leaf, self.intermediate, rng);
        let intermediate = self.intermediate.public();
        let intermediate = certificate(INTERMEDIATE_SERIAL, ROOT_SERIAL, intermediate, &self.intermediate_validity);
        let intermediate = signed(intermediate, self.root, rng);
        CertificateChain { leaf: Some(leaf), intermediate: Some(intermediate) }.encode_to_vec()
    }
}

fn certificate(serial: u32, issuer: u32, subject: PublicKey, validity: &RangeInclusive<u64>) -> CertificateDetails {
    CertificateDetails {
        serial: Some(serial),
        issuer_serial: Some(issuer),
        key: Some(subject.0.to_vec()),
        not_before: Some(*validity.start()),
        not_after: Some(*validity.end()),
    }
}

fn signed(details: CertificateDetails, issuer: &KeyPair, rng: &mut dyn CryptoRng) -> SignedCertificate {
    let details = details.encode_to_vec();
    let signature = issuer.sign(&details, rng).to_vec();
    SignedCertificate { details: Some(details), signature: Some(signature) }
}

/// Whether a serialised chain, at `now` (unix seconds), leads from `root` to the key that the handshake has proved.
#[must_use]
pub fn is_trusted(root: &PublicKey, chain: &[u8], server_static: &[u8; 32], now: u64) -> bool {
    let verified = || {
        let chain = CertificateChain::decode(chain).ok()?;
        let (intermediate, intermediate_key) = opened(&chain.intermediate?, root, now)?;
        let (leaf, leaf_key) = opened(&chain.leaf?, &intermediate_key, now)?;
        let linked = intermediate.issuer_serial() == ROOT_SERIAL && leaf.issuer_serial() == intermediate.serial();
        Some(linked && leaf_key.0 == *server_static)
    };
    verified().unwrap_or(false)
}

fn opened(certificate: &SignedCertificate, issuer: &PublicKey, now: u64) -> Option<(CertificateDetails, PublicKey)> {
    let bytes = certificate.details.as_deref()?;
    let signature: &[u8; 64] = certificate.signature.as_deref()?.try_into().ok()?;
    let details = CertificateDetails::decode(bytes).ok()?;
    let key = PublicKey(details.key.as_deref()?.try_into().ok()?);
    let valid = (details.not_before()..=details.not_after()).contains(&now) && issuer.verify(bytes, signature);
    valid.then_some((details, key))
}
