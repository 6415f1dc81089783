//! One open connection to the database, and transactions on it.
//!
//! What this module does not know: what to do when the connection breaks. It only says so.

use super::request::{Ending, Fault, opened};
use super::schema::{META, VERSION, upgrade};
use crate::port::clock;
use causeway::io::Millis;
use core::cell::Cell;
use core::pin::pin;
use futures::future::{Either, select};
use js_sys::{Array, Object, Reflect};
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, IdbDatabase, IdbFactory, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction};

/// The key under which the generation is kept in [`META`].
const GENERATION: &str = "generation";

/// Some browsers forget a request to open now and then. One that takes longer has failed.
const PATIENCE: Millis = 10_000;

#[wasm_bindgen]
extern "C" {
    /// An `IDBDatabase` with the third argument of `transaction`, which `web_sys` still calls unstable.
    #[wasm_bindgen(extends = IdbDatabase)]
    type DurableDatabase;
    #[wasm_bindgen(method, catch, js_name = transaction)]
    fn transaction_with(
        this: &DurableDatabase,
        stores: &Array,
        mode: &str,
        options: &JsValue,
    ) -> Result<IdbTransaction, JsValue>;
}

/// Closed on drop.
pub(super) struct Connection {
    database: IdbDatabase,
    lost: Rc<Cell<bool>>,
    /// Kept alive for as long as the browser may take the connection away.
    _listeners: [Closure<dyn FnMut(Event)>; 2],
}

impl Connection {
    /// Opens the database, making or upgrading it.
    pub(super) async fn open(name: &str) -> Result<Self, Fault> {
        let factory = Reflect::get(&js_sys::global(), &"indexedDB".into())?.dyn_into::<IdbFactory>()?;
        let request = factory.open_with_u32(name, VERSION)?;
        let opening =
            opened(&request, |request: &IdbOpenDbRequest, from| upgrade(request.result()?.unchecked_ref(), from));
        match select(pin!(opening), clock::sleep(PATIENCE)).await {
            Either::Left((outcome, _)) => outcome?,
            Either::Right(_) => return Err(Fault::Broken),
        }
        let database = request.result()?.dyn_into::<IdbDatabase>()?;

        let lost = Rc::new(Cell::new(false));
        // A newer build wants to upgrade, or the person clears the site's data: make way, or they would wait for us.
        let outdated = Closure::<dyn FnMut(Event)>::new({
            let (database, lost) = (database.clone(), Rc::clone(&lost));
            move |_| {
                lost.set(true);
                database.close();
            }
        });
        let closed = Closure::<dyn FnMut(Event)>::new({
            let lost = Rc::clone(&lost);
            move |_| lost.set(true)
        });
        database.set_onversionchange(Some(outdated.as_ref().unchecked_ref()));
        database.set_onclose(Some(closed.as_ref().unchecked_ref()));
        Ok(Self { database, lost, _listeners: [outdated, closed] })
    }

    /// The browser has taken it away.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.get()
    }

    /// Begins a transaction over these object stores and [`META`]. It commits when all of its requests are done and nobody
    /// has added one: nothing but IndexedDB may be awaited before its end.
    pub(super) fn begin(&self, stores: impl Iterator<Item = &'static str>, mode: Mode) -> Result<Transaction, Fault> {
        let names: Array = stores.chain([META]).map(JsValue::from).collect();
        let options = Object::new();
        if mode == Mode::Write {
            Reflect::set(&options, &"durability".into(), &"strict".into())?;
        }
        let inner =
            self.database.unchecked_ref::<DurableDatabase>().transaction_with(&names, mode.as_str(), &options)?;
        Ok(Transaction { ending: Ending::of(inner.clone()), inner, superseded: Rc::default(), listening: Vec::new() })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.database.set_onversionchange(None);
        self.database.set_onclose(None);
        self.database.close();
    }
}

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Reads only.
    Read,
    /// Reads and writes, and is on the disk when it ends.
    Write,
}

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Read => "readonly",
            Self::Write => "readwrite",
        }
    }
}

/// A running transaction. Dropped before its [`end`](Self::end), it takes everything back.
pub(super) struct Transaction {
    inner: IdbTransaction,
    ending: Ending,
    superseded: Rc<Cell<bool>>,
    listening: Vec<Listening>,
}

/// A request that somebody listens to.
struct Listening {
    request: IdbRequest,
    /// Kept alive until nobody can call it any more.
    _listener: Closure<dyn FnMut(Event)>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.request.set_onsuccess(None);
    }
}

impl Transaction {
    pub(super) fn store(&self, name: &str) -> Result<IdbObjectStore, Fault> {
        Ok(self.inner.object_store(name)?)
    }

    /// Aborts the transaction unless the store is of this generation. It takes back requests made before and after.
    pub(super) fn fence(&mut self, generation: u64) -> Result<(), Fault> {
        let (inner, superseded) = (self.inner.clone(), Rc::clone(&self.superseded));
        self.read(META, GENERATION, move |found| {
            if found.as_f64() != Some(generation as f64) {
                superseded.set(true);
                let _ = inner.abort();
            }
        })
    }

    /// Raises the generation by one; `on_raised` hears the new one. Whoever commits under an older one aborts from now on.
    pub(super) fn raise_generation(&mut self, on_raised: impl Fn(u64) + 'static) -> Result<(), Fault> {
        let (inner, meta) = (self.inner.clone(), self.store(META)?);
        self.read(META, GENERATION, move |found| {
            let raised = found.as_f64().unwrap_or(0.0) + 1.0;
            match meta.put_with_key(&raised.into(), &GENERATION.into()) {
                Ok(_) => on_raised(raised as u64),
                Err(_) => drop(inner.abort()),
            }
        })
    }

    /// Reads one row and hands it over while the transaction is still open. `undefined` when there is none.
    pub(super) fn read(
        &mut self,
        store: &str,
        key: impl Into<JsValue>,
        then: impl FnMut(JsValue) + 'static,
    ) -> Result<(), Fault> {
        let request = self.store(store)?.get(&key.into())?;
        self.when_done(&request, then);
        Ok(())
    }

    /// Hands over the request's result, each time that there is one, while the transaction is still open.
    pub(super) fn when_done(&mut self, request: &IdbRequest, mut then: impl FnMut(JsValue) + 'static) {
        let listener = Closure::<dyn FnMut(Event)>::new({
            let request = request.clone();
            move |_| then(request.result().unwrap_or(JsValue::UNDEFINED))
        });
        request.set_onsuccess(Some(listener.as_ref().unchecked_ref()));
        self.listening.push(Listening { request: request.clone(), _listener: listener });
    }

    /// Waits until the transaction is durable, or certain to have had no effect.
    pub(super) async fn end(self) -> Result<(), Fault> {
        let Self { ending, superseded, listening: _listening, .. } = self;
        let outcome = ending.wait().await;
        if superseded.get() { Err(Fault::Superseded) } else { outcome }
    }
}
