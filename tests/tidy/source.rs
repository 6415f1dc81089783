//! Rules on Rust source. Reads text, not syntax: comments and literals are taken out, the rest is a row of words. That
//! is enough to see who names whom, and it can be read in a minute.

use super::repository::File;

/// Production lines after which a file holds more than one idea.
const MOST_LINES: usize = 700;
/// The same for a component of the page.
const MOST_LINES_UI: usize = 300;

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

/// Whether `path`, such as `std::time`, stands in `code` as whole words. Sees through `use std::{time, …}`.
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

fn whole_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

fn offending(file: &File, words: &[&str], why: &str) -> Vec<String> {
    let code = bare(production(file));
    let said = words.iter().filter(|word| names(&code, word));
    said.map(|word| format!("{}: names {word}; {why}", file.path)).collect()
}

/// `proto` and `src` compute; the world is an argument.
pub(crate) fn pure(file: &File) -> Vec<String> {
    if !(file.is_rust() && (file.within("proto/src/") || file.within("src/"))) {
        return Vec::new();
    }
    const WORLD: [&str; 14] = [
        "web_sys",
        "js_sys",
        "wasm_bindgen",
        "leptos",
        "tokio",
        "futures",
        "getrandom",
        "std::time",
        "core::time",
        "std::net",
        "std::fs",
        "std::thread",
        "std::env",
        "causeway_web",
    ];
    offending(file, &WORLD, "time, randomness and the world are arguments here")
}

/// Pages show state and send commands; only the driver speaks to ports.
pub(crate) fn pages_name_no_port(file: &File) -> Vec<String> {
    if !(file.is_rust() && (file.within("web/src/ui/") || file.within("web/src/state/"))) {
        return Vec::new();
    }
    offending(file, &["port"], "pages and state never import a port: take what it gives as an argument")
}

/// One folder knows that there is a browser.
pub(crate) fn only_ports_name_the_browser(file: &File) -> Vec<String> {
    if !(file.is_rust() && file.within("web/src/")) || file.within("web/src/port/") {
        return Vec::new();
    }
    offending(file, &["web_sys", "js_sys", "wasm_bindgen"], "only web/src/port speaks to the browser")
}

/// Both ends written by one hand agree on one mistake.
pub(crate) fn sandbox_shares_no_cryptography(file: &File) -> Vec<String> {
    if !(file.is_rust() && file.within("tests/gatekeeper/src/")) {
        return Vec::new();
    }
    let code = bare(&file.text);
    if names(&code, "causeway_proto::noise") {
        return vec![format!("{}: names causeway_proto::noise; the sandbox's Noise stands on snow alone", file.path)];
    }
    Vec::new()
}

/// The first line of a module says what it is for.
pub(crate) fn opens_with_its_purpose(file: &File) -> Vec<String> {
    if !file.is_rust() || file.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![format!("{}: must open with `//! `, what it is for and what it does not know", file.path)]
}

/// One idea a file.
pub(crate) fn length(file: &File) -> Vec<String> {
    let most = if file.within("web/src/ui/") { MOST_LINES_UI } else { MOST_LINES };
    let lines = match production(file) {
        "" => file.text.lines().count(),
        code => code.lines().count(),
    };
    if !file.is_rust() || lines <= most {
        return Vec::new();
    }
    vec![format!("{}: {lines} lines, at most {most}; which two ideas does it hold?", file.path)]
}

/// A name that fits everything says nothing.
pub(crate) fn name(file: &File) -> Vec<String> {
    const EMPTY: [&str; 8] = ["util", "utils", "helper", "helpers", "manager", "misc", "common", "types"];
    let stem = file.name().split('.').next().unwrap_or_default();
    if !file.is_rust() || !EMPTY.contains(&stem) {
        return Vec::new();
    }
    vec![format!("{}: `{stem}` says nothing; name the idea", file.path)]
}

/// An exception from a lint says why. `expect` where the compiler can tell when it is no longer needed, else `allow`.
pub(crate) fn exceptions_have_reasons(file: &File) -> Vec<String> {
    if !file.is_rust() {
        return Vec::new();
    }
    let code = bare(&file.text);
    let mut offences = Vec::new();
    for exception in ["[allow(", "[expect("] {
        for (at, _) in code.match_indices(exception) {
            if !code[at..].split(")]").next().is_some_and(|inside| names(inside, "reason")) {
                offences.push(format!("{}: `{exception}…)]` without a reason", file.path));
            }
        }
    }
    if code.contains("#[ignore") {
        offences.push(format!("{}: an ignored test proves nothing", file.path));
    }
    offences
}

/// The content security policy forbids inline style, and markup from text is how scripts get in.
pub(crate) fn no_inline_style(file: &File) -> Vec<String> {
    if !(file.is_rust() && file.within("web/src/")) {
        return Vec::new();
    }
    let code: String = bare(&file.text);
    let mut offences = Vec::new();
    for (word, why) in [
        (" style=", "the policy drops inline styles: use a class, or style:--name=…"),
        ("inner_html", "text is always a text node"),
    ] {
        if code.contains(word) {
            offences.push(format!("{}: `{}`; {why}", file.path, word.trim()));
        }
    }
    offences
}
