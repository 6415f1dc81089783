//! The state that all HTTP handlers and the maintenance tasks share.
//!
//! What this module does not know: HTTP.

use crate::{
    client_files::ClientFiles,
    config::Settings,
    identity::TokenKeys,
    media::Media,
    metrics::Metrics,
    push::{Delivery, QueueRepository, Services, SubscriptionRepository, VapidKeys, Verifier},
    rate::{Allowance, RateLimit},
    relay::{Enlistment, Relay},
    sign_in::{
        AccountRepository, AccountSource, AuthAttemptRepository, DeviceRepository, PasskeyRepository, SessionRepository,
    },
    store::Database,
};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

/// The shared state of one server.
pub(crate) struct App {
    pub(crate) settings: Settings,
    pub(crate) database: Database,
    pub(crate) account_source: AccountSource,
    pub(crate) accounts: AccountRepository,
    pub(crate) sessions: SessionRepository,
    pub(crate) passkeys: PasskeyRepository,
    pub(crate) devices: DeviceRepository,
    pub(crate) auth_attempts: AuthAttemptRepository,
    pub(crate) keys: Arc<TokenKeys>,
    pub(crate) push: Push,
    pub(crate) client: Option<ClientFiles>,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) relay: Option<Relay>,
    pub(crate) enlistment: Option<Enlistment>,
    pub(crate) media: Media,
    /// Whether the server is shutting down and `/ready` fails.
    pub(crate) draining: AtomicBool,
}

/// The state of Web Push.
pub(crate) struct Push {
    pub(crate) keys: Arc<VapidKeys>,
    pub(crate) services: Services,
    pub(crate) verifier: Verifier,
    pub(crate) subscriptions: SubscriptionRepository,
    pub(crate) queue: QueueRepository,
    pub(crate) delivery: Arc<Delivery>,
}

/// The rate limits, one for each operation that is costly or that allows guessing.
pub(crate) struct Limits {
    pub(crate) address: RateLimit,
    pub(crate) account: RateLimit,
    pub(crate) token: RateLimit,
    pub(crate) relay: RateLimit,
    pub(crate) upload: RateLimit,
    pub(crate) push: RateLimit,
}

impl Limits {
    pub(crate) fn new(settings: &Settings) -> Self {
        let limit =
            |burst, seconds: u32| RateLimit::new(Allowance { burst, refill: Duration::from_secs(seconds.into()) });
        let limits = &settings.limits;
        Self {
            address: limit(limits.address_burst, limits.address_refill_seconds),
            account: limit(limits.account_burst, limits.account_refill_seconds),
            token: limit(limits.token_burst, limits.token_refill_seconds),
            // Each connection requires a token first.
            relay: limit(limits.token_burst, limits.token_refill_seconds),
            upload: limit(limits.token_burst, limits.token_refill_seconds),
            push: limit(limits.push_burst, limits.push_refill_seconds),
        }
    }
}
