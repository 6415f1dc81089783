//! Becoming reachable: signing in at the partner server, tokens, enlistment.
//!
//! ```text
//!   signed out ── account or password accepted ──▶ signed in ── keys durable, request accepted ──▶ enlisted
//! ```
//!
//! A connection and an enlistment both begin with the same questions to the partner server: where are the servers (the
//! deployment), whose keys are the account's (the device), and a fresh identity token. What this room does not know: the
//! channel, and what messages are.

pub(crate) mod device;
pub(crate) mod form;
pub mod identifier;
mod prepare;
mod request;
mod response;
mod state;

pub(crate) use request::{ApiRequest, PreparedRequest, Reason};
pub(crate) use state::{Enlistment, Outcome, Purpose};
