//! The store, in IndexedDB: one object store a table, byte keys in byte order, byte values.
//!
//! Every write is one strict-durability transaction, and every transaction checks the *generation*: a number that is
//! raised whenever the store is opened, so that an engine that lost its place (a frozen tab, a stolen lock) can neither
//! write nor read any more. Browsers close connections behind our back; then the store opens another one and runs the
//! transaction again, which is safe because changes are absolute and a transaction either was durable or had no effect.
//!
//! What this module does not know: what the bytes mean, and when to write them.

mod connection;
pub(in crate::port) mod fault;
mod rows;
pub mod schema;

use crate::port::clock;
use causeway::io::{Millis, StoreFailure};
use causeway::store::changes::{Change, Query, Rows, Table};
use connection::Connection;
use core::cell::{Cell, RefCell};
use core::pin::pin;
use fault::Fault;
use futures::FutureExt;
use futures::future::{Either, LocalBoxFuture, select};
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::TransactionMode::{Readonly, Readwrite};
use schema::{META, Schema};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

/// Attempts at one transaction, each on a new connection.
const ATTEMPTS: u32 = 4;
/// Before the second attempt; doubled for each further one.
const FIRST_PAUSE: Millis = Millis(50);
/// Some browsers forget transactions of a device that slept. One that takes longer has failed. Should it come to its
/// end after all, it does so before the next attempt begins, for their scopes overlap: running it again changes
/// nothing.
const TRANSACTION_TIMEOUT: Millis = Millis(20_000);

/// A fact that may be added, and what tells whether the browser has kept it whole.
pub(super) type Candidate<'a> = (&'a JsValue, fn(&JsValue) -> bool);

/// The store cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A newer build has upgraded it: load the page again.
    #[error("the data in this browser was written by a newer version: reload the page")]
    TooNew,
    /// The storage quota is exceeded.
    #[error("the browser's storage is full: free some space")]
    QuotaExceeded,
    /// Anything else, for example a private window that keeps nothing.
    #[error("the browser's storage cannot be used")]
    Unavailable,
}

impl From<Fault> for StoreFailure {
    fn from(fault: Fault) -> Self {
        match fault {
            // A newer build has upgraded the store: it has an engine of its own.
            Fault::Superseded | Fault::TooNew => Self::Superseded,
            Fault::Quota => Self::QuotaExceeded,
            Fault::NotKept | Fault::FactMissing | Fault::Broken => Self::Unavailable,
        }
    }
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TooNew => Self::TooNew,
            Fault::Quota => Self::QuotaExceeded,
            Fault::Superseded | Fault::NotKept | Fault::FactMissing | Fault::Broken => Self::Unavailable,
        }
    }
}

/// The open store of one generation. Closed on drop.
pub struct Store {
    name: String,
    schema: Schema,
    generation: u64,
    /// `None` after it broke, until the next transaction.
    connection: RefCell<Option<Rc<Connection>>>,
}

impl Store {
    /// Opens the database of this name, making or upgrading it, and raises its generation: stores opened before are
    /// superseded from now on.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(name: &str) -> Result<Self, OpenError> {
        Self::open_as(name, schema::CURRENT).await
    }

    /// The same with another schema than this build's: an earlier one, or one that is to come.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open_as(name: &str, schema: Schema) -> Result<Self, OpenError> {
        let mut store = Self { name: name.to_owned(), schema, generation: 0, connection: RefCell::default() };
        // Raised twice when the first time was not known to be durable: nobody was of the generation in between.
        store.generation = store.attempt(|connection, _| async move { connection.raise_generation().await }).await?;
        Ok(store)
    }

    /// The number that this store was opened under, from 1.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Makes the changes durable, all or none, in their order.
    ///
    /// # Errors
    /// [`StoreFailure`]; the changes then had no effect.
    pub async fn commit(&self, changes: &[Change]) -> Result<(), StoreFailure> {
        let changes: Rc<[Change]> = changes.into();
        let outcome = self.attempt(move |connection, generation| {
            let changes = Rc::clone(&changes);
            async move {
                let tables = names(changes.iter().map(|change| rows::table_of(change).name()));
                let (transaction, fence) = connection.fenced(generation, &tables, Readwrite)?;
                rows::apply(&transaction, &changes)?;
                fence.await?;
                transaction.commit().await
            }
        });
        Ok(outcome.await?)
    }

    /// Reads rows, all as of one moment.
    ///
    /// # Errors
    /// [`StoreFailure`].
    pub async fn load(&self, queries: &[Query]) -> Result<Rows, StoreFailure> {
        let queries: Rc<[Query]> = queries.into();
        let outcome = self.attempt(move |connection, generation| {
            let queries = Rc::clone(&queries);
            async move {
                let tables = names(queries.iter().map(|query| rows::table_asked(query).name()));
                let (transaction, fence) = connection.fenced(generation, &tables, Readonly)?;
                let rows = rows::read(&transaction, &queries).await?;
                fence.await?;
                Ok(rows)
            }
        });
        Ok(outcome.await?)
    }

    /// The value of this name among the facts about the store. If there is none, and no row either, the candidate is
    /// added, if there is one; never in the place of another, even if the browser wrongly reports that there is none.
    ///
    /// # Errors
    /// [`Fault`]; [`Fault::FactMissing`] if there are rows and not the fact, [`Fault::NotKept`] if the candidate is not
    /// whole when it is read back. Nothing is added then.
    pub(super) async fn kept(
        &self,
        name: &'static str,
        candidate: Option<Candidate<'_>>,
    ) -> Result<Option<JsValue>, Fault> {
        self.attempt(|connection, generation| {
            let candidate = candidate.map(|(value, is_whole)| (value.clone(), is_whole));
            async move {
                let mode = if candidate.is_some() { Readwrite } else { Readonly };
                let tables: &[Table] = if candidate.is_some() { &Table::ALL } else { &[] };
                let names: Vec<_> = tables.iter().map(|table| table.name()).collect();
                let (transaction, fence) = connection.fenced(generation, &names, mode)?;
                fence.await?;
                let kept = transaction.store(META)?.get::<JsValue, _, _>(name).await?;
                let (None, Some((candidate, is_whole))) = (&kept, candidate) else { return Ok(kept) };
                for table in Table::ALL {
                    let any = Query::Range { table, from: Vec::new(), to: None, reverse: false, limit: 1 };
                    if !rows::read(&transaction, &[any]).await?.concat().is_empty() {
                        return Err(Fault::FactMissing);
                    }
                }
                // Fails where there is one.
                transaction.store(META)?.add(&candidate).with_key(name).build()?;
                let kept = transaction.store(META)?.get::<JsValue, _, _>(name).await?;
                if !kept.as_ref().is_some_and(is_whole) {
                    return Err(Fault::NotKept);
                }
                transaction.commit().await?;
                Ok(kept)
            }
        })
        .await
    }

    /// Runs a transaction under our generation, again on a new connection if the old one broke.
    async fn attempt<T: 'static, F: Future<Output = Result<T, Fault>> + 'static>(
        &self,
        transaction: impl Fn(Rc<Connection>, u64) -> F,
    ) -> Result<T, Fault> {
        let found = Rc::new(Cell::new(None));
        self.repeat(&|connection| {
            let (found, transaction) = (Rc::clone(&found), transaction(connection, self.generation));
            async move {
                found.set(Some(transaction.await?));
                Ok(())
            }
            .boxed_local()
        })
        .await?;
        found.take().ok_or(Fault::Broken)
    }

    /// Apart from [`attempt`](Self::attempt), so that it is downloaded once and not for every kind of transaction.
    async fn repeat(
        &self,
        transaction: &dyn Fn(Rc<Connection>) -> LocalBoxFuture<'static, Result<(), Fault>>,
    ) -> Result<(), Fault> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                clock::sleep(Millis(FIRST_PAUSE.0 << (attempt - 1))).await;
            }
            let outcome = match self.connected().await {
                Ok(connection) => in_time(alone(transaction(connection))).await,
                Err(fault) => Err(fault),
            };
            match outcome {
                Err(Fault::Broken) => drop(self.connection.take()),
                outcome => return outcome,
            }
        }
        Err(Fault::Broken)
    }

    async fn connected(&self) -> Result<Rc<Connection>, Fault> {
        let current = self.connection.borrow().clone();
        if let Some(connection) = current
            && !connection.is_lost()
        {
            return Ok(connection);
        }
        let connection = Rc::new(Connection::open(&self.name, self.schema).await?);
        *self.connection.borrow_mut() = Some(Rc::clone(&connection));
        Ok(connection)
    }
}

fn names(tables: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    // There are nine tables at most: linear search is faster than a set, and smaller to download.
    let mut names = Vec::new();
    for table in tables {
        if !names.contains(&table) {
            names.push(table);
        }
    }
    names
}

/// Runs a transaction in a task of its own, until its waiter gives up. A browser ends a transaction whose events are
/// not answered at once, and who waits may be busy with other things.
async fn alone<T: 'static>(transaction: LocalBoxFuture<'static, T>) -> T {
    let (task, outcome) = transaction.remote_handle();
    spawn_local(task);
    outcome.await
}

/// Gives a transaction up that takes too long.
async fn in_time(transaction: impl Future<Output = Result<(), Fault>>) -> Result<(), Fault> {
    match select(pin!(transaction), clock::sleep(TRANSACTION_TIMEOUT)).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Err(Fault::Broken),
    }
}
