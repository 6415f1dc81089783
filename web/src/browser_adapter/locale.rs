//! Clock and calendar of the device, and formats of the person's locale. Times are unix milliseconds.

use super::BrowserAdapter;
use crate::port::locale;
use crate::state::browser::{CharClass, Locale, Plural};

impl Locale for BrowserAdapter {
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

    fn composed(&self, text: &str) -> String {
        locale::composed(text)
    }

    fn char_class(&self, char: char) -> CharClass {
        self.locale.char_class(char)
    }

    fn ascii_host(&self, address: &str) -> Option<String> {
        locale::ascii_host(address)
    }

    fn follow_time_zone(&self) -> bool {
        self.locale.follow_time_zone()
    }
}
