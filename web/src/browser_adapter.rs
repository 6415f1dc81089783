//! The real browser, as the pages see it: implements [`Browser`] over the ports and the engine client.
//!
//! What this module does not know: what the pages show, and where the engine runs.

use std::cell::{OnceCell, RefCell};

use causeway::io::Millis;
use causeway::view::Action;

use crate::port::passkey::{self, PasskeyError};
use crate::port::{self, badge, clock, file, locale, service, storage, window};
use crate::state::browser::{Browser, FilePart, Passkey, Plural};
use crate::state::push_state::{PushCommand, PushState, ServiceWorkerEvent};
use crate::state::scope::{Answer, Listener};
use crate::state::storage_quota::StorageQuota;

/// The language that the pages are written in.
const LANGUAGE: &str = "en";

/// Everything that the pages need from the browser.
pub struct BrowserAdapter {
    engine: OnceCell<EngineLine>,
    locale: locale::Locale,
    download: RefCell<file::Download>,
}

struct EngineLine {
    send: Box<dyn Fn(Action) -> u64>,
    withdraw: Box<dyn Fn(u64)>,
}

impl BrowserAdapter {
    /// A page that is not joined to an engine yet.
    #[expect(clippy::new_without_default, reason = "it reads the browser's locale")]
    pub fn new() -> Self {
        Self { engine: OnceCell::new(), locale: locale::Locale::new(LANGUAGE), download: RefCell::default() }
    }

    /// Sets where commands go: `send` returns a command's tag, `withdraw` takes the tag of one that need not be repeated. Only the
    /// first call has an effect.
    pub fn connect(&self, send: impl Fn(Action) -> u64 + 'static, withdraw: impl Fn(u64) + 'static) {
        // Fails only on a second call, which has no effect.
        let _ = self.engine.set(EngineLine { send: Box::new(send), withdraw: Box::new(withdraw) });
    }
}

impl Browser for BrowserAdapter {
    fn send(&self, action: Action) -> u64 {
        self.engine.get().map_or(0, |engine| (engine.send)(action))
    }

    fn withdraw(&self, tag: u64) {
        if let Some(engine) = self.engine.get() {
            (engine.withdraw)(tag);
        }
    }

    fn before_paint(&self, after: Millis, work: Answer<()>) {
        port::spawn(async move {
            if after > 0 {
                clock::sleep(after).await;
            }
            window::next_frame().await;
            work.run(());
        });
    }

    fn now(&self) -> u64 {
        locale::now()
    }

    fn local_day(&self, at: u64) -> i64 {
        self.locale.local_day(at)
    }

    fn clock_time(&self, at: u64) -> String {
        self.locale.clock_time(at)
    }

    fn full_date(&self, at: u64) -> String {
        self.locale.full_date(at)
    }

    fn short_date(&self, at: u64) -> String {
        self.locale.short_date(at)
    }

    fn plural(&self, count: u32) -> Plural {
        match self.locale.plural(count).as_str() {
            "zero" => Plural::Zero,
            "one" => Plural::One,
            "two" => Plural::Two,
            "few" => Plural::Few,
            "many" => Plural::Many,
            _ => Plural::Other,
        }
    }

    fn fragment(&self) -> String {
        window::fragment()
    }

    fn address_parameter(&self, name: &str) -> Option<String> {
        window::address_parameter(name)
    }

    fn go(&self, fragment: &str, replace: bool) {
        window::go(fragment, replace);
    }

    fn set_title(&self, title: &str) {
        window::set_title(title);
    }

    fn reload(&self) {
        window::reload();
    }

    fn focus(&self, id: &str) {
        window::focus(id);
    }

    fn recall(&self, key: &str) -> Option<String> {
        window::recall(key)
    }

    fn remember(&self, key: &str, value: &str) {
        window::remember(key, value);
    }

    fn mark_root(&self, attribute: &str, value: Option<&str>) {
        window::mark_root(attribute, value);
    }

    fn estimate_storage(&self, answer: Answer<StorageQuota>) {
        port::spawn(async move {
            let (estimate, persisted) = (storage::estimate().await, storage::persisted().await);
            answer.run(StorageQuota {
                used: estimate.map(|estimate| (estimate.used, estimate.quota)),
                messages: estimate.and_then(|estimate| estimate.database),
                persisted,
            });
        });
    }

    fn request_persistence(&self, answer: Answer<bool>) {
        // Called at once, not when the task first runs: browsers require a recent click.
        let asked = storage::persist();
        port::spawn(async move { answer.run(asked.await) });
    }

    fn evicts_after_a_week(&self) -> bool {
        storage::evicts_after_a_week()
    }

    fn has_passkeys(&self) -> bool {
        passkey::is_supported()
    }

    fn passkey(&self, fresh: bool, answer: Answer<Passkey>) {
        port::spawn(async move {
            let given = if fresh { passkey::register().await } else { passkey::sign_in().await };
            answer.run(match given {
                Ok(()) => Passkey::Accepted,
                Err(PasskeyError::NotGiven) => Passkey::NotGiven,
                Err(PasskeyError::Unreachable) => Passkey::Unreachable,
                Err(PasskeyError::Refused(_)) => Passkey::Refused,
            });
        });
    }

    fn run_push_command(&self, command: PushCommand, answer: Answer<PushState>) {
        // Called at once, as above.
        let permission = (command == PushCommand::On).then(service::ask_permission);
        port::spawn(async move {
            if let Some(permission) = permission {
                permission.await;
            }
            answer.run(service::run_push_command(command).await);
        });
    }

    fn on_service_worker_event(&self, listener: Listener<ServiceWorkerEvent>) {
        service::watch(move |word| listener.run(word));
    }

    fn look_for_news(&self) {
        service::look();
    }

    fn close_notifications(&self, unread: Vec<String>) {
        service::close_notifications(unread);
    }

    fn use_update(&self) {
        service::use_update();
    }

    fn badge(&self, unread: u32) {
        badge::set(unread);
    }

    fn collect(&self, at: u64, piece: &[u8]) {
        self.download.borrow_mut().take(at, piece);
    }

    fn save(&self, name: &str) {
        self.download.borrow_mut().save(name);
    }

    fn read_file(&self, input: &str, at: u64, length: u64, then: Answer<Option<FilePart>>) {
        file::read(input, at, length, move |part| then.run(part));
    }

    fn composed(&self, text: &str) -> String {
        locale::composed(text)
    }

    fn is_watched(&self) -> bool {
        window::is_watched()
    }

    fn is_touch(&self) -> bool {
        window::matches("(pointer: coarse)")
    }

    fn suggested_number(&self) -> Option<String> {
        window::meta("causeway-suggested-number")
    }
}
