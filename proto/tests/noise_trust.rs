//! Each check of the certificate chain (docs/spec/wire.md §2.7) refuses what it is there to refuse, under its own name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod vectors;

use causeway_proto::noise::trust::{Certificate, Root, TrustError, VerifiedServer, verify};
use causeway_proto::profile::Profile;
use causeway_proto::schema::handshake::{CertChain, CertificateDetails, NoiseCertificate};
use causeway_proto::signal::KeyPair;
use prost::Message;
use rand_core::SeedableRng;
use vectors::{bytes, secret};

const FROM: u64 = 1_700_000_000;
const UNTIL: u64 = 1_900_000_000;
const NOW: u64 = 1_800_000_000;

/// What an honest authority would sign. Each test spoils one thing before it is signed.
struct Authority {
    root: KeyPair,
    intermediate: KeyPair,
    server: [u8; 32],
    intermediate_details: CertificateDetails,
    leaf_details: CertificateDetails,
}

impl Authority {
    fn new() -> Self {
        let root = KeyPair::from_secret(secret("/noise/keys_private/root_ca"));
        let intermediate = KeyPair::from_secret(secret("/noise/keys_private/intermediate_ca"));
        let server = KeyPair::from_secret(secret("/noise/keys_private/server_static")).public().0;
        let details = |serial, issuer_serial, key: [u8; 32]| CertificateDetails {
            serial: Some(serial),
            issuer_serial: Some(issuer_serial),
            key: Some(key.to_vec()),
            not_before: Some(FROM),
            not_after: Some(UNTIL),
        };
        Self {
            intermediate_details: details(1, 0, intermediate.public().0),
            leaf_details: details(2, 1, server),
            root,
            intermediate,
            server,
        }
    }

    fn chain(&self) -> CertChain {
        CertChain {
            leaf: Some(sign(&self.intermediate, &self.leaf_details)),
            intermediate: Some(sign(&self.root, &self.intermediate_details)),
        }
    }

    fn root(&self) -> Root {
        Root::from(&Profile { root_key: self.root.public().0, root_serial: 0, ..Profile::default() })
    }

    fn check(&self, chain: &CertChain) -> Result<VerifiedServer, TrustError> {
        verify(&chain.encode_to_vec(), &self.server, &self.root(), NOW)
    }
}

fn sign(issuer: &KeyPair, details: &CertificateDetails) -> NoiseCertificate {
    let details = details.encode_to_vec();
    let signature = issuer.sign(&details, &mut rand_chacha::ChaCha20Rng::seed_from_u64(1));
    NoiseCertificate { details: Some(details), signature: Some(signature.to_vec()) }
}

#[test]
fn the_chain_of_the_vectors_is_trusted_under_its_root() {
    let root_key = bytes("/noise/root_public").try_into().unwrap();
    let root = Root::from(&Profile { root_key, ..Profile::default() });
    let server: [u8; 32] = bytes("/noise/keys_public/server_static").try_into().unwrap();
    let verified = verify(&bytes("/noise/cert_chain"), &server, &root, NOW).unwrap();
    assert_eq!(verified.key(), &server);
}

#[test]
fn an_honest_chain_is_trusted_and_ends_with_its_shorter_certificate() {
    let mut authority = Authority::new();
    authority.intermediate_details.not_after = Some(UNTIL - 5);
    let verified = authority.check(&authority.chain()).unwrap();
    assert_eq!(verified.not_after(), UNTIL - 5);
    assert_eq!((verified.leaf_serial(), verified.intermediate_serial()), (2, 1));
}

#[test]
fn a_chain_under_another_root_is_refused() {
    let mut authority = Authority::new();
    let chain = authority.chain();
    authority.root = KeyPair::from_secret(secret("/noise/keys_private/client_static"));
    assert_eq!(authority.check(&chain), Err(TrustError::BadSignature(Certificate::Intermediate)));
}

#[test]
fn a_leaf_that_the_intermediate_did_not_sign_is_refused() {
    let authority = Authority::new();
    let mut chain = authority.chain();
    chain.leaf = Some(sign(&authority.root, &authority.leaf_details));
    assert_eq!(authority.check(&chain), Err(TrustError::BadSignature(Certificate::Leaf)));
}

#[test]
fn changed_details_void_the_signature() {
    let authority = Authority::new();
    for (which, certificate) in [(Certificate::Intermediate, 0), (Certificate::Leaf, 1)] {
        let mut chain = authority.chain();
        let [intermediate, leaf] = [chain.intermediate.as_mut().unwrap(), chain.leaf.as_mut().unwrap()];
        let target = [intermediate, leaf].into_iter().nth(certificate).unwrap();
        let mut details = CertificateDetails::decode(target.details.as_deref().unwrap()).unwrap();
        details.not_after = Some(u64::MAX);
        target.details = Some(details.encode_to_vec());
        assert_eq!(authority.check(&chain), Err(TrustError::BadSignature(which)));
    }
}

#[test]
fn each_certificate_must_name_its_issuer() {
    let mut authority = Authority::new();
    authority.intermediate_details.issuer_serial = Some(7);
    let wrong = |certificate, expected, got| Err(TrustError::WrongIssuer { certificate, expected, got });
    assert_eq!(authority.check(&authority.chain()), wrong(Certificate::Intermediate, 0, 7));

    let mut authority = Authority::new();
    authority.leaf_details.issuer_serial = Some(0);
    assert_eq!(authority.check(&authority.chain()), wrong(Certificate::Leaf, 1, 0));
}

#[test]
fn a_sound_leaf_for_another_key_is_refused() {
    let mut authority = Authority::new();
    authority.leaf_details.key = Some(vec![9; 32]);
    assert_eq!(authority.check(&authority.chain()), Err(TrustError::KeyMismatch));
}

#[test]
fn both_certificates_must_be_valid_now() {
    for (certificate, pick) in [
        (Certificate::Intermediate, (|a| &mut a.intermediate_details) as fn(&mut Authority) -> &mut CertificateDetails),
        (Certificate::Leaf, |a| &mut a.leaf_details),
    ] {
        let mut early = Authority::new();
        pick(&mut early).not_before = Some(NOW + 1);
        let expected = TrustError::NotYetValid { certificate, not_before: NOW + 1, now: NOW };
        assert_eq!(early.check(&early.chain()), Err(expected));

        let mut late = Authority::new();
        pick(&mut late).not_after = Some(NOW - 1);
        let expected = TrustError::Expired { certificate, not_after: NOW - 1, now: NOW };
        assert_eq!(late.check(&late.chain()), Err(expected));

        let mut dateless = Authority::new();
        pick(&mut dateless).not_after = None;
        assert_eq!(dateless.check(&dateless.chain()), Err(TrustError::Expired { certificate, not_after: 0, now: NOW }));
    }
}

#[test]
fn the_first_and_the_last_second_are_valid() {
    let authority = Authority::new();
    let chain = authority.chain().encode_to_vec();
    let at = |now| verify(&chain, &authority.server, &authority.root(), now);
    assert!(at(FROM).is_ok() && at(UNTIL).is_ok());
    assert!(at(FROM - 1).is_err() && at(UNTIL + 1).is_err());
}

#[test]
fn what_is_missing_is_named() {
    let authority = Authority::new();
    let missing = |certificate, field| Err(TrustError::Missing { certificate, field });
    assert_eq!(authority.check(&CertChain::default()), missing(Certificate::Intermediate, "certificate"));

    let mut chain = authority.chain();
    chain.leaf = None;
    assert_eq!(authority.check(&chain), missing(Certificate::Leaf, "certificate"));

    let mut chain = authority.chain();
    chain.leaf.as_mut().unwrap().signature = None;
    assert_eq!(authority.check(&chain), missing(Certificate::Leaf, "signature"));

    let mut chain = authority.chain();
    chain.intermediate.as_mut().unwrap().details = None;
    assert_eq!(authority.check(&chain), missing(Certificate::Intermediate, "details"));

    let mut authority = Authority::new();
    authority.leaf_details.key = None;
    assert_eq!(authority.check(&authority.chain()), missing(Certificate::Leaf, "key"));
}

#[test]
fn keys_and_signatures_have_one_length() {
    let mut authority = Authority::new();
    let wrong = |certificate, field, expected, got| Err(TrustError::WrongLength { certificate, field, expected, got });
    let mut chain = authority.chain();
    chain.leaf.as_mut().unwrap().signature = Some(vec![0; 63]);
    assert_eq!(authority.check(&chain), wrong(Certificate::Leaf, "signature", 64, 63));
    authority.intermediate_details.key = Some(vec![5; 33]);
    assert_eq!(authority.check(&authority.chain()), wrong(Certificate::Intermediate, "key", 32, 33));
}

#[test]
fn bytes_that_are_no_chain_are_malformed() {
    let authority = Authority::new();
    let result = verify(&[0xFF; 8], &authority.server, &authority.root(), NOW);
    assert!(matches!(result, Err(TrustError::Malformed(_))));
}
