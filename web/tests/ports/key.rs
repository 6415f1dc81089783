//! The data key outlives its store, is the same for all who ask, and its sealing key cannot be exported.

use super::{async_script, script, unique};
use causeway::store::changes::{Change, Table};
use causeway_proto::secret::Secret;
use causeway_web::port::idb::Store;
use causeway_web::port::key::{self, KeyError};
use causeway_web::port::rng;
use futures::future::join;
use wasm_bindgen_test::wasm_bindgen_test;

/// Calls `work` with what the store keeps as its data key, and puts back what `work` makes of it.
fn with_kept(work: &str) -> String {
    format!(
        "(name) => new Promise((resolve, reject) => {{
            const opening = indexedDB.open(name);
            opening.onerror = () => reject(opening.error);
            opening.onsuccess = () => {{
                const meta = () => opening.result.transaction('meta', 'readwrite').objectStore('meta');
                const reading = meta().get('data_key');
                reading.onsuccess = async () => {{
                    const kept = reading.result;
                    const answer = await ({work})(kept);
                    const writing = meta().put(kept, 'data_key');
                    writing.onsuccess = () => {{ opening.result.close(); resolve(answer); }};
                }};
            }};
        }})"
    )
}

#[wasm_bindgen_test]
async fn the_key_outlives_its_store() {
    let mut rng = rng::open().expect("browsers have randomness");
    let name = unique("key");
    let first = key::open(&Store::open(&name).await.expect("opens"), &mut rng).await;
    let again = key::open(&Store::open(&name).await.expect("opens"), &mut rng).await;
    let other = key::open(&Store::open(&unique("key")).await.expect("opens"), &mut rng).await;
    assert!(first.is_ok());
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[wasm_bindgen_test]
async fn all_who_ask_at_once_get_one_key() {
    let store = Store::open(&unique("race")).await.expect("opens");
    let (mut one, mut two) = (rng::open().expect("random"), rng::open().expect("random"));
    let (one, two) = join(key::open(&store, &mut one), key::open(&store, &mut two)).await;
    assert!(one.is_ok());
    assert_eq!(one, two);
}

#[wasm_bindgen_test]
async fn the_sealing_key_is_not_exportable_even_after_reopening() {
    let name = unique("export");
    let mut rng = rng::open().expect("random");
    key::open(&Store::open(&name).await.expect("opens"), &mut rng).await.expect("a key is made");
    let refused = with_kept(
        "async ({ sealing_key }) => {
            if (!(sealing_key instanceof CryptoKey)) return 'no key';
            try { await crypto.subtle.exportKey('raw', sealing_key); return 'exported'; } catch (error) { return error.name; }
        }",
    );
    assert_eq!(async_script(&refused, name.as_str()).await.as_string().as_deref(), Some("InvalidAccessError"));
}

#[wasm_bindgen_test]
async fn a_damaged_key_is_told_and_never_replaced() {
    let name = unique("damaged");
    let mut rng = rng::open().expect("random");
    key::open(&Store::open(&name).await.expect("opens"), &mut rng).await.expect("a key is made");
    async_script(&with_kept("async (kept) => { new Uint8Array(kept.sealed)[0] ^= 1; }"), name.as_str()).await;
    for _ in 0..2 {
        let opened = key::open(&Store::open(&name).await.expect("opens"), &mut rng).await;
        assert_eq!(opened, Err(KeyError::Damaged));
    }
}

/// A browser whose store misbehaves, until dropped.
struct Misbehaving;

impl Misbehaving {
    /// The next `times` look-ups of a fact find nothing.
    fn forgetful(fact: &str, times: u32) -> Self {
        script(
            &format!(
                "() => {{
                    const original = IDBObjectStore.prototype.get;
                    let left = {times};
                    globalThis.behave = () => {{ IDBObjectStore.prototype.get = original; }};
                    IDBObjectStore.prototype.get = function (key) {{
                        return original.call(this, key === '{fact}' && left-- > 0 ? 'nothing' : key);
                    }};
                }}"
            ),
            "",
        );
        Self
    }

    /// What is written goes through `change`, which may throw.
    fn writing(change: &str) -> Self {
        script(
            &format!(
                "() => {{
                    const {{ add, put }} = IDBObjectStore.prototype;
                    globalThis.behave = () => Object.assign(IDBObjectStore.prototype, {{ add, put }});
                    const change = {change};
                    IDBObjectStore.prototype.add = function (value, key) {{ return add.call(this, change(value), key); }};
                    IDBObjectStore.prototype.put = function (value, key) {{ return put.call(this, change(value), key); }};
                }}"
            ),
            "",
        );
        Self
    }
}

impl Drop for Misbehaving {
    fn drop(&mut self) {
        script("() => behave()", "");
    }
}

async fn open(name: &str) -> Result<Secret<32>, KeyError> {
    let mut rng = rng::open().expect("random");
    key::open(&Store::open(name).await.expect("opens"), &mut rng).await
}

#[wasm_bindgen_test]
async fn a_key_that_is_not_found_is_never_replaced() {
    let mut found = Vec::new();
    for table in Table::ALL.map(Some).into_iter().chain([None]) {
        let name = unique("unfound");
        let first = open(&name).await.expect("a key is made");
        if let Some(table) = table {
            let row = Change::Put(table, b"key".to_vec(), b"value".to_vec());
            Store::open(&name).await.expect("opens").commit(&[row]).await.expect("a row is kept");
        }
        for times in 1..=3 {
            let forgetful = Misbehaving::forgetful("data_key", times);
            let opened = open(&name).await;
            drop(forgetful);
            let is_right = opened == Ok(first.clone()) || (table.is_some() && opened == Err(KeyError::Missing));
            assert!(is_right, "{table:?}, not found {times} times: {opened:?}");
            found.push(opened.is_err());
        }
        assert_eq!(open(&name).await, Ok(first), "{table:?}");
    }
    assert!(found.contains(&true), "the browser was believed each time");
}

#[wasm_bindgen_test]
async fn a_generation_that_is_not_found_is_not_given_twice() {
    let name = unique("unfound");
    assert_eq!(Store::open(&name).await.map(|store| store.generation()), Ok(1));
    for (times, expected) in [(1, 2), (2, 3)] {
        let forgetful = Misbehaving::forgetful("generation", times);
        let opened = Store::open(&name).await.map(|store| store.generation());
        drop(forgetful);
        assert_eq!(opened, Ok(expected), "not found {times} times");
    }
}

#[wasm_bindgen_test]
async fn a_browser_that_does_not_keep_keys_is_told_before_anything_is_kept_in_it() {
    for change in [
        // At once, as in private windows; and a value that is read back as something else.
        "(value) => { if (value?.sealing_key) throw new DOMException('no', 'DataCloneError'); return value; }",
        "(value) => value?.sealing_key ? { ...value, sealing_key: {} } : value",
        "(value) => value?.sealing_key ? { ...value, sealing_key: null } : value",
        "(value) => value?.sealing_key ? null : value",
    ] {
        let name = unique("keeps-no-keys");
        for _ in 0..2 {
            let misbehaving = Misbehaving::writing(change);
            let opened = open(&name).await;
            drop(misbehaving);
            assert_eq!(opened, Err(KeyError::NotKept), "{change}");
        }
        assert!(open(&name).await.is_ok(), "{change}: nothing is left of it");
    }
}
