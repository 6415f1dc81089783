//! Dates and plurals as the person's locale writes them, by the browser's own `Intl`.
//!
//! What this module does not know: which day is "today", and any language's words.

use crate::number;
use js_sys::{Date, Intl, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

const DAY: f64 = 24.0 * 60.0 * 60.0 * 1000.0;
const MINUTE: f64 = 60.0 * 1000.0;

/// The same text in Unicode's composed form (NFKC).
pub fn composed(text: &str) -> String {
    js_sys::JsString::from(text).normalize("NFKC").into()
}

/// Formatters, made once: making one is slow.
pub struct Locale {
    clock_time: Intl::DateTimeFormat,
    full_date: Intl::DateTimeFormat,
    short_date: Intl::DateTimeFormat,
    plural: Intl::PluralRules,
}

impl Locale {
    /// Dates in the locale that the browser prefers; plurals in the page's own language.
    pub fn new(language: &str) -> Self {
        let date = |options: &[(&str, &str)]| Intl::DateTimeFormat::new(&js_sys::Array::new(), &object(options));
        let plural = Intl::PluralRules::new(&js_sys::Array::of1(&language.into()), &Object::new());
        Self {
            clock_time: date(&[("timeStyle", "short")]),
            full_date: date(&[("weekday", "long"), ("day", "numeric"), ("month", "long"), ("year", "numeric")]),
            short_date: date(&[("dateStyle", "short")]),
            plural,
        }
    }

    /// Number of the local calendar day of a moment in unix milliseconds.
    pub fn local_day(&self, at: u64) -> i64 {
        let offset = date_of(at).get_timezone_offset();
        number::signed_from_js(((number::to_js(at) - offset * MINUTE) / DAY).floor())
    }

    /// Hours and minutes.
    pub fn clock_time(&self, at: u64) -> String {
        write(&self.clock_time, at)
    }

    /// Weekday, day, month and year.
    pub fn full_date(&self, at: u64) -> String {
        write(&self.full_date, at)
    }

    /// The shortest date with a year.
    pub fn short_date(&self, at: u64) -> String {
        write(&self.short_date, at)
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
