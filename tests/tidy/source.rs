//! Rules on one Rust file: what its layer may name, how it opens, what it is called, which lints it silences. It must not
//! know other files: `rings.rs` compares modules.

use super::repository::File;
use super::syntax::{bare, names, production};

fn offending(file: &File, words: &[&str], why: &str) -> Vec<String> {
    let code = bare(production(file));
    let found = words.iter().filter(|word| names(&code, word));
    found.map(|word| format!("{}: names {word}; {why}", file.path)).collect()
}

/// `proto` and `src` name no clock, random source, thread, socket or file: all of them are arguments.
pub(crate) fn pure(file: &File) -> Vec<String> {
    if !(file.is_rust() && ["proto/src/", "proto/primitives/src/", "src/"].iter().any(|folder| file.within(folder))) {
        return Vec::new();
    }
    const OUTSIDE: [&str; 14] = [
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
    offending(file, &OUTSIDE, "time, randomness and I/O are arguments here")
}

/// `web/src/ui` and `web/src/state` import no port: only the driver uses ports.
pub(crate) fn pages_name_no_port(file: &File) -> Vec<String> {
    if !(file.is_rust() && (file.within("web/src/ui/") || file.within("web/src/state/"))) {
        return Vec::new();
    }
    offending(file, &["port"], "pages and state never import a port: take what it gives as an argument")
}

/// Only `web/src/port` names the browser's bindings.
pub(crate) fn only_ports_name_the_browser(file: &File) -> Vec<String> {
    if !(file.is_rust() && file.within("web/src/")) || file.within("web/src/port/") {
        return Vec::new();
    }
    offending(file, &["web_sys", "js_sys", "wasm_bindgen"], "only web/src/port calls the browser")
}

/// The Noise of the sandbox and of the test doubles is their own: shared code at both ends would hide a mistake in it.
pub(crate) fn sandbox_shares_no_cryptography(file: &File) -> Vec<String> {
    if !(file.is_rust() && (file.within("tests/gatekeeper/src/") || file.within("tests/peer/src/"))) {
        return Vec::new();
    }
    let code = bare(&file.text);
    if names(&code, "causeway_proto::noise") {
        return vec![format!(
            "{}: names causeway_proto::noise; the other side of the wire has a Noise of its own",
            file.path
        )];
    }
    Vec::new()
}

/// A Rust file opens with `//! ` and its purpose.
pub(crate) fn opens_with_its_purpose(file: &File) -> Vec<String> {
    if !file.is_rust() || file.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![format!("{}: must open with `//! `, what it is for and what it does not know", file.path)]
}

/// A file is not named by a word that fits any content.
pub(crate) fn name(file: &File) -> Vec<String> {
    const EMPTY: [&str; 10] = ["util", "utils", "helper", "helpers", "manager", "misc", "common", "types", "new", "v2"];
    let stem = file.name().split('.').next().unwrap_or_default();
    if !file.is_rust() || !EMPTY.contains(&stem) {
        return Vec::new();
    }
    vec![format!("{}: `{stem}` fits any content; name the idea", file.path)]
}

/// What may change rows misses none: it gets what a plan has looked up, and has no way to say that it must run again.
pub(crate) fn changes_after_look_ups(file: &File) -> Vec<String> {
    if !(file.is_rust() && file.within("src/")) {
        return Vec::new();
    }
    let code = bare(production(file));
    let signatures = code.split("fn ").skip(1).filter_map(|rest| rest.split(['{', ';']).next());
    let both = |signature: &&str| {
        let changes = ["&mut Context", "&mut Records"].iter().any(|word| signature.contains(word));
        changes && names(signature, "NotLoaded")
    };
    let said = |signature: &str| {
        let name = signature.split(['(', '<']).next().unwrap_or_default();
        format!("{}: {name} changes rows and may miss some; look up by `&Records`, then change", file.path)
    };
    signatures.filter(both).map(said).collect()
}

/// An exception from a lint has a reason.
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
