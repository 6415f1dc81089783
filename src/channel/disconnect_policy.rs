//! What to do when a connection ends: reconnect, or stop until the user acts (docs/spec/wire.md §5.2, §10 row 28).

use crate::view::Issue;
use causeway_proto::noise::handshake::HandshakeError;
use causeway_proto::noise::trust::TrustError;
use causeway_proto::stanza::{Stanza, StreamError};

/// What to do after a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DisconnectPolicy {
    /// Reconnect with backoff.
    Retry(Issue),
    /// Reconnect because the server requested it: without delay, unless it does so often.
    Restart,
    /// Stop until the user acts.
    Stop(Issue),
    /// No connection is wanted any more.
    Close,
}

/// The policy for a stanza that ends the connection; `None` for other stanzas.
pub(super) fn of(stanza: &Stanza) -> Option<DisconnectPolicy> {
    Some(match stanza {
        Stanza::Failure(failure) => of_failure(failure.reason),
        Stanza::StreamEnd => DisconnectPolicy::Retry(Issue::ChatUnreachable),
        Stanza::StreamError(error) => match error {
            StreamError::Restart => DisconnectPolicy::Restart,
            StreamError::ForcedLogout | StreamError::DeviceRemoved => DisconnectPolicy::Stop(Issue::NotEnlisted),
            StreamError::Replaced => DisconnectPolicy::Stop(Issue::Replaced),
            StreamError::RateLimited => DisconnectPolicy::Retry(Issue::RateLimited),
            StreamError::Unavailable | StreamError::Other { .. } => DisconnectPolicy::Retry(Issue::ChatUnreachable),
        },
        _ => return None,
    })
}

fn of_failure(reason: u32) -> DisconnectPolicy {
    match reason {
        // Every connection fetches a fresh token, so an expired one needs no action; 413 and 414 are the closest codes
        // that are public.
        413 | 414 => DisconnectPolicy::Retry(Issue::LoginRefused),
        401 => DisconnectPolicy::Stop(Issue::LoginRefused),
        402 => DisconnectPolicy::Stop(Issue::Banned),
        403 | 406 | 415 | 418 => DisconnectPolicy::Stop(Issue::NotEnlisted),
        405 | 409 => DisconnectPolicy::Stop(Issue::Outdated),
        429 => DisconnectPolicy::Retry(Issue::RateLimited),
        500 | 503 => DisconnectPolicy::Retry(Issue::ChatUnreachable),
        _ => DisconnectPolicy::Stop(Issue::LoginRefused),
    }
}

/// The issue of a failed handshake. All are retried: a captive network or a wrong clock is temporary.
pub(super) fn of_handshake(error: HandshakeError) -> Issue {
    match error {
        HandshakeError::Trust(TrustError::Expired { .. } | TrustError::NotYetValid { .. }) => Issue::CertificateDates,
        HandshakeError::Trust(_) => Issue::ServerNotTrusted,
        _ => Issue::ChannelBroken,
    }
}
