//! Private keys of this server: kept in the database for every instance, sealed under a secret that is not in it, each
//! published before it signs and after it has signed.
//!
//! What this module does not know: what is signed ([`crate::identity`], [`crate::push`]).

mod key_ring;
mod repository;
mod seal;

pub(crate) use key_ring::{KeyEntry, KeyRing};
pub(crate) use seal::{Seal, SealingSecret};

use crate::store::StoreError;
use std::{io, path::PathBuf};
use zeroize::Zeroizing;

/// The keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file or the folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others on this machine can read the file.
    #[error("{} can be read by others (mode {mode:o}). Run: chmod 600 {}", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds no RSA key of 2048 bits or more in PKCS #8.
    #[error("{} is not an RSA key of at least 2048 bits in PKCS #8 DER. Restore it from the backup or move it away", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no secret.
    #[error("{} must hold 64 hex digits. Restore it from the backup", path.display())]
    NotASecret {
        /// The file.
        path: PathBuf,
    },
    /// More keys than anyone needs.
    #[error("there are {MAX_KEYS} keys for this purpose already. Wait until the oldest are no longer needed")]
    TooMany,
    /// A key in the database is sealed under another secret, or damaged.
    #[error(
        "the key {kid} in the database was not sealed under this secret. Restore the secret that `secret` or `secret_file` had"
    )]
    Sealed {
        /// Its name.
        kid: String,
    },
    /// There is no key, though one was made at the start.
    #[error("the signing keys are gone from the database")]
    Gone,
    /// The cryptographic library could not make a key or a signature.
    #[error("the cryptographic library failed to {0}")]
    Library(&'static str),
    /// The operating system has no randomness.
    #[error("the operating system has no randomness: {0}")]
    NoRandomness(#[from] getrandom::Error),
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Most keys of one purpose: more is a mistake, and a key set that nobody wants to fetch.
pub(crate) const MAX_KEYS: usize = 16;

/// A kind of key.
pub(crate) trait Key: Sized + Send + Sync + 'static {
    /// What the database calls the kind; bound to the sealed key.
    const PURPOSE: &'static str;
    /// Seconds that a key is published before it signs.
    const LEAD: i64;

    /// A fresh key. May take a second: blocking.
    fn make() -> Result<Self, KeyError>;
    /// From PKCS #8 DER; `None` if it is no key of this kind.
    fn read(der: &[u8]) -> Option<Self>;
    /// As PKCS #8 DER.
    fn write(&self) -> Result<Zeroizing<Vec<u8>>, KeyError>;
    /// The name: the hash of the public half.
    fn kid(&self) -> &str;
}
