//! HKDF-SHA256 and HMAC-SHA256 in the shapes that the protocol uses, in one place and without a way to fail.
//!
//! What this module does not know: which key a derivation leads to.

use std::sync::LazyLock;

use hkdf::HkdfExtract;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// An extraction without salt. Every message needs one, and setting it up is a tenth of the message's hashing.
static UNSALTED: LazyLock<HkdfExtract<Sha256>> = LazyLock::new(|| HkdfExtract::new(None));

/// HKDF-SHA256 (RFC 5869) of `ikm`, cut into `PARTS` keys of 32 bytes. No salt means 32 zero bytes.
pub fn derive<const PARTS: usize>(salt: Option<&[u8; 32]>, ikm: &[u8], info: &[u8]) -> Zeroizing<[[u8; 32]; PARTS]> {
    const { assert!(PARTS <= 255, "HKDF-SHA256 gives at most 255 blocks of 32 bytes") };
    let mut extract = match salt {
        Some(salt) => HkdfExtract::new(Some(salt)),
        None => UNSALTED.clone(),
    };
    extract.input_ikm(ikm);
    let (_, expand) = extract.finalize();
    let mut parts = Zeroizing::new([[0; 32]; PARTS]);
    #[expect(clippy::expect_used, reason = "the length was checked when this was compiled")]
    expand.expand(info, parts.as_flattened_mut()).expect("at most 255 blocks");
    parts
}

/// HMAC-SHA256 (RFC 2104) under a key of 32 bytes, ready to take what it covers.
#[expect(clippy::expect_used, reason = "HMAC is defined for keys of every length")]
pub fn hmac(key: &[u8; 32]) -> Hmac<Sha256> {
    <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("a key of any length")
}

/// The 32 bytes of a finished [`hmac()`].
pub fn finish(mac: Hmac<Sha256>) -> [u8; 32] {
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &str = include_str!("../../../../tests/vectors/vectors.json");

    #[test]
    fn the_derivations_of_the_protocol_are_the_reference_s() {
        let vectors: serde_json::Value = serde_json::from_str(VECTORS).unwrap();
        let check = |name: &str, output: &str, salt: Option<[u8; 32]>, ikm: &[u8]| {
            let vector = &vectors["hkdf"][name];
            let parts = derive::<3>(salt.as_ref(), ikm, vector["info_ascii"].as_str().unwrap().as_bytes());
            let hex: String = parts.as_flattened().iter().map(|byte| format!("{byte:02x}")).collect();
            // A shorter output is the beginning of a longer one.
            let expected = vector[output].as_str().unwrap();
            assert_eq!(hex.get(..expected.len()), Some(expected), "{name}");
        };
        check("whispertext", "okm64", None, &[[0xFF; 32], [1; 32]].concat());
        check("whisperratchet", "okm64", Some([3; 32]), &[2; 32]);
        check("whispermessagekeys", "okm80", None, &[4; 32]);
    }
}
