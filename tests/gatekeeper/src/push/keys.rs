//! The RSA keys that sign push calls, published under `/.well-known/jwks` as WhatsApp publishes its own
//! (docs/spec/enlistment.md §3.2.2).
//!
//! The newest signs; those before stay published for a while, because tokens under them may still be on their way. They
//! protect nothing but a sandbox. Must not know what is signed.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

const FILE: &str = "push-keys.json";
/// Most published keys; the oldest are dropped first.
const MAX_KEYS: usize = 4;

/// Why the keys of push calls could not be loaded, made or used.
#[derive(Debug, thiserror::Error)]
pub enum PushKeyError {
    /// The file cannot be read or written.
    #[error("{FILE} in the data folder: {0}")]
    Io(#[from] std::io::Error),
    /// The file is not what this program wrote.
    #[error("{FILE} in the data folder is damaged; delete it to make a new key")]
    Damaged,
    /// The cryptographic library could not make a key or a signature.
    #[error("the cryptographic library failed to {0}")]
    Library(&'static str),
}

/// PKCS #8 of each key in base64url, oldest first, readable by the owner only.
#[derive(Serialize, Deserialize)]
struct Stored {
    keys: VecDeque<String>,
}

struct Key {
    pair: KeyPair,
    kid: String,
    modulus: String,
    exponent: String,
}

/// All published keys, oldest first; at least one.
pub(super) struct SigningKeys {
    path: PathBuf,
    older: VecDeque<Key>,
    newest: Key,
}

impl SigningKeys {
    /// Loads the keys from the data folder, or makes the first.
    pub(super) fn open(folder: &Path) -> Result<Self, PushKeyError> {
        let path = folder.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let mut older = parse(&text)?;
                let newest = older.pop_back().ok_or(PushKeyError::Damaged)?;
                Ok(Self { path, older, newest })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let newest = Key::generate()?;
                write(&path, [&newest])?;
                Ok(Self { path, older: VecDeque::new(), newest })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a key that signs from now on. Its name.
    pub(super) fn rotate(&mut self) -> Result<String, PushKeyError> {
        let next = Key::generate()?;
        let excess = (self.older.len() + 2).saturating_sub(MAX_KEYS);
        write(&self.path, self.older.iter().skip(excess).chain([&self.newest, &next]))?;
        self.older.drain(..excess);
        self.older.push_back(std::mem::replace(&mut self.newest, next));
        Ok(self.newest.kid.clone())
    }

    /// A compact JWS over the claims, RS256 with the newest key.
    pub(super) fn sign(&self, claims: &Value) -> Result<String, PushKeyError> {
        let header = json!({ "alg": "RS256", "kid": self.newest.kid, "typ": "JWT" });
        let part = |value: &Value| BASE64URL.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let mut signature = vec![0; self.newest.pair.public_modulus_len()];
        self.newest
            .pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| PushKeyError::Library("sign a push token"))?;
        Ok(format!("{signed}.{}", BASE64URL.encode(signature)))
    }

    /// The public halves as a JSON Web Key Set (RFC 7517).
    pub(super) fn jwks(&self) -> Value {
        let public = |key: &Key| {
            let Key { kid, modulus, exponent, .. } = key;
            json!({ "kid": kid, "kty": "RSA", "alg": "RS256", "use": "sig", "n": modulus, "e": exponent })
        };
        json!({ "keys": self.older.iter().chain([&self.newest]).map(public).collect::<Vec<_>>() })
    }
}

impl Key {
    fn generate() -> Result<Self, PushKeyError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| PushKeyError::Library("make a signing key"))?;
        Ok(Self::named(pair))
    }

    fn named(pair: KeyPair) -> Self {
        let public = pair.public_key();
        let modulus = BASE64URL.encode(public.modulus().big_endian_without_leading_zero());
        let exponent = BASE64URL.encode(public.exponent().big_endian_without_leading_zero());
        // RFC 7638: the hash of the required members, sorted, without spaces.
        let canonical = format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#);
        let kid = BASE64URL.encode(Sha256::digest(canonical));
        Self { pair, kid, modulus, exponent }
    }
}

fn parse(text: &str) -> Result<VecDeque<Key>, PushKeyError> {
    let stored: Stored = serde_json::from_str(text).map_err(|_| PushKeyError::Damaged)?;
    let key = |text: &String| {
        let der = BASE64URL.decode(text).map_err(|_| PushKeyError::Damaged)?;
        KeyPair::from_pkcs8(&der).map(Key::named).map_err(|_| PushKeyError::Damaged)
    };
    stored.keys.iter().take(MAX_KEYS).map(key).collect()
}

/// The file is there in full or as it was.
fn write<'a>(path: &Path, keys: impl IntoIterator<Item = &'a Key>) -> Result<(), PushKeyError> {
    let text = |key: &Key| -> Result<String, PushKeyError> {
        let der: Pkcs8V1Der<'_> = key.pair.as_der().map_err(|_| PushKeyError::Library("write a signing key"))?;
        Ok(BASE64URL.encode(der.as_ref()))
    };
    let stored = Stored { keys: keys.into_iter().map(text).collect::<Result<_, _>>()? };
    let bytes = serde_json::to_vec_pretty(&stored).map_err(std::io::Error::other)?;
    Ok(crate::file::replace(path, &bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kids(keys: &SigningKeys) -> Vec<String> {
        let jwks = keys.jwks();
        jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_same_folder_gives_the_same_keys_and_a_rotation_keeps_the_last_ones() {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = SigningKeys::open(folder.path()).unwrap();
        let mut expected = kids(&keys);
        for _ in 0..MAX_KEYS {
            expected.push(keys.rotate().unwrap());
        }
        assert_eq!(kids(&keys), expected[1..]);
        assert_eq!(kids(&SigningKeys::open(folder.path()).unwrap()), expected[1..]);
    }

    #[test]
    fn a_damaged_file_is_named_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        for damage in ["", "{}", r#"{"keys":[]}"#, r#"{"keys":["AAAA"]}"#] {
            std::fs::write(folder.path().join(FILE), damage).unwrap();
            assert!(matches!(SigningKeys::open(folder.path()), Err(PushKeyError::Damaged)), "{damage}");
        }
    }
}
