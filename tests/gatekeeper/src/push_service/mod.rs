//! A push service on this machine, for Firefox to be pointed at: what stands between a Partner's server and a browser.
//!
//! Towards the browser it speaks autopush's WebSocket protocol , towards servers RFC 8030 with VAPID
//! . It has a listener of its own, because it is nobody's: neither WhatsApp's nor the Partner's.
//! Subscriptions survive a restart, messages do not. Must not know HTTP, and what is inside a message.

pub(crate) mod message;
pub(crate) mod registry;
pub(crate) mod subscriptions;
pub(crate) mod vapid;

pub use subscriptions::SubscriptionError;

use registry::Registry;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Browsers connected at once.
const MAX_BROWSERS: usize = 256;

/// The push service.
pub(crate) struct PushService {
    address: SocketAddr,
    registry: Mutex<Registry>,
    permits: Arc<Semaphore>,
}

impl PushService {
    /// Reads the subscriptions of the data folder; `address` is where the service listens.
    pub(crate) fn open(folder: &Path, address: SocketAddr) -> Result<Self, SubscriptionError> {
        let registry = Mutex::new(Registry::open(folder)?);
        Ok(Self { address, registry, permits: Arc::new(Semaphore::new(MAX_BROWSERS)) })
    }

    /// A permit for one more browser's connection; `None` when all are in use.
    pub(crate) fn connection_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }

    /// Scheme, host and port: what tokens must name as their audience, and the beginning of every endpoint.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where messages for a subscription are posted.
    pub(crate) fn endpoint(&self, token: &str) -> String {
        format!("{}/wpush/{token}", self.origin())
    }

    /// All that is known. Held for the length of a statement, never across an await.
    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry> {
        // Subscriptions are written first and then changed; a message is moved whole.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
