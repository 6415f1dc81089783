//! Randomness from the browser's `crypto.getRandomValues`.

use core::convert::Infallible;
use getrandom::SysRng;
use rand_core::{TryCryptoRng, TryRng, UnwrapErr};
use zeroize::{Zeroize, Zeroizing};

/// Bytes drawn at once: a call into the browser costs more than the randomness of a hundred nonces.
const DRAWN: usize = 1024;

/// The browser gave no randomness; nothing can be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this browser provides no secure random numbers")]
pub struct NoRandomness;

/// The browser's generator. Made by [`open`], which proves that it works. What was given away is wiped here.
pub struct BrowserRng {
    drawn: Zeroizing<[u8; DRAWN]>,
    /// Number of bytes at the end of `drawn` that were not used yet.
    left: usize,
}

/// Draws once, so that a browser without randomness is met here and not in the midst of a handshake: where
/// `getRandomValues` exists at all, it does not fail later.
///
/// # Errors
/// [`NoRandomness`].
pub fn open() -> Result<BrowserRng, NoRandomness> {
    let mut drawn = Zeroizing::new([0; DRAWN]);
    SysRng.try_fill_bytes(drawn.as_mut_slice()).map_err(|_| NoRandomness)?;
    Ok(BrowserRng { drawn, left: DRAWN })
}

impl TryRng for BrowserRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, wanted: &mut [u8]) -> Result<(), Infallible> {
        if wanted.len() > DRAWN {
            return UnwrapErr(SysRng).try_fill_bytes(wanted);
        }
        if wanted.len() > self.left {
            UnwrapErr(SysRng).try_fill_bytes(self.drawn.as_mut_slice())?;
            self.left = DRAWN;
        }
        let unused_len = self.left.saturating_sub(wanted.len());
        let drawn = self.drawn.get_mut(..self.left).and_then(|drawn| drawn.split_at_mut_checked(unused_len));
        let Some((unused, given)) = drawn else { return UnwrapErr(SysRng).try_fill_bytes(wanted) };
        wanted.copy_from_slice(given);
        given.zeroize();
        self.left = unused.len();
        Ok(())
    }
}

impl TryCryptoRng for BrowserRng {}

/// A number that names a command: random, because tabs do not know of each other.
///
/// # Errors
/// [`NoRandomness`].
pub fn tag() -> Result<u64, NoRandomness> {
    getrandom::u64().map_err(|_| NoRandomness)
}
