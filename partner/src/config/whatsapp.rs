//! The options of the chat server and the enlistment that clients use, and their checks.

use super::checker::Checker;
use crate::hex;
use serde::Deserialize;
use std::path::PathBuf;

/// Maximum length of the Partner's name.
const MAX_NAME_BYTES: usize = 100;

/// How clients reach WhatsApp: the server's part of the partner profile.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhatsAppConfig {
    /// The number that WhatsApp assigned to this Partner, 1 to 999.
    pub integrator: u16,
    /// Enlistment URL of clients; by default this server if `relay.enlist_url` is set, else the sandbox.
    pub enlist_url: Option<String>,
    /// WebSocket URL of the chat server; by default this server's relay if there is one, else the sandbox.
    pub chat_url: Option<String>,
    /// The chat server's root key in hex: 32 bytes.
    pub root_key: Option<String>,
    /// A file with the root key in hex, instead of `root_key`.
    pub root_key_file: Option<PathBuf>,
    /// Serial number of the root certificate.
    pub root_serial: u32,
    /// The version that clients announce to the chat server: three numbers with dots.
    pub version: String,
    /// The display name of this Partner.
    pub partner_name: String,
}

impl Default for WhatsAppConfig {
    fn default() -> Self {
        Self {
            integrator: 1,
            enlist_url: None,
            chat_url: None,
            root_key: None,
            root_key_file: None,
            root_serial: 0,
            version: "2.3000.0".to_owned(),
            partner_name: "Causeway".to_owned(),
        }
    }
}

impl WhatsAppConfig {
    pub(super) fn check(&self, checker: &mut Checker) {
        checker.within("whatsapp.integrator", self.integrator.into(), 1, 999);
        checker.text("whatsapp.partner_name", &self.partner_name, MAX_NAME_BYTES);
        let parts: Vec<_> = self.version.split('.').map(str::parse::<u32>).collect();
        if parts.len() != 3 || parts.iter().any(Result::is_err) {
            let found = &self.version;
            checker
                .problem("whatsapp.version", format_args!("is {found:?}; it must be three numbers, such as 2.3000.0"));
        }
    }

    /// The root key, from the option or from the file that another option names.
    pub(super) fn check_root_key(&self, checker: &mut Checker) -> Option<[u8; 32]> {
        let (option, text) = match (&self.root_key, &self.root_key_file) {
            // The key itself wins over the file, so that the environment can override a path in a shared TOML file.
            (Some(text), _) => ("whatsapp.root_key", text.clone()),
            (None, Some(path)) => match std::fs::read_to_string(path) {
                Ok(text) => ("whatsapp.root_key_file", text),
                Err(error) => {
                    let hint = "The sandbox serves its root key at /control/root";
                    checker.problem("whatsapp.root_key_file", format_args!("{}: {error}. {hint}", path.display()));
                    return None;
                }
            },
            (None, None) => {
                checker.problem(
                    "whatsapp.root_key",
                    "is missing. Set it, or root_key_file, to the chat server's root key",
                );
                return None;
            }
        };
        let key = hex::parse_32_bytes(text.trim());
        if key.is_none() {
            checker
                .problem(option, format_args!("must be 64 hex digits, got {} characters", text.trim().chars().count()));
        }
        key
    }
}
