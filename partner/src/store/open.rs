//! Opens a database with the schema of this program.

use super::{
    database::{Database, DatabaseLocation},
    error::StoreError,
    schema,
};

/// Opens the database and migrates its schema.
pub(crate) async fn open(location: DatabaseLocation<'_>) -> Result<Database, StoreError> {
    let database = Database::connect(location).await?;
    schema::migrate(&database).await?;
    Ok(database)
}
