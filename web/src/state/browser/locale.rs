//! Clock and calendar of the device, and formats of the person's locale. Times are unix milliseconds.

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

/// What a character that is no letter and no digit does in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CharClass {
    /// Ends a sentence or a clause, opens or closes brackets or quotes, or is not drawn.
    Closing,
    /// Other punctuation, which also stands within words.
    Punctuation,
    /// A part of the letter before it.
    Mark,
    /// A symbol.
    Other,
}

/// Clock and calendar of the device, and formats of the person's locale. Times are unix milliseconds.
pub trait Locale {
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
    /// The same text in Unicode's composed form: what is typed alike on two devices is alike.
    fn composed(&self, text: &str) -> String;
    /// The class of a character, by the browser's edition of Unicode.
    fn char_class(&self, char: char) -> CharClass;
    /// The host of a web address in ASCII, as the browser goes to it; `None` if it is no address for the browser.
    fn ascii_host(&self, address: &str) -> Option<String>;
    /// Uses the device's present time zone from now on. Returns whether it is another one than before.
    fn follow_time_zone(&self) -> bool;
}
