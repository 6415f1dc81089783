//! One query, from its request to its rows.
//!
//! Forward ranges are two bulk reads, of keys and of values; IndexedDB has no bulk read from the end, so that is a cursor.

use super::bytes;
use super::connection::Transaction;
use super::request::Fault;
use causeway::store::changes::{Query, Table};
use core::cell::RefCell;
use js_sys::{Array, Uint8Array};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{IdbCursorDirection, IdbCursorWithValue, IdbKeyRange, IdbRequest};

type Row = (Vec<u8>, Vec<u8>);

/// A query whose requests are made. The rows are there when the transaction has ended.
pub(super) enum Reading {
    One(Vec<u8>, IdbRequest),
    Forward { keys: IdbRequest, values: IdbRequest },
    Reverse(Rc<RefCell<Vec<Row>>>),
    Nothing,
}

impl Reading {
    pub(super) fn table(query: &Query) -> Table {
        match query {
            Query::Get(table, _) | Query::Range { table, .. } => *table,
        }
    }

    pub(super) fn begin(transaction: &mut Transaction, query: &Query) -> Result<Self, Fault> {
        let store = transaction.store(Self::table(query).name())?;
        match query {
            Query::Get(_, key) => Ok(Self::One(key.clone(), store.get(&bytes(key))?)),
            // To IndexedDB a limit of zero is none, and an empty range an exception.
            Query::Range { limit: 0, .. } => Ok(Self::Nothing),
            Query::Range { from, to: Some(to), .. } if from >= to => Ok(Self::Nothing),
            Query::Range { from, to, reverse, limit, .. } => {
                let from = bytes(from);
                let range = match to {
                    Some(to) => IdbKeyRange::bound_with_lower_open_and_upper_open(&from, &bytes(to), false, true)?,
                    None => IdbKeyRange::lower_bound(&from)?,
                };
                if *reverse {
                    let cursor = store.open_cursor_with_range_and_direction(&range, IdbCursorDirection::Prev)?;
                    return Ok(Self::from_end(transaction, &cursor, *limit as usize));
                }
                Ok(Self::Forward {
                    keys: store.get_all_keys_with_key_and_limit(&range, *limit)?,
                    values: store.get_all_with_key_and_limit(&range, *limit)?,
                })
            }
        }
    }

    fn from_end(transaction: &mut Transaction, request: &IdbRequest, limit: usize) -> Self {
        let rows = Rc::new(RefCell::new(Vec::new()));
        transaction.when_done(request, {
            let rows = Rc::clone(&rows);
            move |cursor| {
                let Ok(cursor) = cursor.dyn_into::<IdbCursorWithValue>() else { return };
                let mut rows = rows.borrow_mut();
                if let (Ok(key), Ok(value)) = (cursor.key(), cursor.value()) {
                    rows.push((to_vec(&key), to_vec(&value)));
                }
                if rows.len() < limit {
                    let _ = cursor.continue_();
                }
            }
        });
        Self::Reverse(rows)
    }

    pub(super) fn rows(self) -> Result<Vec<Row>, Fault> {
        Ok(match self {
            Self::Nothing => Vec::new(),
            Self::One(key, request) => {
                let value = request.result()?;
                if value.is_undefined() { Vec::new() } else { vec![(key, to_vec(&value))] }
            }
            Self::Forward { keys, values } => {
                let (keys, values) = (Array::from(&keys.result()?), Array::from(&values.result()?));
                keys.iter().zip(values.iter()).map(|(key, value)| (to_vec(&key), to_vec(&value))).collect()
            }
            Self::Reverse(rows) => rows.take(),
        })
    }
}

/// Keys come back as `ArrayBuffer`, values as the `Uint8Array` that they were.
fn to_vec(value: &JsValue) -> Vec<u8> {
    Uint8Array::new(value).to_vec()
}
