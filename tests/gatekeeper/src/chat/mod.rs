//! The chat server: from a fresh socket to a served user (docs/spec/wire.md §2.3, §5).
//!
//! A connection goes through [`login`] once and then belongs to a [`session`]. What answers a stanza lives in a file of
//! its own. A slow or hostile client costs one connection permit out of a fixed number, a bounded buffer, and a bounded
//! time.

mod blocklist;
mod iq;
mod keys;
mod login;
mod message;
mod notify;
mod receipt;
mod session;
mod usync;

pub(crate) use notify::identity_changed;

use crate::sandbox::Sandbox;
use crate::stream::{self, Reader, Writer};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// Pause after the system refuses to accept, e.g. for want of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections over raw TCP until its task is aborted.
pub(crate) async fn listen(sandbox: Arc<Sandbox>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                // Stanzas are small and answered at once; waiting to fill a packet would only delay them.
                drop(socket.set_nodelay(true));
                let halves = stream::tcp(socket);
                tokio::spawn(serve(Arc::clone(&sandbox), halves));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection to its end.
pub(crate) async fn serve(sandbox: Arc<Sandbox>, halves: (Reader, Writer)) {
    let Some(_permit) = sandbox.connection_permit() else {
        tracing::warn!("all connection permits are in use");
        return;
    };
    let deadline = sandbox.config.handshake_timeout;
    match tokio::time::timeout(deadline, login::login(&sandbox, halves)).await {
        Ok(Ok(Some(user))) => session::Session::run(sandbox, user).await,
        Ok(Ok(None)) => {}
        Ok(Err(error)) => tracing::info!(%error, "a connection ended before its login"),
        Err(_) => tracing::info!(?deadline, "a connection did not finish its login in time"),
    }
}
