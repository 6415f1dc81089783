//! Where the browser begins: the ports, the driver of the engine, and the pages.
//!
//! One program comes of this crate (`bin/client`), which runs in three places. The *page* shows [`ui`] and talks over an
//! [`engine_client`]. The dedicated *worker* of every tab stands for election: [`leader`] decides which of them leads, and the
//! [`driver`] of the leading one does what the engine asks for. The *service worker* runs the engine when a push wakes it:
//! [`background`]. Only [`port`] names `web_sys` and `js_sys`; [`ui`] and [`state`] never
//! import it.

pub mod background;
pub mod driver;
pub mod engine_client;
pub mod leader;
pub mod notices;
pub mod page;
pub mod port;
pub mod state;
pub mod text;
pub mod ui;
pub mod worker_liveness;
pub mod worker_supervisor;
