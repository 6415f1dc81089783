//! Authenticated encryption of database contents: AES-256-GCM under a key derived from the secret. A copy of the
//! database without the secret cannot sign anything.
//!
//! What this module does not know: what is sealed.

use super::error::KeyError;
use crate::hex;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hkdf::{HKDF_SHA256, KeyType, Salt},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    fs,
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Maximum size of a secret file that is read: the secret and a line end.
const MAX_FILE_BYTES: u64 = 256;
const KEY_INFO: &[&[u8]] = &[b"causeway partner signing keys"];

/// The source of the secret.
#[derive(Clone)]
pub(crate) enum SealingSecret {
    /// Given in the configuration.
    Given(Zeroizing<[u8; 32]>),
    /// A file that the operator supplies.
    File(PathBuf),
    /// A file in the data folder, generated at the first start.
    Generated(PathBuf),
}

impl std::fmt::Debug for SealingSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Given(_) => "Given",
            Self::File(_) => "File",
            Self::Generated(_) => "Generated",
        })
    }
}

/// Seals and unseals.
pub(crate) struct Seal(RandomizedNonceKey);

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

impl Seal {
    /// Reads the secret, generating it if the source allows that. Blocking.
    pub(crate) fn open(sealing_secret: &SealingSecret) -> Result<Self, KeyError> {
        match sealing_secret {
            SealingSecret::Given(secret) => Self::under(secret),
            // Group access is how containers and service managers pass a file to one user.
            SealingSecret::File(path) => Self::under(&*read(path, 0o007)?),
            SealingSecret::Generated(path) => {
                if !path.exists() {
                    make(path)?;
                }
                Self::under(&*read(path, 0o077)?)
            }
        }
    }

    fn under(secret: &[u8; 32]) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Library("derive a key from the secret");
        let mut key = Zeroizing::new([0; 32]);
        let derived = Salt::none(HKDF_SHA256).extract(secret);
        derived.expand(KEY_INFO, Length).and_then(|okm| okm.fill(key.as_mut_slice())).map_err(failed)?;
        Ok(Self(RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).map_err(failed)?))
    }

    /// Encrypts `content`, bound to `name`.
    pub(super) fn seal(&self, name: &str, content: &[u8]) -> Result<String, KeyError> {
        let mut bytes = Zeroizing::new(content.to_vec());
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(name), &mut *bytes)
            .map_err(|_| KeyError::Library("seal a key"))?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &bytes].concat()))
    }

    /// Decrypts; `None` under another secret or name, or if the text was changed.
    pub(super) fn unseal(&self, name: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, content) = bytes.split_at_checked(NONCE_LEN)?;
        let mut content = Zeroizing::new(content.to_vec());
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let length = self.0.open_in_place(nonce, Aad::from(name), &mut content).ok()?.len();
        content.truncate(length);
        Some(content)
    }
}

fn read(path: &Path, others: u32) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let at = |source| KeyError::File { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(at)?;
    let mode = file.metadata().map_err(at)?.permissions().mode() & 0o777;
    if mode & others != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(at)?;
    hex::parse_32_bytes(text.trim()).map(Zeroizing::new).ok_or_else(|| KeyError::NotASecret { path: path.to_owned() })
}

/// Writes a new secret atomically.
fn make(path: &Path) -> Result<(), KeyError> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(secret.as_mut_slice())?;
    let text =
        Zeroizing::new(secret.iter().fold(String::with_capacity(65), |text, byte| text + &format!("{byte:02x}")));
    let unfinished = path.with_extension("unfinished");
    let write = || {
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|source| KeyError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(byte: u8) -> Seal {
        Seal::open(&SealingSecret::Given(Zeroizing::new([byte; 32]))).unwrap()
    }

    #[test]
    fn only_the_same_secret_and_name_unseal() {
        let sealed = given(1).seal("token", b"a key").unwrap();
        assert_eq!(given(1).unseal("token", &sealed).as_deref().map(Vec::as_slice), Some(b"a key".as_slice()));
        assert!(given(2).unseal("token", &sealed).is_none());
        assert!(given(1).unseal("push", &sealed).is_none());
        assert_ne!(given(1).seal("token", b"a key").unwrap(), sealed, "every nonce is fresh");
    }

    #[test]
    fn changed_text_is_not_unsealed() {
        let sealed = given(1).seal("token", b"a key").unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert!(given(1).unseal("token", &URL_SAFE_NO_PAD.encode(&bytes)).is_none(), "byte {at}");
            bytes[at] ^= 1;
        }
        for bad in ["", "A", "AAAA", "not base64!"] {
            assert!(given(1).unseal("token", bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn the_generated_secret_is_made_once_and_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let sealing_secret = SealingSecret::Generated(folder.path().join("secret"));
        let sealed = Seal::open(&sealing_secret).unwrap().seal("token", b"a key").unwrap();
        let path = folder.path().join("secret");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(Seal::open(&sealing_secret).unwrap().unseal("token", &sealed).is_some());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Seal::open(&sealing_secret).err(), Some(KeyError::Exposed { mode: 0o640, .. })));
    }

    #[test]
    fn a_supplied_secret_is_never_generated_and_must_be_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let sealing_secret = SealingSecret::File(path.clone());
        assert!(matches!(Seal::open(&sealing_secret).err(), Some(KeyError::File { .. })));
        fs::write(&path, "abc").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Seal::open(&sealing_secret).err(), Some(KeyError::NotASecret { .. })));
        fs::write(&path, format!("{}\n", "0a".repeat(32))).unwrap();
        let sealed = Seal::open(&sealing_secret).unwrap().seal("token", b"a key").unwrap();
        assert!(given(10).unseal("token", &sealed).is_some());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Seal::open(&sealing_secret).err(), Some(KeyError::Exposed { mode: 0o644, .. })));
    }
}
