//! The partner server: what a messaging provider runs so that its users can reach WhatsApp.
//!
//! It signs people in, issues short-lived tokens for their identifiers under keys that it publishes, gives the client
//! the address and root key of WhatsApp, and serves the client under a strict content security policy. It knows no
//! message, no key of a client, and no recipient.
//!
//! ```text
//! server, admin        a running server; administration of the database
//! startup, start_error opens everything from the checked configuration
//! http, maintenance    requests; periodic work
//! serve                connections
//! app                  the state that http and maintenance share
//! config               every option, checked
//! relay                connections of clients to the chat server, byte for byte
//! sign_in              identifiers, passwords, passkeys, OpenID Connect, sessions, current devices
//! identity             identity tokens and the keys that sign them
//! push                 wakes browsers on behalf of WhatsApp, through the browsers' push services
//! media                files that WhatsApp fetches
//! client_files         the client's build
//! keys                 private keys in the database, sealed
//! store                the database: SQLite or PostgreSQL
//! metrics, rate, tls   counters, rate limits, certificates
//! clock                the wall clock
//! account_id, time     accounts and points in time, as all modules name them
//! hex, loopback, secret
//! ```
//!
//! Imports go down this list only.

mod account_id;
mod admin;
mod app;
mod client_files;
mod clock;
mod config;
mod hex;
mod http;
mod identity;
mod keys;
mod loopback;
mod maintenance;
mod media;
mod metrics;
mod push;
mod rate;
mod relay;
mod secret;
mod serve;
mod server;
mod sign_in;
mod start_error;
mod startup;
mod store;
mod time;
mod tls;

pub use account_id::AccountId;
pub use admin::{Admin, KeySummary, StorageSummary, SubscriptionSummary, UserSummary};
pub use client_files::ClientError;
pub use config::{
    Config, ConfigError, ENVIRONMENT_PREFIX, LimitsConfig, LoadError, MediaConfig, OidcConfig, PushConfig, RelayConfig,
    Settings, SignInConfig, TokenConfig, WhatsAppConfig,
};
pub use keys::{KeyError, KeyId};
pub use media::{MediaStoreError, SweepError};
pub use push::OutboundError;
pub use relay::RelayError;
pub use secret::Secret;
pub use server::{Running, Server};
pub use start_error::StartError;
pub use store::StoreError;
pub use time::UnixSeconds;
pub use tls::TlsError;
