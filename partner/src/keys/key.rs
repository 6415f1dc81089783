//! What the types of keys have in common.

use super::{error::KeyError, key_id::KeyId};
use std::time::Duration;
use zeroize::Zeroizing;

/// A type of key.
pub(crate) trait Key: Sized + Send + Sync + 'static {
    /// Name of the purpose in the database; bound to the sealed key.
    const PURPOSE: &'static str;
    /// Time for which a key is published before it signs.
    const LEAD: Duration;

    /// Generates a key. Blocking; may take a second.
    fn make() -> Result<Self, KeyError>;
    /// Parses PKCS #8 DER; `None` for another type of key.
    fn read(der: &[u8]) -> Option<Self>;
    /// Encodes as PKCS #8 DER.
    fn write(&self) -> Result<Zeroizing<Vec<u8>>, KeyError>;
    /// The key id.
    fn kid(&self) -> &KeyId;
}
