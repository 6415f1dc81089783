//! Who a person is to this Partner: identifiers, passwords, sessions, current devices.
//!
//! What this module does not know: HTTP, and what an account is good for (identity tokens are [`crate::identity`]'s).

mod accounts;
mod device;
mod identifier;
mod password;
mod session;

pub(crate) use accounts::NewAccountError;
pub(crate) use device::{Claim, Current, Device};
pub(crate) use identifier::Identifier;
pub(crate) use password::{Busy, PasswordError, Passwords};
pub(crate) use session::SessionToken;
