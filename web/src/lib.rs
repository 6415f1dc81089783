//! Where the browser begins: the ports, the driver of the engine, and the pages.
//!
//! Two programs come of this crate. The *page* (`bin/page.rs`) shows [`ui`] and talks over a [`engine_client`]. The *engine*
//! (`bin/engine.rs`) runs in a dedicated worker of every tab: [`leader`] decides which of them leads, and the [`driver`] of
//! the leading one does what the engine asks for. The same program runs in the service worker, when a push wakes it: the
//! [`shift`]. Only [`port`] names `web_sys` and `js_sys`; [`ui`] and [`state`] never
//! import it.

pub mod background;
pub mod browser_adapter;
pub mod driver;
pub mod engine_client;
pub mod leader;
pub mod notifications;
pub mod port;
pub mod state;
pub mod text;
pub mod ui;
pub mod worker_liveness;
pub mod worker_supervisor;
