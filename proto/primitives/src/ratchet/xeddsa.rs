//! XEdDSA: Ed25519-like signatures made with X25519 keys, in the variant that WhatsApp and Signal use.
//!
//! It differs from the published scheme in one point: the key is not negated to make its sign zero. Instead the sign
//! of the signer's Edwards point travels in the highest bit of the signature.
//!
//! What this module does not know: what is signed, or why (prekeys, certificates, …).

use crate::curve;
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint, Scalar, scalar::clamp_integer};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

/// The bit of the signature's last byte that carries the sign of the signer's Edwards point.
const SIGN_BIT: u8 = 0x80;

/// The prefix that separates the hash for the nonce from every other use of SHA-512: 0xFE, then 31 times 0xFF.
const NONCE_PREFIX: [u8; 32] = {
    let mut prefix = [0xFF; 32];
    prefix[0] = 0xFE;
    prefix
};

/// Signs `message` with an X25519 secret. `randomness` must be fresh for every signature.
pub(super) fn sign(secret: &[u8; 32], message: &[u8], randomness: &[u8; 64]) -> [u8; 64] {
    let clamped = Zeroizing::new(clamp_integer(*secret));
    let a = Zeroizing::new(Scalar::from_bytes_mod_order(*clamped));
    let public = curve::mul_base(&a).compress().to_bytes();

    let nonce = Zeroizing::new(<[u8; 64]>::from(
        Sha512::new()
            .chain_update(NONCE_PREFIX)
            .chain_update(clamped.as_slice())
            .chain_update(message)
            .chain_update(randomness)
            .finalize(),
    ));
    let r = Zeroizing::new(Scalar::from_bytes_mod_order_wide(&nonce));
    let commitment = curve::mul_base(&r).compress().to_bytes();
    let s = *r + challenge(&commitment, &public, message) * *a;

    let mut signature = [0; 64];
    let (head, tail) = signature.split_at_mut(32);
    head.copy_from_slice(&commitment);
    tail.copy_from_slice(s.as_bytes());
    signature[63] = (signature[63] & !SIGN_BIT) | (public[31] & SIGN_BIT);
    signature
}

/// Whether `signature` over `message` was made with the secret of `public`.
///
/// Stricter than some implementations in two points that no honest signer can notice: the second half must be a
/// canonical scalar (otherwise a second valid signature could be derived from the first), and a signer of small order,
/// for which valid signatures can be forged, is refused. Not constant-time: nothing here is secret.
pub(super) fn verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let sign = (signature[63] & SIGN_BIT) >> 7;
    let mut commitment = [0; 32];
    let mut s = [0; 32];
    let (head, tail) = signature.split_at(32);
    commitment.copy_from_slice(head);
    s.copy_from_slice(tail);
    s[31] &= !SIGN_BIT;

    let Some(s) = Scalar::from_canonical_bytes(s).into_option() else { return false };
    let Some(signer) = MontgomeryPoint(*public).to_edwards(sign) else { return false };
    if signer.is_small_order() {
        return false;
    }
    let h = challenge(&commitment, signer.compress().as_bytes(), message);
    EdwardsPoint::vartime_double_scalar_mul_basepoint(&h, &-signer, &s).compress().to_bytes() == commitment
}

fn challenge(commitment: &[u8; 32], public: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(commitment).chain_update(public).chain_update(message).finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"a prekey";

    /// Secrets whose Edwards points have either sign, so that both values of the sign bit are exercised.
    fn secrets_of_either_sign() -> [[u8; 32]; 2] {
        let sign_of = |secret: &[u8; 32]| sign(secret, MESSAGE, &[0; 64])[63] & SIGN_BIT;
        let with_sign = |wanted| (1..=u8::MAX).map(|byte| [byte; 32]).find(|secret| sign_of(secret) == wanted).unwrap();
        [with_sign(0), with_sign(SIGN_BIT)]
    }

    fn public_of(secret: [u8; 32]) -> [u8; 32] {
        MontgomeryPoint::mul_base_clamped(secret).to_bytes()
    }

    #[test]
    fn signatures_of_either_sign_verify() {
        for secret in secrets_of_either_sign() {
            let signature = sign(&secret, MESSAGE, &[7; 64]);
            assert!(verify(&public_of(secret), MESSAGE, &signature));
        }
    }

    #[test]
    fn one_changed_bit_anywhere_is_noticed() {
        for secret in secrets_of_either_sign() {
            let public = public_of(secret);
            let signature = sign(&secret, MESSAGE, &[7; 64]);
            for bit in 0..512 {
                let mut forged = signature;
                forged[bit / 8] ^= 1 << (bit % 8);
                assert!(!verify(&public, MESSAGE, &forged), "bit {bit} of the signature");
            }
            for bit in 0..255 {
                let mut other = public;
                other[bit / 8] ^= 1 << (bit % 8);
                assert!(!verify(&other, MESSAGE, &signature), "bit {bit} of the key");
            }
            assert!(!verify(&public, b"a prekez", &signature));
        }
    }

    #[test]
    fn a_scalar_beyond_the_group_order_is_refused() {
        // The group order: adding it to the scalar half leaves the verification equation true.
        let order = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let [secret, _] = secrets_of_either_sign();
        let mut signature = sign(&secret, MESSAGE, &[7; 64]);
        let mut carry = 0;
        for (byte, add) in signature[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + add + carry;
            *byte = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        assert!(!verify(&public_of(secret), MESSAGE, &signature));
    }

    #[test]
    fn a_signer_of_small_order_is_refused() {
        // With A of order two and h even, R = S·B holds for any S: a forgery.
        let s = Scalar::from(5_u8);
        let commitment = EdwardsPoint::mul_base(&s).compress().to_bytes();
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&commitment);
        signature[32..].copy_from_slice(s.as_bytes());
        assert!((0..=u8::MAX).all(|byte| !verify(&[0; 32], &[byte], &signature)));
    }
}
