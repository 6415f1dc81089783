//! Pure functions that the engine leaves to its driver: they take long or much code, and few people need them. A driver may
//! load their code when one is asked for.
//!
//! What this module does not know: what a result is for.

use crate::backup::kdf::{self, Derivation, KdfError, Keys};

/// Something to compute.
#[derive(Debug)]
pub enum Computation {
    /// The keys of a backup. Takes about a second, by design.
    BackupKeys(Derivation),
}

/// The result.
#[derive(Debug)]
pub enum Computed {
    /// The keys of a backup.
    BackupKeys(Keys),
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComputeFailure {
    /// The code of the function could not be loaded in time.
    #[error("the code of the function could not be loaded")]
    NotLoaded,
    /// No key was derived.
    #[error(transparent)]
    Kdf(#[from] KdfError),
}

impl Computation {
    /// Computes it here. The engine never calls this, so that a program can leave it out of the engine's module.
    ///
    /// # Errors
    /// [`ComputeFailure`], never [`NotLoaded`](ComputeFailure::NotLoaded).
    pub fn run(&self) -> Result<Computed, ComputeFailure> {
        match self {
            Self::BackupKeys(derivation) => Ok(Computed::BackupKeys(kdf::derive(derivation)?)),
        }
    }
}
