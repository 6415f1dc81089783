//! Why a store refused a read or a transaction.

/// Why a store refused. In every case the transaction had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreFailure {
    /// Another engine raised the generation: this one must stop.
    #[error("another engine has taken over the store")]
    Superseded,
    /// The browser's quota is exhausted.
    #[error("the browser's storage is full")]
    QuotaExceeded,
    /// The database went away and could not be reopened, or the browser reported another error.
    #[error("the browser's storage failed")]
    Unavailable,
}
