//! IndexedDB keeps the contract of a store, is durable, and survives what browsers do to connections.

use super::{async_script, script, unique};
use causeway::io::StoreFailure;
use causeway::store::changes::{Change, Changes, Query, Rows, Table};
use causeway::store::contract::{self, Place};
use causeway_web::port::idb::{OpenError, Store};
use core::pin::pin;
use futures::FutureExt;
use wasm_bindgen_test::wasm_bindgen_test;

struct IndexedDb(String);

struct Kept(Store);

impl Place for IndexedDb {
    type Store = Kept;

    async fn open(&self) -> Kept {
        Kept(Store::open(&self.0).await.expect("the store opens"))
    }
}

impl contract::Store for Kept {
    async fn commit(&self, changes: Changes) -> Result<(), StoreFailure> {
        self.0.commit(&changes).await
    }

    async fn load(&self, queries: Vec<Query>) -> Result<Rows, StoreFailure> {
        self.0.load(&queries).await
    }
}

fn put(key: &str) -> Change {
    Change::Put(Table::Chat, key.into(), b"value".to_vec())
}

async fn has(store: &Store, key: &str) -> Result<bool, StoreFailure> {
    let rows = store.load(&[Query::Get(Table::Chat, key.into())]).await?;
    Ok(rows.concat().len() == 1)
}

#[wasm_bindgen_test]
async fn indexed_db_keeps_the_contract() {
    contract::whole(|name| IndexedDb(unique(name))).await;
}

#[wasm_bindgen_test]
async fn each_opening_raises_the_generation() {
    let name = unique("raise");
    for generation in 1..=3 {
        assert_eq!(Store::open(&name).await.map(|store| store.generation()), Ok(generation));
    }
}

#[wasm_bindgen_test]
async fn what_is_written_is_asked_to_be_strictly_durable() {
    let store = Store::open(&unique("durable")).await.expect("the store opens");
    script(
        "(() => {
            const original = IDBDatabase.prototype.transaction;
            globalThis.asked = [];
            IDBDatabase.prototype.transaction = function (stores, mode, options) {
                globalThis.asked.push(`${mode} ${options?.durability}`);
                return original.call(this, stores, mode, options);
            };
            globalThis.restore = () => { IDBDatabase.prototype.transaction = original; };
        })",
        "",
    );
    let outcome = (store.commit(&[put("a")]).await, has(&store, "a").await);
    let asked = script("() => { restore(); return asked.join(); }", "").as_string();
    assert_eq!(outcome, (Ok(()), Ok(true)));
    assert_eq!(asked.as_deref(), Some("readwrite strict,readonly undefined"));
}

#[wasm_bindgen_test]
async fn a_transaction_runs_again_on_a_new_connection_when_the_old_one_breaks() {
    let store = Store::open(&unique("broken")).await.expect("the store opens");
    script(
        "(() => {
            const original = IDBDatabase.prototype.transaction;
            globalThis.broken = 0;
            IDBDatabase.prototype.transaction = function (...all) {
                IDBDatabase.prototype.transaction = original;
                globalThis.broken += 1;
                throw new DOMException('The database connection is closing.', 'InvalidStateError');
            };
        })",
        "",
    );
    assert_eq!(store.commit(&[put("a")]).await, Ok(()));
    assert_eq!(script("() => broken", "").as_f64(), Some(1.0), "the connection did break");
    assert_eq!(has(&store, "a").await, Ok(true));
}

#[wasm_bindgen_test]
async fn a_transaction_does_not_wait_for_its_caller() {
    let store = Store::open(&unique("busy")).await.expect("the store opens");
    script(
        "(() => {
            const original = IDBDatabase.prototype.transaction;
            globalThis.begun = 0;
            let end;
            globalThis.ended = new Promise((ends) => { end = ends; });
            IDBDatabase.prototype.transaction = function (...all) {
                globalThis.begun += 1;
                const transaction = original.apply(this, all);
                transaction.addEventListener('complete', () => end());
                return transaction;
            };
            globalThis.restore = () => { IDBDatabase.prototype.transaction = original; };
        })",
        "",
    );
    let changes = [put("a")];
    let mut commit = pin!(store.commit(&changes));
    assert!(commit.as_mut().now_or_never().is_none(), "a commit takes time");
    // Who waits is busy, and hears of no event while the transaction runs.
    async_script("() => ended", "").await;
    assert_eq!(commit.await, Ok(()));
    assert_eq!(script("() => { restore(); return begun; }", "").as_f64(), Some(1.0), "it did not have to begin again");
}

#[wasm_bindgen_test]
async fn a_full_disk_is_told_and_takes_everything_back() {
    let store = Store::open(&unique("full")).await.expect("the store opens");
    script(
        "(() => {
            const original = IDBObjectStore.prototype.put;
            let left = 1;
            IDBObjectStore.prototype.put = function (...all) {
                if (left-- > 0) return original.apply(this, all);
                IDBObjectStore.prototype.put = original;
                throw new DOMException('Quota exceeded.', 'QuotaExceededError');
            };
        })",
        "",
    );
    assert_eq!(store.commit(&[put("fits"), put("does not")]).await, Err(StoreFailure::QuotaExceeded));
    assert_eq!((has(&store, "fits").await, has(&store, "does not").await), (Ok(false), Ok(false)));
    assert_eq!(store.commit(&[put("fits")]).await, Ok(()), "the store still works");
}

#[wasm_bindgen_test]
async fn a_deleted_database_ends_the_store_that_it_was() {
    let name = unique("deleted");
    let store = Store::open(&name).await.expect("the store opens");
    assert_eq!(store.commit(&[put("a")]).await, Ok(()));
    // Succeeds only because the store makes way.
    async_script(
        "(name) => new Promise((resolve, reject) => {
            const request = indexedDB.deleteDatabase(name);
            request.onsuccess = () => resolve();
            request.onerror = () => reject(request.error);
        })",
        name.as_str(),
    )
    .await;
    assert_eq!(has(&store, "a").await, Err(StoreFailure::Superseded));
    assert_eq!(store.commit(&[put("b")]).await, Err(StoreFailure::Superseded));
}

#[wasm_bindgen_test]
async fn a_wait_that_was_given_up_leaves_no_trace() {
    let name = unique("given-up");
    assert!(Store::open(&name).now_or_never().is_none(), "opening takes time");
    // In particular no database without its stores.
    let store = Store::open(&name).await.expect("the store opens");
    assert_eq!(store.generation(), 1);
    assert_eq!(has(&store, "a").await, Ok(false));
}

#[wasm_bindgen_test]
async fn a_newer_database_is_left_alone() {
    let name = unique("newer");
    async_script(
        "(name) => new Promise((resolve, reject) => {
            const request = indexedDB.open(name, 999);
            request.onsuccess = () => { request.result.close(); resolve(); };
            request.onerror = () => reject(request.error);
        })",
        name.as_str(),
    )
    .await;
    assert_eq!(Store::open(&name).await.err(), Some(OpenError::TooNew));
}
