//! Unguessable identifiers of uploads and files: knowing one grants access.
//!
//! What this module does not know: what they identify.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;

/// 256 bits in base64url.
const CHARACTERS: usize = 43;

/// 256 random bits as text for URLs. `Debug` does not show it: it grants access to the file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Reference(String);

impl Reference {
    /// Fails only if the operating system has no randomness.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// `None` if the text does not have the form of a reference.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == CHARACTERS
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        fits.then(|| Self(text.to_owned()))
    }

    /// `/{reference}`, with or without a trailing slash.
    pub(crate) fn from_path(path: &str) -> Option<Self> {
        let name = path.strip_prefix('/')?;
        Self::parse(name.strip_suffix('/').unwrap_or(name))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Reference(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_file_only_in_one_form() {
        let reference = Reference::random().unwrap();
        let text = reference.as_str();
        let first = text.chars().next().unwrap();
        assert_eq!(Reference::from_path(&format!("/{text}")), Some(reference.clone()));
        assert_eq!(Reference::from_path(&format!("/{text}/")), Some(reference.clone()));
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
            assert_eq!(Reference::from_path(&path), None, "{path}");
        }
        assert!(!format!("{reference:?}").contains(text));
    }
}
