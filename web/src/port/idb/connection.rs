//! One open connection to the database, and transactions on it.
//!
//! Three things are asked of the browser itself. The upgrade: the crate's listener puts every error into words,
//! floating point numbers among them, which a visitor would have to download. Events about a connection: the crate's
//! listener (`version-change`) comes with unmaintained dependencies. And why a transaction was taken back, of which the
//! crate tells only that it was.
//!
//! What this module does not know: what to do when the connection breaks. It only reports it.

use super::fault::Fault;
use super::schema::{META, Schema, upgrade, version};
use crate::number;
use crate::port::clock;
use causeway::io::Millis;
use core::cell::Cell;
use futures::channel::oneshot;
use futures::future::{Either, select};
use indexed_db_futures::database::Database;
use indexed_db_futures::internals::SystemRepr;
use indexed_db_futures::object_store::ObjectStore;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::{self, TransactionDurability, TransactionMode, TransactionOptions};
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::IdbVersionChangeEvent;

/// The key under which the generation is kept in [`META`].
const GENERATION: &str = "generation";

/// Some browsers forget a request to open now and then. One that takes longer has failed.
const OPEN_TIMEOUT: Millis = Millis(10_000);

/// Closed on drop.
pub(super) struct Connection {
    database: Database,
    lost: Rc<Cell<bool>>,
    /// Kept alive for as long as the browser may take the connection away.
    _on_loss: Closure<dyn FnMut()>,
}

impl Connection {
    /// Opens the database, making or upgrading it.
    pub(super) async fn open(name: &str, schema: Schema) -> Result<Self, Fault> {
        let (sender, opened) = oneshot::channel();
        let name = name.to_owned();
        // A request to open cannot be taken back. When the wait is given up it runs to its end all the same, and what
        // it opened is closed: no database stays without its stores, and no connection keeps a newer build from
        // upgrading.
        spawn_local(async move { drop(sender.send(Self::open_in_time(&name, schema).await)) });
        match select(opened, clock::sleep(OPEN_TIMEOUT)).await {
            Either::Left((Ok(outcome), _)) => outcome,
            _ => Err(Fault::Broken),
        }
    }

    async fn open_in_time(name: &str, schema: Schema) -> Result<Self, Fault> {
        let request = Database::open(name).with_version(version(schema)).build()?;
        let on_upgrade = Closure::once({
            let request = request.as_sys().clone();
            // What is thrown takes the upgrade back, and the request fails.
            move |change: IdbVersionChangeEvent| {
                upgrade(
                    schema,
                    request.result()?.unchecked_ref(),
                    u32::try_from(number::from_js(change.old_version())).unwrap_or(u32::MAX),
                )
            }
        });
        request.as_sys().set_onupgradeneeded(Some(on_upgrade.as_ref().unchecked_ref()));
        let database = request.await?;
        let lost = Rc::new(Cell::new(false));
        // A newer build wants to upgrade, or the person clears the site's data: make way, or they would wait for us. Or
        // the browser has closed the connection already.
        let on_loss = Closure::<dyn FnMut()>::new({
            let (database, lost) = (database.clone(), Rc::clone(&lost));
            move || {
                lost.set(true);
                database.clone().close();
            }
        });
        let callback = Some(on_loss.as_ref().unchecked_ref());
        database.as_sys().set_onversionchange(callback);
        database.as_sys().set_onclose(callback);
        Ok(Self { database, lost, _on_loss: on_loss })
    }

    /// The browser has taken it away.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.get()
    }

    /// Begins a transaction over these object stores and [`META`]. What it may write is on the disk when it ends.
    fn begin(&self, stores: &[&str], mode: TransactionMode) -> Result<Transaction<'_>, Fault> {
        let stores: Vec<_> = stores.iter().copied().chain([META]).collect();
        let builder = self.database.transaction(stores).with_mode(mode);
        Ok(Transaction(if mode == TransactionMode::Readonly {
            builder.build()?
        } else {
            builder.with_options(TransactionOptions::new().with_durability(TransactionDurability::Strict)).build()?
        }))
    }

    /// Begins a transaction, and asks it whether the store is of this generation. What else is asked of it need not
    /// wait for the answer; but nothing of it may be believed, and it must not be committed, before that is known.
    pub(super) fn fenced(
        &self,
        generation: u64,
        stores: &[&str],
        mode: TransactionMode,
    ) -> Result<(Transaction<'_>, impl Future<Output = Result<(), Fault>> + use<>), Fault> {
        let transaction = self.begin(stores, mode)?;
        let found = transaction.store(META)?.get::<f64, _, _>(GENERATION).primitive()?;
        let fence = async move {
            let holds = found.await? == Some(number::to_js(generation));
            if holds { Ok(()) } else { Err(Fault::Superseded) }
        };
        Ok((transaction, fence))
    }

    /// Raises the generation by one and returns it. Holders of an older generation are superseded from now on.
    pub(super) async fn raise_generation(&self) -> Result<u64, Fault> {
        let transaction = self.begin(&[], TransactionMode::Readwrite)?;
        let raised = {
            let meta = transaction.store(META)?;
            match meta.get::<f64, _, _>(GENERATION).await? {
                Some(former) => {
                    meta.put(former + 1.0).with_key(GENERATION).build()?;
                    former + 1.0
                }
                // Fails if the browser wrongly reports that there is none: a number must not be given twice.
                None => {
                    meta.add(&JsValue::from(1.0)).with_key(GENERATION).build()?;
                    1.0
                }
            }
        };
        transaction.commit().await?;
        Ok(number::from_js(raised))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.database.as_sys().set_onversionchange(None);
        self.database.as_sys().set_onclose(None);
        self.database.clone().close();
    }
}

/// A running transaction. Dropped before its [`commit`](Self::commit), it takes everything back. Nothing but its own
/// requests may be awaited before, or the browser ends it.
pub(super) struct Transaction<'a>(transaction::Transaction<'a>);

impl Transaction<'_> {
    pub(super) fn store(&self, name: &str) -> Result<ObjectStore<'_>, Fault> {
        Ok(self.0.object_store(name)?)
    }

    /// Waits until the transaction is durable, or certain to have had no effect.
    pub(super) async fn commit(self) -> Result<(), Fault> {
        // A full disk shows here, and only in the transaction's own error.
        let inner = self.0.as_sys().clone();
        self.0.commit().await.map_err(|error| inner.error().map_or_else(|| error.into(), Fault::from))
    }
}
