//! The parts of the `partner` program that are not the server.

pub(crate) mod arguments;
pub(crate) mod commands;
