//! Tests of links in texts. Classes of characters and ASCII forms are those of the fake browser.

use super::*;
use crate::state::browser::fake::Fake;

fn pieces(text: &str) -> Vec<Piece<'_>> {
    split(text, &Fake::default())
}

fn links(text: &str) -> Vec<&str> {
    pieces(text)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Link { address, .. } => Some(address),
            Piece::Text(_) => None,
        })
        .collect()
}

fn joined(text: &str) -> String {
    pieces(text).iter().map(Piece::written).collect()
}

#[test]
fn addresses_in_sentences() {
    assert_eq!(
        links("See https://a.example/x, or (http://b.example/y_(z))."),
        ["https://a.example/x", "http://b.example/y_(z)"]
    );
    assert_eq!(links("HTTPS://A.EXAMPLE"), ["HTTPS://A.EXAMPLE"]);
    assert_eq!(links("http://[::1]:8080/a?b=c#d"), ["http://[::1]:8080/a?b=c#d"]);
    assert_eq!(links("“https://a.example”"), ["https://a.example"]);
    assert_eq!(
        links("[https://a.example](x) https://a.example, https://b.example/f()"),
        ["https://a.example", "https://a.example", "https://b.example/f()"]
    );
}

#[test]
fn punctuation_of_every_script_stays_outside() {
    for (text, link) in [
        ("https://a.example/x。谢谢", "https://a.example/x"),
        ("（https://a.example）", "https://a.example"),
        ("‘https://a.example’", "https://a.example"),
        ("‘https://a.example/x’s", "https://a.example/x"),
        ("「https://a.example/x」と", "https://a.example/x"),
        ("看https://a.example/x，然后", "https://a.example/x"),
        ("https://a.example/x، https", "https://a.example/x"),
        ("https://a.example/x۔", "https://a.example/x"),
        ("https://a.example/x।", "https://a.example/x"),
        ("https://a.example/x…", "https://a.example/x"),
        ("https://a.example⁄login.evil.example", "https://a.example"),
        ("https://a.example。", "https://a.example"),
        ("{https://a.example/x}", "https://a.example/x"),
        ("|https://a.example/x|", "https://a.example/x"),
        ("{https://a.example}", "https://a.example"),
        ("https://a.example/{x}}", "https://a.example/{x}"),
        // Between the letters of an address they are part of it.
        ("https://a.example/Michelson–Morley–", "https://a.example/Michelson–Morley"),
        ("https://a.example/レオナルド・ダ・ヴィンチ・", "https://a.example/レオナルド・ダ・ヴィンチ"),
    ] {
        assert_eq!(links(text), [link], "{text}");
        assert_eq!(joined(text), text);
    }
}

#[test]
fn addresses_in_other_scripts_are_whole() {
    for link in [
        "https://a.example/wiki/中国",
        "https://a.example/wiki/हिन्दी",
        "https://a.example/wiki/แม่",
        "https://a.example/wiki/نیم\u{200C}فاصله",
        "https://a.example/👩\u{200D}🚀",
        "https://a.example/❤\u{FE0F}",
        "https://münchen.example/ß",
    ] {
        assert_eq!(links(&format!("({link}).")), [link]);
    }
    // A joiner that is not drawn does not hide in ASCII, nor at the end.
    assert_eq!(links("https://a.example/a\u{200D}b"), ["https://a.example/a"]);
    assert_eq!(links("https://a.example/中\u{200D}"), ["https://a.example/中"]);
}

#[test]
fn a_host_that_looks_like_another_is_shown_in_ascii() {
    let shown = |text| match pieces(text).as_slice() {
        [Piece::Link { address, shown }] => (*address).to_owned() + " " + shown,
        other => panic!("{other:?}"),
    };
    for address in ["https://www.аррӏе.com", "https://www.аррӏе.com:8080/x?y#z", "https://gοοgle.com/中国"]
    {
        let host = "www.xn--fake";
        let (scheme, rest) = address.split_once("://").unwrap();
        let (_, after) = rest.split_once(".com").unwrap();
        assert_eq!(shown(address), format!("{address} {scheme}://{host}{after}"));
    }
    for address in ["https://a.example", "https://münchen.example/x", "https://президент.рф", "https://a.example/аррӏе"]
    {
        assert_eq!(shown(address), format!("{address} {address}"));
    }
    // The browser takes it for no address.
    assert_eq!(links("https://аррӏе.refused"), [""; 0]);
}

#[test]
fn what_is_no_address_stays_text() {
    for text in [
        "",
        "a://b",
        "http://",
        "https:// a",
        "http://[",
        "javascript:alert(1)",
        "javascript://a.example/%0aalert(1)",
        "xhttp://a.example",
        "https://bank.example@evil.example/",
        "https://bank.example%40evil.example",
        "https://@evil.example",
        "https:///x",
    ] {
        assert_eq!(links(text), [""; 0], "{text}");
    }
    assert_eq!(links(&format!("https://a.example/{}", "a".repeat(LONGEST))), [""; 0]);
}

#[test]
fn characters_that_change_direction_end_an_address() {
    assert_eq!(links("https://a.example/\u{202e}gpj.exe"), ["https://a.example/"]);
}

/// 1,000,000 characters of each: at a square of the length, one would take minutes.
#[test]
fn the_time_is_linear_whatever_the_text_is() {
    for part in [
        ")",
        "(",
        "]",
        ".",
        "()",
        "）",
        "a",
        "http://",
        "http://a)",
        "://",
        "http",
        "\u{301}",
        "http://a@",
        "。http://a",
    ] {
        for head in ["", "http://a", "http://a/"] {
            let text = format!("{head}{}", part.repeat(1_000_000 / part.len()));
            let pieces = pieces(&text);
            let length: usize = pieces.iter().map(|piece| piece.written().len()).sum();
            assert_eq!(length, text.len(), "{head} {part}");
        }
    }
}

#[test]
fn nothing_is_lost_in_any_mixture() {
    let parts = ["http", "https://", "://", "a.b", " ", "é", ".", "(", ")", "@", "\u{202e}", "/", "。"];
    for mixture in 0..parts.len().pow(4) {
        let mut rest = mixture;
        let mut text = String::new();
        for _ in 0..4 {
            text.push_str(parts[rest % parts.len()]);
            rest /= parts.len();
        }
        assert_eq!(joined(&text), text);
    }
}
