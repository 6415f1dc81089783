//! Administration of the database, also while servers run: keys, users, subscriptions, storage.
//!
//! What this module does not know: command lines ([`Admin`] is for any program), and the servers, which reload keys
//! within half a minute.

use crate::{
    clock,
    config::{Config, Settings},
    identity::TokenKeys,
    keys::{Key, KeyEntry, KeyError, KeyRing},
    media::{Media, MediaSettings, StorageUsage, SweepError, UploadRepository},
    metrics::MediaMetrics,
    push::{Services, SubscriptionRepository, VapidKeys, subscription_host},
    sign_in::{AccountRepository, Identifier},
    start_error::StartError,
    startup::open_database,
    store::{Database, StoreError},
};

/// Maximum number of rows of one query.
const PAGE_ROWS: i64 = 500;
/// Seconds without confirmation after which a subscription is pruned; WhatsApp drops undelivered messages after 30
/// days.
const PRUNE_AFTER_SECONDS: i64 = 90 * 86_400;

/// An open database for administration.
pub struct Admin {
    database: Database,
    accounts: AccountRepository,
    subscriptions: SubscriptionRepository,
    uploads: UploadRepository,
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
    /// The key id.
    pub kid: String,
    /// Creation time, Unix seconds.
    pub created: i64,
    /// Time from which it signs, until the next key does. Unix seconds.
    pub active: i64,
    /// Whether it is the signing key now.
    pub signs: bool,
}

/// A person's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSummary {
    /// The user-visible identifier.
    pub identifier: String,
    /// Creation time, Unix seconds.
    pub created: i64,
}

/// A browser's subscription. The endpoint is left out because it allows sending pushes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionSummary {
    /// The account.
    pub identifier: String,
    /// Host of the push service.
    pub service: String,
    /// Id of the VAPID key that it was made for.
    pub kid: String,
    /// Creation time, Unix seconds.
    pub created: i64,
    /// Time of the last confirmation by its browser, Unix seconds.
    pub seen: i64,
}

/// The storage that an account uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageSummary {
    /// The account, which may have been deleted.
    pub identifier: String,
    /// Complete files that WhatsApp can fetch.
    pub files: u64,
    /// Pending uploads.
    pub uploads: u64,
    /// Stored bytes of both.
    pub bytes: u64,
    /// Expired files and uploads that wait to be swept.
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
        let (database, keys, vapid) = open_database(&settings).await?;
        Ok(Self {
            accounts: AccountRepository::new(database.clone()),
            subscriptions: SubscriptionRepository::new(database.clone()),
            uploads: UploadRepository::new(database.clone()),
            database,
            keys,
            vapid,
            services: settings.push.services,
            media: settings.media,
        })
    }

    /// All keys, in the order in which they sign.
    ///
    /// # Errors
    /// Database errors.
    pub async fn keys(&self) -> Result<Vec<KeySummary>, KeyError> {
        let mut all = summaries(&self.keys).await?;
        all.extend(summaries(&self.vapid).await?);
        Ok(all)
    }

    /// Adds a key for identity tokens, which signs in ten minutes. Returns its id.
    ///
    /// # Errors
    /// Database errors, and [`KeyError::TooMany`].
    pub async fn rotate_keys(&self) -> Result<String, KeyError> {
        self.keys.rotate(clock::unix_seconds()).await
    }

    /// Adds a VAPID key, for which browsers subscribe from now on. Returns its id.
    ///
    /// # Errors
    /// Database errors, and [`KeyError::TooMany`].
    pub async fn rotate_vapid(&self) -> Result<String, KeyError> {
        self.vapid.rotate(clock::unix_seconds()).await
    }

    /// A page of accounts after `after`, ordered by identifier; empty after the last.
    ///
    /// # Errors
    /// Database errors.
    pub async fn users(&self, after: Option<&UserSummary>) -> Result<Vec<UserSummary>, StoreError> {
        let after = after.map_or("", |user| user.identifier.as_str());
        let rows = self.accounts.list(after, PAGE_ROWS).await?;
        Ok(rows.into_iter().map(|(identifier, created)| UserSummary { identifier, created }).collect())
    }

    /// Deletes an account with its sessions and subscriptions. Returns whether it existed.
    ///
    /// # Errors
    /// Database errors.
    pub async fn delete_user(&self, identifier: &str) -> Result<bool, StoreError> {
        match Identifier::new(identifier) {
            Some(known) if known.as_str() == identifier => self.accounts.delete(identifier).await,
            _ => Ok(false),
        }
    }

    /// Calls `each` with every subscription until it returns `false`.
    ///
    /// # Errors
    /// Database errors.
    pub async fn subscriptions(&self, mut each: impl FnMut(SubscriptionSummary) -> bool) -> Result<(), StoreError> {
        let mut after = (String::new(), String::new());
        loop {
            let page = self.subscriptions.list((&after.0, &after.1), PAGE_ROWS).await?;
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

    /// Deletes subscriptions of services that are not in `push.services`, and those that no browser has confirmed for
    /// 90 days. Returns their number.
    ///
    /// # Errors
    /// Database errors; subscriptions deleted so far stay deleted.
    pub async fn prune_subscriptions(&self) -> Result<u64, StoreError> {
        let oldest = clock::unix_milliseconds().saturating_sub(PRUNE_AFTER_SECONDS * 1_000);
        let (mut after, mut ended) = ((String::new(), String::new()), 0);
        loop {
            let page = self.subscriptions.list((&after.0, &after.1), PAGE_ROWS).await?;
            let Some(last) = page.last() else { return Ok(ended) };
            after = (last.identifier.clone(), last.endpoint.clone());
            for kept in page {
                if kept.seen < oldest || !self.services.allow_text(&kept.endpoint) {
                    self.subscriptions.delete(&kept.identifier, &kept.endpoint).await?;
                    ended += 1;
                }
            }
        }
    }

    /// A page of storage usage after `after`, ordered by identifier; empty after the last.
    ///
    /// # Errors
    /// Database errors.
    pub async fn storage(&self, after: Option<&StorageSummary>) -> Result<Vec<StorageSummary>, StoreError> {
        let after = after.map_or("", |last| last.identifier.as_str());
        let rows = self.uploads.usage(clock::unix_seconds(), after, PAGE_ROWS).await?;
        let summary = |StorageUsage { identifier, files, uploads, bytes, expired }| StorageSummary {
            identifier,
            files,
            uploads,
            bytes,
            expired,
        };
        Ok(rows.into_iter().map(summary).collect())
    }

    /// Deletes expired files and uploads and those of deleted accounts now; servers do the same every minute. Returns
    /// their number.
    ///
    /// # Errors
    /// Errors of the database and of the media store.
    pub async fn sweep_storage(&self) -> Result<u64, SweepError> {
        let media = Media::open(self.media.clone(), self.database.clone(), MediaMetrics::default())?;
        media.sweep(clock::unix_seconds()).await
    }

    /// Closes the database.
    pub async fn close(self) {
        self.database.close().await;
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
