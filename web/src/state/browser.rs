//! What the pages need from the browser, as one trait: commands to the engine, clock and calendar, address bar,
//! storage.
//!
//! The pages never import a port. An implementation is passed to them when they are mounted: the real browser, or a
//! test's. Dates and times are formatted for the person's locale, so nothing here knows their format.

mod engine;
#[cfg(test)]
pub(crate) mod fake;
mod files;
mod locale;
mod navigation;
mod notifications;
mod passkeys;
mod storage;

pub use engine::EngineCommands;
pub use files::{FilePart, Files};
pub use locale::{CharClass, Locale, Plural};
pub use navigation::Navigation;
pub use notifications::PushNotifications;
pub use passkeys::{Passkey, Passkeys};
pub use storage::Storage;

use std::rc::Rc;

use super::scope::PageLifetime;

/// What the pages need from the browser.
pub trait Browser: EngineCommands + Locale + Navigation + Storage + Passkeys + PushNotifications + Files {}

impl<B: EngineCommands + Locale + Navigation + Storage + Passkeys + PushNotifications + Files> Browser for B {}

// An implementation knows no components.
impl PageLifetime for Rc<dyn Browser> {}
