//! Where the browser begins: the ports, the driver of the engine, and the pages.
//!
//! Two programs come of this crate. The *page* (`bin/page.rs`) shows [`ui`] and talks over a [`link`]. The *engine*
//! (`bin/engine.rs`) runs in a dedicated worker of every tab: [`tabs`] decides which of them leads, and the [`driver`] of
//! the leading one does what the engine asks for. The same program runs in the service worker, when a push wakes it: the
//! [`shift`]. Only [`port`] names `web_sys` and `js_sys`; [`ui`] and [`state`] never
//! import it.

pub mod driver;
pub mod life;
pub mod link;
pub mod notices;
pub mod page;
pub mod port;
pub mod revive;
pub mod shift;
pub mod state;
pub mod tabs;
pub mod text;
pub mod ui;
