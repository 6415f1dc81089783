//! What the pages need from the browser, as one trait: commands to the engine, clock and calendar, address bar, storage.
//!
//! The pages never import a port. An implementation is passed to them when they are mounted: the real browser, or a test's.
//! Dates and times are formatted for the person's locale, so nothing here knows their format.

use std::rc::Rc;

use causeway::io::Millis;
use causeway::view::Action;

use super::push_state::{PushCommand, PushState, ServiceWorkerEvent};
use super::scope::{Answer, Listener, PageLifetime};
use super::storage_quota::StorageQuota;

/// Plural categories of a language, as `Intl.PluralRules` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plural {
    /// "zero".
    Zero,
    /// "one".
    One,
    /// "two".
    Two,
    /// "few".
    Few,
    /// "many".
    Many,
    /// "other", the one that every language has.
    Other,
}

// An implementation knows no components.
impl PageLifetime for Rc<dyn Browser> {}

/// A part of a file: the whole file's length, and the part's bytes.
pub type FilePart = (u64, Vec<u8>);

/// What came of asking for a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passkey {
    /// The partner server has accepted it.
    Accepted,
    /// The person gave none. Browsers do not say why.
    NotGiven,
    /// The partner server did not answer.
    Unreachable,
    /// The partner server did not accept it.
    Refused,
}

/// What the pages need from the browser. Times are unix milliseconds.
pub trait Browser {
    /// Sends a command to the engine and returns the command's tag.
    fn send(&self, action: Action) -> u64;
    /// Drops the command of this tag: its answer is not needed any more, so it is not sent again.
    fn withdraw(&self, tag: u64);

    /// Runs `work` before the next paint after the delay; within 100 ms after the delay if nothing is painted.
    fn before_paint(&self, after: Millis, work: Answer<()>);
    /// The time.
    fn now(&self) -> u64;
    /// Number of the local calendar day that a moment lies in; consecutive days have consecutive numbers.
    fn local_day(&self, at: u64) -> i64;
    /// Hours and minutes.
    fn clock_time(&self, at: u64) -> String;
    /// A date in full, with its weekday.
    fn full_date(&self, at: u64) -> String;
    /// A date in the shortest form that names day, month and year.
    fn short_date(&self, at: u64) -> String;
    /// The plural category of a count.
    fn plural(&self, count: u32) -> Plural;

    /// The address bar's fragment, with its `#`, or empty.
    fn fragment(&self) -> String;
    /// A parameter of the address, if it has it.
    fn address_parameter(&self, name: &str) -> Option<String>;
    /// Goes to a fragment; `replace` leaves no entry in the history.
    fn go(&self, fragment: &str, replace: bool);
    /// The title of the window.
    fn set_title(&self, title: &str);
    /// Loads the page again.
    fn reload(&self);
    /// Moves the focus to the element of an id, if there is one.
    fn focus(&self, id: &str);

    /// A small setting that was remembered, if it can be read.
    fn recall(&self, key: &str) -> Option<String>;
    /// Remembers a small setting, as far as the browser allows; nothing depends on it.
    fn remember(&self, key: &str, value: &str);
    /// Sets an attribute of the root element, or removes it.
    fn mark_root(&self, attribute: &str, value: Option<&str>);

    /// Estimates storage quota and usage.
    fn estimate_storage(&self, answer: Answer<StorageQuota>);
    /// Asks the browser not to evict our data; the answer is whether it promised. It may prompt the person, so call this right
    /// after a click on something that explains it.
    fn request_persistence(&self, answer: Answer<bool>);
    /// The browser evicts the data of sites that were not visited for a week.
    fn evicts_after_a_week(&self) -> bool;
    /// This browser has passkeys.
    fn has_passkeys(&self) -> bool;
    /// Asks for a passkey: an existing one to sign in with, or a fresh one for the account that is signed in.
    fn passkey(&self, fresh: bool, answer: Answer<Passkey>);
    /// Sends the service worker a command, which may prompt the person; the answer is the push state afterwards.
    fn run_push_command(&self, command: PushCommand, answer: Answer<PushState>);
    /// Registers the listener for events of the service worker.
    fn on_service_worker_event(&self, listener: Listener<ServiceWorkerEvent>);
    /// Makes the service worker show notifications about what is new, because this page does not have the focus.
    fn look_for_news(&self);
    /// Closes the notifications about chats, except about these.
    fn close_notifications(&self, unread: Vec<String>);
    /// Activates the waiting release; the page loads again.
    fn use_update(&self);
    /// The number on the app's icon.
    fn badge(&self, unread: u32);
    /// Collects a piece of a file that is to be saved; a piece at offset 0 begins a new file.
    fn collect(&self, at: u64, piece: &[u8]);
    /// Saves what was collected as a download of this name.
    fn save(&self, name: &str);
    /// Reads a part of the file that is chosen in the input of an id: the whole file's length and the part's bytes, or
    /// nothing if there is no such file, or no such part.
    fn read_file(&self, input: &str, at: u64, length: u64, then: Answer<Option<FilePart>>);
    /// The same text in Unicode's composed form: what is typed alike on two devices is alike.
    fn composed(&self, text: &str) -> String;

    /// The person looks at this page: it is visible and has the focus.
    fn is_watched(&self) -> bool;
    /// The main pointer is a finger.
    fn is_touch(&self) -> bool;
    /// A phone number to suggest for a first message, if the operator of this installation configured one.
    fn suggested_number(&self) -> Option<String>;
}

#[cfg(test)]
pub(crate) mod fake;
