//! The gatekeeper sandbox: stands in for WhatsApp's side, so that everything works, and is tested, without WhatsApp.
//!
//! Enlistment API, chat server (Noise over WebSocket and TCP), key directory, 30-day mailbox, receipts, blocklist,
//! version check, push calls to Partners, a push service for Firefox; and the WhatsApp users themselves ("phones"), who
//! are real clients of that chat server. Loopback only.
//!
//! It follows the documents and the wire, not our client: Noise, framing, protobufs and every constant are typed again
//! here, so that both ends cannot agree on one mistake. Shared with the client are the node codec and the curve and
//! ratchet mathematics of `causeway_proto`. It must not know the Partner, beyond its address and its public keys.
//!
//! ```no_run
//! # async fn example() -> Result<(), causeway_gatekeeper::StartError> {
//! use causeway_gatekeeper::{Config, Gatekeeper};
//! let free = ([127, 0, 0, 1], 0).into();
//! let config = Config { listen: free, tcp_listen: free, push_listen: free, ..Config::default() };
//! let running = Gatekeeper::start(config).await?;
//! println!("ws://{}/ws/chat", running.http_addr);
//! running.stop().await;
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

mod authority;
mod channel;
mod chat;
mod clock;
mod config;
mod control;
mod enlist;
mod faults;
mod file;
mod hex;
mod http;
mod hub;
mod message_log;
mod phone;
mod phone_client;
mod push;
mod push_caller;
mod push_endpoints;
mod push_service;
mod random;
mod sandbox;
mod start_error;
mod stream;
mod time;
mod token;
mod world;

pub use authority::{AuthorityError, CertificateFault};
pub use config::{Config, ConfigError, Integrator};
pub use phone::PhoneError;
pub use push::PushKeyError;
pub use push_service::SubscriptionError;
pub use start_error::StartError;
pub use world::{Class, JournalError};

use sandbox::{Addresses, Sandbox};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How long [`Running::stop`] waits for connections to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Starts sandboxes.
pub struct Gatekeeper;

/// A running sandbox. Dropping it stops it without closing connections first.
pub struct Running {
    /// Where HTTP and WebSocket are served: enlistment, `/ws/chat`, `/control/…`, `/phone`.
    pub http_addr: SocketAddr,
    /// Where the chat server listens over raw TCP.
    pub tcp_addr: SocketAddr,
    /// Where the push service listens: `ws://…/` for browsers, `http://…/wpush/…` for servers.
    pub push_addr: SocketAddr,
    /// The public key that clients must be configured with.
    pub root_key: [u8; 32],
    sandbox: Arc<Sandbox>,
    tasks: Vec<JoinHandle<()>>,
}

impl Gatekeeper {
    /// Binds the listeners, restores the state of the data folder and the phones in it.
    ///
    /// # Errors
    /// [`StartError`], to be shown as it is.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        config.check()?;
        let failed = |what: String| move |error| StartError::Io { what, error };
        std::fs::create_dir_all(&config.data).map_err(failed(format!("cannot make {}", config.data.display())))?;
        let http = TcpListener::bind(config.listen).await;
        let http = http.map_err(failed(format!("cannot listen on {}", config.listen)))?;
        let tcp = TcpListener::bind(config.tcp_listen).await;
        let tcp = tcp.map_err(failed(format!("cannot listen on {}", config.tcp_listen)))?;
        let push = TcpListener::bind(config.push_listen).await;
        let push = push.map_err(failed(format!("cannot listen on {}", config.push_listen)))?;
        let address =
            |listener: &TcpListener| listener.local_addr().map_err(failed("cannot read an address".to_owned()));
        let addresses = Addresses { http: address(&http)?, tcp: address(&tcp)?, push: address(&push)? };
        let sandbox = Arc::new(Sandbox::open(config, addresses)?);
        // Before anyone is served: the phones' other numbers are known with the phones. Their connections wait in the queue.
        phone_client::restore(&sandbox)?;
        let tasks = vec![
            tokio::spawn(chat::listen(Arc::clone(&sandbox), tcp)),
            tokio::spawn(serve(http, http::router(Arc::clone(&sandbox)))),
            tokio::spawn(serve(push, push_endpoints::router(Arc::clone(&sandbox)))),
            tokio::spawn(sandbox::expire_mail(Arc::clone(&sandbox))),
            tokio::spawn(push_caller::run(Arc::clone(&sandbox))),
        ];
        Ok(Running {
            http_addr: addresses.http,
            tcp_addr: addresses.tcp,
            push_addr: addresses.push,
            root_key: sandbox.authority.root_key(),
            sandbox,
            tasks,
        })
    }
}

async fn serve(listener: TcpListener, router: axum::Router) {
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "an HTTP server stopped");
    }
}

impl Running {
    /// Ends every connection with a stream error 503, stops listening, and returns when both are done.
    pub async fn stop(mut self) {
        self.sandbox.begin_stop();
        if tokio::time::timeout(CLOSE_TIMEOUT, self.sandbox.all_disconnected()).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        for task in self.tasks.drain(..) {
            task.abort();
            // Cancelled, as asked.
            drop(task.await);
        }
    }

    /// Completes when Ctrl-C or SIGTERM asks the process to end.
    pub async fn until_asked_to_stop(&self) {
        sandbox::termination().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.sandbox.begin_stop();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
