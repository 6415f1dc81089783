//! The database's schema, as numbered steps. A step that has shipped is never changed; a new one is added.
//!
//! What this module does not know: what the rows mean.

use causeway::store::changes::Table;
use indexed_db_futures::Build;
use indexed_db_futures::database::{Database, VersionChangeEvent};

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

/// Brings a database of an older version (0: new) to [`VERSION`]. Runs inside of the version change transaction, which an error
/// takes back.
pub(super) fn upgrade(change: VersionChangeEvent, database: Database) -> indexed_db_futures::Result<()> {
    for step in STEPS.iter().skip(change.old_version() as usize) {
        for table in step.tables {
            database.create_object_store(table.name()).build()?;
        }
        if step.meta {
            database.create_object_store(META).build()?;
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
