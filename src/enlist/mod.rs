//! Sign-in at the partner server, identity tokens, and enlistment at WhatsApp.
//!
//! ```text
//!   signed out ── account or password accepted ──▶ signed in ── keys durable, request accepted ──▶ enlisted
//! ```
//!
//! A connection and an enlistment both start with the same requests to the partner server: the addresses of the servers
//! (deployment), the browser profile that holds the account's keys (device), and a fresh identity token. What this
//! module does not know: the channel and messages.

pub(crate) mod device;
pub(crate) mod form;
pub mod identifier;
mod prepare;
mod request;
mod response;
mod state;

pub(crate) use request::{ApiRequest, PreparedRequest, Reason};
pub(crate) use state::{Enlistment, Outcome, Purpose};
