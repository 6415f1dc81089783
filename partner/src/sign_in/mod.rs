//! Who a person is to this Partner: identifiers, passwords, passkeys, sessions, current devices; or an account system of
//! the provider's own, by OpenID Connect.
//!
//! What this module does not know: HTTP, and what an account is good for (identity tokens are [`crate::identity`]'s).

mod accounts;
mod auth_attempt;
mod device;
mod identifier;
mod open_id;
mod passkey;
mod passkey_repository;
mod password;
mod session;

pub(crate) use accounts::NewAccountError;
pub(crate) use auth_attempt::{AuthAttempt, AuthKind};
pub(crate) use device::{CurrentDevice, DeviceId, ReplacedDevice};
pub(crate) use identifier::Identifier;
pub(crate) use open_id::{OpenId, OpenIdError, RETURN_PATH};
pub(crate) use passkey::{Challenge, PasskeyError, Passkeys};
pub(crate) use passkey_repository::NewPasskeyError;
pub(crate) use password::{Busy, PasswordError, Passwords};
pub(crate) use session::SessionToken;

/// Where accounts come from. Everything after the sign-in is the same: an account, a session, a device.
pub(crate) enum Accounts {
    /// From here.
    BuiltIn(Box<BuiltIn>),
    /// From an account system that the provider has already.
    OpenId(Box<OpenId>),
}

/// Our own account system: a password, and passkeys where browsers know them.
pub(crate) struct BuiltIn {
    pub(crate) passwords: Passwords,
    pub(crate) passkeys: Option<Passkeys>,
}

impl Accounts {
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
