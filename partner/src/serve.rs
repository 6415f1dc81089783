//! Connections: accepts them, with TLS or without, speaks HTTP/1.1 or HTTP/2 as the caller does, and lets them finish at
//! the end.
//!
//! What this module does not know: any path.

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

/// Requests under way at once on one HTTP/2 connection.
const HTTP2_STREAMS: u32 = 64;
/// How often a quiet HTTP/2 connection is asked whether anyone is there.
const HTTP2_PING: Duration = Duration::from_secs(30);
/// Pause when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Both ends of the connection that a request came on; an extension of every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    /// The other side's.
    pub(crate) peer: SocketAddr,
    /// Ours.
    pub(crate) local: SocketAddr,
}

/// How patient the server is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    pub(crate) connections: usize,
    pub(crate) headers: Duration,
    /// For a caller that takes nothing of what it is sent.
    pub(crate) write: Duration,
    pub(crate) shutdown: Duration,
}

/// Serves until `closing` becomes true or its sender is dropped, then lets requests under way finish for
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
    let places = Arc::new(Semaphore::new(timeouts.connections));
    loop {
        let (stream, ends, place) = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            _ = closing.wait_for(|closing| *closing) => break,
        };
        let stream = with_write_timeout(stream, timeouts.write);
        let (builder, router, watcher) = (builder.clone(), router.clone(), graceful.watcher());
        match tls.as_ref().map(Tls::acceptor) {
            None => drop(tokio::spawn(async move {
                speak(&builder, stream, ends, router, watcher).await;
                drop(place);
            })),
            Some(acceptor) => {
                let mut closing = closing.clone();
                tokio::spawn(async move {
                    let shaken = tokio::select! {
                        shaken = time::timeout(timeouts.headers, acceptor.accept(stream)) => shaken,
                        _ = closing.wait_for(|closing| *closing) => return,
                    };
                    match shaken {
                        Ok(Ok(stream)) => speak(&builder, stream, ends, router, watcher).await,
                        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                        Err(_) => tracing::debug!("a TLS handshake took too long"),
                    }
                    drop(place);
                });
            }
        }
    }
    drop(listener);
    if time::timeout(timeouts.shutdown, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way when their time was up");
    }
}

/// Who asks for much and reads nothing would keep it, and a place, for ever.
fn with_write_timeout(stream: TcpStream, timeout: Duration) -> Pin<Box<TimeoutWriter<TcpStream>>> {
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(timeout));
    Box::pin(stream)
}

/// HTTP on one connection, until its end.
async fn speak<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    builder: &auto::Builder<TokioExecutor>,
    stream: S,
    ends: Ends,
    router: Router,
    watcher: Watcher,
) {
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ends);
        request.map(axum::body::Body::new)
    });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
    // A caller that breaks off or breaks the protocol is no event for anyone else.
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, Ends, Option<OwnedSemaphorePermit>) {
    let place = places.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are written whole: waiting for more to send would only delay them.
                match stream.set_nodelay(true).and_then(|()| stream.local_addr()) {
                    Ok(local) => return (stream, Ends { peer, local }, place),
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
