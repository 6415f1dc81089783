//! The primitives that sessions, handshakes and the store stand on, against the vectors of their standards.
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

use aes::Aes256;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding};
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use causeway_proto::secret::Secret;
use causeway_proto::signal::{KeyPair, PublicKey};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use vectors::hex;

fn tests(json: &str, expected: usize) -> Vec<Value> {
    let file: Value = serde_json::from_str(json).unwrap();
    let tests = file["tests"].as_array().unwrap().clone();
    assert_eq!(tests.len(), expected);
    tests
}

fn field(test: &Value, name: &str) -> Vec<u8> {
    hex(test[name].as_str().unwrap())
}

#[test]
fn x25519_of_rfc_7748() {
    for test in tests(include_str!("../../tests/vectors/rfc/x25519.json"), 4) {
        let ours = KeyPair::from_secret(Secret::from_slice(&field(&test, "private")).unwrap());
        let remote = PublicKey::from_slice(&field(&test, "public")).unwrap();
        assert_eq!(ours.agree(&remote).unwrap().expose().as_slice(), field(&test, "shared"));
    }
}

#[test]
fn x25519_of_rfc_7748_a_thousand_times() {
    let mut k = PublicKey({
        let mut nine = [0; 32];
        nine[0] = 9;
        nine
    });
    let mut u = k;
    for _ in 0..1_000 {
        let next = KeyPair::from_secret(Secret::new(k.0)).agree(&u).unwrap();
        (k, u) = (PublicKey(*next.expose()), k);
    }
    assert_eq!(k.0.as_slice(), hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));
}

#[test]
fn hkdf_sha256_of_rfc_5869() {
    for test in tests(include_str!("../../tests/vectors/rfc/hkdf_sha256.json"), 3) {
        let mut okm = vec![0; field(&test, "okm").len()];
        Hkdf::<Sha256>::new(Some(&field(&test, "salt")), &field(&test, "ikm"))
            .expand(&field(&test, "info"), &mut okm)
            .unwrap();
        assert_eq!(okm, field(&test, "okm"));
    }
}

#[test]
fn hmac_sha256_of_rfc_4231() {
    for test in tests(include_str!("../../tests/vectors/rfc/hmac_sha256.json"), 7) {
        let tag = field(&test, "tag");
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&field(&test, "key")).unwrap();
        let got = mac.chain_update(field(&test, "data")).finalize().into_bytes();
        assert_eq!(got[..tag.len()], tag);
    }
}

#[test]
fn aes_256_cbc_of_sp_800_38a() {
    for test in tests(include_str!("../../tests/vectors/rfc/aes_256_cbc.json"), 1) {
        let key: [u8; 32] = field(&test, "key").try_into().unwrap();
        let vector: [u8; 16] = field(&test, "iv").try_into().unwrap();
        let (plaintext, ciphertext) = (field(&test, "plaintext"), field(&test, "ciphertext"));
        let encryptor = cbc::Encryptor::<Aes256>::new(&key.into(), &vector.into());
        assert_eq!(encryptor.encrypt_padded_vec::<NoPadding>(&plaintext), ciphertext);
        let decryptor = cbc::Decryptor::<Aes256>::new(&key.into(), &vector.into());
        assert_eq!(decryptor.decrypt_padded_vec::<NoPadding>(&ciphertext).unwrap(), plaintext);
    }
}

#[test]
fn aes_256_gcm_of_its_authors() {
    for test in tests(include_str!("../../tests/vectors/rfc/aes_256_gcm.json"), 4) {
        let cipher = Aes256Gcm::new_from_slice(&field(&test, "key")).unwrap();
        let nonce: [u8; 12] = field(&test, "nonce").try_into().unwrap();
        let (plaintext, aad) = (field(&test, "plaintext"), field(&test, "aad"));
        let sealed = [field(&test, "ciphertext"), field(&test, "tag")].concat();
        let payload = |msg| Payload { msg, aad: &aad };
        assert_eq!(cipher.encrypt(&nonce.into(), payload(&plaintext)).unwrap(), sealed);
        assert_eq!(cipher.decrypt(&nonce.into(), payload(&sealed)).unwrap(), plaintext);
    }
}
