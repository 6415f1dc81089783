//! The operating system's randomness, in the shape that the wire crate's functions take.

use crate::hex;
use rand_core::{Rng as _, UnwrapErr};

/// The system's generator. A machine without randomness cannot run a sandbox: it stops there.
pub(crate) fn rng() -> UnwrapErr<getrandom::SysRng> {
    UnwrapErr(getrandom::SysRng)
}

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rng().fill_bytes(&mut bytes);
    bytes
}

/// A number from `1` to `bound`, near enough to even for ids.
pub(crate) fn up_to(bound: u64) -> u64 {
    rng().next_u64() % bound + 1
}

/// An id for a stanza of the sandbox's own.
pub(crate) fn stanza_id() -> String {
    hex::encode(&bytes::<8>()).to_uppercase()
}
