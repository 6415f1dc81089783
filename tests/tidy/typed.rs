//! The rule that an id or a time has a type of its own: no number and no text stands for one in the signature of a function
//! or in a visible field. It must not know types: it reads names of parameters, and types as they are written.

use super::imports::tokens;
use super::repository::File;
use super::syntax::{bare, production};

/// Folders in which the rule holds, and whether for ids, too: the sandbox has types for times only.
const FOLDERS: [(&str, bool); 3] = [("src/", true), ("partner/src/", true), ("tests/gatekeeper/src/", false)];
/// Derived by structs whose fields a format prescribes: JSON, TOML, forms, protobuf.
const FORMATS: [&str; 3] = ["Deserialize", "Serialize", "Message"];
/// The macro that gives the fields of a struct their protobuf numbers (`src/protobuf.rs`).
const NUMBERS: &str = "message";

/// Names of points in time, and how such names end.
const TIMES: [&str; 12] =
    ["now", "at", "since", "until", "expires", "created", "issued", "seen", "due", "lease", "deadline", "time"];
const TIME_ENDINGS: [&str; 3] = ["_at", "_since", "_until"];
/// Names of spans of time, and how such names end.
const SPANS: [&str; 11] =
    ["seconds", "millis", "milliseconds", "lifetime", "leeway", "timeout", "wait", "delay", "interval", "pause", "age"];
const SPAN_ENDINGS: [&str; 4] = ["_seconds", "_secs", "_millis", "_ms"];
/// Names of ids, and how such names end.
const IDS: [&str; 20] = [
    "id",
    "ids",
    "kid",
    "jti",
    "account",
    "identifier",
    "session",
    "device",
    "passkey",
    "endpoint",
    "subject",
    "upload",
    "reference",
    "claim",
    "instance",
    "token_hash",
    "chat",
    "peer",
    "socket",
    "transaction",
];
const ID_ENDINGS: [&str; 2] = ["_id", "_ids"];

/// Names of ids only where a number is meant.
const NUMBERED: [&str; 2] = ["tag", "seq"];

/// Types that count time, and types that also hold ids.
const WIDE: [&str; 5] = ["u64", "i64", "u128", "i128", "f64"];
const ANY: [&str; 14] =
    ["u16", "i16", "u32", "i32", "u64", "i64", "u128", "i128", "usize", "isize", "f64", "str", "String", "char"];
/// What may stand around them without making another type of them.
const AROUND: [&str; 19] = [
    "&", "<", ">", "[", "]", ",", "mut", "impl", "Option", "Vec", "Arc", "Rc", "Box", "Cow", "Into", "AsRef",
    "HashSet", "BTreeSet", "VecDeque",
];

/// One offence for each parameter, visible field, result and alias that is a bare number or text.
pub(crate) fn typed(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let Some((_, ids)) = FOLDERS.iter().find(|(folder, _)| file.within(folder)) else { continue };
        let offences = offences(file).into_iter().filter(|offence| *ids || !offence.is_id);
        found.extend(offences.map(|Offence { what, .. }| format!("{}: {what}: {MEND}", file.path)));
    }
    found
}

const MEND: &str = "give it a type of its own";

/// A bare number or text, and whether it is an id or a time.
struct Offence {
    what: String,
    is_id: bool,
}

/// The part of a file that is no test. For [`production`] all of the sandbox is one.
fn shipped(file: &File) -> &str {
    match file.text.find("\nmod tests {\n") {
        _ if !file.within("tests/") => production(file),
        _ if file.name() == "tests.rs" => "",
        Some(at) => &file.text[..at],
        None => &file.text,
    }
}

fn offences(file: &File) -> Vec<Offence> {
    let code = bare(shipped(file));
    let tokens = tokens(&code);
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match *token {
            "fn" => found.extend(function(&tokens[at + 1..])),
            "struct" if !prescribed(&tokens[..at]) && !is_message(&tokens, tokens.get(at + 1)) => {
                found.extend(fields(&tokens[at + 1..]))
            }
            "type" => found.extend(alias(&tokens[at + 1..])),
            _ => {}
        }
    }
    found
}

/// The parameters and the result of a function whose name is the first token.
fn function(tokens: &[&str]) -> Vec<Offence> {
    let Some((name, rest)) = tokens.split_first() else { return Vec::new() };
    let Some(open) = rest.iter().position(|token| *token == "(") else { return Vec::new() };
    // A type `fn(…)` has no name, and its parameters have none.
    if *name == "(" {
        return Vec::new();
    }
    let generics = if rest.first() == Some(&"<") { enclosed(rest) + 2 } else { open };
    let Some(rest) = rest.get(generics..).filter(|rest| rest.first() == Some(&"(")) else { return Vec::new() };
    let inside = enclosed(rest);
    let mut found = Vec::new();
    for parameter in parts(&rest[1..=inside]) {
        let Some(colon) = parameter.iter().position(|token| *token == ":") else { continue };
        let pattern: Vec<_> = parameter[..colon].iter().filter(|token| **token != "mut").collect();
        if let [parameter_name] = pattern.as_slice() {
            found.extend(offence(&format!("fn {name}"), parameter_name, &parameter[colon + 1..]));
        }
    }
    if let Some(["-", ">", result @ ..]) = rest.get(inside + 2..) {
        let end = result.iter().position(|token| ["{", ";", "where"].contains(token)).unwrap_or(result.len());
        let result = match &result[..end] {
            ["Result", "<", ok @ ..] => parts(ok).into_iter().next().unwrap_or_default(),
            result => result,
        };
        found.extend(offence("the result of fn", name, result));
    }
    found
}

/// The visible fields of a struct whose name is the first token.
fn fields(tokens: &[&str]) -> Vec<Offence> {
    let Some((name, rest)) = tokens.split_first() else { return Vec::new() };
    let Some(open) = rest.iter().position(|token| ["{", ";", "("].contains(token)) else { return Vec::new() };
    if rest[open] != "{" {
        return Vec::new();
    }
    let rest = &rest[open..];
    let mut found = Vec::new();
    for field in parts(&rest[1..=enclosed(rest)]) {
        let Some(visible) = field.iter().position(|token| *token == "pub") else { continue };
        let Some(colon) = field[visible..].iter().position(|token| *token == ":") else { continue };
        let (before, kind) = (&field[..visible + colon], &field[visible + colon + 1..]);
        found.extend(before.last().and_then(|field| offence(&format!("struct {name}"), field, kind)));
    }
    found
}

/// An alias of a bare type, whatever its name: it is no type of its own.
fn alias(tokens: &[&str]) -> Option<Offence> {
    let [name, "=", rest @ ..] = tokens else { return None };
    let end = rest.iter().position(|token| *token == ";")?;
    let what = format!("type {name} = {}", rest[..end].join(" "));
    is_bare(&rest[..end], &ANY).then_some(Offence { what, is_id: true })
}

/// Whether a format prescribes the fields of the struct that these tokens precede.
fn prescribed(before: &[&str]) -> bool {
    let begin = before.iter().rposition(|token| [";", "}"].contains(token)).unwrap_or(0);
    before[begin..].iter().any(|token| FORMATS.contains(token))
}

/// Whether these tokens give the fields of the struct of this name protobuf numbers.
fn is_message(tokens: &[&str], name: Option<&&str>) -> bool {
    tokens.windows(4).any(|four| four.starts_with(&[NUMBERS, "!", "("]) && four.last() == name)
}

fn offence(place: &str, name: &str, kind: &[&str]) -> Option<Offence> {
    let named =
        |names: &[&str], endings: &[&str]| names.contains(&name) || endings.iter().any(|ending| name.ends_with(ending));
    let time = named(&TIMES, &TIME_ENDINGS) && is_bare(kind, &WIDE);
    let span = named(&SPANS, &SPAN_ENDINGS) && is_bare(kind, &WIDE);
    let numbered = NUMBERED.contains(&name) && is_bare(kind, &WIDE);
    let is_id = numbered || named(&IDS, &ID_ENDINGS) && is_bare(kind, &ANY);
    (time || span || is_id).then(|| Offence { what: format!("{place}: {name}: {}", kind.join(" ")), is_id })
}

/// Whether a type is one of `bare`, alone or within [`AROUND`].
fn is_bare(kind: &[&str], bare: &[&str]) -> bool {
    let mut holds = false;
    let mut lifetime = false;
    for token in kind {
        match *token {
            "'" => lifetime = true,
            _ if lifetime => lifetime = false,
            token if bare.contains(&token) => holds = true,
            token if AROUND.contains(&token) => {}
            _ => return false,
        }
    }
    holds
}

/// How many tokens the bracket encloses that is the first token.
fn enclosed(tokens: &[&str]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        depth += nesting(tokens, at, token);
        if depth == 0 {
            return at.saturating_sub(1);
        }
    }
    tokens.len().saturating_sub(1)
}

/// The parts between the commas that no bracket encloses, up to the bracket that closes the whole.
fn parts<'a, 'b>(tokens: &'b [&'a str]) -> Vec<&'b [&'a str]> {
    let (mut found, mut begin, mut depth) = (Vec::new(), 0, 0);
    for (at, token) in tokens.iter().enumerate() {
        depth += nesting(tokens, at, token);
        if depth < 0 || depth == 0 && *token == "," {
            found.push(&tokens[begin..at]);
            begin = at + 1;
        }
        if depth < 0 {
            return found;
        }
    }
    found.push(&tokens[begin..]);
    found
}

/// 1 for an opening bracket, -1 for a closing one; the head of an arrow is none.
fn nesting(tokens: &[&str], at: usize, token: &str) -> i32 {
    match token {
        "(" | "[" | "{" | "<" => 1,
        ">" if at > 0 && tokens[at - 1] == "-" => 0,
        ")" | "]" | "}" | ">" => -1,
        _ => 0,
    }
}
