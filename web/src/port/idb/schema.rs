//! The database's schema, as numbered steps. A step that has shipped is never changed; a new one is added.
//!
//! What this module does not know: what the rows mean.

use causeway::store::changes::Table;
use wasm_bindgen::JsValue;
use web_sys::IdbDatabase;

/// Facts about the store itself: the generation, the wrapped data key.
pub(super) const META: &str = "meta";

/// One step: the object stores that it makes.
#[derive(Debug)]
pub struct Step {
    /// By name.
    pub makes: &'static [&'static str],
}

/// A database's history. Step `n` brings a database from version `n` to version `n + 1`.
pub type Schema = &'static [Step];

/// What this build writes.
pub const CURRENT: Schema = &[
    Step {
        makes: &[
            Table::Account.name(),
            Table::PreKey.name(),
            Table::SignedPreKey.name(),
            Table::Session.name(),
            Table::Chat.name(),
            Table::Message.name(),
            Table::MessageId.name(),
            Table::Outbox.name(),
            Table::Unknown.name(),
            META,
        ],
    },
    Step { makes: &[Table::Peer.name(), Table::Opened.name()] },
];

/// The version of a database that has gone through all of them.
pub(super) fn version(schema: Schema) -> u32 {
    u32::try_from(schema.len()).unwrap_or(u32::MAX)
}

/// Brings a database of version `from` (0: new) to the schema's. Runs inside of the version change transaction: what is
/// thrown takes all of it back.
pub(super) fn upgrade(schema: Schema, database: &IdbDatabase, from: u32) -> Result<(), JsValue> {
    for name in schema.iter().skip(usize::try_from(from).unwrap_or(usize::MAX)).flat_map(|step| step.makes) {
        database.create_object_store(name)?;
    }
    Ok(())
}
