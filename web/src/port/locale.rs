//! Dates and plurals as the person's locale writes them, by the browser's own `Intl`.
//!
//! What this module does not know: which day is "today", and any language's words.

use crate::number;
use crate::state::browser::CharClass;
use core::cell::RefCell;
use js_sys::{Date, Intl, Object, Reflect, RegExp};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Url;

const DAY: f64 = 24.0 * 60.0 * 60.0 * 1000.0;
const MINUTE: f64 = 60.0 * 1000.0;

/// The same text in Unicode's composed form (NFKC).
pub fn composed(text: &str) -> String {
    js_sys::JsString::from(text).normalize("NFKC").into()
}

/// The host of a web address in ASCII (UTS 46); `None` if it is no address.
pub fn ascii_host(address: &str) -> Option<String> {
    Url::new(address).ok().map(|url| url.hostname())
}

/// One group for each class of characters that are no letters and no digits: what ends or closes; other punctuation;
/// marks. Dashes and dots that only end clauses, and signs that are used as brackets and quotes, are added to the first.
const CLASSES: &str = r"([\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{QMark}\p{Term}\p{Z}\p{C}\xB4\u2014\u2015\u2025\u2026\u22EF\uFF1C\uFF1E])|(\p{P})|\p{M}";

/// Formatters, made once for a time zone: making one is slow.
pub struct Locale {
    dates: RefCell<Dates>,
    plural: Intl::PluralRules,
    classes: RegExp,
}

struct Dates {
    zone: JsValue,
    clock_time: Intl::DateTimeFormat,
    full_date: Intl::DateTimeFormat,
    short_date: Intl::DateTimeFormat,
}

impl Dates {
    /// In the locale that the browser prefers.
    fn new() -> Self {
        let clock_time = date(&[("timeStyle", "short")]);
        Self {
            zone: zone(&clock_time),
            clock_time,
            full_date: date(&[("weekday", "long"), ("day", "numeric"), ("month", "long"), ("year", "numeric")]),
            short_date: date(&[("dateStyle", "short")]),
        }
    }
}

fn date(options: &[(&str, &str)]) -> Intl::DateTimeFormat {
    Intl::DateTimeFormat::new(&js_sys::Array::new(), &object(options))
}

/// The name of the time zone that a formatter writes in.
fn zone(format: &Intl::DateTimeFormat) -> JsValue {
    Reflect::get(&format.resolved_options(), &"timeZone".into()).unwrap_or_default()
}

impl Locale {
    /// Dates in the locale that the browser prefers; plurals in the page's own language.
    pub fn new(language: &str) -> Self {
        let plural = Intl::PluralRules::new(&js_sys::Array::of1(&language.into()), &Object::new());
        Self { dates: RefCell::new(Dates::new()), plural, classes: RegExp::new(CLASSES, "u") }
    }

    /// Writes in the device's present time zone from now on. Returns whether it is another one than before.
    pub fn follow_time_zone(&self) -> bool {
        let follows = zone(&date(&[])) != self.dates.borrow().zone;
        if follows {
            self.dates.replace(Dates::new());
        }
        follows
    }

    /// The class of a character that is no letter and no digit.
    pub fn char_class(&self, char: char) -> CharClass {
        match self.classes.exec(char.encode_utf8(&mut [0; 4])) {
            None => CharClass::Other,
            Some(found) if found.get(1).is_string() => CharClass::Closing,
            Some(found) if found.get(2).is_string() => CharClass::Punctuation,
            Some(_) => CharClass::Mark,
        }
    }

    /// Number of the local calendar day of a moment in unix milliseconds.
    pub fn local_day(&self, at: u64) -> i64 {
        let offset = date_of(at).get_timezone_offset();
        number::signed_from_js(((number::to_js(at) - offset * MINUTE) / DAY).floor())
    }

    /// Hours and minutes.
    pub fn clock_time(&self, at: u64) -> String {
        write(&self.dates.borrow().clock_time, at)
    }

    /// Weekday, day, month and year.
    pub fn full_date(&self, at: u64) -> String {
        write(&self.dates.borrow().full_date, at)
    }

    /// The shortest date with a year.
    pub fn short_date(&self, at: u64) -> String {
        write(&self.dates.borrow().short_date, at)
    }

    /// The name of the plural category of a count.
    pub fn plural(&self, count: u32) -> String {
        self.plural.select(f64::from(count)).into()
    }
}

/// The time, unix milliseconds.
pub fn now() -> u64 {
    number::from_js(Date::now())
}

fn write(format: &Intl::DateTimeFormat, at: u64) -> String {
    format.format().call1(&JsValue::UNDEFINED, &date_of(at)).ok().and_then(|text| text.as_string()).unwrap_or_default()
}

/// A time beyond what the calendar holds would throw in every format; the peer chooses these numbers.
fn date_of(at: u64) -> Date {
    const LAST: f64 = 8_640_000_000_000_000.0;
    Date::new(&JsValue::from_f64(number::to_js(at).min(LAST)))
}

fn object(entries: &[(&str, &str)]) -> Object {
    let object = Object::new();
    for (key, value) in entries {
        // Setting a property of a fresh, plain object can't fail.
        let _ = Reflect::set(&object, &(*key).into(), &(*value).into());
    }
    object.unchecked_into()
}
