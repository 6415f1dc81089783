//! The real browser, as the pages see it: implements [`Browser`](crate::state::browser::Browser) over the ports and the
//! engine client.
//!
//! What this module does not know: what the pages show, and where the engine runs.

mod files;
mod locale;
mod navigation;
mod notifications;
mod passkeys;
mod storage;

use std::cell::{OnceCell, RefCell};

use causeway::view::Action;

use crate::port::file::Download;
use crate::port::locale::Locale;
use crate::state::browser::EngineCommands;

/// The language that the pages are written in.
const LANGUAGE: &str = "en";

/// The browser of a page, connected to the engine once.
pub struct BrowserAdapter {
    engine: OnceCell<Connection>,
    locale: Locale,
    download: RefCell<Download>,
}

struct Connection {
    send: Box<dyn Fn(Action) -> u64>,
    withdraw: Box<dyn Fn(u64)>,
}

impl BrowserAdapter {
    /// An adapter that is not connected to an engine yet.
    #[expect(clippy::new_without_default, reason = "it reads the browser's locale")]
    pub fn new() -> Self {
        Self { engine: OnceCell::new(), locale: Locale::new(LANGUAGE), download: RefCell::default() }
    }

    /// Sets where commands go: `send` returns a command's tag, `withdraw` takes the tag of one that need not be
    /// repeated. Only the first call has an effect.
    pub fn connect(&self, send: impl Fn(Action) -> u64 + 'static, withdraw: impl Fn(u64) + 'static) {
        // Fails only on a second call, which has no effect.
        let _ = self.engine.set(Connection { send: Box::new(send), withdraw: Box::new(withdraw) });
    }
}

impl EngineCommands for BrowserAdapter {
    fn send(&self, action: Action) -> u64 {
        self.engine.get().map_or(0, |engine| (engine.send)(action))
    }

    fn withdraw(&self, tag: u64) {
        if let Some(engine) = self.engine.get() {
            (engine.withdraw)(tag);
        }
    }
}
