//! The imports of one Rust module, read from its tokens: `use` trees, and paths inside the code. It must not know which
//! modules exist.

use super::repository::File;
use super::syntax::bare;

/// One path that a module names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    /// Segments as written, `crate`, `self` and `super` included, a glob's `*` not.
    pub(crate) segments: Vec<String>,
    /// Whether it stands in a `pub use`.
    pub(crate) reexport: bool,
    /// Inline modules (`mod x { … }`) around it, outermost first.
    pub(crate) inside: Vec<String>,
}

/// What a module declares and names.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    /// Modules declared with `mod x;`.
    pub(crate) declared: Vec<String>,
    /// Those among them that are compiled for tests only.
    pub(crate) for_tests: Vec<String>,
    /// Every path of a `use`, and every path in the code that begins with `crate`, `self`, `super`, a declared module or an
    /// imported name.
    pub(crate) paths: Vec<Path>,
}

/// Reads the imports of a file. `mod tests { … }` and everything after it is left out.
pub(crate) fn imports(file: &File) -> Imports {
    let end = file.text.find("\nmod tests {").unwrap_or(file.text.len());
    let code = bare(&file.text[..end]);
    let tokens = tokens(&code);
    let declared = declared(&tokens);
    let mut found = Imports { for_tests: tests_only(&code, &declared), declared, paths: Vec::new() };
    let mut aliases: Vec<(String, Vec<String>)> = Vec::new();
    let mut inside: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while at < tokens.len() {
        let names: Vec<String> = inside.iter().map(|(name, _)| name.clone()).collect();
        match tokens[at] {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inside.retain(|(_, opened)| *opened < depth + 1);
            }
            "mod" if tokens.get(at + 2) == Some(&"{") => inside.push((tokens[at + 1].to_owned(), depth + 1)),
            // `use<…>` is a bound, no import.
            "use" if tokens.get(at + 1) != Some(&"<") => {
                let reexport = at > 0 && (tokens[at - 1] == "pub" || tokens[at - 1] == ")");
                let length = tokens[at..].iter().position(|token| *token == ";").unwrap_or(tokens.len() - at);
                for (segments, alias) in tree(&tokens[at + 1..at + length]) {
                    // A name that is re-exported belongs to this module, too.
                    aliases.extend(alias.filter(|_| !reexport).map(|alias| (alias, segments.clone())));
                    found.paths.push(Path { segments, reexport, inside: names.clone() });
                }
                at += length;
                continue;
            }
            first if tokens.get(at + 1) == Some(&"::") && (at == 0 || tokens[at - 1] != "::") => {
                let mut segments = vec![first.to_owned()];
                while tokens.get(at + 1) == Some(&"::") && tokens.get(at + 2).is_some_and(|token| is_name(token)) {
                    segments.push(tokens[at + 2].to_owned());
                    at += 2;
                }
                let imported = aliases.iter().find(|(alias, _)| alias == first).map(|(_, path)| path.clone());
                if let Some(path) = imported {
                    segments.splice(..1, path);
                    found.paths.push(Path { segments, reexport: false, inside: names });
                } else if ["crate", "self", "super"].contains(&first) || found.declared.iter().any(|name| name == first)
                {
                    found.paths.push(Path { segments, reexport: false, inside: names });
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single characters. White space and literals of characters are dropped.
pub(crate) fn tokens(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(after) = character(rest) {
            rest = after.trim_start();
            continue;
        }
        let length = match first {
            ':' if rest.starts_with("::") => 2,
            'r' if rest.starts_with("r#") => 2,
            c if c.is_alphanumeric() || c == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        if !rest.starts_with("r#") {
            found.push(&rest[..length]);
        }
        rest = rest[length..].trim_start();
    }
    found
}

/// What follows the literal of a character, which may be a brace.
fn character(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('\'')?;
    let after = match inner.strip_prefix('\\') {
        Some(escaped) => escaped.strip_prefix(|_: char| true)?,
        None => inner.strip_prefix(|c: char| c != '\'')?,
    };
    after.strip_prefix('\'')
}

fn declared(tokens: &[&str]) -> Vec<String> {
    let declarations = tokens.windows(3).filter(|window| window[0] == "mod" && window[2] == ";");
    declarations.map(|window| window[1].to_owned()).collect()
}

/// The declared modules behind `#[cfg(test)]`.
fn tests_only(code: &str, declared: &[String]) -> Vec<String> {
    let behind = |name: &&String| {
        code.split("#[cfg(test)]").skip(1).any(|after| {
            after.split_once(';').is_some_and(|(item, _)| item.ends_with(&format!("mod {name}")) && !item.contains('{'))
        })
    };
    declared.iter().filter(behind).cloned().collect()
}

/// The paths of one `use` tree, each with the name that it brings into scope; a glob brings none.
fn tree(tokens: &[&str]) -> Vec<(Vec<String>, Option<String>)> {
    let mut prefix: Vec<String> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at] {
            "{" => {
                let inner = &tokens[at + 1..tokens.len().saturating_sub(1)];
                let parts = split(inner).into_iter().flat_map(tree);
                return parts.map(|(path, alias)| join(&prefix, path, alias)).collect();
            }
            "as" => {
                let alias = tokens.get(at + 1).map(|alias| (*alias).to_owned());
                return vec![(prefix, alias)];
            }
            "*" => return vec![(prefix, None)],
            "::" => {}
            name => prefix.push(name.to_owned()),
        }
        at += 1;
    }
    let alias = prefix.last().cloned();
    vec![(prefix, alias)]
}

/// `prefix::{path}`; `prefix::{self}` is `prefix`.
fn join(prefix: &[String], path: Vec<String>, alias: Option<String>) -> (Vec<String>, Option<String>) {
    let mut whole = prefix.to_vec();
    if !prefix.is_empty() && path.first().is_some_and(|first| first == "self") {
        let name = if alias.as_deref() == Some("self") { prefix.last().cloned() } else { alias };
        return (whole, name);
    }
    whole.extend(path);
    (whole, alias)
}

/// Splits at the commas that no brace encloses.
fn split<'a, 'b>(tokens: &'b [&'a str]) -> Vec<&'b [&'a str]> {
    let mut depth = 0;
    let parts = tokens.split(move |token| {
        match *token {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        *token == "," && depth == 0
    });
    parts.filter(|part| !part.is_empty()).collect()
}
