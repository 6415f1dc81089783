//! Passkeys of the person.

use crate::state::scope::Answer;

/// What came of asking for a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passkey {
    /// The partner server has accepted it.
    Accepted,
    /// The person gave none. Browsers do not say why.
    NotGiven,
    /// What the browser, or a password manager, gave is no passkey.
    Unreadable,
    /// The partner server did not answer.
    Unreachable,
    /// The partner server did not accept it.
    Refused,
}

/// Passkeys of the person.
pub trait Passkeys {
    /// This browser has passkeys.
    fn has_passkeys(&self) -> bool;
    /// Asks for a passkey: an existing one to sign in with, or a fresh one for the account that is signed in.
    fn passkey(&self, fresh: bool, answer: Answer<Passkey>);
}
