//! Multiplication of the curve's base point, by a table that is computed once, at run time.
//!
//! `curve25519-dalek` has such a table behind its feature `precomputed-tables`, as 30 kB of constants that do not
//! compress. This one is computed from the base point instead: 32 × 8 points, 40 kB in memory. Every base point
//! multiplication (key generation, signatures, Noise) uses it; everything else goes to the library.
//!
//! All functions that take a secret are constant-time: the sequence of operations and of memory accesses does not
//! depend on the scalar. What this module does not know: what keys are for.

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::scalar::clamp_integer;
use curve25519_dalek::traits::Identity;
use curve25519_dalek::{EdwardsPoint, Scalar};
use std::sync::OnceLock;
use subtle::{Choice, ConditionallyNegatable, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

/// `[P, 2·P, …, 8·P]` for one power `P` of 256 times the base point.
type Multiples = [EdwardsPoint; 8];

/// The table, for the process. It holds nothing but a constant of the curve.
static TABLE: OnceLock<Vec<Multiples>> = OnceLock::new();

/// Computes the table now, so that the first key does not wait for it. Idempotent.
pub fn prepare() {
    let _table = table();
}

/// X25519 of the base point: the Montgomery form of `clamp(secret)·B`.
pub fn mul_base_clamped(secret: &[u8; 32]) -> [u8; 32] {
    let clamped = Zeroizing::new(clamp_integer(*secret));
    mul_base_bytes(&clamped).to_montgomery().to_bytes()
}

/// `scalar·B`.
pub fn mul_base(scalar: &Scalar) -> EdwardsPoint {
    mul_base_bytes(scalar.as_bytes())
}

/// The little-endian number in `bytes`, which must be below 2²⁵⁵, times the base point.
fn mul_base_bytes(bytes: &[u8; 32]) -> EdwardsPoint {
    let digits = radix_16(bytes);
    let (pairs, _) = digits.as_chunks::<2>();
    let table = table();
    let mut sum = EdwardsPoint::identity();
    for (multiples, [_, high]) in table.iter().zip(pairs) {
        sum += select(multiples, *high);
    }
    for _ in 0..4 {
        sum += sum;
    }
    for (multiples, [low, _]) in table.iter().zip(pairs) {
        sum += select(multiples, *low);
    }
    sum
}

fn table() -> &'static [Multiples] {
    TABLE.get_or_init(|| {
        let mut table = Vec::with_capacity(32);
        let mut power = ED25519_BASEPOINT_POINT;
        for _ in 0..32 {
            let mut multiples = [power; 8];
            let mut multiple = power;
            for later in multiples.iter_mut().skip(1) {
                multiple += power;
                *later = multiple;
            }
            table.push(multiples);
            // 8·P, five times doubled, is 256·P.
            power = multiple;
            for _ in 0..5 {
                power += power;
            }
        }
        table
    })
}

/// The digits of the number to the base 16, lowest first, each from -8 to 8.
fn radix_16(bytes: &[u8; 32]) -> Zeroizing<[i8; 64]> {
    let mut digits = Zeroizing::new([0; 64]);
    let (pairs, _) = digits.as_chunks_mut::<2>();
    let mut carry = 0;
    for ([low, high], byte) in pairs.iter_mut().zip(bytes) {
        for (digit, nibble) in [(low, byte & 15), (high, byte >> 4)] {
            let value = nibble.cast_signed() + carry;
            carry = (value + 8) >> 4;
            *digit = value - (carry << 4);
        }
    }
    // The number is below 2²⁵⁵: the last digit is at most 8 with the carry put back.
    if let Some(last) = digits.last_mut() {
        *last += carry << 4;
    }
    digits
}

/// `digit·P`, for a digit from -8 to 8, without a branch or an address that depends on it.
fn select(multiples: &Multiples, digit: i8) -> EdwardsPoint {
    let sign = digit.cast_unsigned() >> 7;
    let mask = 0_u8.wrapping_sub(sign);
    let magnitude = digit.cast_unsigned().wrapping_add(mask) ^ mask;
    let mut point = EdwardsPoint::identity();
    for (number, multiple) in (1_u8..).zip(multiples) {
        point.conditional_assign(multiple, magnitude.ct_eq(&number));
    }
    point.conditional_negate(Choice::from(sign));
    point
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::MontgomeryPoint;
    use proptest::prelude::*;

    #[test]
    fn extreme_scalars_agree_with_the_library() {
        let mut ends: Vec<[u8; 32]> = vec![[0; 32], [0xFF; 32], [0x88; 32], [0x77; 32], [0x80; 32], [0x08; 32]];
        ends.extend((0..32).map(|at| {
            let mut bytes = [0; 32];
            bytes[at] = 0xFF;
            bytes
        }));
        for bytes in ends {
            assert_eq!(mul_base_clamped(&bytes), MontgomeryPoint::mul_base_clamped(bytes).to_bytes(), "{bytes:02x?}");
            let scalar = Scalar::from_bytes_mod_order(bytes);
            assert_eq!(mul_base(&scalar), EdwardsPoint::mul_base(&scalar), "{bytes:02x?}");
        }
    }

    #[test]
    fn digits_are_bounded_and_add_up() {
        for bytes in [[0x7F; 32], [0x78; 32], [0x08; 32], [0x87; 32].map(|byte| byte & 0x7F)] {
            let digits = radix_16(&bytes);
            assert!(digits.iter().all(|digit| (-8..=8).contains(digit)));
            let sum = digits.iter().rev().fold(Scalar::ZERO, |sum, &digit| {
                let digit = match u8::try_from(digit) {
                    Ok(digit) => Scalar::from(digit),
                    Err(_) => -Scalar::from(digit.unsigned_abs()),
                };
                sum * Scalar::from(16_u8) + digit
            });
            assert_eq!(sum, Scalar::from_bytes_mod_order(bytes));
        }
    }

    proptest! {
        #[test]
        fn any_secret_agrees_with_the_library(secret in any::<[u8; 32]>()) {
            prop_assert_eq!(mul_base_clamped(&secret), MontgomeryPoint::mul_base_clamped(secret).to_bytes());
            let scalar = Scalar::from_bytes_mod_order(secret);
            prop_assert_eq!(mul_base(&scalar), EdwardsPoint::mul_base(&scalar));
        }
    }
}
