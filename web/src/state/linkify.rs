//! Finds web addresses in text that a stranger wrote. Only `http` and `https`, only what is spelled out in full: the
//! person sees exactly where a link leads.

/// A stretch of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text.
    Text(&'a str),
    /// A web address, as it was written.
    Link(&'a str),
}

/// Longest address that becomes a link, in bytes. A longer one stays text.
const LONGEST: usize = 2048;

/// Splits text into links and what is between them. Joined, the pieces are the text.
pub fn split(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut done = 0;
    let mut from = 0;
    while let Some(start) = find_scheme(text, from) {
        let end = end_of_address(text, start);
        from = end;
        let (Some(before), Some(address)) = (text.get(done..start), text.get(start..end)) else { break };
        if is_address(address) {
            if !before.is_empty() {
                pieces.push(Piece::Text(before));
            }
            pieces.push(Piece::Link(address));
            done = end;
        }
    }
    if let Some(rest) = text.get(done..).filter(|rest| !rest.is_empty()) {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// The next `http://` or `https://` that does not continue a word.
fn find_scheme(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = text.get(at..)?.find("://") {
        let colon = at + found;
        at = colon + 3;
        let before = text.get(from..colon)?;
        let ends_with = |scheme: &&str| {
            let end = before.len().checked_sub(scheme.len()).and_then(|start| before.get(start..));
            end.is_some_and(|end| end.eq_ignore_ascii_case(scheme))
        };
        if let Some(scheme) = ["https", "http"].into_iter().find(ends_with) {
            let start = colon - scheme.len();
            let continues = text.get(from..start)?.chars().next_back().is_some_and(char::is_alphanumeric);
            if !continues {
                return Some(start);
            }
        }
    }
    None
}

fn end_of_address(text: &str, start: usize) -> usize {
    let mut address = text.get(start..).unwrap_or_default().split(is_no_part).next().unwrap_or_default();
    // Punctuation that ends a sentence, and a bracket that opened before the address, belong to the text.
    while let Some(last) = address.chars().next_back() {
        let closes = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '…' => true,
            ')' => count(address, ')') > count(address, '('),
            ']' => count(address, ']') > count(address, '['),
            _ => false,
        };
        if !closes {
            break;
        }
        address = address.strip_suffix(last).unwrap_or_default();
    }
    // At least the scheme, so that the search for the next address advances.
    start + address.len().max("http".len())
}

/// Spaces, quotes, and every character that could make an address look like another: controls, invisible and
/// direction-changing ones.
fn is_no_part(char: char) -> bool {
    char.is_whitespace()
        || char.is_control()
        || matches!(char, '<' | '>' | '"' | '`' | '«' | '»' | '“' | '”' | '„')
        || matches!(char, '\u{ad}' | '\u{61c}' | '\u{feff}')
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

fn count(text: &str, wanted: char) -> usize {
    text.chars().filter(|char| *char == wanted).count()
}

/// It names a host, and no user before it: `https://bank.example@evil.example` stays text.
fn is_address(address: &str) -> bool {
    let Some((_, rest)) = address.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    address.len() <= LONGEST
        && authority.chars().next().is_some_and(|char| char.is_alphanumeric() || char == '[')
        && !authority.contains(['@', '%'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<&str> {
        split(text)
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Link(link) => Some(link),
                Piece::Text(_) => None,
            })
            .collect()
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
    }

    #[test]
    fn what_is_no_address_stays_text() {
        for text in [
            "",
            "a://b",
            "http://",
            "https:// a",
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

    #[test]
    fn nothing_is_lost_in_any_mixture() {
        let parts = ["http", "https://", "://", "a.b", " ", "é", ".", "(", ")", "@", "\u{202e}", "/"];
        for mixture in 0..parts.len().pow(4) {
            let mut rest = mixture;
            let mut text = String::new();
            for _ in 0..4 {
                text.push_str(parts[rest % parts.len()]);
                rest /= parts.len();
            }
            let joined: String = split(&text)
                .into_iter()
                .map(|piece| match piece {
                    Piece::Text(part) | Piece::Link(part) => part,
                })
                .collect();
            assert_eq!(joined, text);
        }
    }
}
