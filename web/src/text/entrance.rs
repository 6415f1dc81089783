//! Words for signing in without a password: with a passkey, or at the provider's own page.

use super::english;

/// Words without a gap to fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// Button: use a passkey.
    WithPasskey,
    /// The person gave none.
    NotGiven,
    /// The partner server did not accept it.
    Refused,
    /// What a provider's own sign-in is.
    AtProvider,
    /// Whose name it is, where people sign in at the provider.
    NameFromThere,
    /// The person came back without a session.
    ProviderFailed,
    /// What a passkey is good for.
    PasskeyWhy,
    /// Button: make one.
    AddPasskey,
    /// It was made.
    Added,
    /// It was not.
    NotAdded,
}

impl Entrance {
    /// In the page's language.
    pub fn say(self) -> &'static str {
        english::entrance(self)
    }
}

/// Title of the first step, where people sign in at the provider.
pub fn sign_in_at(partner: &str) -> String {
    english::sign_in_at(partner)
}

/// The link to the provider's own sign-in.
pub fn go_on_at(partner: &str) -> String {
    english::go_on_at(partner)
}
