//! Notifications, as the pages see them: what this browser can do, what the person wants, and what is in the way.
//!
//! What this module does not know: how a browser is asked, and the words for any of it.

/// What the browser and the person allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ability {
    /// This browser has no push.
    #[default]
    Unsupported,
    /// It would have, were the app installed on the home screen.
    InstallFirst,
    /// The person was not asked yet.
    Unasked,
    /// The person, or a rule of the browser, said no. Only the browser's own settings change that.
    Blocked,
    /// They may be shown.
    Allowed,
}

/// What is in the way, though they may be shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Hindrance {
    /// Nothing.
    #[default]
    None,
    /// The browser's push service does not answer.
    ServiceSilent,
    /// The partner server was not told, or refused.
    NotRegistered,
    /// The test was not sent.
    TestFailed,
}

/// How things are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Push {
    /// What is possible.
    pub ability: Ability,
    /// The person has turned them on in this browser.
    pub wanted: bool,
    /// What is in the way.
    pub hindrance: Hindrance,
    /// When a push came last, unix milliseconds; 0 never.
    pub last: u64,
}

impl Push {
    /// The person wants them, and may have them.
    pub fn is_on(&self) -> bool {
        self.ability == Ability::Allowed && self.wanted
    }

    /// It is worth to offer them.
    pub fn is_offered(&self) -> bool {
        matches!(self.ability, Ability::Unasked | Ability::Allowed) && !self.wanted
    }
}

/// What the service worker is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// How things are.
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

/// What the service worker, or the browser about it, says by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// A notification was clicked: go to this fragment.
    Open(String),
    /// A push came.
    Woken,
    /// A newer release waits for its turn.
    UpdateReady,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_offered_what_cannot_be_or_is() {
        let push = |ability, wanted| Push { ability, wanted, ..Push::default() };
        for (ability, offered) in [
            (Ability::Unsupported, false),
            (Ability::InstallFirst, false),
            (Ability::Blocked, false),
            (Ability::Unasked, true),
            (Ability::Allowed, true),
        ] {
            assert_eq!(push(ability, false).is_offered(), offered, "{ability:?}");
            assert!(!push(ability, true).is_offered(), "{ability:?}");
        }
        assert!(push(Ability::Allowed, true).is_on());
        assert!(!push(Ability::Blocked, true).is_on(), "taken back in the browser's settings");
    }
}
