//! The current device of each account, in the database.
//!
//! Each browser profile that enlists or restores a backup has a random id. Only the account's current device gets
//! identity tokens, so that a browser whose keys were replaced or handed over can never connect again with its old
//! keys. What this module does not know: what tokens are, the time (an argument), and whether the caller is signed in.

use super::device_id::{DeviceId, InvalidDeviceId};
use crate::{
    account_id::AccountId,
    store::{Database, StoreError},
    time::UnixMillis,
};

/// A device of an account, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountDevice {
    pub(crate) device: DeviceId,
    /// When it became the current one.
    pub(crate) since: UnixMillis,
}

/// Reads the columns of a device; empty ones hold none.
fn read(column: &'static str, (device, since): (String, i64)) -> Result<Option<AccountDevice>, StoreError> {
    if device.is_empty() {
        return Ok(None);
    }
    let damaged = |InvalidDeviceId| StoreError::Damaged { column, expected: "32 lower-case hex digits" };
    let device = DeviceId::try_from(device).map_err(damaged)?;
    Ok(Some(AccountDevice { device, since: UnixMillis::new(since) }))
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

    /// The account's current device; `None` before the first.
    pub(crate) async fn current(&self, account: &AccountId) -> Result<Option<AccountDevice>, StoreError> {
        let found: Option<(String, i64)> =
            sqlx::query_as("SELECT device, device_since FROM accounts WHERE identifier = $1")
                .bind(account.as_str())
                .fetch_optional(self.database.pool())
                .await?;
        found.map_or(Ok(None), |columns| read("accounts.device", columns))
    }

    /// Makes a device the current one; returns the one that it replaced. Repeating the claim returns the same result, so that a client whose response was
    /// lost learns it.
    pub(crate) async fn claim(
        &self,
        account: &AccountId,
        device: &DeviceId,
        now: UnixMillis,
    ) -> Result<Option<AccountDevice>, StoreError> {
        // Of two concurrent claims the later one replaces the earlier and learns of it: its update waits for the first
        // transaction and sees its result.
        let mut transaction = self.database.begin().await?;
        sqlx::query(
            "UPDATE accounts SET previous_device = device, previous_since = device_since, device = $2, device_since = $3
             WHERE identifier = $1 AND device <> $2",
        )
        .bind(account.as_str())
        .bind(device.as_str())
        .bind(now.get())
        .execute(&mut *transaction)
        .await?;
        let found: Option<(String, i64)> =
            sqlx::query_as("SELECT previous_device, previous_since FROM accounts WHERE identifier = $1")
                .bind(account.as_str())
                .fetch_optional(&mut *transaction)
                .await?;
        transaction.commit().await?;
        found.map_or(Ok(None), |columns| read("accounts.previous_device", columns))
    }

    /// Whether a device is the current one; makes it current if there is none.
    pub(crate) async fn claim_if_none(
        &self,
        account: &AccountId,
        device: &DeviceId,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        sqlx::query("UPDATE accounts SET device = $2, device_since = $3 WHERE identifier = $1 AND device = ''")
            .bind(account.as_str())
            .bind(device.as_str())
            .bind(now.get())
            .execute(self.database.pool())
            .await?;
        Ok(self.current(account).await?.is_some_and(|current| current.device == *device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sign_in::{AccountRepository, Identifier},
        store::testing::{TestDatabase, on_both_engines},
        time::UnixSeconds,
    };

    on_both_engines!(
        concurrent_claims_each_replace_the_one_before,
        only_one_of_concurrent_devices_becomes_the_first,
        a_damaged_device_is_an_error_and_not_another_device
    );

    fn device(number: usize) -> DeviceId {
        DeviceId::try_from(format!("{number:032x}")).unwrap()
    }

    fn alice() -> AccountId {
        AccountId::new("alice")
    }

    /// A database with the account `alice`.
    async fn open(database: &TestDatabase) -> DeviceRepository {
        let database = database.open().await;
        let accounts = AccountRepository::new(database.clone());
        accounts.create(&Identifier::new("alice").unwrap(), "hash", UnixSeconds::new(1)).await.unwrap();
        DeviceRepository::new(database)
    }

    async fn concurrent_claims_each_replace_the_one_before(database: TestDatabase) {
        let devices = open(&database).await;
        let claim = |devices: DeviceRepository, number| async move {
            devices.claim(&alice(), &device(number), UnixMillis::new(5)).await.unwrap()
        };
        let claims: Vec<_> = (0..10).map(|number| tokio::spawn(claim(devices.clone(), number))).collect();
        let mut replaced = Vec::new();
        for claimed in claims {
            replaced.push(claimed.await.unwrap().map(|replaced| replaced.device));
        }
        // Every device but the last was replaced once, and one replaced none.
        replaced.push(devices.current(&alice()).await.unwrap().map(|current| current.device));
        replaced.sort();
        let expected: Vec<_> = [None].into_iter().chain((0..10).map(|number| Some(device(number)))).collect();
        assert_eq!(replaced, expected);
    }

    async fn only_one_of_concurrent_devices_becomes_the_first(database: TestDatabase) {
        let devices = open(&database).await;
        let ask = |devices: DeviceRepository, number| async move {
            devices.claim_if_none(&alice(), &device(number), UnixMillis::new(5)).await.unwrap()
        };
        let pending: Vec<_> = (0..10).map(|number| tokio::spawn(ask(devices.clone(), number))).collect();
        let mut accepted = 0;
        for result in pending {
            accepted += usize::from(result.await.unwrap());
        }
        assert_eq!(accepted, 1);
    }

    async fn a_damaged_device_is_an_error_and_not_another_device(database: TestDatabase) {
        let devices = open(&database).await;
        assert_eq!(devices.current(&alice()).await.unwrap(), None);
        assert_eq!(devices.current(&AccountId::new("nobody")).await.unwrap(), None);
        assert!(devices.claim_if_none(&alice(), &device(1), UnixMillis::new(5)).await.unwrap());
        let first = AccountDevice { device: device(1), since: UnixMillis::new(5) };
        assert_eq!(devices.current(&alice()).await.unwrap(), Some(first));
        sqlx::query("UPDATE accounts SET device = 'x'").execute(devices.database.pool()).await.unwrap();
        let error = devices.current(&alice()).await.unwrap_err().to_string();
        assert_eq!(error, "the database: accounts.device holds 32 lower-case hex digits, and this row does not");
        assert!(devices.claim_if_none(&alice(), &device(2), UnixMillis::new(6)).await.is_err());
    }
}
