//! The store, in IndexedDB: one object store a table, byte keys in byte order, byte values.
//!
//! Every write is one strict-durability transaction, and every transaction checks the *generation*: a number that whoever
//! opens the store raises, so that an engine that lost its place (a frozen tab, a stolen lock) can neither write nor read
//! any more. Browsers close connections behind our back; then the store opens another one and runs the transaction again,
//! which is safe because changes are absolute and a transaction either was durable or had no effect.
//!
//! What this module does not know: what the bytes mean, and when to write them.

mod connection;
mod request;
mod rows;
mod schema;

use crate::port::clock;
use causeway::io::{Millis, StoreFailure};
use causeway::store::changes::{Change, Query, Rows, Table};
use connection::{Connection, Mode, Transaction};
use core::cell::{Cell, RefCell};
use js_sys::Uint8Array;
use request::Fault;
use rows::Reading;
use std::collections::BTreeSet;
use std::rc::Rc;
use wasm_bindgen::JsValue;

/// Attempts at one transaction, each on a new connection.
const ATTEMPTS: u32 = 4;
/// Before the second attempt; doubled for each further one.
const FIRST_PAUSE: Millis = 50;

/// The store cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A newer build has upgraded it: load the page again.
    #[error("the data in this browser was written by a newer version: reload the page")]
    TooNew,
    /// No room.
    #[error("the browser's storage is full: free some space")]
    QuotaExceeded,
    /// Anything else, for example a private window that keeps nothing.
    #[error("the browser's storage cannot be used")]
    Unavailable,
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TooNew => Self::TooNew,
            Fault::Quota => Self::QuotaExceeded,
            Fault::Superseded | Fault::Broken => Self::Unavailable,
        }
    }
}

/// The open store of one generation. Closed on drop.
pub struct Store {
    name: String,
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
        let connection = Connection::open(name).await?;
        let raised = Rc::new(Cell::new(0));
        let mut transaction = connection.begin(core::iter::empty(), Mode::Write)?;
        transaction.raise_generation({
            let raised = Rc::clone(&raised);
            move |generation| raised.set(generation)
        })?;
        transaction.end().await?;
        Ok(Self {
            name: name.to_owned(),
            generation: raised.get(),
            connection: RefCell::new(Some(Rc::new(connection))),
        })
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
        let tables: BTreeSet<_> = changes.iter().map(table_of).collect();
        self.attempt(async |connection| {
            let mut transaction = connection.begin(tables.iter().map(|table| table.name()), Mode::Write)?;
            transaction.fence(self.generation)?;
            // All requests are made in one go; the fence takes them back if it must.
            for change in changes {
                apply(&transaction, change)?;
            }
            transaction.end().await
        })
        .await
    }

    /// Reads rows, all as of one moment.
    ///
    /// # Errors
    /// [`StoreFailure`].
    pub async fn load(&self, queries: &[Query]) -> Result<Rows, StoreFailure> {
        let tables: BTreeSet<_> = queries.iter().map(Reading::table).collect();
        self.attempt(async |connection| {
            let mut transaction = connection.begin(tables.iter().map(|table| table.name()), Mode::Read)?;
            transaction.fence(self.generation)?;
            let readings =
                queries.iter().map(|query| Reading::begin(&mut transaction, query)).collect::<Result<Vec<_>, _>>()?;
            transaction.end().await?;
            readings.into_iter().map(Reading::rows).collect()
        })
        .await
    }

    /// The value of this name among the facts about the store, after putting `candidate` there if there was none.
    pub(super) async fn keep(&self, name: &'static str, candidate: &JsValue) -> Result<JsValue, StoreFailure> {
        self.attempt(async |connection| {
            let kept = Rc::new(RefCell::new(JsValue::UNDEFINED));
            let mut transaction = connection.begin(core::iter::empty(), Mode::Write)?;
            transaction.fence(self.generation)?;
            let meta = transaction.store(schema::META)?;
            transaction.read(schema::META, name, {
                let (kept, candidate) = (Rc::clone(&kept), candidate.clone());
                move |found| {
                    let value = if found.is_undefined() { candidate.clone() } else { found };
                    // A failure aborts the transaction, and is met at its end.
                    let _ = meta.put_with_key(&value, &name.into());
                    *kept.borrow_mut() = value;
                }
            })?;
            transaction.end().await?;
            Ok(kept.take())
        })
        .await
    }

    /// The value of this name among the facts about the store, or `undefined`.
    pub(super) async fn kept(&self, name: &'static str) -> Result<JsValue, StoreFailure> {
        self.attempt(async |connection| {
            let kept = Rc::new(RefCell::new(JsValue::UNDEFINED));
            let mut transaction = connection.begin(core::iter::empty(), Mode::Read)?;
            transaction.fence(self.generation)?;
            transaction.read(schema::META, name, {
                let kept = Rc::clone(&kept);
                move |found| *kept.borrow_mut() = found
            })?;
            transaction.end().await?;
            Ok(kept.take())
        })
        .await
    }

    /// Runs a transaction, again on a new connection if the old one broke.
    async fn attempt<T>(&self, transaction: impl AsyncFn(&Connection) -> Result<T, Fault>) -> Result<T, StoreFailure> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                clock::sleep(FIRST_PAUSE << (attempt - 1)).await;
            }
            let outcome = match self.connected().await {
                Ok(connection) => transaction(&connection).await,
                Err(fault) => Err(fault),
            };
            match outcome {
                Ok(value) => return Ok(value),
                // A newer build has upgraded the store: it has an engine of its own.
                Err(Fault::Superseded | Fault::TooNew) => return Err(StoreFailure::Superseded),
                Err(Fault::Quota) => return Err(StoreFailure::QuotaExceeded),
                Err(Fault::Broken) => drop(self.connection.take()),
            }
        }
        Err(StoreFailure::Unavailable)
    }

    async fn connected(&self) -> Result<Rc<Connection>, Fault> {
        let current = self.connection.borrow().clone();
        if let Some(connection) = current
            && !connection.is_lost()
        {
            return Ok(connection);
        }
        let connection = Rc::new(Connection::open(&self.name).await?);
        *self.connection.borrow_mut() = Some(Rc::clone(&connection));
        Ok(connection)
    }
}

fn table_of(change: &Change) -> Table {
    match change {
        Change::Put(table, ..) | Change::Delete(table, _) | Change::Clear(table) => *table,
    }
}

fn apply(transaction: &Transaction, change: &Change) -> Result<(), Fault> {
    let store = transaction.store(table_of(change).name())?;
    match change {
        Change::Put(_, key, value) => store.put_with_key(&bytes(value), &bytes(key))?,
        Change::Delete(_, key) => store.delete(&bytes(key))?,
        Change::Clear(_) => store.clear()?,
    };
    Ok(())
}

/// A copy in the browser's own memory.
fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}
