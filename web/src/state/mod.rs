//! What the pages show: the engine's updates, first as plain data, then as signals.
//!
//! [`model`], [`thread`] and [`layout`] are plain Rust and tested natively; [`signals`] mirrors them. Nothing here names
//! the browser: what is needed from it comes through [`browser::Browser`].

pub mod browser;
pub mod check;
pub mod layout;
pub mod links;
pub mod model;
pub mod push;
pub mod remedy;
pub mod room;
pub mod route;
pub mod saving;
pub mod scope;
pub mod signals;
pub mod thread;
