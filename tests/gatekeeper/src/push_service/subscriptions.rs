//! Which browser has which subscriptions: kept in a small file, so that a restart does not cost a browser its own.
//!
//! Must not know connections and messages.

use crate::{file, hex, random};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

const FILE: &str = "push-service.json";
/// Browsers with subscriptions.
const MAX_AGENTS: usize = 1_000;
/// Subscriptions of one browser.
const MAX_CHANNELS: usize = 100;
/// Ended subscriptions that are remembered, to answer 410 and not 404.
const MAX_ENDED: usize = 1_000;

/// Why subscriptions could not be read, kept or made.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// The file cannot be read or written.
    #[error("{FILE} in the data folder: {0}")]
    Io(#[from] std::io::Error),
    /// The file is not what this program wrote.
    #[error("{FILE} in the data folder is damaged: {0}; delete it (browsers then subscribe again)")]
    Damaged(serde_json::Error),
    /// More browsers or subscriptions than a test needs.
    #[error("at most {MAX_AGENTS} browsers with {MAX_CHANNELS} subscriptions each")]
    TooMany,
}

/// One subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Channel {
    /// The unguessable end of its endpoint.
    pub(crate) token: String,
    /// The application server's public key, an uncompressed point in base64url; `None` lets every server in.
    pub(crate) key: Option<String>,
}

/// The channels of one browser, by the browser's own ids.
pub(crate) type Channels = BTreeMap<String, Channel>;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    /// By the browser's id (uaid); only browsers with subscriptions.
    agents: BTreeMap<String, Channels>,
    /// Tokens of ended subscriptions, oldest first.
    ended: VecDeque<String>,
}

/// What an endpoint leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Channel {
        agent: String,
        channel: String,
        key: Option<String>,
    },
    /// There was a subscription.
    Ended,
    Unknown,
}

/// Every subscription, as it stands in the file.
pub(crate) struct Subscriptions {
    path: PathBuf,
    stored: Stored,
}

impl Subscriptions {
    pub(crate) fn open(folder: &Path) -> Result<Self, SubscriptionError> {
        let path = folder.join(FILE);
        let stored = match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(SubscriptionError::Damaged)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Stored::default(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { path, stored })
    }

    pub(crate) fn knows(&self, agent: &str) -> bool {
        self.stored.agents.contains_key(agent)
    }

    pub(crate) fn agents(&self) -> impl Iterator<Item = (&String, &Channels)> {
        self.stored.agents.iter()
    }

    /// Makes a subscription, or finds the one that the browser has under this id and key. Its token.
    pub(crate) fn add(&mut self, agent: &str, channel: &str, key: Option<&str>) -> Result<String, SubscriptionError> {
        let channels = self.stored.agents.get(agent);
        if let Some(known) = channels.and_then(|channels| channels.get(channel))
            && known.key.as_deref() == key
        {
            return Ok(known.token.clone());
        }
        let has_space = match channels {
            Some(channels) => channels.len() < MAX_CHANNELS,
            None => self.stored.agents.len() < MAX_AGENTS,
        };
        if !has_space {
            return Err(SubscriptionError::TooMany);
        }
        let made = Channel { token: BASE64URL.encode(random::bytes::<32>()), key: key.map(str::to_owned) };
        let token = made.token.clone();
        self.change(|stored| {
            let channels = stored.agents.entry(agent.to_owned()).or_default();
            if let Some(replaced) = channels.insert(channel.to_owned(), made) {
                stored.ended.push_back(replaced.token);
            }
        })?;
        Ok(token)
    }

    /// Ends one subscription.
    pub(crate) fn remove(&mut self, agent: &str, channel: &str) -> Result<(), SubscriptionError> {
        self.change(|stored| {
            let Some(channels) = stored.agents.get_mut(agent) else { return };
            stored.ended.extend(channels.remove(channel).map(|ended| ended.token));
            if channels.is_empty() {
                stored.agents.remove(agent);
            }
        })
    }

    /// Ends all subscriptions of a browser, which will be a stranger from now on.
    pub(crate) fn forget(&mut self, agent: &str) -> Result<(), SubscriptionError> {
        self.change(|stored| {
            let channels = stored.agents.remove(agent).unwrap_or_default();
            stored.ended.extend(channels.into_values().map(|ended| ended.token));
        })
    }

    /// What a token leads to.
    pub(crate) fn find(&self, token: &str) -> Target {
        for (agent, channels) in &self.stored.agents {
            if let Some((channel, found)) = channels.iter().find(|(_, channel)| channel.token == token) {
                return Target::Channel { agent: agent.clone(), channel: channel.clone(), key: found.key.clone() };
            }
        }
        if self.stored.ended.iter().any(|ended| ended == token) { Target::Ended } else { Target::Unknown }
    }

    /// Written first, then true.
    fn change(&mut self, change: impl FnOnce(&mut Stored)) -> Result<(), SubscriptionError> {
        let mut next = self.stored.clone();
        change(&mut next);
        let excess = next.ended.len().saturating_sub(MAX_ENDED);
        next.ended.drain(..excess);
        if next != self.stored {
            file::replace(&self.path, &serde_json::to_vec_pretty(&next).map_err(std::io::Error::other)?)?;
            self.stored = next;
        }
        Ok(())
    }
}

/// An id for a browser that has none.
pub(crate) fn fresh_agent() -> String {
    hex::encode(&random::bytes::<16>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_survive_and_ended_ones_differ_from_unknown_ones() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Subscriptions::open(folder.path()).unwrap();
        let kept = first.add("a", "1", Some("key")).unwrap();
        let ended = first.add("a", "2", None).unwrap();
        let forgotten = first.add("b", "1", None).unwrap();
        first.remove("a", "2").unwrap();
        first.forget("b").unwrap();
        let again = Subscriptions::open(folder.path()).unwrap();
        let channel = Target::Channel { agent: "a".into(), channel: "1".into(), key: Some("key".into()) };
        assert_eq!(again.find(&kept), channel);
        assert_eq!((again.find(&ended), again.find(&forgotten)), (Target::Ended, Target::Ended));
        assert_eq!(again.find("other"), Target::Unknown);
        assert!(again.knows("a") && !again.knows("b"));
    }

    #[test]
    fn the_same_channel_and_key_is_the_same_subscription_and_another_key_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut subscriptions = Subscriptions::open(folder.path()).unwrap();
        let token = subscriptions.add("a", "1", Some("key")).unwrap();
        assert_eq!(subscriptions.add("a", "1", Some("key")).unwrap(), token);
        let other = subscriptions.add("a", "1", Some("other")).unwrap();
        assert_eq!(subscriptions.find(&token), Target::Ended);
        assert!(matches!(subscriptions.find(&other), Target::Channel { .. }));
    }

    #[test]
    fn what_cannot_be_written_is_not_true() {
        let folder = tempfile::tempdir().unwrap();
        let mut subscriptions = Subscriptions::open(folder.path()).unwrap();
        subscriptions.add("a", "1", None).unwrap();
        std::fs::remove_dir_all(folder.path()).unwrap();
        assert!(matches!(subscriptions.add("a", "2", None), Err(SubscriptionError::Io(_))));
        assert!(matches!(subscriptions.remove("a", "1"), Err(SubscriptionError::Io(_))));
        assert_eq!(subscriptions.agents().next().unwrap().1.len(), 1);
    }

    #[test]
    fn a_damaged_file_is_named_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "[]").unwrap();
        assert!(matches!(Subscriptions::open(folder.path()), Err(SubscriptionError::Damaged(_))));
    }

    #[test]
    fn a_browser_has_a_bounded_number_of_subscriptions() {
        let folder = tempfile::tempdir().unwrap();
        let mut subscriptions = Subscriptions::open(folder.path()).unwrap();
        let channels =
            (0..MAX_CHANNELS).map(|number| (number.to_string(), Channel { token: number.to_string(), key: None }));
        subscriptions.stored.agents.insert("a".into(), channels.collect());
        assert!(matches!(subscriptions.add("a", "more", None), Err(SubscriptionError::TooMany)));
    }
}
