//! The browser side of Causeway: ports, the driver of the engine, and the pages.
//!
//! This crate builds two programs. The *page* (`bin/page.rs`) shows [`ui`] and exchanges commands and updates with the
//! engine through [`engine_client`]. The *engine* (`bin/engine.rs`) runs in a dedicated worker of every tab: [`leader`]
//! elects the one that leads, and its [`driver`] carries out what the engine asks for. The service worker runs the same
//! program when a push wakes it: [`background`]. Only [`port`] names `web_sys` and `js_sys`; [`ui`] and [`state`] never
//! import it.

pub mod background;
pub mod browser_adapter;
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
