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
}
