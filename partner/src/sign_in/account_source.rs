//! Which kind of account system this Partner uses.
//!
//! What this module does not know: what an account is used for; that is the same for both.

use super::{open_id::OpenId, passkey::Passkeys, password::Passwords};

/// The source of accounts. Everything after the sign-in is the same: an account, a session, a device.
pub(crate) enum AccountSource {
    /// Accounts of this server.
    BuiltIn(Box<BuiltIn>),
    /// Accounts of an OpenID provider.
    OpenId(Box<OpenId>),
}

/// Built-in accounts: a password, and passkeys where browsers support them.
pub(crate) struct BuiltIn {
    pub(crate) passwords: Passwords,
    pub(crate) passkeys: Option<Passkeys>,
}

impl AccountSource {
    pub(crate) fn passwords(&self) -> Option<&Passwords> {
        match self {
            Self::BuiltIn(built_in) => Some(&built_in.passwords),
            Self::OpenId(_) => None,
        }
    }

    pub(crate) fn passkeys(&self) -> Option<&Passkeys> {
        match self {
            Self::BuiltIn(built_in) => built_in.passkeys.as_ref(),
            Self::OpenId(_) => None,
        }
    }

    pub(crate) fn open_id(&self) -> Option<&OpenId> {
        match self {
            Self::BuiltIn(_) => None,
            Self::OpenId(open_id) => Some(open_id),
        }
    }
}
