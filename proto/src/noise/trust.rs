//! Is this the chat server? The complete certificate check of docs/spec/wire.md §2.7.
//!
//! The root key and its serial are arguments: there is no built-in root and no way to skip a check. It does not know
//! the handshake; it is given the decrypted chain and the static key that the server proved to hold.

use crate::profile::Profile;
use crate::schema::handshake::{CertChain, CertificateDetails, NoiseCertificate};
use crate::signal::PublicKey;
use core::fmt;
use prost::Message;
use subtle::ConstantTimeEq;

/// Which of the two certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// Signed by the root; signs leaves.
    Intermediate,
    /// Names the server's static key.
    Leaf,
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Intermediate => "intermediate certificate",
            Self::Leaf => "leaf certificate",
        })
    }
}

/// Why a server is not trusted. None of these is to be overridden by a person; all but the two about time mean that
/// this is not the server of the configured root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The chain, or the details of one certificate, is not the protobuf it should be.
    #[error("the certificate chain is not readable")]
    Malformed(#[from] prost::DecodeError),
    /// Something that must be there is not.
    #[error("the {certificate} has no {field}")]
    Missing {
        /// Where.
        certificate: Certificate,
        /// What.
        field: &'static str,
    },
    /// A key or a signature of the wrong length.
    #[error("the {field} in the {certificate} should have {expected} bytes, got {got}")]
    WrongLength {
        /// Where.
        certificate: Certificate,
        /// What.
        field: &'static str,
        /// Bytes it must have.
        expected: usize,
        /// Bytes it has.
        got: usize,
    },
    /// Not signed by the root, or by the intermediate.
    #[error("the signature of the {0} does not verify: wrong server, or wrong root key in the profile")]
    BadSignature(Certificate),
    /// Names another issuer than the one whose key signed it.
    #[error("the {certificate} should name issuer {expected}, got {got}")]
    WrongIssuer {
        /// Where.
        certificate: Certificate,
        /// Serial of the issuer.
        expected: u32,
        /// Serial that it names.
        got: u32,
    },
    /// The leaf is about another key than the one used in this handshake.
    #[error("the leaf certificate is for another key than the server's")]
    KeyMismatch,
    /// Its time has not come.
    #[error("the {certificate} is valid from {not_before}, but the clock says {now}: check this device's clock")]
    NotYetValid {
        /// Which.
        certificate: Certificate,
        /// First second of validity, unix time.
        not_before: u64,
        /// The clock, unix time.
        now: u64,
    },
    /// Its time is over.
    #[error("the {certificate} was valid until {not_after}, but the clock says {now}: check this device's clock")]
    Expired {
        /// Which.
        certificate: Certificate,
        /// Last second of validity, unix time.
        not_after: u64,
        /// The clock, unix time.
        now: u64,
    },
}

/// Whose signature ends the chain.
#[derive(Debug, Clone, Copy)]
pub struct Root {
    key: PublicKey,
    serial: u32,
}

impl From<&Profile> for Root {
    fn from(profile: &Profile) -> Self {
        Self { key: PublicKey(profile.root_key), serial: profile.root_serial }
    }
}

/// A server whose certificate chain was checked; only [`verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedServer {
    key: [u8; 32],
    leaf_serial: u32,
    intermediate_serial: u32,
    not_after: u64,
}

impl VerifiedServer {
    /// The server's static X25519 key.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// Serial of the leaf certificate.
    pub fn leaf_serial(&self) -> u32 {
        self.leaf_serial
    }

    /// Serial of the intermediate certificate.
    pub fn intermediate_serial(&self) -> u32 {
        self.intermediate_serial
    }

    /// Last second, unix time, at which the whole chain is valid.
    pub fn not_after(&self) -> u64 {
        self.not_after
    }
}

/// Checks a decrypted certificate chain against the root and against the static key that the server used.
///
/// `now` is unix time in seconds. A serial or a date that is left out counts as 0, as in protobuf; a chain without an
/// end date has thus expired.
///
/// # Errors
/// The first check that fails, in the order of docs/spec/wire.md §2.7.
pub fn verify(chain: &[u8], server_static: &[u8; 32], root: &Root, now: u64) -> Result<VerifiedServer, TrustError> {
    let chain = CertChain::decode(chain)?;
    let intermediate = Signed::read(chain.intermediate, Certificate::Intermediate)?;
    let leaf = Signed::read(chain.leaf, Certificate::Leaf)?;

    intermediate.signed_by(&root.key)?;
    intermediate.issued_by(root.serial)?;
    leaf.signed_by(&PublicKey(intermediate.key))?;
    leaf.issued_by(intermediate.details.serial())?;
    if !bool::from(leaf.key.ct_eq(server_static)) {
        return Err(TrustError::KeyMismatch);
    }
    intermediate.valid_at(now)?;
    leaf.valid_at(now)?;

    Ok(VerifiedServer {
        key: leaf.key,
        leaf_serial: leaf.details.serial(),
        intermediate_serial: intermediate.details.serial(),
        not_after: leaf.details.not_after().min(intermediate.details.not_after()),
    })
}

/// One certificate whose parts are all there and of the right length, but on which nothing is checked yet.
struct Signed {
    which: Certificate,
    raw: Vec<u8>,
    signature: [u8; 64],
    details: CertificateDetails,
    key: [u8; 32],
}

impl Signed {
    fn read(certificate: Option<NoiseCertificate>, which: Certificate) -> Result<Self, TrustError> {
        let missing = |field| TrustError::Missing { certificate: which, field };
        let certificate = certificate.ok_or(missing("certificate"))?;
        let raw = certificate.details.ok_or(missing("details"))?;
        let signature = certificate.signature.ok_or(missing("signature"))?;
        let details = CertificateDetails::decode(raw.as_slice())?;
        let key = details.key.as_deref().ok_or(missing("key"))?;
        Ok(Self {
            which,
            signature: exact(&signature, which, "signature")?,
            key: exact(key, which, "key")?,
            details,
            raw,
        })
    }

    /// Over the bytes as they came, not over a re-encoding of what was read from them.
    fn signed_by(&self, issuer: &PublicKey) -> Result<(), TrustError> {
        if issuer.verify(&self.raw, &self.signature) { Ok(()) } else { Err(TrustError::BadSignature(self.which)) }
    }

    fn issued_by(&self, expected: u32) -> Result<(), TrustError> {
        match self.details.issuer_serial() {
            got if got == expected => Ok(()),
            got => Err(TrustError::WrongIssuer { certificate: self.which, expected, got }),
        }
    }

    fn valid_at(&self, now: u64) -> Result<(), TrustError> {
        let (not_before, not_after) = (self.details.not_before(), self.details.not_after());
        if now < not_before {
            return Err(TrustError::NotYetValid { certificate: self.which, not_before, now });
        }
        if now > not_after {
            return Err(TrustError::Expired { certificate: self.which, not_after, now });
        }
        Ok(())
    }
}

fn exact<const N: usize>(bytes: &[u8], certificate: Certificate, field: &'static str) -> Result<[u8; N], TrustError> {
    bytes.try_into().map_err(|_| TrustError::WrongLength { certificate, field, expected: N, got: bytes.len() })
}
