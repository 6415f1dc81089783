//! Administration of the database, also while servers run: keys, users, subscriptions, storage.
//!
//! What this module does not know: command lines ([`Admin`] is for any program), and the servers, which reload keys
//! within half a minute.

use crate::{
    account_id::AccountId,
    clock,
    config::{Config, Settings},
    identity::TokenKeys,
    keys::{Key, KeyEntry, KeyError, KeyId, KeyRing},
    media::{Media, MediaSettings, StorageUsage, SweepError, UploadRepository},
    metrics::MediaMetrics,
    push::{Services, SubscriptionRepository, VapidKeys},
    sign_in::{AccountRepository, Identifier},
    start_error::StartError,
    startup::open_database,
    store::{Database, StoreError},
    time::UnixSeconds,
};
use std::time::Duration;

/// Maximum number of rows of one query.
const PAGE_ROWS: i64 = 500;
/// Time without confirmation after which a subscription is pruned; WhatsApp drops undelivered messages after 30
/// days.
const PRUNE_AFTER: Duration = Duration::from_secs(90 * 86_400);

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
    pub kid: KeyId,
    /// Creation time; `None` if it is unknown.
    pub created: Option<UnixSeconds>,
    /// Time from which it signs, until the next key does.
    pub active: UnixSeconds,
    /// Whether it is the signing key now.
    pub signs: bool,
}

/// A person's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSummary {
    /// The account, by its user-visible identifier.
    pub account: AccountId,
    /// Creation time.
    pub created: UnixSeconds,
}

/// A browser's subscription. The endpoint is left out because it allows sending pushes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionSummary {
    /// The account.
    pub account: AccountId,
    /// Host of the push service; `None` for a row that this program did not write.
    pub service: Option<String>,
    /// Id of the VAPID key that it was made for.
    pub kid: KeyId,
    /// Creation time.
    pub created: UnixSeconds,
    /// Time of the last confirmation by its browser.
    pub seen: UnixSeconds,
}

/// The storage that an account uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageSummary {
    /// The account, which may have been deleted.
    pub account: AccountId,
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
    pub async fn rotate_keys(&self) -> Result<KeyId, KeyError> {
        self.keys.rotate(clock::unix_seconds()).await
    }

    /// Adds a VAPID key, for which browsers subscribe from now on. Returns its id.
    ///
    /// # Errors
    /// Database errors, and [`KeyError::TooMany`].
    pub async fn rotate_vapid(&self) -> Result<KeyId, KeyError> {
        self.vapid.rotate(clock::unix_seconds()).await
    }

    /// A page of accounts after `after`, ordered by identifier; empty after the last.
    ///
    /// # Errors
    /// Database errors.
    pub async fn users(&self, after: Option<&UserSummary>) -> Result<Vec<UserSummary>, StoreError> {
        let rows = self.accounts.list(after.map(|user| &user.account), PAGE_ROWS).await?;
        Ok(rows.into_iter().map(|(account, created)| UserSummary { account, created }).collect())
    }

    /// Deletes an account with its sessions and subscriptions. Returns whether it existed.
    ///
    /// # Errors
    /// Database errors.
    pub async fn delete_user(&self, account: &AccountId) -> Result<bool, StoreError> {
        match Identifier::new(account.as_str()) {
            Some(known) if known.account() == account => self.accounts.delete(account).await,
            _ => Ok(false),
        }
    }

    /// Calls `each` with every subscription until it returns `false`.
    ///
    /// # Errors
    /// Database errors.
    pub async fn subscriptions(&self, mut each: impl FnMut(SubscriptionSummary) -> bool) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.subscriptions.list(after.as_ref(), PAGE_ROWS).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for kept in page {
                let facts = SubscriptionSummary {
                    service: kept.endpoint.host(),
                    account: kept.account,
                    kid: kept.kid,
                    created: kept.created.seconds(),
                    seen: kept.seen.seconds(),
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
        let oldest = clock::unix_milliseconds().before(PRUNE_AFTER);
        let (mut after, mut ended) = (None, 0);
        loop {
            let page = self.subscriptions.list(after.as_ref(), PAGE_ROWS).await?;
            let Some(last) = page.last() else { return Ok(ended) };
            after = Some(last.clone());
            for kept in page {
                if kept.seen < oldest || !self.services.allow(&kept.endpoint) {
                    self.subscriptions.delete(&kept.account, &kept.endpoint).await?;
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
        let after = after.map(|last| &last.account);
        let rows = self.uploads.usage(clock::unix_seconds(), after, PAGE_ROWS).await?;
        let summary = |StorageUsage { account, files, uploads, bytes, expired }| StorageSummary {
            account,
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
        kid: entry.key.kid().clone(),
        created: entry.created,
        active: entry.active,
        signs: entry.key.kid() == signer.key.kid(),
    };
    Ok(entries.iter().map(|entry| fact(entry)).collect())
}
