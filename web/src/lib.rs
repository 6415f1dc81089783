//! The browser side of Causeway: ports, the driver of the engine, and the pages.
//!
//! This crate builds one program (`bin/client`) that runs in three places. In the *page* it shows [`ui`] and exchanges commands
//! and updates with the engine through [`engine_client`]. In the dedicated *worker* of every tab it runs the engine: [`leader`]
//! elects the one that leads, and its [`driver`] carries out what the engine asks for. In the *service worker* it runs the
//! engine when a push wakes it: [`background`]. Only [`port`] names `web_sys` and `js_sys`; [`ui`] and [`state`] never import
//! it.

pub mod background;
pub mod browser_adapter;
pub mod carried_commands;
pub mod driver;
pub mod engine_client;
pub mod leader;
pub mod notifications;
pub mod number;
pub mod port;
pub mod state;
pub mod text;
pub mod ui;
pub mod worker_liveness;
pub mod worker_supervisor;
