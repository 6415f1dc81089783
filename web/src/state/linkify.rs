//! Finds web addresses in text that a stranger wrote. Only `http` and `https`, only what is spelled out in full: the
//! person sees exactly where a link leads.
//!
//! Each character is visited a bounded number of times, whatever the text is.

use std::borrow::Cow;

use super::browser::{CharClass, Locale};
use super::host_script;

/// A stretch of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text.
    Text(&'a str),
    /// A web address.
    Link {
        /// As it was written.
        address: &'a str,
        /// As it is shown: a host that could be taken for another one is in ASCII form.
        shown: Cow<'a, str>,
    },
}

impl<'a> Piece<'a> {
    /// The stretch of the message.
    pub fn written(&self) -> &'a str {
        match self {
            Self::Text(written) | Self::Link { address: written, .. } => written,
        }
    }
}

/// Longest address that becomes a link, in bytes. A longer one stays text.
const LONGEST: usize = 2048;

/// Splits text into links and what is between them. Joined, the pieces are the text.
pub fn split<'a>(text: &'a str, locale: &(impl Locale + ?Sized)) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut done = 0;
    let mut from = 0;
    while let Some(start) = find_scheme(text, from) {
        let Some(rest) = text.get(start..) else { break };
        let scanned = scan(rest, locale);
        from = start + scanned.end;
        let (Some(before), Some(address)) = (text.get(done..start), text.get(start..start + scanned.link)) else {
            break;
        };
        if let Some(shown) = shown(address, locale) {
            if !before.is_empty() {
                pieces.push(Piece::Text(before));
            }
            pieces.push(Piece::Link { address, shown });
            done = start + scanned.link;
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
            // Only scripts that separate words by spaces: a link may follow a Chinese character.
            let continues = text.get(from..start)?.chars().next_back().is_some_and(|char| char.is_ascii_alphanumeric());
            if !continues {
                return Some(start);
            }
        }
    }
    None
}

/// How far an address reaches, in bytes from its start.
struct Scanned {
    /// Without the punctuation that belongs to the text around it.
    link: usize,
    /// To the character that no address has; the search for the next address goes on here.
    end: usize,
}

/// Reads an address once, from its scheme on.
fn scan(text: &str, locale: &(impl Locale + ?Sized)) -> Scanned {
    let scheme = text.find("://").map_or(0, |colon| colon + 3);
    let mut scanned = Scanned { link: scheme, end: text.len() };
    let mut in_host = true;
    let (mut round, mut square, mut curly) = (0, 0, 0);
    let mut before = '/';
    for (at, char) in text.char_indices().skip_while(|(at, _)| *at < scheme) {
        in_host &= !matches!(char, '/' | '?' | '#' | '\\');
        // A longer one is no link: it is only measured.
        let class = |char| if at > LONGEST { CharClass::Other } else { locale.char_class(char) };
        let part = match char {
            '(' | ')' if in_host => Part::None,
            '(' => open(&mut round),
            '[' => open(&mut square),
            ')' => close(&mut round),
            ']' => close(&mut square),
            '{' if !in_host => open(&mut curly),
            '}' if !in_host => close(&mut curly),
            _ => part_of(char, before, in_host, class),
        };
        match part {
            Part::None => {
                scanned.end = at;
                break;
            }
            Part::Inner => {}
            Part::Address => scanned.link = at + char.len_utf8(),
        }
        before = char;
    }
    scanned
}

/// What a character is in an address.
#[derive(Clone, Copy)]
enum Part {
    /// Ends it.
    None,
    /// Belongs to it if more of it follows.
    Inner,
    /// Belongs to it.
    Address,
}

/// A bracket alone at the end belongs to the text.
fn open(depth: &mut usize) -> Part {
    *depth += 1;
    Part::Inner
}

/// So does one that closes what opened before the address.
fn close(depth: &mut usize) -> Part {
    match depth.checked_sub(1) {
        Some(left) => {
            *depth = left;
            Part::Address
        }
        None => Part::Inner,
    }
}

fn part_of(char: char, before: char, in_host: bool, class: impl FnOnce(char) -> CharClass) -> Part {
    match char {
        // `@` and `%` stay in a host: without them the address would seem to be one of the host before them.
        '.' | ':' | '_' => Part::Inner,
        '-' | '@' | '%' => Part::Address,
        _ if char.is_alphanumeric() => Part::Address,
        '<' | '>' | '"' | '`' | '\u{7F}' | '\0'..=' ' => Part::None,
        ',' | ';' | '!' | '?' | '\'' | '*' | '~' | '|' if !in_host => Part::Inner,
        _ if char.is_ascii() => {
            if in_host {
                Part::None
            } else {
                Part::Address
            }
        }
        // Words of some scripts, and emoji, have joiners in them. Elsewhere they would hide a difference.
        '\u{200C}' | '\u{200D}' if !in_host && !before.is_ascii() => Part::Inner,
        _ => match class(char) {
            CharClass::Closing => Part::None,
            CharClass::Punctuation if in_host => Part::None,
            CharClass::Punctuation => Part::Inner,
            CharClass::Mark => Part::Address,
            CharClass::Other if in_host => Part::None,
            CharClass::Other => Part::Address,
        },
    }
}

/// How an address is shown, if it is one: it names a host, and no user before it. `https://bank.example@evil.example`
/// stays text.
fn shown<'a>(address: &'a str, locale: &(impl Locale + ?Sized)) -> Option<Cow<'a, str>> {
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let names_host = address.len() <= LONGEST
        && authority.chars().next().is_some_and(|char| char.is_alphanumeric() || char == '[')
        && !authority.contains(['@', '%']);
    if !names_host {
        return None;
    }
    let host = authority.split(':').next().unwrap_or_default();
    if authority.is_ascii() || host_script::is_unmistakable(host) {
        return Some(address.into());
    }
    let ascii = locale.ascii_host(address)?;
    Some(format!("{scheme}://{ascii}{}", rest.get(host.len()..)?).into())
}

#[cfg(test)]
mod tests;
