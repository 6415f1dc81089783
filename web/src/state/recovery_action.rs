//! What a person can do about an issue of the connection: one next step each.

use causeway::view::{ConnectionState, ConnectionView, Issue};

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryAction {
    /// Connect now instead of later.
    TryNow,
    /// Connect here, away from the other browser.
    UseHere,
    /// Sign in at the partner again.
    SignIn,
    /// Enlist again.
    Enlist,
    /// Load a newer version of the page.
    Reload,
    /// Read what can be done: this browser was replaced and can't connect again.
    Explain,
}

/// The next step that the banner offers; `None` while everything is on its way.
pub fn for_connection(connection: &ConnectionView) -> Option<RecoveryAction> {
    match connection.state() {
        ConnectionState::Waiting => Some(RecoveryAction::TryNow),
        ConnectionState::Stopped => Some(match connection.issue() {
            Issue::SignInNeeded | Issue::BadCredentials => RecoveryAction::SignIn,
            Issue::NotEnlisted | Issue::NotYetEnlisted | Issue::LoginRefused => RecoveryAction::Enlist,
            Issue::Outdated
            | Issue::EnlistOutdated
            | Issue::StorageFailed
            | Issue::AccountDamaged
            | Issue::StorageNewer => RecoveryAction::Reload,
            Issue::Replaced => RecoveryAction::UseHere,
            Issue::MovedElsewhere => RecoveryAction::Explain,
            // The words name another window or browser.
            Issue::KeysNotKept => return None,
            _ => RecoveryAction::TryNow,
        }),
        ConnectionState::Off | ConnectionState::Connecting | ConnectionState::Draining | ConnectionState::Online => {
            None
        }
    }
}

/// Whole seconds until the next attempt, rounded up.
pub fn seconds_until_retry(connection: &ConnectionView, now: u64) -> u32 {
    u32::try_from(connection.retry_at.saturating_sub(now).div_ceil(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(state: ConnectionState, issue: Issue) -> ConnectionView {
        ConnectionView { state: state.into(), issue: issue.into(), ..Default::default() }
    }

    #[test]
    fn every_stopped_connection_has_a_recovery_action() {
        for issue in 0..1000 {
            let Ok(issue) = Issue::try_from(issue) else { continue };
            let action = for_connection(&view(ConnectionState::Stopped, issue));
            assert_eq!(action.is_some(), issue != Issue::KeysNotKept, "{issue:?}");
        }
        assert_eq!(for_connection(&view(ConnectionState::Stopped, Issue::SignInNeeded)), Some(RecoveryAction::SignIn));
        assert_eq!(for_connection(&view(ConnectionState::Online, Issue::None)), None);
        // A browser that was replaced must not offer to connect.
        assert_eq!(
            for_connection(&view(ConnectionState::Stopped, Issue::MovedElsewhere)),
            Some(RecoveryAction::Explain)
        );
    }

    #[test]
    fn the_countdown_ends_at_zero() {
        let waiting = ConnectionView { retry_at: 10_001, ..Default::default() };
        assert_eq!(seconds_until_retry(&waiting, 0), 11);
        assert_eq!(seconds_until_retry(&waiting, 10_000), 1);
        assert_eq!(seconds_until_retry(&waiting, 99_999), 0);
    }
}
