//! Unguessable names of uploads and files: knowing one grants access.
//!
//! What this module does not know: what they name.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;

/// 256 bits in base64url.
const CHARACTERS: usize = 43;

/// Names an upload to the client that began it, until the file is deleted.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct UploadId(Unguessable);

impl UploadId {
    /// Fails only if the operating system has no randomness.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        Unguessable::random().map(Self)
    }

    /// `None` if the text does not have the form of an id.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Unguessable::parse(text).map(Self)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl fmt::Debug for UploadId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UploadId(…)")
    }
}

/// Names a file to WhatsApp, in the path of its URL.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StorageReference(Unguessable);

impl StorageReference {
    /// Fails only if the operating system has no randomness.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        Unguessable::random().map(Self)
    }

    /// `None` if the text does not have the form of a reference.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Unguessable::parse(text).map(Self)
    }

    /// `/{reference}`, with or without a trailing slash.
    pub(crate) fn from_path(path: &str) -> Option<Self> {
        let name = path.strip_prefix('/')?;
        Self::parse(name.strip_suffix('/').unwrap_or(name))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl fmt::Debug for StorageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StorageReference(…)")
    }
}

/// 256 random bits as text for URLs. Not `Debug`.
#[derive(Clone, PartialEq, Eq)]
struct Unguessable(String);

impl Unguessable {
    fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == CHARACTERS
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        fits.then(|| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_file_only_in_one_form() {
        let reference = StorageReference::random().unwrap();
        let text = reference.as_str();
        let first = text.chars().next().unwrap();
        assert_eq!(StorageReference::from_path(&format!("/{text}")), Some(reference.clone()));
        assert_eq!(StorageReference::from_path(&format!("/{text}/")), Some(reference.clone()));
        for path in [
            text.to_owned(),
            format!("/{text}//"),
            format!("/x/{text}"),
            format!("/{text}x"),
            format!("/{}", text.strip_prefix(first).unwrap()),
            format!("/{}.", text.strip_prefix(first).unwrap()),
            "/".to_owned(),
            String::new(),
        ] {
            assert_eq!(StorageReference::from_path(&path), None, "{path}");
        }
    }

    #[test]
    fn debug_output_grants_no_access() {
        let (upload, reference) = (UploadId::random().unwrap(), StorageReference::random().unwrap());
        assert_eq!(format!("{upload:?} {reference:?}"), "UploadId(…) StorageReference(…)");
    }
}
