//! State of push notifications: what the browser supports, what the person has chosen, and what the problem is.
//!
//! What this module does not know: how a browser is asked, and the words for any of it.

/// What the browser and the person allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PushSupport {
    /// This browser has no push.
    #[default]
    Unsupported,
    /// It would have, were the app installed on the home screen.
    InstallFirst,
    /// The person was not asked yet.
    Unasked,
    /// Denied by the person or by a rule of the browser. Only the browser's own settings change that.
    Blocked,
    /// They may be shown.
    Allowed,
}

/// A problem, although they may be shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PushProblem {
    /// Nothing.
    #[default]
    None,
    /// The browser's push service does not answer.
    ServiceSilent,
    /// The partner server was not reached, or refused.
    NotRegistered,
    /// The browser gave an address to which no push can be sent.
    AddressUnusable,
    /// The test was not sent.
    TestFailed,
}

/// The state of push notifications in this browser.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PushState {
    /// What is possible.
    pub support: PushSupport,
    /// The person has turned them on in this browser.
    pub wanted: bool,
    /// What is in the way.
    pub problem: PushProblem,
    /// When a push came last, unix milliseconds; 0 never.
    pub last: u64,
}

impl PushState {
    /// The person wants them, and may have them.
    pub fn is_on(&self) -> bool {
        self.support == PushSupport::Allowed && self.wanted
    }

    /// Whether to show the notification prompt.
    pub fn is_offered(&self) -> bool {
        matches!(self.support, PushSupport::Unasked | PushSupport::Allowed) && !self.wanted
    }
}

/// A command to the service worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushCommand {
    /// The state of push notifications in this browser.
    State,
    /// Mend the subscription, if they are on and the browser or the partner server has dropped it.
    Keep,
    /// Turn them on.
    On,
    /// Turn them off.
    Off,
    /// Have the partner server send one.
    Test,
}

/// An event of the service worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceWorkerEvent {
    /// A notification was clicked: go to this fragment.
    Open(String),
    /// A push came.
    Woken,
    /// A newer release is waiting.
    UpdateReady,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_is_shown_only_where_notifications_are_possible_and_off() {
        let push = |support, wanted| PushState { support, wanted, ..PushState::default() };
        for (support, offered) in [
            (PushSupport::Unsupported, false),
            (PushSupport::InstallFirst, false),
            (PushSupport::Blocked, false),
            (PushSupport::Unasked, true),
            (PushSupport::Allowed, true),
        ] {
            assert_eq!(push(support, false).is_offered(), offered, "{support:?}");
            assert!(!push(support, true).is_offered(), "{support:?}");
        }
        assert!(push(PushSupport::Allowed, true).is_on());
        assert!(!push(PushSupport::Blocked, true).is_on(), "taken back in the browser's settings");
    }
}
