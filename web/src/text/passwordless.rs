//! Words for signing in without a password: with a passkey, or at the provider's own page.

/// Words without a gap to fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passwordless {
    /// Button: use a passkey.
    WithPasskey,
    /// The person gave none.
    NotGiven,
    /// What the browser, or a password manager, gave is no passkey.
    Unreadable,
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
