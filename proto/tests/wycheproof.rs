//! The primitives that sessions, handshakes and the store stand on, against Wycheproof: what others got wrong before.
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
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use causeway_proto::secret::Secret;
use causeway_proto::signal::{KeyPair, PublicKey, WeakPublicKey};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use vectors::hex;

/// One test of a file, with its group's fields.
struct Case {
    group: Value,
    test: Value,
}

impl Case {
    fn bytes(&self, name: &str) -> Vec<u8> {
        hex(self.test[name].as_str().unwrap())
    }

    fn number(&self, name: &str) -> usize {
        self.test.get(name).unwrap_or(&self.group[name]).as_u64().unwrap().try_into().unwrap()
    }

    fn is(&self, result: &str) -> bool {
        self.test["result"] == result
    }

    fn name(&self) -> String {
        format!("test {}: {}", self.test["tcId"], self.test["comment"])
    }
}

/// Runs every test of a file, whose number must be the expected one.
fn each(json: &str, expected: usize, run: impl Fn(&Case)) {
    let file: Value = serde_json::from_str(json).unwrap();
    let mut count = 0;
    for group in file["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            run(&Case { group: group.clone(), test: test.clone() });
            count += 1;
        }
    }
    assert_eq!((count, file["numberOfTests"].as_u64()), (expected, Some(expected as u64)));
}

#[test]
fn x25519() {
    each(include_str!("../../tests/vectors/wycheproof/x25519_test.json"), 518, |case| {
        let ours = KeyPair::from_secret(Secret::from_slice(&case.bytes("private")).unwrap());
        let remote = PublicKey::from_slice(&case.bytes("public")).unwrap();
        let shared = case.bytes("shared");
        // Stricter than the vectors: where they accept an all-zero secret, we refuse the key.
        let expected = if shared == [0; 32] { Err(WeakPublicKey) } else { Ok(Secret::from_slice(&shared).unwrap()) };
        assert!(!case.is("invalid"), "{}", case.name());
        assert_eq!(ours.agree(&remote), expected, "{}", case.name());
    });
}

#[test]
fn hkdf_sha256() {
    each(include_str!("../../tests/vectors/wycheproof/hkdf_sha256_test.json"), 86, |case| {
        let mut okm = vec![0; case.number("size")];
        let expanded =
            Hkdf::<Sha256>::new(Some(&case.bytes("salt")), &case.bytes("ikm")).expand(&case.bytes("info"), &mut okm);
        assert_eq!(expanded.is_ok(), case.is("valid"), "{}", case.name());
        if expanded.is_ok() {
            assert_eq!(okm, case.bytes("okm"), "{}", case.name());
        }
    });
}

#[test]
fn hmac_sha256() {
    each(include_str!("../../tests/vectors/wycheproof/hmac_sha256_test.json"), 162, |case| {
        let tag = case.bytes("tag");
        assert_eq!(tag.len() * 8, case.number("tagSize"));
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&case.bytes("key")).unwrap();
        let verified = mac.chain_update(case.bytes("msg")).verify_truncated_left(&tag);
        assert_eq!(verified.is_ok(), case.is("valid"), "{}", case.name());
    });
}

#[test]
fn aes_256_cbc_with_fill() {
    each(include_str!("../../tests/vectors/wycheproof/aes_cbc_pkcs5_test.json"), 72, |case| {
        let key: [u8; 32] = case.bytes("key").try_into().unwrap();
        let vector: [u8; 16] = case.bytes("iv").try_into().unwrap();
        let (plaintext, ciphertext) = (case.bytes("msg"), case.bytes("ct"));
        let decryptor = cbc::Decryptor::<Aes256>::new(&key.into(), &vector.into());
        let decrypted = decryptor.decrypt_padded_vec::<Pkcs7>(&ciphertext);
        assert_eq!(decrypted.as_ref().ok(), case.is("valid").then_some(&plaintext), "{}", case.name());
        if case.is("valid") {
            let encryptor = cbc::Encryptor::<Aes256>::new(&key.into(), &vector.into());
            assert_eq!(encryptor.encrypt_padded_vec::<Pkcs7>(&plaintext), ciphertext, "{}", case.name());
        }
    });
}

#[test]
fn aes_256_gcm() {
    each(include_str!("../../tests/vectors/wycheproof/aes_gcm_test.json"), 66, |case| {
        let cipher = Aes256Gcm::new_from_slice(&case.bytes("key")).unwrap();
        let nonce: [u8; 12] = case.bytes("iv").try_into().unwrap();
        let (plaintext, aad) = (case.bytes("msg"), case.bytes("aad"));
        let sealed = [case.bytes("ct"), case.bytes("tag")].concat();
        let decrypted = cipher.decrypt(&nonce.into(), Payload { msg: &sealed, aad: &aad });
        assert_eq!(decrypted.ok(), case.is("valid").then(|| plaintext.clone()), "{}", case.name());
        if case.is("valid") {
            let encrypted = cipher.encrypt(&nonce.into(), Payload { msg: &plaintext, aad: &aad }).unwrap();
            assert_eq!(encrypted, sealed, "{}", case.name());
        }
    });
}
