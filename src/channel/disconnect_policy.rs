//! What the end of a connection means: try again, or stop and ask (wire.md §5.2, §10 row 28).

use crate::view::Issue;
use causeway_proto::noise::handshake::HandshakeError;
use causeway_proto::noise::trust::TrustError;
use causeway_proto::stanza::{Stanza, StreamError};

/// What to do after the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DisconnectPolicy {
    /// Reconnect with backoff.
    Retry(Issue),
    /// Reconnect now: the server asked for it.
    AtOnce,
    /// A person must do something.
    Stop(Issue),
}

/// The verdict of a stanza that ends the connection.
pub(super) fn of(stanza: &Stanza) -> Option<DisconnectPolicy> {
    Some(match stanza {
        Stanza::Failure(failure) => of_failure(failure.reason),
        Stanza::StreamEnd => DisconnectPolicy::Retry(Issue::ChatUnreachable),
        Stanza::StreamError(error) => match error {
            StreamError::Restart => DisconnectPolicy::AtOnce,
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
        // The token is fetched anew for every connection, so an expired one mends itself; the analogue of 413 and 414
        // is the closest that is public.
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

/// The issue of a handshake that failed. Every one is tried again: a captive network or a wrong clock passes.
pub(super) fn of_handshake(error: HandshakeError) -> Issue {
    match error {
        HandshakeError::Trust(TrustError::Expired { .. } | TrustError::NotYetValid { .. }) => Issue::CertificateDates,
        HandshakeError::Trust(_) => Issue::ServerNotTrusted,
        _ => Issue::ChannelBroken,
    }
}
