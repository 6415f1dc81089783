//! Who a person is to this Partner: identifiers, passwords, passkeys, sessions, current devices; or an account system
//! of the provider's own, through OpenID Connect.
//!
//! ```text
//! identifier      the name that others see
//! account_source  built-in accounts, or an OpenID provider
//! password        Argon2id
//! passkey         WebAuthn
//! open_id         OpenID Connect
//! session         the session cookie
//! auth_attempt    the cookie of a sign-in that spans several requests
//! device_id       the id of a browser profile
//! *_repository    the queries on the tables of each
//! ```
//!
//! What this module does not know: HTTP, and what an account is used for (identity tokens are [`crate::identity`]'s).

mod account_repository;
mod account_source;
mod auth_attempt;
mod auth_attempt_repository;
mod device_id;
mod device_repository;
mod identifier;
mod open_id;
mod passkey;
mod passkey_repository;
mod password;
mod session;
mod session_repository;

pub(crate) use account_repository::{AccountRepository, NewAccountError};
pub(crate) use account_source::{AccountSource, BuiltIn};
pub(crate) use auth_attempt::{AuthAttempt, AuthKind};
pub(crate) use auth_attempt_repository::AuthAttemptRepository;
pub(crate) use device_id::DeviceId;
pub(crate) use device_repository::{AccountDevice, DeviceRepository};
pub(crate) use identifier::Identifier;
pub(crate) use open_id::{OpenId, OpenIdError, OpenIdSettings, RETURN_PATH};
pub(crate) use passkey::{Challenge, PasskeyError, PasskeyId, Passkeys};
pub(crate) use passkey_repository::{NewPasskeyError, PasskeyRepository, PasskeySummary};
pub(crate) use password::{Busy, PasswordError, PasswordSettings, Passwords};
pub(crate) use session::{SessionId, SessionToken};
pub(crate) use session_repository::SessionRepository;
