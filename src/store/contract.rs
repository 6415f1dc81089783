//! The store contract, as tests that run against any implementation: the one in memory natively, the one in IndexedDB
//! in browsers. They fail by panicking.
//!
//! What this module does not know: how a store works inside.

use super::changes::{Change, Changes, Query, Rows, Table};
use super::failure::StoreFailure;
use core::future::Future;

/// A store of one generation.
pub trait Store {
    /// Makes the changes, all or none, in their order.
    fn commit(&self, changes: Changes) -> impl Future<Output = Result<(), StoreFailure>>;
    /// Reads rows.
    fn load(&self, queries: Vec<Query>) -> impl Future<Output = Result<Rows, StoreFailure>>;
}

/// Where stores are opened. What one store committed, the next one finds.
pub trait Place {
    /// The kind of store.
    type Store: Store;
    /// Opens it, and supersedes those opened before.
    fn open(&self) -> impl Future<Output = Self::Store>;
}

/// Runs every test, each at a fresh place of the given name.
pub async fn whole<P: Place>(fresh: impl Fn(&'static str) -> P) {
    what_is_put_is_found(fresh("found")).await;
    changes_apply_in_their_order(fresh("order")).await;
    tables_are_apart(fresh("apart")).await;
    keys_are_in_byte_order(fresh("bytes")).await;
    ranges_are_half_open(fresh("half-open")).await;
    a_limit_cuts_at_either_end(fresh("limit")).await;
    ranges_of_nothing_are_empty(fresh("nothing")).await;
    many_queries_get_as_many_answers(fresh("many")).await;
    rows_outlive_their_store(fresh("outlive")).await;
    an_older_generation_neither_writes_nor_reads(fresh("generation")).await;
}

const TABLE: Table = Table::Chat;

fn put(key: &[u8], value: &[u8]) -> Change {
    Change::Put(TABLE, key.to_vec(), value.to_vec())
}

fn range(from: &[u8], to: Option<&[u8]>, reverse: bool, limit: u32) -> Query {
    Query::Range { table: TABLE, from: from.to_vec(), to: to.map(<[u8]>::to_vec), reverse, limit }
}

/// The keys that one query finds.
async fn keys(store: &impl Store, query: Query) -> Vec<Vec<u8>> {
    let rows = store.load(vec![query]).await;
    assert_eq!(rows.as_ref().map(Vec::len), Ok(1), "one query gets one answer");
    rows.into_iter().flatten().flatten().map(|(key, _)| key).collect()
}

async fn everything(store: &impl Store) -> Vec<Vec<u8>> {
    keys(store, range(&[], None, false, u32::MAX)).await
}

async fn five<P: Place>(place: P) -> P::Store {
    let store = place.open().await;
    let changes = (1..=5).map(|key| put(&[key], &[key])).collect();
    assert_eq!(store.commit(changes).await, Ok(()));
    store
}

async fn what_is_put_is_found<P: Place>(place: P) {
    let store = place.open().await;
    let every_byte: Vec<u8> = (0..=255).collect();
    assert_eq!(store.commit(vec![put(&every_byte, &every_byte), put(b"empty", b"")]).await, Ok(()));
    let found = store
        .load(vec![
            Query::Get(TABLE, every_byte.clone()),
            Query::Get(TABLE, b"empty".to_vec()),
            Query::Get(TABLE, b"absent".to_vec()),
        ])
        .await;
    assert_eq!(found, Ok(vec![vec![(every_byte.clone(), every_byte)], vec![(b"empty".to_vec(), vec![])], vec![]]));
}

async fn changes_apply_in_their_order<P: Place>(place: P) {
    let store = place.open().await;
    let changes = vec![
        put(b"a", b"1"),
        put(b"a", b"2"),
        put(b"b", b"1"),
        Change::Delete(TABLE, b"b".to_vec()),
        Change::Delete(TABLE, b"absent".to_vec()),
    ];
    assert_eq!(store.commit(changes).await, Ok(()));
    let found = store.load(vec![range(&[], None, false, 9)]).await;
    assert_eq!(found, Ok(vec![vec![(b"a".to_vec(), b"2".to_vec())]]));

    assert_eq!(store.commit(vec![put(b"c", b"1"), Change::Clear(TABLE), put(b"d", b"1")]).await, Ok(()));
    assert_eq!(everything(&store).await, [b"d"]);
    assert_eq!(store.commit(vec![]).await, Ok(()), "no changes are changes too");
}

async fn tables_are_apart<P: Place>(place: P) {
    let store = place.open().await;
    let rows = Table::ALL.map(|table| Change::Put(table, b"key".to_vec(), table.name().into()));
    assert_eq!(store.commit(rows.into()).await, Ok(()));
    assert_eq!(store.commit(vec![Change::Clear(TABLE)]).await, Ok(()));
    let found = store.load(Table::ALL.map(|table| Query::Get(table, b"key".to_vec())).into()).await;
    let expected = Table::ALL.map(|table| match table {
        TABLE => vec![],
        table => vec![(b"key".to_vec(), table.name().into())],
    });
    assert_eq!(found, Ok(expected.into()));
}

async fn keys_are_in_byte_order<P: Place>(place: P) {
    let store = place.open().await;
    let ordered: [&[u8]; 7] = [b"", b"\0", b"\0\0", b"\x01", b"a", b"a\0", b"\xFF"];
    assert_eq!(store.commit(ordered.iter().rev().map(|key| put(key, b"")).collect()).await, Ok(()));
    assert_eq!(everything(&store).await, ordered);
}

async fn ranges_are_half_open<P: Place>(place: P) {
    let store = five(place).await;
    assert_eq!(keys(&store, range(&[2], Some(&[4]), false, 9)).await, [[2], [3]]);
    assert_eq!(keys(&store, range(&[2], Some(&[4]), true, 9)).await, [[3], [2]]);
    assert_eq!(keys(&store, range(&[4], None, false, 9)).await, [[4], [5]]);
    assert_eq!(keys(&store, range(&[4], None, true, 9)).await, [[5], [4]]);
    assert_eq!(keys(&store, range(&[1, 0], Some(&[2, 0]), false, 9)).await, [[2]]);
}

async fn a_limit_cuts_at_either_end<P: Place>(place: P) {
    let store = five(place).await;
    assert_eq!(keys(&store, range(&[1], None, false, 2)).await, [[1], [2]]);
    assert_eq!(keys(&store, range(&[1], None, true, 2)).await, [[5], [4]]);
    assert_eq!(keys(&store, range(&[1], Some(&[3]), true, 1)).await, [[2]]);
}

async fn ranges_of_nothing_are_empty<P: Place>(place: P) {
    let store = five(place).await;
    let nothing: [Vec<u8>; 0] = [];
    for reverse in [false, true] {
        assert_eq!(keys(&store, range(&[1], None, reverse, 0)).await, nothing, "no rows are wanted");
        assert_eq!(keys(&store, range(&[3], Some(&[3]), reverse, 9)).await, nothing, "ends where it begins");
        assert_eq!(keys(&store, range(&[4], Some(&[2]), reverse, 9)).await, nothing, "ends before it begins");
        assert_eq!(keys(&store, range(&[6], None, reverse, 9)).await, nothing, "past the last row");
    }
}

async fn many_queries_get_as_many_answers<P: Place>(place: P) {
    let store = five(place).await;
    let counts = store
        .load(vec![
            range(&[1], None, true, 3),
            Query::Get(TABLE, vec![9]),
            range(&[1], None, false, 4),
            range(&[1], None, false, 0),
        ])
        .await
        .map(|rows| rows.iter().map(Vec::len).collect::<Vec<_>>());
    assert_eq!(counts, Ok(vec![3, 0, 4, 0]));
    assert_eq!(store.load(vec![]).await, Ok(vec![]));
}

async fn rows_outlive_their_store<P: Place>(place: P) {
    let store = place.open().await;
    assert_eq!(store.commit(vec![put(b"kept", b"")]).await, Ok(()));
    drop(store);
    assert_eq!(everything(&place.open().await).await, [b"kept"]);
}

async fn an_older_generation_neither_writes_nor_reads<P: Place>(place: P) {
    let older = place.open().await;
    assert_eq!(older.commit(vec![put(b"before", b"")]).await, Ok(()));
    let newer = place.open().await;
    assert_eq!(older.commit(vec![put(b"late", b""), Change::Clear(TABLE)]).await, Err(StoreFailure::Superseded));
    assert_eq!(older.load(vec![range(&[], None, false, 9)]).await, Err(StoreFailure::Superseded));
    assert_eq!(newer.commit(vec![put(b"after", b"")]).await, Ok(()));
    assert_eq!(everything(&newer).await, [b"after".to_vec(), b"before".to_vec()]);
}
