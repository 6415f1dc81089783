//! The current device of each account, in the database.
//!
//! Each browser profile that enlists or restores a backup has a random id. Only the account's current device gets
//! identity tokens, so that a browser whose keys were replaced or handed over can never connect again with its old
//! keys. What this module does not know: what tokens are, the time (an argument), and whether the caller is signed in.

use super::device_id::DeviceId;
use crate::store::{Database, StoreError};

/// An account's current device.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct CurrentDevice {
    /// Its id; empty if there is none yet.
    pub(crate) device: String,
    /// When it became current, Unix milliseconds; 0 if there is none.
    pub(crate) since: i64,
}

/// The device that a claim replaced.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ReplacedDevice {
    /// The previous device; empty if there was none.
    pub(crate) previous: String,
    /// When the previous device had become current, Unix milliseconds; 0 if there was none.
    pub(crate) since: i64,
}

/// Queries on the device columns of the table `accounts`.
#[derive(Clone)]
pub(crate) struct DeviceRepository {
    database: Database,
}

impl DeviceRepository {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// The account's current device.
    pub(crate) async fn current(&self, identifier: &str) -> Result<CurrentDevice, StoreError> {
        let found: Option<(String, i64)> =
            sqlx::query_as("SELECT device, device_since FROM accounts WHERE identifier = $1")
                .bind(identifier)
                .fetch_optional(self.database.pool())
                .await?;
        Ok(found.map(|(device, since)| CurrentDevice { device, since }).unwrap_or_default())
    }

    /// Makes a device the current one. Repeating the claim returns the same result, so that a client whose response was
    /// lost learns it.
    pub(crate) async fn claim(
        &self,
        identifier: &str,
        device: &DeviceId,
        now: i64,
    ) -> Result<ReplacedDevice, StoreError> {
        // Of two concurrent claims the later one replaces the earlier and learns of it: its update waits for the first
        // transaction and sees its result.
        let mut transaction = self.database.begin().await?;
        sqlx::query(
            "UPDATE accounts SET previous_device = device, previous_since = device_since, device = $2, device_since = $3
             WHERE identifier = $1 AND device <> $2",
        )
        .bind(identifier)
        .bind(device.as_str())
        .bind(now)
        .execute(&mut *transaction)
        .await?;
        let found: Option<(String, i64)> =
            sqlx::query_as("SELECT previous_device, previous_since FROM accounts WHERE identifier = $1")
                .bind(identifier)
                .fetch_optional(&mut *transaction)
                .await?;
        transaction.commit().await?;
        Ok(found.map(|(previous, since)| ReplacedDevice { previous, since }).unwrap_or_default())
    }

    /// Whether a device is the current one; makes it current if there is none.
    pub(crate) async fn claim_if_none(
        &self,
        identifier: &str,
        device: &DeviceId,
        now: i64,
    ) -> Result<bool, StoreError> {
        sqlx::query("UPDATE accounts SET device = $2, device_since = $3 WHERE identifier = $1 AND device = ''")
            .bind(identifier)
            .bind(device.as_str())
            .bind(now)
            .execute(self.database.pool())
            .await?;
        Ok(self.current(identifier).await?.device == device.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sign_in::{AccountRepository, Identifier},
        store::testing::{TestDatabase, on_both_engines},
    };

    on_both_engines!(concurrent_claims_each_replace_the_one_before, only_one_of_concurrent_devices_becomes_the_first);

    fn device(number: usize) -> DeviceId {
        DeviceId::try_from(format!("{number:032x}")).unwrap()
    }

    /// A database with the account `alice`.
    async fn open(database: &TestDatabase) -> DeviceRepository {
        let database = database.open().await;
        let accounts = AccountRepository::new(database.clone());
        accounts.create(&Identifier::new("alice").unwrap(), "hash", 1).await.unwrap();
        DeviceRepository::new(database)
    }

    async fn concurrent_claims_each_replace_the_one_before(database: TestDatabase) {
        let devices = open(&database).await;
        let claim = |devices: DeviceRepository, number| async move {
            devices.claim("alice", &device(number), 5).await.unwrap()
        };
        let claims: Vec<_> = (0..10).map(|number| tokio::spawn(claim(devices.clone(), number))).collect();
        let mut replaced = Vec::new();
        for claimed in claims {
            replaced.push(claimed.await.unwrap().previous);
        }
        // Every device but the last was replaced once, and one replaced none.
        replaced.push(devices.current("alice").await.unwrap().device);
        replaced.sort();
        let expected: Vec<_> =
            [String::new()].into_iter().chain((0..10).map(|number| device(number).as_str().to_owned())).collect();
        assert_eq!(replaced, expected);
    }

    async fn only_one_of_concurrent_devices_becomes_the_first(database: TestDatabase) {
        let devices = open(&database).await;
        let ask = |devices: DeviceRepository, number| async move {
            devices.claim_if_none("alice", &device(number), 5).await.unwrap()
        };
        let pending: Vec<_> = (0..10).map(|number| tokio::spawn(ask(devices.clone(), number))).collect();
        let mut accepted = 0;
        for result in pending {
            accepted += usize::from(result.await.unwrap());
        }
        assert_eq!(accepted, 1);
    }
}
