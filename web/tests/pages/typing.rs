//! Text fields that an input method hands an emoji to in halves, and the time zone.

use super::script;
use causeway_web::port::locale::Locale;
use causeway_web::port::window;
use wasm_bindgen_test::wasm_bindgen_test;

/// A text area in the page, removed when dropped.
struct Field(&'static str);

impl Field {
    fn new(id: &'static str) -> Self {
        script(
            "(id) => { const field = document.createElement('textarea'); field.id = id; document.body.append(field); }",
            id,
        );
        Self(id)
    }

    /// Types a text that is written as a JavaScript string.
    fn type_in(&self, literal: &str) {
        script(&format!("(id) => {{ document.getElementById(id).value = {literal}; }}"), self.0);
    }

    /// UTF-16 code units in it.
    fn units(&self) -> Option<f64> {
        script("(id) => document.getElementById(id).value.length", self.0).as_f64()
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        script("(id) => document.getElementById(id).remove()", self.0);
    }
}

#[wasm_bindgen_test]
fn a_half_of_an_emoji_stays_in_the_field_and_is_not_read() {
    let field = Field::new("halves");
    for (typed, read, units) in [
        (r"'a\ud83d'", "a", 2.0),
        (r"'a\ud83d\ude00'", "a😀", 3.0),
        (r"'\ude00a\ud83d b'", "a b", 5.0),
        (r"'\ufffd'", "\u{FFFD}", 1.0),
        ("''", "", 0.0),
    ] {
        field.type_in(typed);
        assert_eq!(window::typed("halves"), read, "{typed}");
        // What the page does after each `input`.
        window::put_typed("halves", read);
        assert_eq!(field.units(), Some(units), "{typed}");
    }
    window::put_typed("halves", "other");
    assert_eq!(window::typed("halves"), "other");
    assert_eq!(window::typed("no such field"), "");
}

/// A browser has no way to change its time zone from a script: the formatter that tells it is replaced.
#[wasm_bindgen_test]
fn another_time_zone_is_followed() {
    let locale = Locale::new("en");
    assert!(!locale.follow_time_zone());
    let before = locale.clock_time(0);
    script(
        "() => {
            const Real = Intl.DateTimeFormat;
            globalThis.realFormat = Real;
            const zone = new Real().resolvedOptions().timeZone === 'Asia/Kathmandu' ? 'UTC' : 'Asia/Kathmandu';
            Intl.DateTimeFormat = function (locales, options) { return new Real(locales, { timeZone: zone, ...options }); };
        }",
        "",
    );
    let followed = (locale.follow_time_zone(), locale.follow_time_zone(), locale.clock_time(0));
    script("() => { Intl.DateTimeFormat = globalThis.realFormat; }", "");
    assert_eq!((followed.0, followed.1), (true, false));
    assert_ne!(followed.2, before);
}
