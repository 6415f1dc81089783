//! Real browsers against the real servers: what a person does, done by WebDriver, with the client as it is released.
//!
//! What this crate does not know: anything about the client's insides. It finds things by the ids and roles that
//! people's own tools find them by, waits for conditions and never for time, and fails on any console error or
//! violation of the content security policy, on whatever page it occurs.

#![allow(clippy::indexing_slicing, reason = "a JSON value yields null for what is missing")]

pub mod audit;
pub mod browser;
pub mod case;
pub mod chromium;
pub mod devtools;
mod driver;
pub mod open_id;
pub mod page;
mod ports;
pub mod servers;
pub mod service_worker;
pub mod wait;
