//! Connections: accepts them with or without TLS, serves HTTP/1.1 and HTTP/2, and shuts down gracefully.
//!
//! What this module does not know: routes.

use crate::tls::Tls;
use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
    service::TowerToHyperService,
};
use std::{net::SocketAddr, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time,
};
use tokio_io_timeout::TimeoutWriter;
use tower::ServiceExt;

/// Maximum number of concurrent requests on one HTTP/2 connection.
const HTTP2_STREAMS: u32 = 64;
/// Interval of keep-alive pings on idle HTTP/2 connections.
const HTTP2_PING: Duration = Duration::from_secs(30);
/// Pause after a failure to accept, for example when file descriptors are exhausted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Both addresses of a request's connection; an extension of every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionAddresses {
    /// The remote address.
    pub(crate) peer: SocketAddr,
    /// The local address.
    pub(crate) local: SocketAddr,
}

/// Limits of connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    pub(crate) connections: usize,
    pub(crate) headers: Duration,
    /// Maximum time without write progress.
    pub(crate) write: Duration,
    pub(crate) shutdown: Duration,
}

/// Serves until `closing` becomes true or its sender is dropped, then waits for pending requests up to
/// `timeouts.shutdown`.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    timeouts: Timeouts,
    mut closing: watch::Receiver<bool>,
) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(timeouts.headers);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS)
        .enable_connect_protocol()
        .keep_alive_interval(HTTP2_PING)
        .keep_alive_timeout(timeouts.headers);
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(timeouts.connections));
    loop {
        let (stream, addresses, permit) = tokio::select! {
            accepted = accept(&listener, &permits) => accepted,
            _ = closing.wait_for(|closing| *closing) => break,
        };
        let stream = with_write_timeout(stream, timeouts.write);
        let (builder, router, watcher) = (builder.clone(), router.clone(), graceful.watcher());
        match tls.as_ref().map(Tls::acceptor) {
            None => drop(tokio::spawn(async move {
                serve_connection(&builder, stream, addresses, router, watcher).await;
                drop(permit);
            })),
            Some(acceptor) => {
                let mut closing = closing.clone();
                tokio::spawn(async move {
                    let handshake = tokio::select! {
                        handshake = time::timeout(timeouts.headers, acceptor.accept(stream)) => handshake,
                        _ = closing.wait_for(|closing| *closing) => return,
                    };
                    match handshake {
                        Ok(Ok(stream)) => serve_connection(&builder, stream, addresses, router, watcher).await,
                        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                        Err(_) => tracing::debug!("a TLS handshake took too long"),
                    }
                    drop(permit);
                });
            }
        }
    }
    drop(listener);
    if time::timeout(timeouts.shutdown, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still pending after the shutdown time-out");
    }
}

/// Without a write timeout, a client that reads nothing would hold memory and a connection permit indefinitely.
fn with_write_timeout(stream: TcpStream, timeout: Duration) -> Pin<Box<TimeoutWriter<TcpStream>>> {
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(timeout));
    Box::pin(stream)
}

/// Serves HTTP on one connection until its end.
async fn serve_connection<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    builder: &auto::Builder<TokioExecutor>,
    stream: S,
    addresses: ConnectionAddresses,
    router: Router,
    watcher: Watcher,
) {
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(addresses);
        request.map(axum::body::Body::new)
    });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
    // Aborted connections and protocol violations are logged for debugging only.
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// Waits for a permit, then for a connection.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, ConnectionAddresses, Option<OwnedSemaphorePermit>) {
    let permit = permits.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Responses are written whole: batching would only delay them.
                match stream.set_nodelay(true).and_then(|()| stream.local_addr()) {
                    Ok(local) => return (stream, ConnectionAddresses { peer, local }, permit),
                    Err(error) => tracing::debug!(%error, "a connection was gone before it was served"),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
