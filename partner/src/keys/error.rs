//! Why a key cannot be loaded, created or used.

use super::{key_id::KeyId, limit::MAX_KEYS};
use crate::store::StoreError;
use std::{io, path::PathBuf};

/// A key cannot be loaded, created or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file or the folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Other users of this machine can read the file.
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
    /// The file does not contain a secret.
    #[error("{} must hold 64 hex digits. Restore it from the backup", path.display())]
    NotASecret {
        /// The file.
        path: PathBuf,
    },
    /// The maximum number of keys of one purpose, 16, has been reached.
    #[error("there are {MAX_KEYS} keys for this purpose already. Wait until the oldest are no longer needed")]
    TooMany,
    /// A key in the database is sealed under another secret, or damaged.
    #[error(
        "the key {kid} in the database was not sealed under this secret. Restore the secret that `secret` or `secret_file` had"
    )]
    Sealed {
        /// The id of the key.
        kid: KeyId,
    },
    /// The database contains no key, although one was created at the start.
    #[error("the signing keys are gone from the database")]
    Gone,
    /// The cryptographic library could not create a key or a signature.
    #[error("the cryptographic library failed to {0}")]
    Library(&'static str),
    /// The operating system has no randomness.
    #[error("the operating system has no randomness: {0}")]
    NoRandomness(#[from] getrandom::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
