//! Why a sandbox did not start. Must not know how one is started.

use crate::authority::AuthorityError;
use crate::config::ConfigError;
use crate::phone::PhoneError;
use crate::push::PushKeyError;
use crate::push_service::SubscriptionError;
use crate::world::JournalError;

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is unusable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The certificate authority is unusable.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The recorded state is unusable.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An address is taken, or the data folder cannot be made.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// The system's error.
        error: std::io::Error,
    },
    /// The keys of push calls are unusable.
    #[error(transparent)]
    PushKeys(#[from] PushKeyError),
    /// The push service's subscriptions are unusable.
    #[error(transparent)]
    Subscriptions(#[from] SubscriptionError),
    /// The HTTP client for JWKS cannot be set up.
    #[error("cannot set up the HTTP client: {0}")]
    Http(#[from] reqwest::Error),
    /// A phone's state on disk is unusable.
    #[error(transparent)]
    Phone(#[from] PhoneError),
}
