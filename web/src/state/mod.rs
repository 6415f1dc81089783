//! State of the pages: the engine's updates, first as plain data, then as signals.
//!
//! [`model`], [`message_window`] and [`layout`] are plain Rust and tested natively; [`view_store`] mirrors them in
//! signals. Nothing here names the browser: what is needed from it comes through [`browser::Browser`].

pub mod backup_filename;
pub mod browser;
pub mod excerpt;
pub mod host_script;
pub mod layout;
pub mod linkify;
pub mod message_window;
pub mod model;
pub mod peer_name;
pub mod push_state;
pub mod recovery_action;
pub mod route;
pub mod rows;
pub mod scope;
pub mod storage_quota;
pub mod validation;
pub mod view_store;
