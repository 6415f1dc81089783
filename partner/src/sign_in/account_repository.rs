//! Accounts in the database.
//!
//! What this module does not know: the time (an argument), and how a password became the hash that is stored.

use super::{identifier::Identifier, open_id::Subject};
use crate::{
    account_id::AccountId,
    media::expire_uploads_of,
    store::{Database, StoreError},
    time::UnixSeconds,
};

/// Why an account was not created.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewAccountError {
    /// The identifier is taken, possibly in another case.
    #[error("the identifier is taken")]
    Taken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Queries on the table `accounts`.
#[derive(Clone)]
pub(crate) struct AccountRepository {
    database: Database,
}

impl AccountRepository {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Creates an account that signs in with a password.
    pub(crate) async fn create(
        &self,
        identifier: &Identifier,
        password_hash: &str,
        now: UnixSeconds,
    ) -> Result<(), NewAccountError> {
        let folded = identifier.account().folded();
        let made = sqlx::query(
            "INSERT INTO accounts (identifier, folded, password_hash, created) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(identifier.account().as_str())
        .bind(folded.as_str())
        .bind(password_hash)
        .bind(now.get())
        .execute(self.database.pool())
        .await
        .map_err(StoreError::from)?;
        if made.rows_affected() == 1 { Ok(()) } else { Err(NewAccountError::Taken) }
    }

    /// Returns the account of an OpenID `subject`; creates it as `proposed` at the first sign-in. The
    /// account keeps its identifier when the provider renames the person, and a name that the provider later gives to
    /// another person does not grant access to it.
    pub(crate) async fn find_or_create_by_subject(
        &self,
        subject: &Subject,
        proposed: &Identifier,
        now: UnixSeconds,
    ) -> Result<AccountId, NewAccountError> {
        let folded = proposed.account().folded();
        // The column of an account without a password is empty.
        sqlx::query(
            "INSERT INTO accounts (identifier, folded, password_hash, created, subject)
             SELECT $1, $2, '', $3, $4 WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE subject = $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(proposed.account().as_str())
        .bind(folded.as_str())
        .bind(now.get())
        .bind(subject.as_str())
        .execute(self.database.pool())
        .await
        .map_err(StoreError::from)?;
        let found: Option<String> = sqlx::query_scalar("SELECT identifier FROM accounts WHERE subject = $1")
            .bind(subject.as_str())
            .fetch_optional(self.database.pool())
            .await
            .map_err(StoreError::from)?;
        found.map(AccountId::new).ok_or(NewAccountError::Taken)
    }

    /// Whether an account with this identifier exists, in any case.
    pub(crate) async fn is_taken(&self, identifier: &Identifier) -> Result<bool, StoreError> {
        let folded = identifier.account().folded();
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM accounts WHERE folded = $1")
            .bind(folded.as_str())
            .fetch_optional(self.database.pool())
            .await?;
        Ok(found.is_some())
    }

    /// The password hash of exactly this account; `None` if it does not exist or signs in elsewhere.
    pub(crate) async fn password_hash(&self, account: &AccountId) -> Result<Option<String>, StoreError> {
        let found: Option<String> = sqlx::query_scalar("SELECT password_hash FROM accounts WHERE identifier = $1")
            .bind(account.as_str())
            .fetch_optional(self.database.pool())
            .await?;
        Ok(found.filter(|hash| !hash.is_empty()))
    }

    /// Deletes an account and, through foreign keys, everything that belongs to it. Returns whether it existed.
    pub(crate) async fn delete(&self, account: &AccountId) -> Result<bool, StoreError> {
        let mut transaction = self.database.begin().await?;
        let deleted = sqlx::query("DELETE FROM accounts WHERE identifier = $1")
            .bind(account.as_str())
            .execute(&mut *transaction)
            .await?;
        // A later owner of the identifier must not find this account's files.
        expire_uploads_of(&mut transaction, account).await?;
        transaction.commit().await?;
        Ok(deleted.rows_affected() == 1)
    }

    /// Up to `limit` accounts after `after`, ordered by identifier, with their creation times.
    pub(crate) async fn list(
        &self,
        after: Option<&AccountId>,
        limit: i64,
    ) -> Result<Vec<(AccountId, UnixSeconds)>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT identifier, created FROM accounts WHERE identifier > $1 ORDER BY identifier LIMIT $2",
        )
        // No identifier is empty: the empty one comes before all.
        .bind(after.map_or("", AccountId::as_str))
        .bind(limit)
        .fetch_all(self.database.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(identifier, created)| (AccountId::new(identifier), UnixSeconds::new(created)))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{TestDatabase, on_both_engines};

    on_both_engines!(
        an_identifier_is_unique_ignoring_case_but_found_only_as_written,
        a_subject_has_one_account_under_any_name_and_no_name_has_two_subjects,
        concurrent_first_sign_ins_of_one_subject_create_one_account,
    );

    fn at(seconds: i64) -> UnixSeconds {
        UnixSeconds::new(seconds)
    }

    fn alice() -> Identifier {
        Identifier::new("alice").unwrap()
    }

    async fn an_identifier_is_unique_ignoring_case_but_found_only_as_written(database: TestDatabase) {
        let accounts = AccountRepository::new(database.open().await);
        accounts.create(&alice(), "hash", at(1)).await.unwrap();
        let upper_case = Identifier::new("ALICE").unwrap();
        assert!(matches!(accounts.create(&upper_case, "other", at(2)).await, Err(NewAccountError::Taken)));
        assert!(accounts.is_taken(&upper_case).await.unwrap());
        assert_eq!(accounts.password_hash(alice().account()).await.unwrap().as_deref(), Some("hash"));
        assert_eq!(accounts.password_hash(upper_case.account()).await.unwrap(), None);
    }

    fn subject(name: &str) -> Subject {
        Subject::new("https://provider.example", name)
    }

    async fn a_subject_has_one_account_under_any_name_and_no_name_has_two_subjects(database: TestDatabase) {
        let accounts = AccountRepository::new(database.open().await);
        assert_eq!(
            accounts.find_or_create_by_subject(&subject("1"), &alice(), at(5)).await.unwrap(),
            AccountId::new("alice")
        );
        assert_eq!(accounts.password_hash(alice().account()).await.unwrap(), None, "no password signs in to it");
        let renamed = Identifier::new("alice.smith").unwrap();
        assert_eq!(
            accounts.find_or_create_by_subject(&subject("1"), &renamed, at(6)).await.unwrap(),
            AccountId::new("alice")
        );
        assert!(matches!(
            accounts.find_or_create_by_subject(&subject("2"), &alice(), at(7)).await,
            Err(NewAccountError::Taken)
        ));
        accounts.create(&Identifier::new("bob").unwrap(), "hash", at(1)).await.unwrap();
        let bob = Identifier::new("BOB").unwrap();
        assert!(matches!(
            accounts.find_or_create_by_subject(&subject("3"), &bob, at(8)).await,
            Err(NewAccountError::Taken)
        ));
        assert_eq!(
            accounts.find_or_create_by_subject(&subject("2"), &renamed, at(9)).await.unwrap(),
            AccountId::new("alice.smith")
        );
    }

    async fn concurrent_first_sign_ins_of_one_subject_create_one_account(database: TestDatabase) {
        let accounts = AccountRepository::new(database.open().await);
        let first = |accounts: AccountRepository, number: usize| async move {
            let proposed = Identifier::new(&format!("alice {number}")).unwrap();
            accounts.find_or_create_by_subject(&subject("1"), &proposed, at(5)).await.unwrap()
        };
        let under_way: Vec<_> = (0..10).map(|number| tokio::spawn(first(accounts.clone(), number))).collect();
        let mut names = Vec::new();
        for done in under_way {
            names.push(done.await.unwrap());
        }
        names.dedup();
        assert_eq!(names.len(), 1, "{names:?}");
    }
}
