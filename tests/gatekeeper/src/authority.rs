//! The sandbox's certificate authority: root, intermediate and leaf, kept on disk with real dates
//! (docs/spec/wire.md §2.7).
//!
//! The client verifies all of it, against this root as its configured one: the sandbox adapts to the product's checks,
//! never the reverse. On request it hands out a chain with one chosen fault, so that tests show each check.

use crate::time::UnixSeconds;
use crate::{hex, random};
use causeway_peer::certificate::Chain;
use causeway_proto::secret::Secret;
use causeway_proto::signal::KeyPair;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

/// The production root of WhatsApp's chat servers, typed again (docs/spec/wire.md §2.7). The sandbox must never own it.
const PRODUCTION_ROOT: [u8; 32] = [
    0x14, 0x23, 0x75, 0x57, 0x4d, 0x0a, 0x58, 0x71, 0x66, 0xaa, 0xe7, 0x1e, 0xbe, 0x51, 0x64, 0x37, 0xc4, 0xa2, 0x8b,
    0x73, 0xe3, 0x69, 0x5c, 0x6c, 0xe1, 0xf7, 0xf9, 0x54, 0x5d, 0xa8, 0xee, 0x6b,
];
const FILE: &str = "authority.json";
const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

/// A deliberate fault of the chain that the next handshakes show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateFault {
    /// The leaf ended an hour ago.
    Expired,
    /// The leaf begins tomorrow.
    NotYetValid,
    /// Signed by a root that no client knows.
    ForeignRoot,
    /// The leaf names another key than the handshake proves.
    SwappedKey,
}

/// Why the authority could not be loaded or made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The file cannot be read or written.
    #[error("{FILE} in the data folder: {0}")]
    Io(#[from] std::io::Error),
    /// The file is not what this program wrote.
    #[error("{FILE} in the data folder is damaged; delete it to make new keys (clients then need the new root)")]
    Damaged,
    /// Somebody gave the sandbox WhatsApp's own root.
    #[error("refusing to start: the root key is WhatsApp's production root, and this is a sandbox")]
    ProductionRoot,
}

/// Secret keys as they lie on disk, readable by the owner only. They protect nothing but a sandbox.
#[derive(Serialize, Deserialize)]
struct Stored {
    root: String,
    intermediate: String,
    leaf: String,
}

/// Holds the three key pairs and signs chains.
pub(crate) struct Authority {
    root: KeyPair,
    intermediate: KeyPair,
    leaf: KeyPair,
}

impl Authority {
    /// Loads the keys from the data folder, or makes them.
    ///
    /// # Errors
    /// [`AuthorityError`]; among them that the root is WhatsApp's own.
    pub(crate) fn open(folder: &Path) -> Result<Self, AuthorityError> {
        let path = folder.join(FILE);
        let authority = match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let rng = &mut random::rng();
                let authority = Self {
                    root: KeyPair::generate(rng),
                    intermediate: KeyPair::generate(rng),
                    leaf: KeyPair::generate(rng),
                };
                authority.write(&path)?;
                authority
            }
            Err(error) => return Err(error.into()),
        };
        refuse_production(&authority.root_key())?;
        Ok(authority)
    }

    fn parse(text: &str) -> Result<Self, AuthorityError> {
        let stored: Stored = serde_json::from_str(text).map_err(|_| AuthorityError::Damaged)?;
        let pair = |text: &str| {
            hex::decode::<32>(text).map(|bytes| KeyPair::from_secret(Secret::new(bytes))).ok_or(AuthorityError::Damaged)
        };
        Ok(Self { root: pair(&stored.root)?, intermediate: pair(&stored.intermediate)?, leaf: pair(&stored.leaf)? })
    }

    fn write(&self, path: &Path) -> Result<(), AuthorityError> {
        let text = |pair: &KeyPair| hex::encode(pair.secret().expose());
        let stored = Stored { root: text(&self.root), intermediate: text(&self.intermediate), leaf: text(&self.leaf) };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(&serde_json::to_vec_pretty(&stored).map_err(std::io::Error::other)?)?;
        Ok(file.sync_all()?)
    }

    /// The public key that clients must be configured with.
    pub(crate) fn root_key(&self) -> [u8; 32] {
        self.root.public().0
    }

    /// The chat server's Noise key.
    pub(crate) fn leaf(&self) -> &KeyPair {
        &self.leaf
    }

    /// A serialised chain that is valid around `now`: the intermediate for ten years, the leaf for one.
    pub(crate) fn chain(&self, now: UnixSeconds, fault: Option<CertificateFault>) -> Vec<u8> {
        let foreign = KeyPair::generate(&mut random::rng());
        let root = if fault == Some(CertificateFault::ForeignRoot) { &foreign } else { &self.root };
        let named = if fault == Some(CertificateFault::SwappedKey) { &foreign } else { &self.leaf };
        let validity = |first: UnixSeconds, last: UnixSeconds| first.get()..=last.get();
        let leaf_validity = match fault {
            Some(CertificateFault::Expired) => validity(now.before(30 * DAY), now.before(HOUR)),
            Some(CertificateFault::NotYetValid) => validity(now.after(DAY), now.after(30 * DAY)),
            _ => validity(now.before(DAY), now.after(365 * DAY)),
        };
        let chain = Chain {
            root,
            intermediate: &self.intermediate,
            leaf: named.public(),
            intermediate_validity: validity(now.before(DAY), now.after(3650 * DAY)),
            leaf_validity,
        };
        chain.issue(&mut random::rng())
    }
}

fn refuse_production(root: &[u8; 32]) -> Result<(), AuthorityError> {
    if *root == PRODUCTION_ROOT { Err(AuthorityError::ProductionRoot) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_peer::certificate::is_trusted;

    const NOW: UnixSeconds = UnixSeconds::new(1_800_000_000);

    #[test]
    fn a_client_trusts_the_chain_and_no_chain_with_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(folder.path()).unwrap();
        let root = authority.root.public();
        let trusted = |fault| is_trusted(&root, &authority.chain(NOW, fault), &authority.leaf.public().0, NOW.get());
        assert!(trusted(None));
        for fault in [
            CertificateFault::Expired,
            CertificateFault::NotYetValid,
            CertificateFault::ForeignRoot,
            CertificateFault::SwappedKey,
        ] {
            assert!(!trusted(Some(fault)), "{fault:?}");
        }
    }

    #[test]
    fn the_same_folder_gives_the_same_root() {
        let folder = tempfile::tempdir().unwrap();
        let first = Authority::open(folder.path()).unwrap().root_key();
        assert_eq!(Authority::open(folder.path()).unwrap().root_key(), first);
    }

    #[test]
    fn a_damaged_file_is_named_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "{}").unwrap();
        assert!(matches!(Authority::open(folder.path()), Err(AuthorityError::Damaged)));
    }

    #[test]
    fn the_production_root_is_refused() {
        assert!(matches!(refuse_production(&PRODUCTION_ROOT), Err(AuthorityError::ProductionRoot)));
        assert!(refuse_production(&[9; 32]).is_ok());
    }
}
