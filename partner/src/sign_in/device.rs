//! Which browser profile is an account's current one.
//!
//! Each profile that enlists or restores a backup has a random id. One of them is the account's: whoever is not gets no
//! token, so that a browser whose keys were replaced or handed over can never connect again with what it still holds.
//! What this module does not know: what a device is good for, the time (an argument), and whether the caller is signed in.

use crate::store::{Database, StoreError};

/// A device id: 32 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeviceId(String);

/// What was said is no device id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a device id has 32 lower-case hex digits")]
pub(crate) struct InvalidDeviceId;

impl TryFrom<String> for DeviceId {
    type Error = InvalidDeviceId;

    fn try_from(text: String) -> Result<Self, InvalidDeviceId> {
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 32 && text.bytes().all(hex)).then_some(Self(text)).ok_or(InvalidDeviceId)
    }
}

/// An account's current device.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct CurrentDevice {
    /// Its id; empty if there is none yet.
    pub(crate) device: String,
    /// When it became that, Unix milliseconds; 0 if there is none.
    pub(crate) since: i64,
}

/// What a claim replaced.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ReplacedDevice {
    /// The device before this one; empty if there was none.
    pub(crate) previous: String,
    /// When that one had become the current one; 0 if there was none.
    pub(crate) since: i64,
}

impl Database {
    /// The account's current device.
    pub(crate) async fn current_device(&self, identifier: &str) -> Result<CurrentDevice, StoreError> {
        let found: Option<(String, i64)> =
            sqlx::query_as("SELECT device, device_since FROM accounts WHERE identifier = $1")
                .bind(identifier)
                .fetch_optional(self.pool())
                .await?;
        Ok(found.map(|(device, since)| CurrentDevice { device, since }).unwrap_or_default())
    }

    /// Makes a device the account's. Claiming again answers what the first claim answered, so that a client whose answer
    /// was lost on the way learns the same.
    pub(crate) async fn claim_device(
        &self,
        identifier: &str,
        device: &DeviceId,
        now: i64,
    ) -> Result<ReplacedDevice, StoreError> {
        // Of two devices that claim at once the later one replaces the earlier, and knows it: the second update waits for
        // the first transaction, and sees what it did.
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE accounts SET previous_device = device, previous_since = device_since, device = $2, device_since = $3
             WHERE identifier = $1 AND device <> $2",
        )
        .bind(identifier)
        .bind(&device.0)
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

    /// Whether a device is the account's; it becomes so if none is.
    pub(crate) async fn is_current_device(
        &self,
        identifier: &str,
        device: &DeviceId,
        now: i64,
    ) -> Result<bool, StoreError> {
        sqlx::query("UPDATE accounts SET device = $2, device_since = $3 WHERE identifier = $1 AND device = ''")
            .bind(identifier)
            .bind(&device.0)
            .bind(now)
            .execute(self.pool())
            .await?;
        Ok(self.current_device(identifier).await?.device == device.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sign_in::Identifier,
        store::testing::{TestDatabase, on_both_engines},
    };

    on_both_engines!(of_devices_that_claim_at_once_each_replaces_the_one_before, only_one_of_many_becomes_the_first);

    fn device(number: usize) -> DeviceId {
        DeviceId(format!("{number:032x}"))
    }

    async fn of_devices_that_claim_at_once_each_replaces_the_one_before(database: TestDatabase) {
        let store = database.open().await;
        store.create_account(&Identifier::new("alice").unwrap(), "hash", 1).await.unwrap();
        let claim =
            |store: Database, number| async move { store.claim_device("alice", &device(number), 5).await.unwrap() };
        let claims: Vec<_> = (0..10).map(|number| tokio::spawn(claim(store.clone(), number))).collect();
        let mut replaced = Vec::new();
        for claimed in claims {
            replaced.push(claimed.await.unwrap().previous);
        }
        // Everyone but the last was replaced once, and one replaced nobody.
        replaced.push(store.current_device("alice").await.unwrap().device);
        replaced.sort();
        let expected: Vec<_> = [String::new()].into_iter().chain((0..10).map(|number| device(number).0)).collect();
        assert_eq!(replaced, expected);
    }

    async fn only_one_of_many_becomes_the_first(database: TestDatabase) {
        let store = database.open().await;
        store.create_account(&Identifier::new("alice").unwrap(), "hash", 1).await.unwrap();
        let ask = |store: Database, number| async move {
            store.is_current_device("alice", &device(number), 5).await.unwrap()
        };
        let asking: Vec<_> = (0..10).map(|number| tokio::spawn(ask(store.clone(), number))).collect();
        let mut told_yes = 0;
        for asked in asking {
            told_yes += usize::from(asked.await.unwrap());
        }
        assert_eq!(told_yes, 1);
    }

    #[test]
    fn thirty_two_lower_case_hex_digits_and_nothing_else() {
        let good = "0123456789abcdef".repeat(2);
        assert_eq!(DeviceId::try_from(good.clone()).map(|device| device.0), Ok(good.clone()));
        for bad in ["", &good[1..], &format!("{good}0"), &good.to_uppercase(), &good.replace('0', "g"), &"é".repeat(16)]
        {
            assert_eq!(DeviceId::try_from(bad.to_owned()), Err(InvalidDeviceId), "{bad:?}");
        }
    }
}
