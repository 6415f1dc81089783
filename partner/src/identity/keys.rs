//! The RSA keys that sign identity tokens: made at the first start, kept in files, published as a JWKS.
//!
//! What this module does not know: what is signed. Every key in the folder is published and the newest signs, so that a
//! key added later takes over while tokens under the old one still verify.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Largest key file that is read: a 4096-bit key has about 2,400 bytes.
const MAX_FILE_BYTES: u64 = 8_192;
/// Most keys in the folder: more is a mistake, and a JWKS that nobody wants to fetch.
const MAX_KEYS: usize = 16;
/// Smallest modulus that RS256 may be used with (RFC 7518 §3.3).
const MIN_MODULUS_BYTES: usize = 256;
const EXTENSION: &str = "pk8";

/// The signing keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file or the folder cannot be read or written.
    #[error("the signing key {}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others on this machine can read the key.
    #[error("the signing key {} can be read by others (mode {mode:o}). Run: chmod 600 {}", path.display(), path.display())]
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
    /// More keys than anyone needs.
    #[error("{} holds more than {MAX_KEYS} keys. Move the oldest away", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
    /// The cryptographic library could not make a key or a signature.
    #[error("the cryptographic library failed to {0}")]
    Library(&'static str),
}

/// One key and the name that tokens call it by.
struct SigningKey {
    pair: KeyPair,
    kid: String,
    modulus: String,
    exponent: String,
}

/// All keys, oldest first; at least one.
pub(crate) struct KeyRing {
    newest: SigningKey,
    older: Vec<SigningKey>,
}

impl KeyRing {
    /// Loads every key of `folder`, making folder and first key if there are none. Takes a moment: blocking.
    pub(crate) fn open(folder: &Path, now: u64) -> Result<Self, KeyError> {
        let at = |source| KeyError::File { path: folder.to_owned(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(at)? {
            let path = entry.map_err(at)?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                files.push(path);
            }
            if files.len() > MAX_KEYS {
                return Err(KeyError::TooMany { path: folder.to_owned() });
            }
        }
        // Names begin with the time of making, in as many digits: the order of names is the order of age.
        files.sort();
        let mut keys = files.iter().map(|file| load(file)).collect::<Result<Vec<_>, _>>()?;
        let newest = match keys.pop() {
            Some(newest) => newest,
            None => make(folder, now)?,
        };
        Ok(Self { newest, older: keys })
    }

    /// The name of the key that signs.
    pub(crate) fn kid(&self) -> &str {
        &self.newest.kid
    }

    /// RS256 over `message` with the newest key.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.newest.pair.public_modulus_len()];
        self.newest
            .pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| KeyError::Library("sign a token"))?;
        Ok(signature)
    }

    /// The public halves as a JSON Web Key Set (RFC 7517), in the shape of seed 001 §1.3.
    pub(crate) fn jwks(&self) -> String {
        let keys: Vec<_> = self
            .older
            .iter()
            .chain([&self.newest])
            .map(|key| {
                json!({"kid": key.kid, "kty": "RSA", "alg": "RS256", "use": "sig", "n": key.modulus, "e": key.exponent})
            })
            .collect();
        json!({ "keys": keys }).to_string()
    }
}

fn load(path: &Path) -> Result<SigningKey, KeyError> {
    let at = |source| KeyError::File { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(at)?;
    let mode = file.metadata().map_err(at)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(at)?;
    let pair = KeyPair::from_pkcs8(&bytes).ok().filter(|pair| pair.public_modulus_len() >= MIN_MODULUS_BYTES);
    pair.map(named).ok_or_else(|| KeyError::NotAKey { path: path.to_owned() })
}

/// Makes a key and writes it so that it is either there in full or not at all.
fn make(folder: &Path, now: u64) -> Result<SigningKey, KeyError> {
    let key = named(KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Library("make a signing key"))?);
    let der: Pkcs8V1Der<'_> = key.pair.as_der().map_err(|_| KeyError::Library("write a signing key"))?;
    let path = folder.join(format!("{now:012}-{}.{EXTENSION}", key.kid));
    let unfinished = path.with_extension("unfinished");
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        file.write_all(der.as_ref())?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        fs::File::open(folder)?.sync_all()
    };
    write().map_err(|source| KeyError::File { path, source })?;
    Ok(key)
}

fn named(pair: KeyPair) -> SigningKey {
    let public = pair.public_key();
    let modulus = URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
    let exponent = URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
    // RFC 7638: the hash of the required members, sorted, without spaces.
    let canonical = format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#);
    let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(canonical));
    SigningKey { pair, kid, modulus, exponent }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    #[test]
    fn the_first_start_makes_a_key_only_its_owner_reads_and_later_ones_use_it() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let first = KeyRing::open(&keys, 1_000).unwrap();
        assert_eq!(fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o700);
        let [file] = files(&keys).try_into().unwrap();
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(KeyRing::open(&keys, 2_000).unwrap().kid(), first.kid());
    }

    #[test]
    fn a_newer_key_signs_and_the_older_stays_published() {
        let folder = tempfile::tempdir().unwrap();
        let first = KeyRing::open(folder.path(), 1_000).unwrap();
        let second = make(folder.path(), 2_000).unwrap();
        let both = KeyRing::open(folder.path(), 3_000).unwrap();
        assert_eq!(both.kid(), second.kid);
        assert!(both.jwks().contains(first.kid()) && both.jwks().contains(&second.kid));
    }

    #[test]
    fn a_key_that_others_can_read_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        KeyRing::open(folder.path(), 1_000).unwrap();
        let [file] = files(folder.path()).try_into().unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let error = KeyRing::open(folder.path(), 2_000).err().unwrap();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_damaged_key_is_an_error_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        KeyRing::open(folder.path(), 1_000).unwrap();
        let [file] = files(folder.path()).try_into().unwrap();
        fs::write(&file, [0x30; 100]).unwrap();
        assert!(matches!(KeyRing::open(folder.path(), 2_000), Err(KeyError::NotAKey { .. })));
        assert_eq!(files(folder.path()), [file]);
    }
}
