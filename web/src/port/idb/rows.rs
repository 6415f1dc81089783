//! Changes and queries, as requests of a transaction.
//!
//! Forward ranges are two bulk reads, of keys and of values; IndexedDB has no bulk read from the end, so that is a
//! cursor.

use super::connection::Transaction;
use super::fault::Fault;
use causeway::store::changes::{Change, Query, Rows, Table};
use futures::future::try_join_all;
use indexed_db_futures::KeyRange;
use indexed_db_futures::cursor::CursorDirection;
use indexed_db_futures::object_store::ObjectStore;
use indexed_db_futures::prelude::*;
use indexed_db_futures::typed_array::{Uint8Array, Uint8ArraySlice};
use js_sys::ArrayBuffer;
use wasm_bindgen::{JsCast, JsValue};

type Row = (Vec<u8>, Vec<u8>);
/// Becomes a `Uint8Array`. A `Vec` would become an array of numbers.
type Bytes<'a> = Uint8ArraySlice<'a>;
type Range<'a> = KeyRange<Bytes<'a>>;

pub(super) fn table_of(change: &Change) -> Table {
    match change {
        Change::Put(table, ..) | Change::Delete(table, _) | Change::Clear(table) => *table,
    }
}

pub(super) fn table_asked(query: &Query) -> Table {
    match query {
        Query::Get(table, _) | Query::Range { table, .. } => *table,
    }
}

/// Makes the requests; the transaction's end tells how they went.
pub(super) fn apply(transaction: &Transaction<'_>, changes: &[Change]) -> Result<(), Fault> {
    for same in changes.chunk_by(|a, b| table_of(a) == table_of(b)) {
        let Some(first) = same.first() else { continue };
        let store = transaction.store(table_of(first).name())?;
        for change in same {
            match change {
                Change::Put(_, key, value) => {
                    drop(store.put(Bytes::new(value)).with_key(Bytes::new(key)).without_key_type().build()?)
                }
                Change::Delete(_, key) => drop(store.delete(Bytes::new(key)).build()?),
                Change::Clear(_) => drop(store.clear()?),
            }
        }
    }
    Ok(())
}

/// Makes the requests when first polled, and must be polled until its end without a break.
pub(super) async fn read(transaction: &Transaction<'_>, queries: &[Query]) -> Result<Rows, Fault> {
    let mut single = Vec::new();
    for same in queries.chunk_by(|a, b| table_asked(a) == table_asked(b)) {
        let Some(first) = same.first() else { continue };
        let store = transaction.store(table_asked(first).name())?;
        for query in same {
            single.push(match query {
                Query::Get(_, key) => Some((key, store.get::<Uint8Array, _, _>(Bytes::new(key)).primitive()?)),
                Query::Range { .. } => None,
            });
        }
    }
    let ranges = queries.iter().filter(|query| matches!(query, Query::Range { .. }));
    let mut ranges = try_join_all(ranges.map(|query| range(transaction, query))).await?.into_iter();
    let mut rows: Rows = Vec::with_capacity(queries.len());
    // A transaction answers in the order of the requests: when the last is answered, the others need not be listened
    // to.
    for asked in single.into_iter().rev() {
        rows.push(match asked {
            Some((key, value)) => value.await?.map(|value| (key.clone(), value.into())).into_iter().collect(),
            None => ranges.next_back().unwrap_or_default(),
        });
    }
    rows.reverse();
    Ok(rows)
}

async fn range(transaction: &Transaction<'_>, query: &Query) -> Result<Vec<Row>, Fault> {
    match query {
        // To IndexedDB a limit of zero is none, and an empty range an exception.
        Query::Get(..) | Query::Range { limit: 0, .. } => Ok(Vec::new()),
        Query::Range { from, to: Some(to), .. } if from >= to => Ok(Vec::new()),
        Query::Range { from, to, reverse, limit, .. } => {
            let store = transaction.store(table_asked(query).name())?;
            let range = match to {
                Some(to) => Range::from(Bytes::new(from)..Bytes::new(to)),
                None => Range::from(Bytes::new(from)..),
            };
            if *reverse { from_end(&store, range, *limit).await } else { from_start(&store, range, *limit).await }
        }
    }
}

async fn from_start(store: &ObjectStore<'_>, range: Range<'_>, limit: u32) -> Result<Vec<Row>, Fault> {
    let keys = store.get_all_keys::<JsValue>().with_query::<Bytes<'_>, _>(range.clone()).with_limit(limit).build()?;
    let values = store.get_all::<Uint8Array>().with_query::<Bytes<'_>, _>(range).with_limit(limit).build()?;
    let (keys, values) = (keys.await?, values.await?);
    keys.zip(values).map(|(key, value)| Ok((key_of(&key?)?, value?.into()))).collect()
}

async fn from_end(store: &ObjectStore<'_>, range: Range<'_>, limit: u32) -> Result<Vec<Row>, Fault> {
    let mut rows = Vec::new();
    let opening = store.open_cursor().with_query::<Bytes<'_>, _>(range).with_direction(CursorDirection::Prev);
    let Some(mut cursor) = opening.await? else { return Ok(rows) };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    while rows.len() < limit
        && let Some(value) = cursor.next_record::<Uint8Array>().await?
    {
        let key = cursor.key::<JsValue>()?.ok_or(Fault::Broken)?;
        rows.push((key_of(&key)?, value.into()));
    }
    Ok(rows)
}

/// Keys go in as `Uint8Array` and come back as `ArrayBuffer`.
fn key_of(key: &JsValue) -> Result<Vec<u8>, Fault> {
    let buffer = key.dyn_ref::<ArrayBuffer>().ok_or(Fault::Broken)?;
    Ok(js_sys::Uint8Array::new(buffer).to_vec())
}
