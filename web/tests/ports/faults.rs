//! Fault injection into storage: the connection is closed, or the quota is exceeded, at every single operation.
//!
//! A short life of a store is lived once for each operation in it, and that operation fails. What is asked: nothing
//! that was confirmed is lost, nothing is there that was refused, and it goes on within a second.

use super::{async_script, script, unique};
use causeway::io::{Millis, StoreFailure};
use causeway::store::changes::{Change, Query, Rows, Table};
use causeway_proto::secret::Secret;
use causeway_web::port::idb::{OpenError, Store};
use causeway_web::port::key::{self, KeyError};
use causeway_web::port::{clock, rng};
use futures::future::join;
use js_sys::{Array, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

/// A person waits no longer than this.
const STALL: Millis = Millis(1000);
/// More operations than the life below has.
const MOST: u32 = 200;

/// An operation that will fail, for as long as this lives.
struct Fault;

impl Fault {
    /// The operation number `at` from now on, of all or of those named.
    fn arm(at: u32, how: &str, names: &[&str]) -> Self {
        script(concat!("(() => { globalThis.faults = ", include_str!("faults.js"), "; })"), "");
        let names = if names.is_empty() {
            JsValue::NULL
        } else {
            names.iter().copied().map(JsValue::from).collect::<Array>().into()
        };
        script("(armed) => faults.arm(...armed)", Array::of3(&at.into(), &how.into(), &names));
        Self
    }

    /// Ends it. Returns the number of operations that there were, and the name of the one that failed.
    fn disarm(self) -> (u32, String) {
        let seen = script("() => faults.disarm()", "");
        std::mem::forget(self);
        let field = |at: u32| Reflect::get_u32(&seen, at).expect("a field");
        (field(0).as_f64().expect("a number") as u32, field(1).as_string().expect("a name"))
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        script("() => faults.disarm()", "");
    }
}

/// Each step is timed: none may take longer than a person waits.
async fn timed<T>(what: &str, step: impl Future<Output = T>) -> T {
    let began = clock::now();
    let outcome = step.await;
    let took = clock::now().since(began);
    let fault = script("() => globalThis.faults?.now() ?? ''", "").as_string();
    assert!(took <= STALL, "{what} took {} ms after {fault:?}", took.0);
    outcome
}

fn put(table: Table, key: &[u8], value: &[u8]) -> Change {
    Change::Put(table, key.to_vec(), value.to_vec())
}

fn range(table: Table, reverse: bool) -> Query {
    Query::Range { table, from: Vec::new(), to: None, reverse, limit: 2 }
}

/// The writes of the life: each transaction undoes a part of the one before, so that one out of order shows.
fn writes() -> [Vec<Change>; 3] {
    [
        vec![put(Table::Account, b"a", b"1"), put(Table::Outbox, b"a", b"1"), put(Table::Outbox, b"b", b"1")],
        vec![
            Change::Delete(Table::Outbox, b"a".to_vec()),
            put(Table::Account, b"a", b"2"),
            put(Table::Chat, b"c", b"2"),
        ],
        vec![Change::Clear(Table::Chat), put(Table::Chat, b"d", b"3"), put(Table::Account, b"a", b"3")],
    ]
}

/// Every way of reading.
fn queries() -> [Query; 4] {
    [
        Query::Get(Table::Account, b"a".to_vec()),
        range(Table::Outbox, false),
        range(Table::Outbox, true),
        range(Table::Chat, false),
    ]
}

/// What the queries find when this many of the writes are there.
fn expected(written: usize) -> Rows {
    let row = |key: &[u8], value: &[u8]| (key.to_vec(), value.to_vec());
    match written {
        0 => vec![vec![], vec![], vec![], vec![]],
        1 => vec![
            vec![row(b"a", b"1")],
            vec![row(b"a", b"1"), row(b"b", b"1")],
            vec![row(b"b", b"1"), row(b"a", b"1")],
            vec![],
        ],
        2 => vec![vec![row(b"a", b"2")], vec![row(b"b", b"1")], vec![row(b"b", b"1")], vec![row(b"c", b"2")]],
        _ => vec![vec![row(b"a", b"3")], vec![row(b"b", b"1")], vec![row(b"b", b"1")], vec![row(b"d", b"3")]],
    }
}

/// Opens a store, makes its key, writes and reads. Returns the key.
async fn live(name: &str) -> Secret<32> {
    let mut rng = rng::open().expect("random");
    let store = timed("opening", Store::open(name)).await.expect("the store opens");
    let key = timed("the key", key::open(&store, &mut rng)).await.expect("the key opens");
    let [first, second, third] = writes();
    assert_eq!(timed("the first write", store.commit(&first)).await, Ok(()));
    assert_eq!(timed("reading", store.load(&queries())).await, Ok(expected(1)));
    // Side by side, as the driver does it. The read is of either moment.
    let (written, read) = timed("the second write", join(store.commit(&second), store.load(&queries()))).await;
    assert_eq!(written, Ok(()));
    assert!(read == Ok(expected(1)) || read == Ok(expected(2)), "{read:?}");
    assert_eq!(timed("the third write", store.commit(&third)).await, Ok(()));
    key
}

/// The next store finds all of it.
async fn find(name: &str, key: &Secret<32>, context: &str) {
    let mut rng = rng::open().expect("random");
    let store = Store::open(name).await.expect("the store opens");
    assert_eq!(key::open(&store, &mut rng).await.as_ref(), Ok(key), "{context}");
    assert_eq!(store.load(&queries()).await, Ok(expected(3)), "{context}");
}

/// Lives once for each operation, which fails in this way. Returns the names of those that failed.
async fn at_every_operation(how: &str, names: &[&str]) -> Vec<String> {
    let mut failed = Vec::new();
    for at in 0..MOST {
        let name = unique("fire");
        let fault = Fault::arm(at, how, names);
        let key = live(&name).await;
        let (_, hit) = fault.disarm();
        find(&name, &key, &format!("operation {at}, {hit}, {how}")).await;
        if hit.is_empty() {
            return failed;
        }
        failed.push(hit);
    }
    panic!("there were more than {MOST} operations");
}

#[wasm_bindgen_test]
async fn a_connection_that_closes_at_any_operation_loses_nothing() {
    for how in ["throws", "closes", "closes silently"] {
        let failed = at_every_operation(how, &[]).await;
        for name in [
            "open",
            "transaction",
            "objectStore",
            "get",
            "add",
            "put",
            "delete",
            "clear",
            "getAll",
            "getAllKeys",
            "openCursor",
            "continue",
            "commit",
        ] {
            assert!(failed.iter().any(|failed| failed == name), "{name} did not fail: {failed:?}");
        }
    }
}

#[wasm_bindgen_test]
async fn a_write_that_is_durable_and_says_that_it_failed_is_there_once() {
    let failed = at_every_operation("succeeds and says that it failed", &["commit"]).await;
    assert_eq!(failed.len(), 5, "the generation, the key, three writes: {failed:?}");
}

#[wasm_bindgen_test]
async fn a_transaction_that_is_forgotten_is_given_up_and_begun_again() {
    // Long waits are a hundred times shorter here.
    script(
        "(() => {
            const original = setTimeout;
            globalThis.setTimeout = (callback, delay) => original(callback, delay < 10000 ? delay : delay / 100);
            globalThis.restore = () => { globalThis.setTimeout = original; };
        })",
        "",
    );
    let failed = at_every_operation("never ends", &["commit"]).await;
    script("() => restore()", "");
    assert_eq!(failed.len(), 5, "the generation, the key, three writes: {failed:?}");
}

#[wasm_bindgen_test]
async fn a_cancelled_request_for_the_database_ends_no_connection() {
    let name = unique("asked");
    let key = live(&name).await;
    let store = Store::open(&name).await.expect("the store opens");
    let [_, second, third] = writes();
    for changes in [second, third] {
        // As a newer build does, whose upgrade then fails.
        let asked = async_script(
            "(name) => new Promise((resolve) => {
                const request = indexedDB.open(name, 999);
                request.onupgradeneeded = () => request.transaction.abort();
                request.onerror = (event) => { event.preventDefault(); resolve(); };
            })",
            name.as_str(),
        );
        let (_, written) = join(asked, timed("writing", store.commit(&changes))).await;
        assert_eq!(written, Ok(()));
    }
    find(&name, &key, "asked for").await;
}

#[wasm_bindgen_test]
async fn no_room_at_any_write_takes_that_write_back_and_nothing_else() {
    for (how, names) in [("is full", &["add", "put"][..]), ("is full in the end", &["commit"])] {
        let mut told = 0;
        for at in 0..MOST {
            let name = unique("full");
            let fault = Fault::arm(at, how, names);
            let (key, refused) = live_without_room(&name).await;
            let (_, hit) = fault.disarm();
            find(&name, &key, &format!("{hit} {at}, {how}")).await;
            told += refused;
            if hit.is_empty() {
                assert_eq!(told, at, "each refusal is told once, and nothing else is refused");
                break;
            }
        }
        assert!(told >= 5, "{how}: {told} writes were refused");
    }
}

/// The same life, in which each step is retried until the quota allows it. Returns the key, and how often there was
/// none.
async fn live_without_room(name: &str) -> (Secret<32>, u32) {
    let mut rng = rng::open().expect("random");
    let mut refused = 0;
    let store = loop {
        match Store::open(name).await {
            Ok(store) => break store,
            Err(error) => assert_eq!(error, OpenError::QuotaExceeded),
        }
        refused += 1;
    };
    let key = loop {
        match key::open(&store, &mut rng).await {
            Ok(key) => break key,
            Err(error) => assert_eq!(error, KeyError::Store(StoreFailure::QuotaExceeded)),
        }
        refused += 1;
    };
    for (written, changes) in writes().iter().enumerate() {
        while let Err(failure) = store.commit(changes).await {
            assert_eq!(failure, StoreFailure::QuotaExceeded);
            assert_eq!(store.load(&queries()).await, Ok(expected(written)), "what was confirmed before is there");
            refused += 1;
        }
    }
    (key, refused)
}
