//! A browser for tests: records commands and answers when the test calls [`Fake::answer`]. Its time zone is UTC.

use std::cell::{Cell, RefCell};

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
use super::locale::{CharClass, Locale, Plural};
use super::navigation::Navigation;
use super::notifications::PushNotifications;
use super::passkeys::{Passkey, Passkeys};
use super::storage::Storage;

const HOUR: u64 = 60 * 60 * 1000;
const DAY: u64 = 24 * 60 * 60 * 1000;
/// The time, unless a test sets another one.
const NOW: u64 = 20_000 * DAY;

/// Tags are the positions in `sent`, from 1.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) sent: RefCell<Vec<Action>>,
    /// The time; 0 stands for [`NOW`].
    pub(crate) now: Cell<u64>,
    /// Hours by which the local time zone is ahead of UTC, and by which the pages know it to be.
    pub(crate) zone: Cell<(u64, u64)>,
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
        if self.now.get() == 0 { NOW } else { self.now.get() }
    }
    fn local_day(&self, at: u64) -> i64 {
        i64::try_from((at + self.zone.get().1 * HOUR) / DAY).unwrap()
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
    fn char_class(&self, char: char) -> CharClass {
        match char {
            '。' | '，' | '、' | '（' | '）' | '「' | '」' | '،' | '۔' | '।' | '…' | '‘'..='‟' => {
                CharClass::Closing
            }
            '\u{2000}'..='\u{200F}' | '\u{2028}'..='\u{202F}' | '\u{2060}'..='\u{206F}' => CharClass::Closing,
            '–' | '・' => CharClass::Punctuation,
            '\u{300}'..='\u{36F}' | '\u{93A}'..='\u{94D}' | '\u{E31}'..='\u{E4E}' | '\u{FE0F}' => CharClass::Mark,
            _ => CharClass::Other,
        }
    }
    /// The host of the tests is always the same; those that end in `.refused` are none.
    fn ascii_host(&self, address: &str) -> Option<String> {
        (!address.contains(".refused")).then(|| "www.xn--fake".to_owned())
    }
    fn follow_time_zone(&self) -> bool {
        let (zone, known) = self.zone.get();
        self.zone.set((zone, zone));
        zone != known
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
    fn typed(&self, _: &str) -> String {
        String::new()
    }
    fn put_typed(&self, _: &str, _: &str) {}
    fn has_network(&self) -> bool {
        true
    }
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
