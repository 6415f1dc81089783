//! IndexedDB's exceptions, as kinds of fault.
//!
//! What this module does not know: stores, rows, generations.

use indexed_db_futures::error::{Error, OpenDbError};
use web_sys::DomException;

/// What can be done about an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::port) enum Fault {
    /// The storage quota is exceeded.
    Quota,
    /// The database on disk is of a newer version than this build.
    TooNew,
    /// The transaction found another generation, and took itself back.
    Superseded,
    /// The browser does not keep such a value: it cannot be cloned, or is another when it is read back.
    NotKept,
    /// There are rows, and not the fact without which they mean nothing.
    FactMissing,
    /// Anything else. Mostly the connection: browsers close it behind our back. Worth another try on a new one.
    Broken,
}

impl From<DomException> for Fault {
    fn from(exception: DomException) -> Self {
        match exception.name().as_str() {
            "QuotaExceededError" => Self::Quota,
            "VersionError" => Self::TooNew,
            "DataCloneError" => Self::NotKept,
            _ => Self::Broken,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::DomException(exception) => DomException::from(exception).into(),
            _ => Self::Broken,
        }
    }
}

impl From<OpenDbError> for Fault {
    fn from(error: OpenDbError) -> Self {
        match error {
            OpenDbError::Base(error) => error.into(),
            _ => Self::Broken,
        }
    }
}
