//! A browser for tests: records commands and answers when the test calls [`Fake::answer`]. Its time zone is UTC.

use std::cell::RefCell;

use crate::state::push_state::PushCommand;
use crate::state::push_state::PushState;
use crate::state::push_state::ServiceWorkerEvent;
use crate::state::scope::Answer;
use crate::state::scope::Listener;
use crate::state::storage_quota::StorageQuota;
use causeway::io::Millis;
use causeway::view::Action;

use super::engine::EngineCommands;
use super::files::{FilePart, Files};
use super::locale::{Locale, Plural};
use super::navigation::Navigation;
use super::notifications::PushNotifications;
use super::passkeys::{Passkey, Passkeys};
use super::storage::Storage;

const DAY: u64 = 24 * 60 * 60 * 1000;

/// Tags are the positions in `sent`, from 1.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) sent: RefCell<Vec<Action>>,
    /// The bytes of the file that is collected.
    pub(crate) collected: RefCell<Vec<u8>>,
    /// The names of the files that were saved.
    pub(crate) saved: RefCell<Vec<String>>,
    /// What the browser was asked for and has not answered yet.
    pending: RefCell<Vec<Box<dyn FnOnce()>>>,
}

impl Fake {
    /// Answers all that is pending, in the order in which it was asked for.
    pub(crate) fn answer(&self) {
        for answer in self.pending.take() {
            answer();
        }
    }

    fn later<T: 'static>(&self, answer: Answer<T>, value: T) {
        self.pending.borrow_mut().push(Box::new(move || answer.run(value)));
    }
}

impl EngineCommands for Fake {
    fn send(&self, action: Action) -> u64 {
        let mut sent = self.sent.borrow_mut();
        sent.push(action);
        u64::try_from(sent.len()).unwrap()
    }
    fn withdraw(&self, _: u64) {}
}

impl Locale for Fake {
    fn now(&self) -> u64 {
        0
    }
    fn local_day(&self, at: u64) -> i64 {
        i64::try_from(at / DAY).unwrap()
    }
    fn clock_time(&self, at: u64) -> String {
        at.to_string()
    }
    fn full_date(&self, at: u64) -> String {
        at.to_string()
    }
    fn short_date(&self, at: u64) -> String {
        at.to_string()
    }
    fn plural(&self, count: u32) -> Plural {
        if count == 1 { Plural::One } else { Plural::Other }
    }
    fn composed(&self, text: &str) -> String {
        text.to_owned()
    }
}

impl Navigation for Fake {
    fn before_paint(&self, _: Millis, work: Answer<()>) {
        work.run(());
    }
    fn fragment(&self) -> String {
        String::new()
    }
    fn address_parameter(&self, _: &str) -> Option<String> {
        None
    }
    fn go(&self, _: &str, _: bool) {}
    fn set_title(&self, _: &str) {}
    fn reload(&self) {}
    fn focus(&self, _: &str) {}
    fn mark_root(&self, _: &str, _: Option<&str>) {}
    fn is_watched(&self) -> bool {
        true
    }
    fn is_touch(&self) -> bool {
        false
    }
    fn suggested_number(&self) -> Option<String> {
        None
    }
}

impl Storage for Fake {
    fn recall(&self, _: &str) -> Option<String> {
        None
    }
    fn remember(&self, _: &str, _: &str) {}
    fn estimate_storage(&self, answer: Answer<StorageQuota>) {
        self.later(answer, StorageQuota::default());
    }
    fn request_persistence(&self, answer: Answer<bool>) {
        self.later(answer, true);
    }
    fn evicts_after_a_week(&self) -> bool {
        false
    }
}

impl Passkeys for Fake {
    fn has_passkeys(&self) -> bool {
        true
    }
    fn passkey(&self, _: bool, answer: Answer<Passkey>) {
        self.later(answer, Passkey::Accepted);
    }
}

impl PushNotifications for Fake {
    fn run_push_command(&self, _: PushCommand, answer: Answer<PushState>) {
        self.later(answer, PushState::default());
    }
    fn has_service_worker(&self, answer: Answer<bool>) {
        self.later(answer, false);
    }

    fn register_service_worker(&self) {}

    fn on_service_worker_event(&self, _: Listener<ServiceWorkerEvent>) {}
    fn look_for_news(&self) {}
    fn close_notifications(&self, _: Vec<String>) {}
    fn use_update(&self) {}
    fn badge(&self, _: u32) {}
}

impl Files for Fake {
    fn collect(&self, _: u64, piece: &[u8]) {
        self.collected.borrow_mut().extend_from_slice(piece);
    }
    fn save(&self, name: &str) {
        self.saved.borrow_mut().push(name.to_owned());
    }
    fn read_file(&self, _: &str, at: u64, _: u64, then: Answer<Option<FilePart>>) {
        self.later(then, Some((at + 1, vec![0])));
    }
}
