//! The security code: sixty digits that two users compare to detect a man in the middle (docs/spec/wire.md §8).
//!
//! What this module does not know: which stable identifiers the two sides use, and how a code is shown or scanned.

use core::fmt::Write as _;

use sha2::{Digest, Sha512};

use super::key::PublicKey;

/// The version of the scheme, hashed first.
const VERSION: [u8; 2] = [0, 0];

/// Iterations of the hash, which make a search for a key with the same code expensive.
const ROUNDS: usize = 5_200;

/// The code for the identities of two people, one for each of their devices, and their stable identifiers: 60 digits,
/// the same on both sides.
pub fn security_code(ours: &[PublicKey], our_id: &[u8], theirs: &[PublicKey], their_id: &[u8]) -> String {
    let (ours, theirs) = (half(ours, our_id), half(theirs, their_id));
    if ours <= theirs { ours + &theirs } else { theirs + &ours }
}

/// The 30 digits of one side.
fn half(identities: &[PublicKey], id: &[u8]) -> String {
    // A person has few devices, and the library's sort is more code to download than this.
    let mut keys = Vec::with_capacity(identities.len());
    for key in identities.iter().map(PublicKey::serialize) {
        let at = keys.iter().position(|known| *known > key).unwrap_or(keys.len());
        keys.insert(at, key);
    }
    let keys = keys.concat();
    let mut hash =
        Sha512::new().chain_update(VERSION).chain_update(&keys).chain_update(id).chain_update(&keys).finalize();
    for _ in 1..ROUNDS {
        hash = Sha512::new().chain_update(hash).chain_update(&keys).finalize();
    }
    let mut digits = String::with_capacity(60);
    for group in hash.as_slice().chunks_exact(5).take(6) {
        let number = group.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        // Writing to a string cannot fail.
        let _ = write!(digits, "{:05}", number % 100_000);
    }
    digits
}
