//! The data key outlives its store, is the same for all who ask, and its sealing key cannot be exported.

use super::{async_script, unique};
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
