//! Rust as text: comments and literals removed, words found. It must not know any rule, nor the grammar.

use super::repository::File;

/// The part of a file that ships: everything before its tests, which come last and are called `tests`.
pub(crate) fn production(file: &File) -> &str {
    let is_test = file.name() == "tests.rs" || file.path.contains("/tests/") || file.within("tests/");
    match file.text.find("\nmod tests {\n") {
        _ if is_test => "",
        Some(at) => &file.text[..at],
        None => &file.text,
    }
}

/// `code` without comments, and with nothing between the quotes of literals.
pub(crate) fn bare(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            raw.find("\"#").map_or(rest.len(), |end| end + 5)
        } else if c == '"' {
            let mut escaped = false;
            let end = rest[1..].find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("'\"'") {
            3
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        out.push(' ');
        rest = &rest[skip..];
    }
    out
}

/// Whether `path`, such as `std::time`, occurs in `code` as whole words, `use std::{time, …}` included.
pub(crate) fn names(code: &str, path: &str) -> bool {
    let dense = code.split_whitespace().collect::<Vec<_>>().join(" ").replace(":: ", "::").replace(" ::", "::");
    let (last, parent) = match path.rsplit_once("::") {
        Some((parent, last)) => (last, Some(parent)),
        None => (path, None),
    };
    let plain = if parent.is_some() { &dense } else { code };
    if whole_word(plain, path) {
        return true;
    }
    // use parent::{…, last, …};  one level is enough: rustfmt nests no deeper for these.
    parent.is_some_and(|parent| {
        let group = format!("{parent}::{{");
        dense.match_indices(&group).any(|(at, _)| {
            let inside = &dense[at + group.len()..];
            whole_word(&inside[..inside.find(';').unwrap_or(inside.len())], last)
        })
    })
}

/// Whether `word` occurs in `text` with no letter, digit or underscore beside it.
pub(crate) fn whole_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}
