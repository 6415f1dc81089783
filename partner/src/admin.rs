//! What an operator does on the database beside the running servers: keys, users, subscriptions, storage.
//!
//! What this module does not know: command lines ([`Admin`] is for any program), and the servers: they read changed keys
//! within half a minute.

use crate::{
    Database, StartError, clock,
    config::{Config, Settings},
    identity::TokenKeys,
    keys::{Key, KeyEntry, KeyError, KeyRing},
    media::{Media, MediaSettings, StorageUsage, SweepError},
    metrics::MediaMetrics,
    push::{Services, VapidKeys, subscription_host},
    sign_in::Identifier,
    store::StoreError,
};

/// Rows read at once.
const PAGE_ROWS: i64 = 500;
/// Seconds after which a subscription that no browser named any more is pruned: WhatsApp gives a user up after 30 days.
const PRUNE_AFTER_SECONDS: i64 = 90 * 86_400;

/// A configured database, open for its operator.
pub struct Admin {
    store: Database,
    keys: TokenKeys,
    vapid: VapidKeys,
    services: Services,
    media: MediaSettings,
}

/// A private key of the servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySummary {
    /// What it signs: `token` or `push`.
    pub purpose: &'static str,
    /// Its name.
    pub kid: String,
    /// When it was made, Unix seconds.
    pub created: i64,
    /// From when on it signs, until the next one does.
    pub active: i64,
    /// Whether it signs now.
    pub signs: bool,
}

/// A person's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSummary {
    /// The user-visible identifier.
    pub identifier: String,
    /// When it was made, Unix seconds.
    pub created: i64,
}

/// A browser's subscription. Its address is a secret: who has it can wake the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionSummary {
    /// Whose it is.
    pub identifier: String,
    /// The push service.
    pub service: String,
    /// The key that it was made for.
    pub kid: String,
    /// When it was made, Unix seconds.
    pub created: i64,
    /// When its browser last named it, Unix seconds.
    pub seen: i64,
}

/// What an account has in the storage of media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageSummary {
    /// Whose it is, or was.
    pub identifier: String,
    /// Whole files that WhatsApp may fetch.
    pub files: u64,
    /// Uploads under way.
    pub uploads: u64,
    /// Bytes kept of both.
    pub bytes: u64,
    /// Files and uploads that are over and wait to be swept up.
    pub expired: u64,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Admin")
    }
}

impl Admin {
    /// Checks the configuration and opens its database and keys, as a server does.
    ///
    /// # Errors
    /// A [`StartError`] that names the option to change.
    pub async fn open(config: Config) -> Result<Self, StartError> {
        let listen = config.listen;
        let settings = Settings::check(config, listen)?;
        let (store, keys, vapid) = crate::open_kept(&settings).await?;
        Ok(Self { store, keys, vapid, services: settings.push.services, media: settings.media })
    }

    /// Every key, in the order in which they sign.
    ///
    /// # Errors
    /// The database's.
    pub async fn keys(&self) -> Result<Vec<KeySummary>, KeyError> {
        let mut all = summaries(&self.keys).await?;
        all.extend(summaries(&self.vapid).await?);
        Ok(all)
    }

    /// Makes a key for identity tokens; it signs in ten minutes. Answers its name.
    ///
    /// # Errors
    /// The database's, and [`KeyError::TooMany`].
    pub async fn rotate_keys(&self) -> Result<String, KeyError> {
        self.keys.rotate(clock::unix_seconds()).await
    }

    /// Makes a key for push services; browsers subscribe for it from now on. Answers its name.
    ///
    /// # Errors
    /// The database's, and [`KeyError::TooMany`].
    pub async fn rotate_vapid(&self) -> Result<String, KeyError> {
        self.vapid.rotate(clock::unix_seconds()).await
    }

    /// At most a few hundred accounts after one, in the order of their identifiers; none after the last.
    ///
    /// # Errors
    /// The database's.
    pub async fn users(&self, after: Option<&UserSummary>) -> Result<Vec<UserSummary>, StoreError> {
        let after = after.map_or("", |user| user.identifier.as_str());
        let rows = self.store.accounts(after, PAGE_ROWS).await?;
        Ok(rows.into_iter().map(|(identifier, created)| UserSummary { identifier, created }).collect())
    }

    /// Deletes an account with its sessions and subscriptions. Answers whether it existed.
    ///
    /// # Errors
    /// The database's.
    pub async fn delete_user(&self, identifier: &str) -> Result<bool, StoreError> {
        match Identifier::new(identifier) {
            Some(known) if known.as_str() == identifier => self.store.delete_account(identifier).await,
            _ => Ok(false),
        }
    }

    /// Shows every subscription to `each`, until it says that it has seen enough.
    ///
    /// # Errors
    /// The database's.
    pub async fn subscriptions(&self, mut each: impl FnMut(SubscriptionSummary) -> bool) -> Result<(), StoreError> {
        let mut after = (String::new(), String::new());
        loop {
            let page = self.store.subscriptions((&after.0, &after.1), PAGE_ROWS).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = (last.identifier.clone(), last.endpoint.clone());
            for kept in page {
                let facts = SubscriptionSummary {
                    service: subscription_host(&kept.endpoint),
                    identifier: kept.identifier,
                    kid: kept.kid,
                    created: kept.created / 1_000,
                    seen: kept.seen / 1_000,
                };
                if !each(facts) {
                    return Ok(());
                }
            }
        }
    }

    /// Ends the subscriptions with services that are not in `push.services`, and those that no browser named for 90 days.
    /// Answers how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune_subscriptions(&self) -> Result<u64, StoreError> {
        let oldest = clock::unix_milliseconds().saturating_sub(PRUNE_AFTER_SECONDS * 1_000);
        let (mut after, mut ended) = ((String::new(), String::new()), 0);
        loop {
            let page = self.store.subscriptions((&after.0, &after.1), PAGE_ROWS).await?;
            let Some(last) = page.last() else { return Ok(ended) };
            after = (last.identifier.clone(), last.endpoint.clone());
            for kept in page {
                if kept.seen < oldest || !self.services.allow_text(&kept.endpoint) {
                    self.store.unsubscribe(&kept.identifier, &kept.endpoint).await?;
                    ended += 1;
                }
            }
        }
    }

    /// What at most a few hundred accounts have in the storage, in the order of their identifiers; none after the last.
    ///
    /// # Errors
    /// The database's.
    pub async fn storage(&self, after: Option<&StorageSummary>) -> Result<Vec<StorageSummary>, StoreError> {
        let after = after.map_or("", |facts| facts.identifier.as_str());
        let rows = self.store.media_usage(clock::unix_seconds(), after, PAGE_ROWS).await?;
        let facts = |StorageUsage { identifier, files, uploads, bytes, expired }| StorageSummary {
            identifier,
            files,
            uploads,
            bytes,
            expired,
        };
        Ok(rows.into_iter().map(facts).collect())
    }

    /// Deletes what is over in the storage, and what deleted accounts left there; servers do so by themselves, later.
    /// Answers how many files and uploads.
    ///
    /// # Errors
    /// The database's, and those of the place where the bytes are.
    pub async fn sweep_storage(&self) -> Result<u64, SweepError> {
        let media = Media::open(self.media.clone(), self.store.clone(), MediaMetrics::default())?;
        media.sweep(clock::unix_seconds()).await
    }

    /// Closes the database.
    pub async fn close(self) {
        self.store.close().await;
    }
}

async fn summaries<K: Key>(ring: &KeyRing<K>) -> Result<Vec<KeySummary>, KeyError> {
    let entries = ring.reload().await?;
    let signer = ring.signer(clock::unix_seconds())?;
    let fact = |entry: &KeyEntry<K>| KeySummary {
        purpose: K::PURPOSE,
        kid: entry.key.kid().to_owned(),
        created: entry.created,
        active: entry.active,
        signs: entry.key.kid() == signer.key.kid(),
    };
    Ok(entries.iter().map(|entry| fact(entry)).collect())
}
