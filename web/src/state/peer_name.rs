//! What a peer is called. Peers choose their names: a name must turn no text around it, look like no phone number, and
//! leave no row without one.

use std::borrow::Cow;

use causeway::view::ChatView;
use causeway::visible;

/// Stands before a name that could be taken for a phone number.
const MARK: char = '~';
/// Digits from which on a name can be taken for a phone number.
const DIGITS: usize = 3;

/// The name that the peer gave itself, else its address.
pub fn title(chat: &ChatView) -> String {
    let name = clean(&chat.name);
    if !looks_like_number(&name) {
        return if name.is_empty() { chat.address.clone() } else { name };
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    if digits(&name) == digits(&chat.address) { chat.address.clone() } else { format!("{MARK}{name}") }
}

/// Isolates a name from the direction of the text around it, where markup can't: in a window's title, in notifications.
pub fn isolated(name: &str) -> Cow<'_, str> {
    match name.chars().any(is_right_to_left) {
        true => format!("\u{2068}{name}\u{2069}").into(),
        false => name.into(),
    }
}

/// On one line, without characters that change directions; empty if nothing of it can be seen.
fn clean(name: &str) -> String {
    let name: String = name
        .chars()
        .filter(|char| !changes_direction(*char))
        .map(|char| if char.is_whitespace() || char.is_control() { ' ' } else { char })
        .collect();
    visible::trimmed(&name).to_owned()
}

fn changes_direction(char: char) -> bool {
    matches!(char, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn is_right_to_left(char: char) -> bool {
    matches!(char, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFE}')
        || matches!(char, '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// Digits of any script, and hardly a letter; or a plus before digits.
fn looks_like_number(name: &str) -> bool {
    let count = |is: fn(char) -> bool| name.chars().filter(|char| is(*char)).count();
    let digits = count(char::is_numeric);
    let plus = name.starts_with(['+', '\u{207A}', '\u{2795}', '\u{FE62}', '\u{FF0B}']);
    (digits >= DIGITS || (plus && digits > 0)) && (plus || digits > count(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(name: &str) -> String {
        title(&ChatView { name: name.into(), address: "+4915112345678".into(), ..ChatView::default() })
    }

    #[test]
    fn a_peer_without_a_visible_name_is_called_by_its_address() {
        for name in
            ["", "  ", "\u{200B}", "\u{202E}", "\u{2800}\u{3164}", "\u{200F}\u{200D}\u{FE0F}", "+49 1511 2345678"]
        {
            assert_eq!(called(name), "+4915112345678", "{name:?}");
        }
    }

    #[test]
    fn a_name_turns_nothing_around_it() {
        for name in
            ["Bob\u{202E}", "\u{202A}Bob", "\u{2067}Bob\u{2069}\u{2069}", " Bob\n", "\u{200B}Bob\u{200B}", "\u{61C}Bob"]
        {
            assert_eq!(called(name), "Bob", "{name:?}");
        }
        assert_eq!(called("Bob\u{2028}\nSmith"), "Bob  Smith");
        // What belongs to a letter or an emoji stays.
        assert_eq!(called("👩\u{200D}🚀 नमस्\u{200D}ते ❤\u{FE0F}"), "👩\u{200D}🚀 नमस्\u{200D}ते ❤\u{FE0F}");
        assert_eq!(isolated("Bob"), "Bob");
        for name in ["דוד", "Bob (نور)", "𐤀", "\u{FB2A}", "\u{1E900}"] {
            assert_eq!(isolated(name), format!("\u{2068}{name}\u{2069}"));
        }
    }

    #[test]
    fn a_name_that_looks_like_a_number_is_marked_as_a_name() {
        for name in [
            "+49 30 123456",
            "030/123456",
            "(0151) 12-34",
            "+４９ ３０",
            "٠٠٤٩ ٣٠ ١٢٣٤٥٦",
            "➕49 30",
            "+49 3O 123456",
            "①②③",
            "112",
        ] {
            assert_eq!(called(name), format!("~{name}"));
        }
        assert_eq!(called("\u{202D}+49 30\u{202C}"), "~+49 30");
        for name in ["Bob", "Bob 2", "C-3PO", "Ann Marie 24", "++", "4711 Kölnisch Wasser", "🎉"] {
            assert_eq!(called(name), name);
        }
    }
}
