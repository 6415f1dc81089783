//! The list of words that the code and its documents do not use, each with the term of the field that it stood for
//! (`docs/GLOSSARY.md`). It must not know grammar: a word is found by its letters.

use super::repository::File;
use super::syntax::{bare, whole_word};

/// Words and phrases that occur nowhere, in any case. `so_many`, `SoMany` and `so many` are the same phrase.
const ANYWHERE: [(&str, &str); 34] = [
    ("house", "repository, workspace or crate"),
    ("rooms", "modules"),
    ("shelf", "RowCache, or store"),
    ("shelves", "RowCache, or stores"),
    ("ledger", "GroupCommit"),
    ("desk", "BackgroundClient; in a test, what it receives"),
    ("whereabouts", "AccountDevice"),
    ("hardness", "Argon2Cost, or cost"),
    ("patience", "Timeouts, or time-out"),
    ("ceremony", "AuthAttempt, or registration and authentication"),
    ("seat", "ConnectionSlot"),
    ("seats", "connection slots"),
    ("upkeep", "maintenance"),
    ("reign", "term (of a leader)"),
    ("candidacy", "election"),
    ("urge", "takeover"),
    ("urges", "takeover"),
    ("remedy", "recovery_action, or what to do"),
    ("blow", "fault"),
    ("blows", "faults"),
    ("whoever", "the client, the caller: name it"),
    ("whomever", "the client, the caller: name it"),
    ("anew", "again"),
    ("for ever", "without end, or drop it"),
    ("answers whether", "returns whether"),
    ("answer whether", "return whether"),
    ("so many", "the number, with its unit and bound"),
    ("nobody knows", "unknown"),
    ("of its own accord", "unasked, or drop it"),
    ("house rules", "rules of the repository"),
    ("hath", "has"),
    ("thereof", "of it"),
    ("whereof", "of which"),
    ("worth to", "whether to"),
];

/// Identifiers of code that no type, function or module has.
const IDENTIFIERS: [(&str, &str); 8] = [
    ("Turn", "Context"),
    ("Turns", "PerServiceLimiter"),
    ("Once", "ReplayGuard"),
    ("Proof", "RoundTripProbe"),
    ("Questions", "PendingIqs"),
    ("Room", "RemainingLength"),
    ("where_to", "request_deployment"),
    ("revive", "worker_supervisor"),
];

/// Names of files, without their ending.
const FILES: [(&str, &str); 9] = [
    ("turn", "context"),
    ("turns", "limiter"),
    ("shift", "background"),
    ("life", "worker_liveness"),
    ("revive", "worker_supervisor"),
    ("room", "storage_quota"),
    ("facts", "meta"),
    ("verdict", "disconnect_policy or push_response"),
    ("notices", "notifications"),
];

/// Files that are written by hand, by their ending.
const WRITTEN: [&str; 10] = [".rs", ".js", ".mjs", ".css", ".md", ".toml", ".proto", ".html", ".patch", "Makefile"];
/// Scripts without an ending.
const SCRIPTS: [&str; 4] = ["tests/toolchain/", "tests/soak/", "tests/simulate/mutants/", ".ci/"];
/// The list itself, and the test that shows it offences.
const ALLOWED: [&str; 2] = ["tests/tidy/words.rs", "tests/tidy/offences/words.rs"];

/// One offence for each line and word.
pub(crate) fn words(file: &File) -> Vec<String> {
    let script = !file.name().contains('.') && SCRIPTS.iter().any(|folder| file.within(folder));
    if ALLOWED.contains(&file.path.as_str()) || !(script || WRITTEN.iter().any(|ending| file.path.ends_with(ending))) {
        return Vec::new();
    }
    let mut offences = Vec::new();
    let whole = spaced(&format!("{}\n{}", file.path, file.text));
    for (word, term) in ANYWHERE.iter().filter(|(word, _)| holds(&whole, word)) {
        let lines = file.text.lines().enumerate().filter(|(_, line)| holds(&spaced(line), word));
        let mut places: Vec<String> = lines.map(|(number, _)| format!("{}:{}", file.path, number + 1)).collect();
        if places.is_empty() {
            // In the path, or across a line break.
            places.push(file.path.clone());
        }
        offences.extend(places.iter().map(|place| format!("{place}: `{word}`: say {term}")));
    }
    if let Some((word, term)) = FILES.iter().find(|(word, _)| Some(*word) == file.name().split('.').next()) {
        offences.push(format!("{}: `{word}` as a name of a file: say {term}", file.path));
    }
    if file.is_rust() {
        let code = bare(&file.text);
        let found = IDENTIFIERS.iter().filter(|(word, _)| whole_word(&code, word));
        offences.extend(found.map(|(word, term)| format!("{}: `{word}`: say {term}", file.path)));
    }
    offences
}

/// Whether a phrase occurs in a text that [`spaced`] returned.
fn holds(spaced: &str, phrase: &str) -> bool {
    let begins = |at: usize| spaced[..at].ends_with(' ') && spaced[at + phrase.len()..].starts_with(' ');
    spaced.match_indices(phrase).any(|(at, _)| begins(at))
}

/// The words of a text in lower case, a space before and after each: `RowCache`, `row_cache` and `row cache` are the same.
fn spaced(text: &str) -> String {
    let mut out = String::from(" ");
    let mut before = ' ';
    for c in text.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            out.push(' ');
        }
        match c.is_alphanumeric() {
            true => out.extend(c.to_lowercase()),
            false if !out.ends_with(' ') => out.push(' '),
            false => {}
        }
        before = c;
    }
    out.push(' ');
    out
}
