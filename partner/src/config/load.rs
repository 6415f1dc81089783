//! Reads the TOML file and overlays the environment.
//!
//! What this module does not know: what the options mean.

use super::options::Config;
use serde::Deserialize;
use std::{
    io,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// Prefix of this program's environment variables.
pub const ENVIRONMENT_PREFIX: &str = "CAUSEWAY_PARTNER_";

/// How the text of a variable is converted.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Switch,
    /// Comma-separated texts.
    List,
}

/// Every option by its path in the file. The variable is the prefix and the path in capitals, with `_` for the dot.
const OPTIONS: &[(&str, Kind)] = &[
    ("listen", Kind::Text),
    ("public_url", Kind::Text),
    ("data_dir", Kind::Text),
    ("database_url", Kind::Text),
    ("secret", Kind::Text),
    ("secret_file", Kind::Text),
    ("client_dir", Kind::Text),
    ("behind_proxy", Kind::Switch),
    ("tls_cert", Kind::Text),
    ("tls_key", Kind::Text),
    ("metrics_listen", Kind::Text),
    ("log_format", Kind::Text),
    ("sign_in.session_days", Kind::Number),
    ("sign_in.password_min", Kind::Number),
    ("sign_in.hash_memory_kib", Kind::Number),
    ("sign_in.hash_passes", Kind::Number),
    ("sign_in.hash_at_once", Kind::Number),
    ("oidc.issuer", Kind::Text),
    ("oidc.client_id", Kind::Text),
    ("oidc.client_secret", Kind::Text),
    ("oidc.identifier_claim", Kind::Text),
    ("oidc.scopes", Kind::Text),
    ("token.issuer", Kind::Text),
    ("token.audience", Kind::Text),
    ("token.lifetime_seconds", Kind::Number),
    ("token.rotate_days", Kind::Number),
    ("push.contact", Kind::Text),
    ("push.services", Kind::List),
    ("push.proxy", Kind::Text),
    ("push.jwks_url", Kind::Text),
    ("push.jwks_cache_seconds", Kind::Number),
    ("push.jwks_pause_seconds", Kind::Number),
    ("push.issuer", Kind::Text),
    ("push.audience", Kind::Text),
    ("push.leeway_seconds", Kind::Number),
    ("push.lifetime_seconds", Kind::Number),
    ("push.single_use", Kind::Switch),
    ("whatsapp.integrator", Kind::Number),
    ("whatsapp.enlist_url", Kind::Text),
    ("whatsapp.chat_url", Kind::Text),
    ("whatsapp.root_key", Kind::Text),
    ("whatsapp.root_key_file", Kind::Text),
    ("whatsapp.root_serial", Kind::Number),
    ("whatsapp.version", Kind::Text),
    ("whatsapp.partner_name", Kind::Text),
    ("relay.upstream", Kind::Text),
    ("relay.client_address", Kind::Text),
    ("relay.ca_file", Kind::Text),
    ("relay.enlist_url", Kind::Text),
    ("relay.connections", Kind::Number),
    ("relay.idle_seconds", Kind::Number),
    ("relay.write_seconds", Kind::Number),
    ("media.store_url", Kind::Text),
    ("media.endpoint", Kind::Text),
    ("media.region", Kind::Text),
    ("media.access_key_id", Kind::Text),
    ("media.secret_access_key", Kind::Text),
    ("media.types", Kind::Text),
    ("media.file_mib", Kind::Number),
    ("media.quota_mib", Kind::Number),
    ("media.uploads", Kind::Number),
    ("media.upload_hours", Kind::Number),
    ("media.days", Kind::Number),
    ("limits.address_burst", Kind::Number),
    ("limits.address_refill_seconds", Kind::Number),
    ("limits.account_burst", Kind::Number),
    ("limits.account_refill_seconds", Kind::Number),
    ("limits.token_burst", Kind::Number),
    ("limits.token_refill_seconds", Kind::Number),
    ("limits.push_burst", Kind::Number),
    ("limits.push_refill_seconds", Kind::Number),
    ("limits.connections", Kind::Number),
    ("limits.request_seconds", Kind::Number),
    ("limits.write_seconds", Kind::Number),
    ("limits.drain_seconds", Kind::Number),
    ("limits.shutdown_seconds", Kind::Number),
];

/// The configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be opened or is not text.
    #[error("cannot read the configuration {}: {source}. Copy partner.example.toml there, or name another file with --config", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is not TOML, or an option is unknown or of the wrong type.
    #[error("{place}: {message}")]
    Invalid {
        /// The file's name, or "the environment".
        place: String,
        /// The parser's message, with the line if known.
        message: String,
    },
    /// A variable has the prefix but names no option.
    #[error("the environment variable {name} names no option; partner.example.toml lists them all")]
    UnknownVariable {
        /// The variable.
        name: String,
    },
    /// A variable's text does not have the option's type.
    #[error("the environment variable {name} must be {expected}")]
    BadVariable {
        /// The variable.
        name: String,
        /// The expected type.
        expected: &'static str,
    },
}

impl Config {
    /// Reads `path` (the defaults without one), then the `variables` of the environment that begin with
    /// [`ENVIRONMENT_PREFIX`].
    ///
    /// # Errors
    /// A [`LoadError`] that names the file or the variable, and what to do.
    pub fn load(path: Option<&Path>, variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, LoadError> {
        let mut table = Table::new();
        let mut place = "the environment".to_owned();
        if let Some(path) = path {
            let text = std::fs::read_to_string(path)
                .map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?;
            place = path.display().to_string();
            // Parsed as a whole first, because only then does the parser know the line of a wrong option.
            toml::from_str::<Self>(&text)
                .map_err(|error| LoadError::Invalid { place: place.clone(), message: error.to_string() })?;
            table = toml::from_str(&text)
                .map_err(|error| LoadError::Invalid { place: place.clone(), message: error.to_string() })?;
        }
        for (name, text) in variables {
            if name.starts_with(ENVIRONMENT_PREFIX) {
                overlay(&mut table, name, text)?;
            }
        }
        Self::deserialize(Value::Table(table)).map_err(|error| LoadError::Invalid { place, message: error.to_string() })
    }
}

/// Sets the option that the variable `name` stands for.
fn overlay(table: &mut Table, name: String, text: String) -> Result<(), LoadError> {
    let Some((path, kind)) = OPTIONS.iter().find(|(path, _)| variable(path) == name) else {
        return Err(LoadError::UnknownVariable { name });
    };
    let value = match kind {
        Kind::Text => Value::String(text),
        Kind::Number => match text.parse() {
            Ok(number) => Value::Integer(number),
            Err(_) => return Err(LoadError::BadVariable { name, expected: "a whole number" }),
        },
        Kind::Switch => match text.parse() {
            Ok(switch) => Value::Boolean(switch),
            Err(_) => return Err(LoadError::BadVariable { name, expected: "true or false" }),
        },
        Kind::List => {
            let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
            Value::Array(entries.map(|entry| Value::String(entry.to_owned())).collect())
        }
    };
    match path.split_once('.') {
        None => {
            table.insert((*path).to_owned(), value);
        }
        Some((section, option)) => {
            let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = section {
                section.insert(option.to_owned(), value);
            }
        }
    }
    Ok(())
}

fn variable(path: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}", path.replace('.', "_").to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const EXAMPLE: &str = include_str!("../../partner.example.toml");

    fn paths(table: &Table) -> BTreeSet<String> {
        table
            .iter()
            .flat_map(|(key, value)| match value {
                Value::Table(inner) => inner.keys().map(|option| format!("{key}.{option}")).collect(),
                _ => vec![key.clone()],
            })
            .collect()
    }

    /// The example with the options enabled that it shows as comments of the form `#name = value`.
    fn example_in_full() -> String {
        EXAMPLE
            .lines()
            .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
            .fold(String::new(), |text, line| text + line + "\n")
    }

    #[test]
    fn the_example_contains_exactly_the_known_options() {
        let table: Table = toml::from_str(&example_in_full()).unwrap();
        assert_eq!(paths(&table), OPTIONS.iter().map(|(path, _)| (*path).to_owned()).collect());
    }

    #[test]
    fn the_example_shows_the_defaults() {
        let example: Config = toml::from_str(EXAMPLE).unwrap();
        let expected = Config { public_url: example.public_url.clone(), ..Config::default() };
        assert_eq!(format!("{example:?}"), format!("{expected:?}"));
    }

    #[test]
    fn every_option_can_come_from_the_environment() {
        let numbers = OPTIONS.iter().map(|(path, kind)| {
            let text = match kind {
                Kind::Text if path.ends_with("listen") => "127.0.0.1:1",
                Kind::Text => "text",
                Kind::List => "one, two",
                Kind::Number => "7",
                Kind::Switch => "true",
            };
            (variable(path), text.to_owned())
        });
        let config = Config::load(None, numbers).unwrap();
        assert_eq!(config.whatsapp.integrator, 7);
        assert_eq!(config.token.issuer.as_deref(), Some("text"));
        assert!(config.behind_proxy);
        assert_eq!(config.push.services, ["one", "two"]);
    }

    #[test]
    fn unknown_and_malformed_variables_are_named() {
        let load =
            |name: &str, text: &str| Config::load(None, [(name.to_owned(), text.to_owned())]).unwrap_err().to_string();
        assert!(load("CAUSEWAY_PARTNER_LISTENN", "x").contains("CAUSEWAY_PARTNER_LISTENN names no option"));
        assert!(load("CAUSEWAY_PARTNER_SIGN_IN_SESSION_DAYS", "many").contains("must be a whole number"));
        assert!(load("CAUSEWAY_PARTNER_BEHIND_PROXY", "yes").contains("must be true or false"));
        assert!(Config::load(None, [("CAUSEWAY_DIST".to_owned(), "dist".to_owned())]).is_ok());
    }

    #[test]
    fn an_unknown_option_is_named_with_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "listen = \"127.0.0.1:1\"\nlisten_on = 3\n").unwrap();
        let message = Config::load(Some(file.path()), []).unwrap_err().to_string();
        assert!(message.contains("line 2") && message.contains("listen_on"), "{message}");
    }
}
