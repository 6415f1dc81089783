//! A running server: listening, serving, reloading the certificate, shutting down.
//!
//! What this module does not know: requests.

use crate::{
    config::{Config, Settings},
    http,
    maintenance::Maintenance,
    serve,
    start_error::StartError,
    startup::open_app,
    tls::{Tls, TlsError},
};
use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::JoinHandle,
    time,
};

/// The partner server, for embedding in a program.
#[derive(Debug)]
pub struct Server;

/// A running server. Dropping it starts the same shutdown as [`Running::stop`] without waiting.
#[derive(Debug)]
pub struct Running {
    /// The listening address, with the actual port if port 0 was configured.
    pub addr: SocketAddr,
    /// The listening address of the metrics, if configured.
    pub metrics_addr: Option<SocketAddr>,
    tls: Option<Tls>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Checks the configuration, opens database and keys (creating them at the first start), and accepts connections.
    ///
    /// # Errors
    /// A [`StartError`] that names the option to change.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let (listener, addr) = listen("listen", config.listen).await?;
        let settings = Settings::check(config, addr)?;
        let (metrics_listener, metrics_addr) = match settings.metrics_listen {
            None => (None, None),
            Some(address) => {
                let (listener, addr) = listen("metrics_listen", address).await?;
                (Some(listener), Some(addr))
            }
        };
        let timeouts = serve::Timeouts {
            connections: settings.limits.connections,
            headers: Duration::from_secs(settings.limits.request_seconds),
            write: Duration::from_secs(settings.limits.write_seconds),
            shutdown: Duration::from_secs(settings.limits.shutdown_seconds),
        };
        let drain = Duration::from_secs(settings.limits.drain_seconds);
        // The files were validated with the settings.
        let tls = settings.tls.clone().map(Tls::open).transpose()?;
        let app = Arc::new(open_app(settings).await?);
        let maintenance = Maintenance::start(app.clone());
        let (stop, stopped) = oneshot::channel();
        let (close, closing) = watch::channel(false);
        let serving = serve::serve(listener, tls.clone(), http::router(app.clone()), timeouts, closing.clone());
        let metrics = metrics_listener.map(|listener| {
            let router = http::metrics_router(app.metrics.clone());
            serve::serve(listener, None, router, timeouts, closing)
        });
        let task = tokio::spawn(async move {
            let stopping = async {
                // A dropped sender stops the server, too.
                let _ = stopped.await;
                app.draining.store(true, Ordering::Relaxed);
                time::sleep(drain).await;
                let _ = close.send(true);
                if let Some(relay) = &app.relay
                    && time::timeout(timeouts.shutdown, relay.close()).await.is_err()
                {
                    tracing::warn!("relayed connections were still open after the shutdown time-out");
                }
            };
            let metrics = async {
                if let Some(metrics) = metrics {
                    metrics.await;
                }
            };
            tokio::join!(serving, metrics, stopping);
            maintenance.stop(timeouts.shutdown).await;
            app.database.close().await;
        });
        Ok(Running { addr, metrics_addr, tls, stop, task })
    }
}

async fn listen(option: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let at = |source| StartError::Listen { option, address, source };
    let listener = TcpListener::bind(address).await.map_err(at)?;
    let addr = listener.local_addr().map_err(at)?;
    Ok((listener, addr))
}

impl Running {
    /// Reloads certificate and key for new connections. Blocking.
    ///
    /// # Errors
    /// The files are not usable; the certificate stays unchanged.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.tls.as_ref().map_or(Ok(()), Tls::reload)
    }

    /// Waits for pending requests (up to `limits.shutdown_seconds`), then closes the database.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server task failed");
        }
    }
}
