//! Configuration of a sandbox: addresses, data folder, Partners.
//!
//! Read from a TOML file, then the environment, then flags; the later wins. Loopback only: a stand-in for WhatsApp's
//! side has no business on a network.

use crate::world::Class;
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Largest frame taken by default: 1 MiB, above any stanza without media.
const MAX_FRAME: usize = 1 << 20;

/// A Partner as onboarding leaves it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Integrator {
    /// 1 to 999.
    pub id: u16,
    /// Base URL under which the Partner serves its JWKS, e.g. `http://127.0.0.1:8100`.
    pub url: String,
    /// What tokens must name as their audience.
    #[serde(default = "default_audience")]
    pub audience: String,
}

/// Everything that may differ between two sandboxes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// HTTP and WebSocket. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The chat server over raw TCP. Port 0 takes a free one.
    pub tcp_listen: SocketAddr,
    /// The push service. Port 0 takes a free one.
    pub push_listen: SocketAddr,
    /// Folder of keys, journal and phones; made when missing.
    pub data: PathBuf,
    /// Partners whose users may enlist.
    #[serde(rename = "integrator")]
    pub integrators: Vec<Integrator>,
    /// Oldest interop protocol version that may connect; an older one gets failure 405.
    pub min_version: [u32; 3],
    /// Largest frame taken, in bytes.
    pub max_frame_bytes: usize,
    /// Connections served at once.
    pub max_connections: usize,
    /// Time for the whole handshake.
    #[serde(with = "millis", rename = "handshake_timeout_ms")]
    pub handshake_timeout: Duration,
    /// Quiet time after which the server pings; twice that without a frame ends the connection.
    #[serde(with = "millis", rename = "ping_interval_ms")]
    pub ping_interval: Duration,
    /// Time for one write to a slow client.
    #[serde(with = "millis", rename = "write_timeout_ms")]
    pub write_timeout: Duration,
    /// A client that never asks for its mailbox gets it after this time (docs/spec/wire.md §10 row 13).
    #[serde(with = "millis", rename = "mailbox_grace_ms")]
    pub mailbox_grace: Duration,
    /// Fewer one-time prekeys than this bring a notification.
    pub prekeys_low: usize,
    /// Which mail a Partner's server is told of while the user is not connected. Nothing public says what WhatsApp
    /// does.
    pub push_for: Vec<Class>,
    /// Pause between two push calls for one user.
    #[serde(with = "millis", rename = "push_interval_ms")]
    pub push_interval: Duration,
    /// Number of the phone that answers everything; none to go without.
    pub echo: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8200)),
            tcp_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8201)),
            push_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8202)),
            data: PathBuf::from("target/gatekeeper"),
            integrators: vec![Integrator {
                id: 1,
                url: "http://127.0.0.1:8100".to_owned(),
                audience: default_audience(),
            }],
            min_version: [2, 3000, 0],
            max_frame_bytes: MAX_FRAME,
            max_connections: 512,
            handshake_timeout: Duration::from_secs(20),
            ping_interval: Duration::from_secs(30),
            write_timeout: Duration::from_secs(20),
            mailbox_grace: Duration::from_secs(1),
            prekeys_low: 10,
            push_for: vec![Class::Message],
            push_interval: Duration::from_secs(1),
            echo: Some("14155550100".to_owned()),
        }
    }
}

/// Why a configuration cannot be used. Each message says what to change.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// As given.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// The file is no TOML of this shape.
    #[error("{path}: {error}")]
    Malformed {
        /// As given.
        path: PathBuf,
        /// Where and what.
        error: toml::de::Error,
    },
    /// A flag or variable has a value that does not fit.
    #[error("{name} is {value:?}; expected {expected}")]
    Value {
        /// The flag or variable.
        name: String,
        /// What came.
        value: String,
        /// What would do.
        expected: &'static str,
    },
    /// A flag that does not exist.
    #[error("unknown flag {0:?}; see --help")]
    Unknown(String),
    /// A flag without its value.
    #[error("{0} needs a value")]
    MissingValue(String),
    /// An address that others on the network could reach.
    #[error("refusing to listen on {0}: the sandbox binds to loopback only (127.0.0.1 or [::1])")]
    NotLoopback(SocketAddr),
    /// An id outside the range that onboarding assigns, or twice the same.
    #[error("integrator ids are distinct numbers from 1 to 999; got {0}")]
    Integrator(u16),
}

impl Config {
    /// Reads flags and environment over the file that `--config` names.
    ///
    /// # Errors
    /// [`ConfigError`], to be shown as it is.
    pub fn read(
        flags: impl IntoIterator<Item = String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let mut file = environment("GATEKEEPER_CONFIG");
        let mut settings = Vec::new();
        for name in SETTINGS {
            if let Some(value) = environment(&variable(name)) {
                settings.push(((*name).to_owned(), value));
            }
        }
        let mut flags = flags.into_iter();
        while let Some(flag) = flags.next() {
            let name = flag.strip_prefix("--").ok_or_else(|| ConfigError::Unknown(flag.clone()))?.to_owned();
            let value = flags.next().ok_or(ConfigError::MissingValue(flag))?;
            if name == "config" { file = Some(value) } else { settings.push((name, value)) }
        }
        let mut config = file.map_or_else(|| Ok(Self::default()), |path| Self::from_file(path.into()))?;
        let mut named_integrators = false;
        for (name, value) in settings {
            if name == "integrator" && !named_integrators {
                config.integrators.clear();
                named_integrators = true;
            }
            config.set(&name, &value)?;
        }
        config.check()?;
        Ok(config)
    }

    fn from_file(path: PathBuf) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|error| ConfigError::Malformed { path, error }),
            Err(error) => Err(ConfigError::Unreadable { path, error }),
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        let wrong = |expected| ConfigError::Value { name: name.to_owned(), value: value.to_owned(), expected };
        match name {
            "listen" => self.listen = value.parse().map_err(|_| wrong("an address such as 127.0.0.1:8200"))?,
            "tcp-listen" => self.tcp_listen = value.parse().map_err(|_| wrong("an address such as 127.0.0.1:8201"))?,
            "push-listen" => {
                self.push_listen = value.parse().map_err(|_| wrong("an address such as 127.0.0.1:8202"))?
            }
            "data" => self.data = value.into(),
            "min-version" => self.min_version = version(value).ok_or_else(|| wrong("a version such as 2.3000.0"))?,
            "echo" => self.echo = (value != "none").then(|| value.to_owned()),
            "integrator" => {
                let (id, url) = value.split_once('=').ok_or_else(|| wrong("ID=URL"))?;
                let id = id.parse().map_err(|_| wrong("ID=URL with an id from 1 to 999"))?;
                self.integrators.push(Integrator { id, url: url.to_owned(), audience: default_audience() });
            }
            _ => return Err(ConfigError::Unknown(format!("--{name}"))),
        }
        Ok(())
    }

    /// Checks what types can't express.
    ///
    /// # Errors
    /// [`ConfigError::NotLoopback`] or [`ConfigError::Integrator`].
    pub fn check(&self) -> Result<(), ConfigError> {
        for address in [self.listen, self.tcp_listen, self.push_listen] {
            if !address.ip().is_loopback() {
                return Err(ConfigError::NotLoopback(address));
            }
        }
        let mut seen = Vec::new();
        for integrator in &self.integrators {
            if !(1..=999).contains(&integrator.id) || seen.contains(&integrator.id) {
                return Err(ConfigError::Integrator(integrator.id));
            }
            seen.push(integrator.id);
        }
        Ok(())
    }
}

/// Flags that take one value; the environment has each as `GATEKEEPER_…`.
const SETTINGS: &[&str] = &["listen", "tcp-listen", "push-listen", "data", "min-version", "echo", "integrator"];

fn variable(flag: &str) -> String {
    format!("GATEKEEPER_{}", flag.to_uppercase().replace('-', "_"))
}

fn default_audience() -> String {
    "whatsapp".to_owned()
}

/// Three numbers with dots between them.
pub(crate) fn version(text: &str) -> Option<[u32; 3]> {
    let numbers: Vec<u32> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

mod millis {
    use serde::{Deserialize as _, Deserializer};
    use std::time::Duration;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flags: &[&str], environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let lookup =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Config::read(flags.iter().map(|flag| (*flag).to_owned()), lookup)
    }

    #[test]
    fn flags_win_over_the_environment_and_the_environment_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gatekeeper.toml");
        std::fs::write(&path, "listen = '127.0.0.1:1'\ntcp_listen = '127.0.0.1:1'\ndata = 'a'\nping_interval_ms = 5")
            .unwrap();
        let path = path.to_str().unwrap();
        let config = read(
            &["--data", "c"],
            &[("GATEKEEPER_CONFIG", path), ("GATEKEEPER_DATA", "b"), ("GATEKEEPER_TCP_LISTEN", "127.0.0.1:2")],
        )
        .unwrap();
        assert_eq!((config.listen.port(), config.tcp_listen.port()), (1, 2));
        assert_eq!((config.data, config.ping_interval), (PathBuf::from("c"), Duration::from_millis(5)));
    }

    #[test]
    fn a_named_integrator_replaces_the_default_one() {
        let config =
            read(&["--integrator", "2=http://127.0.0.1:9", "--integrator", "3=http://127.0.0.1:9"], &[]).unwrap();
        assert_eq!(config.integrators.iter().map(|known| known.id).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn an_address_on_the_network_is_refused() {
        assert!(matches!(read(&["--listen", "0.0.0.0:8200"], &[]), Err(ConfigError::NotLoopback(_))));
        assert!(matches!(read(&["--tcp-listen", "192.168.0.1:8201"], &[]), Err(ConfigError::NotLoopback(_))));
        assert!(matches!(read(&["--push-listen", "0.0.0.0:8202"], &[]), Err(ConfigError::NotLoopback(_))));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert!(matches!(read(&["--min-version", "new"], &[]), Err(ConfigError::Value { .. })));
        assert!(matches!(read(&["--colour", "red"], &[]), Err(ConfigError::Unknown(flag)) if flag == "--colour"));
        assert!(matches!(read(&["--data"], &[]), Err(ConfigError::MissingValue(_))));
        assert!(matches!(read(&["--integrator", "1000=http://x"], &[]), Err(ConfigError::Integrator(1000))));
    }
}
