//! A database of every release opens with this build, and one of this build with the next: nothing in it is lost, and
//! no half of an upgrade stays.

use super::driver::drive_engine;
use super::{async_script, unique};
use causeway::engine::{Config, Engine};
use causeway::io::StoreFailure;
use causeway::store::changes::{Query, Table};
use causeway::view::{Action, News};
use causeway_proto::secret::Secret;
use causeway_web::port::idb::schema::{CURRENT, Schema, Step};
use causeway_web::port::idb::{OpenError, Store};
use causeway_web::port::{key, rng};
use js_sys::Array;
use wasm_bindgen_test::wasm_bindgen_test;

/// The version of a database and the object stores in it, and every row, as release 0.1.0 left them.
const SCHEMA: &str = include_str!("../../../tests/vectors/store/0.1.0/schema.txt");
const ROWS: &str = include_str!("../../../tests/vectors/store/0.1.0/rows.txt");
/// What its rows are sealed under.
const DATA_KEY: [u8; 32] = [7; 32];

/// Makes the database as the release did, down to the wrapped data key, without any code of this build.
async fn database_of_0_1_0(name: &str) {
    let made = "async ([name, schema, rows]) => {
        const lines = (text) => text.trim().split('\\n').map((line) => line.split(' '));
        const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (two) => parseInt(two, 16));
        const sealing_key =
            await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
        const nonce = crypto.getRandomValues(new Uint8Array(12));
        const data_key = new Uint8Array(32).fill(7);
        const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, sealing_key, data_key);
        const [[, version], ...stores] = lines(schema);
        await new Promise((resolve, reject) => {
            const opening = indexedDB.open(name, Number(version));
            opening.onerror = () => reject(opening.error);
            opening.onupgradeneeded = () => stores.forEach(([, store]) => opening.result.createObjectStore(store));
            opening.onsuccess = () => {
                const writing = opening.result.transaction(stores.map(([, store]) => store), 'readwrite');
                for (const [table, key, value] of lines(rows)) {
                    writing.objectStore(table).put(bytes(value), bytes(key));
                }
                writing.objectStore('meta').put(3, 'generation');
                writing.objectStore('meta').put({ sealing_key, nonce, sealed }, 'data_key');
                writing.onabort = () => reject(writing.error);
                writing.oncomplete = () => { opening.result.close(); resolve(); };
            };
        });
    }";
    async_script(made, Array::of3(&name.into(), &SCHEMA.into(), &ROWS.into())).await;
}

/// The database's version and its object stores, in the order of their names.
async fn shape(name: &str) -> String {
    let asked = "(name) => new Promise((resolve, reject) => {
        const opening = indexedDB.open(name);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
            const { version, objectStoreNames } = opening.result;
            opening.result.close();
            resolve(`${version} ${[...objectStoreNames].join(' ')}`);
        };
    })";
    async_script(asked, name).await.as_string().expect("text")
}

/// How many rows there are.
async fn count(store: &Store) -> Result<usize, StoreFailure> {
    let whole = |table| Query::Range { table, from: Vec::new(), to: None, reverse: false, limit: u32::MAX };
    let rows = store.load(&Table::ALL.map(whole)).await?;
    Ok(rows.iter().map(Vec::len).sum())
}

#[wasm_bindgen_test]
async fn the_database_of_a_release_opens_with_its_key_and_its_rows() {
    let name = unique("release");
    database_of_0_1_0(&name).await;
    let store = Store::open(&name).await.expect("the store opens");
    assert_eq!(store.generation(), 4);
    let mut rng = rng::open().expect("random");
    assert_eq!(key::open(&store, &mut rng).await, Ok(Secret::new(DATA_KEY)));
    assert_eq!(count(&store).await, Ok(ROWS.lines().count()));

    // And the engine boots from it, in a browser.
    let config = Config {
        data_key: Secret::new(DATA_KEY),
        client_version: "test".into(),
        partner_api: "http://127.0.0.1:1".into(),
    };
    let heard = drive_engine(Engine::new(config), store, Action::Hello(causeway::view::Hello {})).await;
    let snapshot = heard.iter().rev().find_map(|news| match news {
        News::Snapshot(snapshot) => Some(snapshot),
        _ => None,
    });
    let chats = snapshot.map(|snapshot| snapshot.chats.iter().map(|chat| chat.id.as_str()).collect::<Vec<_>>());
    assert_eq!(chats.map(|chats| chats.len()), Some(2));
}

#[wasm_bindgen_test]
async fn this_build_still_makes_what_the_release_made() {
    let (theirs, ours) = (unique("theirs"), unique("ours"));
    database_of_0_1_0(&theirs).await;
    drop(Store::open(&ours).await.expect("the store opens"));
    if CURRENT.len() == 1 {
        assert_eq!(shape(&ours).await, shape(&theirs).await);
    }
    drop(Store::open(&theirs).await.expect("the store opens"));
    assert_eq!(shape(&ours).await, shape(&theirs).await, "new or upgraded, the database is the same");
}

/// A schema that is to come.
const NEXT: Schema =
    &[Step { makes: CURRENT[0].makes }, Step { makes: CURRENT[1].makes }, Step { makes: &["to_come"] }];
/// One whose last step cannot work: the object store is there.
const BROKEN: Schema =
    &[Step { makes: CURRENT[0].makes }, Step { makes: CURRENT[1].makes }, Step { makes: &["to_come", "account"] }];

#[wasm_bindgen_test]
async fn an_upgrade_keeps_every_row_and_the_build_before_it_makes_way() {
    let name = unique("next");
    database_of_0_1_0(&name).await;
    let older = Store::open(&name).await.expect("the store opens");
    let newer = Store::open_as(&name, NEXT).await.expect("the older one makes way");
    assert_eq!(count(&newer).await, Ok(ROWS.lines().count()));
    let mut rng = rng::open().expect("random");
    assert_eq!(key::open(&newer, &mut rng).await, Ok(Secret::new(DATA_KEY)));
    assert_eq!(count(&older).await, Err(StoreFailure::Superseded), "its page must be loaded again");
    assert_eq!(Store::open(&name).await.err(), Some(OpenError::TooNew));
    drop(newer);
    assert!(shape(&name).await.starts_with("3 ") && shape(&name).await.contains("to_come"));
}

#[wasm_bindgen_test]
async fn an_upgrade_that_fails_leaves_everything_as_it_was() {
    let name = unique("broken");
    database_of_0_1_0(&name).await;
    let before = shape(&name).await;
    assert_eq!(Store::open_as(&name, BROKEN).await.err(), Some(OpenError::Unavailable));
    assert_eq!(shape(&name).await, before);
    let store = Store::open(&name).await.expect("the build before still works");
    assert_eq!(count(&store).await, Ok(ROWS.lines().count()));
}
