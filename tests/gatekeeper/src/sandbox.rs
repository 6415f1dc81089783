//! The composition of the sandbox: settings, clock, keys, state, connections. Must not know the handlers above it.

use crate::authority::Authority;
use crate::clock::Clock;
use crate::config::Config;
use crate::faults::Faults;
use crate::hub::Hub;
use crate::message_log::MessageLog;
use crate::phone::Phones;
use crate::push::{self, Pushes};
use crate::push_service::PushService;
use crate::start_error::StartError;
use crate::token::Tokens;
use crate::world::World;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

const EXPIRY_PAUSE: Duration = Duration::from_secs(60);

/// One sandbox.
pub(crate) struct Sandbox {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) authority: Authority,
    pub(crate) tokens: Tokens,
    pub(crate) faults: Faults,
    pub(crate) message_log: MessageLog,
    pub(crate) hub: Hub,
    pub(crate) phones: Phones,
    pub(crate) pushes: Pushes,
    pub(crate) push_http: reqwest::Client,
    pub(crate) push_service: PushService,
    pub(crate) http_addr: SocketAddr,
    pub(crate) tcp_addr: SocketAddr,
    min_version: Mutex<[u32; 3]>,
    world: Mutex<World>,
    permits: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
}

/// Where it listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) http: SocketAddr,
    pub(crate) tcp: SocketAddr,
    pub(crate) push: SocketAddr,
}

impl Sandbox {
    pub(crate) fn open(config: Config, addresses: Addresses) -> Result<Self, StartError> {
        Ok(Self {
            clock: Clock::default(),
            authority: Authority::open(&config.data)?,
            tokens: Tokens::new(&config.integrators)?,
            faults: Faults::default(),
            message_log: MessageLog::default(),
            hub: Hub::default(),
            phones: Phones::default(),
            pushes: Pushes::open(&config.data)?,
            push_http: push::client()?,
            push_service: PushService::open(&config.data, addresses.push)?,
            http_addr: addresses.http,
            tcp_addr: addresses.tcp,
            min_version: Mutex::new(config.min_version),
            world: Mutex::new(World::open(&config.data)?),
            permits: Arc::new(Semaphore::new(config.max_connections)),
            stopping: watch::Sender::new(false),
            config,
        })
    }

    /// The state. Held for the length of a statement, never across an await.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        // Every change is recorded first and then applied by total functions: a poisoned lock guards a sound state.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Oldest interop protocol version that may connect.
    pub(crate) fn min_version(&self) -> [u32; 3] {
        *self.min_version.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_min_version(&self, version: [u32; 3]) {
        *self.min_version.lock().unwrap_or_else(PoisonError::into_inner) = version;
    }

    /// A permit for one more connection; `None` when all are in use.
    pub(crate) fn connection_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }

    /// Asks every connection and phone to end.
    pub(crate) fn begin_stop(&self) {
        self.stopping.send_replace(true);
    }

    /// For waiting until the sandbox is to end.
    pub(crate) fn stopping(&self) -> Stopping {
        Stopping(self.stopping.subscribe())
    }

    /// Completes when no connection is left.
    pub(crate) async fn all_disconnected(&self) {
        let all = u32::try_from(self.config.max_connections).unwrap_or(u32::MAX);
        drop(self.permits.acquire_many(all).await);
        self.phones.all_disconnected().await;
    }
}

/// A view of the wish to stop.
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    pub(crate) fn asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Completes when the sandbox is to end.
    pub(crate) async fn wait(&mut self) {
        // A sandbox that is gone has stopped as well.
        drop(self.0.wait_for(|stop| *stop).await);
    }
}

/// Drops mail older than its retention, once a minute.
pub(crate) async fn expire_mail(sandbox: Arc<Sandbox>) {
    loop {
        tokio::time::sleep(EXPIRY_PAUSE).await;
        let now = sandbox.clock.now_secs();
        if let Err(error) = sandbox.world().expire(now) {
            tracing::error!(%error, "old mail could not be dropped");
        }
    }
}

/// Completes on Ctrl-C or SIGTERM.
pub(crate) async fn termination() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            tokio::select! { _ = interrupted => {}, _ = terminate.recv() => {} }
            return;
        }
    }
    drop(interrupted.await);
}
