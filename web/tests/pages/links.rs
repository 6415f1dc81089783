//! Links in texts, with the real classes of characters and the real ASCII forms of hosts.

use causeway_web::browser_adapter::BrowserAdapter;
use causeway_web::state::browser::{CharClass, Locale};
use causeway_web::state::linkify::{self, Piece};
use wasm_bindgen_test::wasm_bindgen_test;

fn links(text: &str) -> Vec<(String, String)> {
    let found = linkify::split(text, &BrowserAdapter::new());
    found
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Link { address, shown } => Some((address.to_owned(), shown.into_owned())),
            Piece::Text(_) => None,
        })
        .collect()
}

#[wasm_bindgen_test]
fn characters_have_the_classes_that_their_script_gives_them() {
    let browser = BrowserAdapter::new();
    let closing = "。，、！？：；（）「」『』【】《》〈〉〔〕“”‘’«»‹›„‚…—،؛؟۔।॥។៕၊။።፣׃⟨⟩❨❩｡｢｣＂＇＜＞〝〞\u{3000}\u{AD}\u{202E}\u{E0001}";
    for char in closing.chars() {
        assert_eq!(browser.char_class(char), CharClass::Closing, "{char:?}");
    }
    for char in "–·・་־‐".chars() {
        assert_eq!(browser.char_class(char), CharClass::Punctuation, "{char:?}");
    }
    for char in "\u{301}\u{E48}\u{94D}\u{93E}\u{20DD}\u{FE0F}".chars() {
        assert_eq!(browser.char_class(char), CharClass::Mark, "{char:?}");
    }
    for char in "🎉€⁄∕→".chars() {
        assert_eq!(browser.char_class(char), CharClass::Other, "{char:?}");
    }
}

#[wasm_bindgen_test]
fn punctuation_of_every_script_stays_outside() {
    for (before, after) in [
        ("", "。谢谢"),
        ("（", "）"),
        ("‘", "’"),
        ("「", "」と"),
        ("《", "》，"),
        ("(", ")。"),
        ("", "، ثم"),
        ("", "؟"),
        ("", "।"),
        ("„", "“"),
        ("»", "«"),
        ("", "——"),
        ("", "។"),
        ("", "።"),
        ("＜", "＞"),
    ] {
        for address in ["https://a.example", "https://a.example/x", "https://a.example/wiki/中国"] {
            let text = format!("{before}{address}{after}");
            assert_eq!(links(&text), [(address.to_owned(), address.to_owned())], "{text}");
        }
    }
}

#[wasm_bindgen_test]
fn a_host_that_looks_like_another_is_shown_in_ascii() {
    for (address, shown) in [
        ("https://www.аррӏе.com", "https://www.xn--80ak6aa92e.com"),
        ("https://gооgle.com:8443/x?y#z", "https://xn--ggle-55da.com:8443/x?y#z"),
        ("https://ｇｏｏｇｌｅ.com/", "https://google.com/"),
        ("https://𝐠oogle.com/中国", "https://google.com/中国"),
        ("https://münchen.example", "https://münchen.example"),
        ("https://президент.рф/о", "https://президент.рф/о"),
        ("https://例え.テスト", "https://例え.テスト"),
    ] {
        assert_eq!(links(address), [(address.to_owned(), shown.to_owned())]);
    }
    // What the browser takes for no address is none.
    assert_eq!(links("https://а..\u{301}:99999"), []);
}
