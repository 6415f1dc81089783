//! The database's schema, as numbered steps. A step that has shipped is never changed; a new one is added.
//!
//! What this module does not know: what the rows mean.

use causeway::store::changes::Table;
use wasm_bindgen::JsValue;
use web_sys::IdbDatabase;

/// Facts about the store itself: the generation, the wrapped data key.
pub(super) const META: &str = "meta";

/// One step: the object stores that it makes.
struct Step {
    tables: &'static [Table],
    meta: bool,
}

/// Step `n` brings a database from version `n` to version `n + 1`.
const STEPS: &[Step] = &[Step {
    tables: &[
        Table::Account,
        Table::PreKey,
        Table::SignedPreKey,
        Table::Session,
        Table::Chat,
        Table::Message,
        Table::MessageId,
        Table::Outbox,
        Table::Unknown,
    ],
    meta: true,
}];

/// The version that this build writes.
pub(super) const VERSION: u32 = STEPS.len() as u32;

/// Brings a database of version `from` (0: new) to [`VERSION`]. Runs inside of the version change transaction.
pub(super) fn upgrade(database: &IdbDatabase, from: u32) -> Result<(), JsValue> {
    for step in STEPS.iter().skip(from as usize) {
        for table in step.tables {
            database.create_object_store(table.name())?;
        }
        if step.meta {
            database.create_object_store(META)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_made_by_exactly_one_step() {
        let made: Vec<_> = STEPS.iter().flat_map(|step| step.tables).collect();
        assert_eq!(made, Table::ALL.iter().collect::<Vec<_>>());
        assert_eq!(STEPS.iter().filter(|step| step.meta).count(), 1);
    }
}
