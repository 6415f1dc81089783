//! The chat relay of docs/spec/enlistment.md §2.2: for browsers that cannot reach WhatsApp themselves.
//!
//! Its four obligations: one connection to WhatsApp for each client; the same lifetime as the client's connection; the
//! client's address forwarded; nothing decrypted. The relay sees only Noise ciphertext and does not interpret it. What
//! this module does not know: whether a client may use it ([`crate::http`]).
//!
//! ```text
//! buffered_halves  reads and writes with bounds
//! connection_slot  bounds and evicts connections
//! handshake        opens WebSockets
//! upstream         connects to the chat server
//! frame            finds frame boundaries
//! pump             copies bytes in both directions until either side ends
//! enlist           relays enlistment requests
//! ```

mod buffered_halves;
mod connection_slot;
mod enlist;
mod frame;
mod handshake;
mod pump;
mod upstream;

pub(crate) use connection_slot::AtCapacity;
pub(crate) use enlist::Enlistment;
pub(crate) use handshake::accept;
pub(crate) use upstream::{Caller, ClientAddress, Target, forwarded};

use crate::{account_id::AccountId, metrics::RelayMetrics, sign_in::SessionId};
use connection_slot::{ConnectionSlot, ConnectionSlots};
use frame::Pass;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use pump::{ByteCounter, Client, EndReason, Timeouts};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use std::{pin::pin, sync::Arc, time::Duration};
use upstream::Upstream;

/// The checked options of the relay.
#[derive(Debug, Clone)]
pub(crate) struct RelaySettings {
    pub(crate) target: Target,
    pub(crate) client_address: ClientAddress,
    /// Trusted root certificates; `None`: those of the system.
    pub(crate) roots: Option<Vec<CertificateDer<'static>>>,
    pub(crate) connections: u32,
    pub(crate) idle: Duration,
    pub(crate) write: Duration,
}

/// No TLS connection to the chat server is possible.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The system has no root certificates.
    #[error("relay.upstream: this system has no root certificates. Install ca-certificates, or set relay.ca_file")]
    NoRoots,
    /// The TLS library refused the configuration.
    #[error("relay.upstream: TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// The relay with all its connections.
pub(crate) struct Relay {
    upstream: Upstream,
    slots: ConnectionSlots,
    timeouts: Timeouts,
    metrics: RelayMetrics,
}

/// An admitted connection, with its slot.
pub(crate) struct Admission {
    slot: ConnectionSlot,
    upstream: Upstream,
    timeouts: Timeouts,
    metrics: RelayMetrics,
}

impl Relay {
    pub(crate) fn new(settings: RelaySettings, metrics: RelayMetrics) -> Result<Self, RelayError> {
        let tls = client_tls(settings.target.tls, settings.roots)?;
        Ok(Self {
            upstream: Upstream::new(settings.target, settings.client_address, Arc::new(tls)),
            slots: ConnectionSlots::new(settings.connections),
            timeouts: Timeouts { idle: settings.idle, write: settings.write },
            metrics,
        })
    }

    /// Takes a slot for a connection of `account` and evicts the account's previous connection.
    pub(crate) fn admit(&self, account: &AccountId, session: &SessionId) -> Result<Admission, AtCapacity> {
        let slot = self.slots.take(account, session)?;
        Ok(Admission { slot, upstream: self.upstream.clone(), timeouts: self.timeouts, metrics: self.metrics.clone() })
    }

    /// Evicts the connection of an account; with a session, only a connection that signed in with that session.
    pub(crate) fn evict(&self, account: &AccountId, session: Option<&SessionId>) {
        self.slots.evict(account, session);
    }

    /// Evicts every connection and waits until all have ended: a few seconds at most.
    pub(crate) async fn close(&self) {
        self.slots.close().await;
    }
}

impl Admission {
    /// Relays the client's connection until either side ends.
    pub(crate) async fn serve(mut self, upgrade: OnUpgrade, caller: Caller) {
        let Ok(upgraded) = upgrade.await else {
            // The client disconnected before the handshake was complete.
            self.slot.predecessor_gone().await;
            return;
        };
        self.metrics.connections.inc();
        let mut client = Client::new(TokioIo::new(upgraded), self.timeouts);
        let end = self.relay(&mut client, caller).await;
        self.slot.release();
        tracing::debug!(?end, "a relayed connection ended");
        client.close(&end).await;
        self.metrics.connections.dec();
    }

    /// Connects to the chat server and relays; the chat server's connection is closed when this returns.
    async fn relay(&mut self, client: &mut Client<TokioIo<hyper::upgrade::Upgraded>>, caller: Caller) -> EndReason {
        let mut evicted = pin!(self.slot.evicted());
        self.slot.predecessor_gone().await;
        let connected = tokio::select! {
            reason = &mut evicted => return EndReason::Evicted(reason),
            () = client.buffer_early_data() => return EndReason::ClientGone,
            connected = self.upstream.connect(caller) => connected,
        };
        let upstream = match connected {
            Ok(upstream) => upstream,
            Err(error) => {
                tracing::warn!(%error, "the chat server cannot be reached");
                self.metrics.failures.inc();
                return EndReason::UpstreamBroken;
            }
        };
        let pass = if self.upstream.is_websocket() { Pass::Frames } else { Pass::Payloads };
        pump::run(client, upstream, pass, evicted, self.timeouts, &self.metrics).await
    }
}

impl ByteCounter for RelayMetrics {
    fn up(&self, bytes: usize) {
        self.up_bytes.inc_by(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    fn down(&self, bytes: usize) {
        self.down_bytes.inc_by(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}

fn client_tls(needed: bool, roots: Option<Vec<CertificateDer<'static>>>) -> Result<ClientConfig, RelayError> {
    let mut store = RootCertStore::empty();
    if needed {
        let certificates = roots.unwrap_or_else(|| rustls_native_certs::load_native_certs().certs);
        if store.add_parsable_certificates(certificates).0 == 0 {
            return Err(RelayError::NoRoots);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13])?;
    let mut tls = builder.with_root_certificates(store).with_no_client_auth();
    // The WebSocket handshake with the chat server uses HTTP/1.1.
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}
