//! Replaces everything in the store: by a backup, or by nothing. And what every such change, or a failed transaction,
//! makes this engine forget.
//!
//! What this module does not know: where the rows come from.

use super::joins::Joins;
use super::queue::Queue;
use super::state::{Engine, Phase};
use crate::id::CommandTag;
use crate::io::{Output, UnixMillis};
use crate::store::account::Account;
use crate::store::changes::{Change, Changes, Table};
use crate::store::group_commit::Effect;
use crate::store::records::Records;
use crate::store::row_key;
use crate::store::{paged::NotLoaded, row::Row};
use crate::view::{Done, News};
use rand_core::CryptoRng;

impl Engine {
    /// Erases everything in this browser's store.
    ///
    /// # Errors
    /// [`NotLoaded`] while a transaction is in progress; the queue retries the command after it.
    pub(super) fn erase(&mut self, tag: CommandTag, now: UnixMillis, rng: &mut dyn CryptoRng) -> Result<(), NotLoaded> {
        if self.group_commit.is_writing() {
            return Err(NotLoaded);
        }
        // An empty account row stays: a store without one counts as emptied by the browser.
        let row = self.sealer.seal(Table::Account, row_key::ACCOUNT, &Account::default().to_bytes(), rng);
        // The sealer cannot refuse so short a row; and nothing may prevent erasing.
        let rows = row.into_iter().map(|row| Change::Put(Table::Account, row_key::ACCOUNT.to_vec(), row)).collect();
        self.replace_store(tag, rows, now, rng);
        Ok(())
    }

    /// Replaces the whole store with these rows, in one transaction that completes the command; then boots from it. No
    /// transaction may be in progress.
    pub(super) fn replace_store(&mut self, tag: CommandTag, rows: Changes, now: UnixMillis, rng: &mut dyn CryptoRng) {
        let mut changes: Changes = Table::ALL.into_iter().map(Change::Clear).collect();
        changes.extend(rows);
        self.channel.close(now, rng);
        self.drain_channel(now, rng);
        self.forget();
        let done = News::Done(Done { tag: tag.0, ..Done::default() });
        // The gathered group concerns the replaced account.
        let _gathered = self.group_commit.take_group();
        let transaction = self.group_commit.begin(vec![Effect::Update(Box::new(done.into())), Effect::Boot]);
        self.out.push_back(Output::Commit(transaction, changes));
    }

    /// Drops all state that comes from the store, and everything in progress: late responses have no effect. Pages
    /// resend commands without a response to the engine that boots.
    pub(super) fn forget(&mut self) {
        self.phase = Phase::Booting;
        self.records = Records::default();
        self.enlistment = Default::default();
        self.sessions = Default::default();
        self.iqs.clear();
        self.outbox = Default::default();
        self.queue = Queue::default();
        self.backups.forget();
        self.computations.clear();
        self.joins = Joins::default();
        self.pages.forget();
        self.http_requests.clear();
        self.reads.clear();
    }
}
