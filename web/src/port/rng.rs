//! Randomness from the browser's `crypto.getRandomValues`.

use getrandom::SysRng;
use rand_core::{Rng, UnwrapErr};

/// The browser gave no randomness; nothing can be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this browser provides no secure random numbers")]
pub struct NoRandomness;

/// The browser's generator. Made by [`open`], which proves that it works.
pub type BrowserRng = UnwrapErr<SysRng>;

/// Draws once, so that a browser without randomness is met here and not in the midst of a handshake: where
/// `getRandomValues` exists at all, it does not fail later.
///
/// # Errors
/// [`NoRandomness`].
pub fn open() -> Result<BrowserRng, NoRandomness> {
    getrandom::u32().map_err(|_| NoRandomness)?;
    Ok(UnwrapErr(SysRng))
}

/// A number that names a command: random, because tabs do not know of each other.
///
/// # Errors
/// [`NoRandomness`].
pub fn tag() -> Result<u64, NoRandomness> {
    open().map(|mut rng| rng.next_u64())
}
