//! Collects the problems of a configuration, and the checks that several options share.
//!
//! What this module does not know: which options there are.

use crate::{hex, loopback::is_loopback, secret::Secret, tls::TlsFiles};
use std::path::PathBuf;
use url::Url;
use zeroize::Zeroizing;

/// Maximum length of claims such as issuer and audience: with both at this length a token stays under WhatsApp's 4 KiB.
pub(super) const MAX_CLAIM_BYTES: usize = 512;

/// Collects problems instead of stopping at the first.
pub(super) struct Checker {
    pub(super) problems: Vec<String>,
}

impl Checker {
    /// Adds the line `option: problem`.
    pub(super) fn problem(&mut self, option: &str, problem: impl std::fmt::Display) {
        self.problems.push(format!("{option}: {problem}"));
    }

    /// Reports a number outside `least..=most`.
    pub(super) fn within(&mut self, option: &str, value: u64, least: u64, most: u64) {
        if !(least..=most).contains(&value) {
            self.problem(option, format_args!("is {value}; it must be {least} to {most}"));
        }
    }

    /// Reports text that is empty, longer than `most` bytes, or contains control characters.
    pub(super) fn text(&mut self, option: &str, value: &str, most: usize) {
        if value.is_empty() || value.len() > most || value.chars().any(char::is_control) {
            self.problem(option, format_args!("must be 1 to {most} bytes of text without control characters"));
        }
    }

    /// A URL that clients connect to: `safe`, or `plain` on this machine.
    pub(super) fn remote(&mut self, option: &str, text: &str, safe: &str, plain: &str) -> Option<Url> {
        let url = self.address(option, text, safe)?;
        self.secured(option, &url, safe, plain);
        Some(url)
    }

    /// A URL with a host.
    pub(super) fn address(&mut self, option: &str, text: &str, example: &str) -> Option<Url> {
        let url = Url::parse(text).ok().filter(Url::has_host);
        if url.is_none() {
            self.problem(option, format_args!("{text:?} is not an address such as {example}://messenger.example"));
        }
        url
    }

    /// Certificate and key: both or neither.
    pub(super) fn tls(&mut self, certificate: Option<PathBuf>, key: Option<PathBuf>) -> Option<TlsFiles> {
        match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                let files = TlsFiles { certificate, key };
                if let Err(error) = files.read() {
                    self.problem("tls_cert and tls_key", error);
                }
                Some(files)
            }
            (Some(_), None) => {
                self.problem("tls_key", "is missing: a certificate requires its key");
                None
            }
            (None, Some(_)) => {
                self.problem("tls_cert", "is missing: a key requires its certificate");
                None
            }
        }
    }

    /// This server's own origin: https, or http on this machine; no path.
    pub(super) fn public_url(&mut self, text: &str) -> Option<Url> {
        let url = self.remote("public_url", text, "https", "http")?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            self.problem("public_url", "must be scheme, host and port only, such as https://messenger.example");
        }
        Some(url)
    }

    /// Reports a URL with another scheme than `safe`; `plain` is allowed on this machine.
    pub(super) fn secured(&mut self, option: &str, url: &Url, safe: &str, plain: &str) {
        if url.scheme() != safe && !(url.scheme() == plain && is_loopback(url)) {
            self.problem(option, format_args!("must begin with {safe}:// ({plain}:// only for this machine)"));
        }
    }

    /// 32 bytes in hex.
    pub(super) fn secret(&mut self, secret: &Secret) -> Option<Zeroizing<[u8; 32]>> {
        let bytes = hex::parse_32_bytes(secret.as_str().trim()).map(Zeroizing::new);
        if bytes.is_none() {
            self.problem("secret", "must be 64 hex digits; make it with: openssl rand -hex 32");
        }
        bytes
    }

    /// The message does not contain the URL, which may include a password.
    pub(super) fn database_url(&mut self, url: &Secret) {
        let fits = Url::parse(url.as_str()).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"));
        if !fits {
            self.problem("database_url", "must be an address such as postgres://user:password@host/database");
        }
    }
}

/// A number for [`Checker::within`]; saturates.
pub(super) fn number(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
