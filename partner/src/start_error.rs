//! Why a server, or the administration of its database, did not start.

use crate::{
    client_files::ClientError, config::ConfigError, keys::KeyError, media::MediaStoreError, push::OutboundError,
    relay::RelayError, store::StoreError, tls::TlsError,
};
use std::{io, net::SocketAddr, path::PathBuf};

/// Why a start failed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration has problems.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server cannot listen on the address.
    #[error("cannot listen on {address}: {source}. Is another server running there? Change `{option}` otherwise")]
    Listen {
        /// The option of the address.
        option: &'static str,
        /// The configured address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The data folder cannot be created.
    #[error("the data folder {}: {source}. Change `data_dir` or its owner", path.display())]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys cannot be loaded or created.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The HTTP client for outgoing requests cannot be created.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The client's files cannot be read.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Argon2id rejects the configured cost.
    #[error("sign_in.hash_memory_kib and hash_passes: {0}")]
    PasswordCost(argon2::password_hash::Error),
    /// The provider's URL is invalid, or its HTTP client cannot be created.
    #[error("oidc.issuer: {0}")]
    OpenId(String),
    /// Certificate or key is not usable.
    #[error("tls_cert and tls_key: {0}")]
    Tls(#[from] TlsError),
    /// TLS for the chat server cannot be configured.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The HTTP client for enlistment cannot be created.
    #[error("relay.enlist_url: {0}")]
    Enlistment(reqwest::Error),
    /// The media store cannot be opened.
    #[error(transparent)]
    Media(#[from] MediaStoreError),
}
