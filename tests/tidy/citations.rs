//! The rule that every citation leads somewhere: the document is in this repository and has the section, and a path that
//! is named exists. It must not know what a document says.

use super::repository::File;
use std::collections::BTreeSet;

/// Endings of files whose text is checked.
const WRITTEN: [&str; 9] = [".rs", ".js", ".mjs", ".css", ".md", ".toml", ".proto", ".html", "Makefile"];
/// Scripts without an ending.
const SCRIPTS: [&str; 4] = ["tests/toolchain/", "tests/soak/", "tests/simulate/mutants/", ".ci/"];
/// Files of offences that do not exist.
const ALLOWED: [&str; 1] = ["tests/tidy/"];
/// Public standards: their sections are cited without a file.
const STANDARDS: [&str; 4] = ["RFC ", "OpenID Connect Core", "FIPS ", "WebAuthn"];
/// Folders with which a path in a text begins.
const FOLDERS: [&str; 8] = ["proto/", "src/", "web/", "partner/", "tests/", "benches/", "docs/", ".ci/"];

/// One offence for each citation that leads nowhere.
pub(crate) fn citations(files: &[File]) -> Vec<String> {
    let known = Known::of(files);
    files.iter().filter(|file| is_checked(file)).flat_map(|file| offences(file, &known)).collect()
}

fn is_checked(file: &File) -> bool {
    let script = !file.name().contains('.') && SCRIPTS.iter().any(|folder| file.within(folder));
    !ALLOWED.iter().any(|folder| file.within(folder))
        && (script || WRITTEN.iter().any(|ending| file.path.ends_with(ending)))
}

/// Folders that a build makes.
const BUILT: [&str; 3] = [".run/", "dist/", "target/"];
/// Endings of paths that are checked outside of Markdown, too. Others may be made by a build.
const SOURCES: [&str; 6] = [".rs", ".js", ".mjs", ".css", ".proto", ".toml"];

/// What can be cited.
struct Known<'a> {
    /// Every file and every folder, without a last slash.
    paths: BTreeSet<&'a str>,
    /// Document and number of each numbered heading.
    sections: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Known<'a> {
    fn of(files: &'a [File]) -> Self {
        let mut paths = BTreeSet::new();
        let mut sections = BTreeSet::new();
        for file in files {
            let path = file.path.as_str();
            paths.insert(path);
            paths.extend(path.match_indices('/').map(|(at, _)| &path[..at]));
            if path.ends_with(".md") {
                let headings = file.text.lines().filter_map(|line| line.strip_prefix('#'));
                let numbers = headings.filter_map(|heading| heading.trim_start_matches('#').split_whitespace().next());
                sections.extend(numbers.map(|number| (path, number.trim_end_matches('.'))));
            }
        }
        Self { paths, sections }
    }

    /// The file or folder that `named` means in `file`: from the root, from the file's folder, or from a folder above it.
    fn resolve(&self, file: &File, named: &str) -> Option<&'a str> {
        let mut folder = file.path.as_str();
        while let Some((above, _)) = folder.rsplit_once('/') {
            folder = above;
            if let Some(found) = self.paths.get(normal(&format!("{folder}/{named}")).as_str()) {
                return Some(found);
            }
        }
        self.paths.get(normal(named).as_str()).copied()
    }
}

/// A path without `.` and `..`, and without a last slash.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn offences(file: &File, known: &Known<'_>) -> Vec<String> {
    let text = joined(&file.text);
    let mut found = outside(&text);
    // The document whose sections are cited at this place of the text; in Markdown, the file itself.
    let own = file.path.ends_with(".md").then_some(file.path.as_str());
    for paragraph in text.split('\n') {
        let mut document = own;
        let mut standard = false;
        for word in paragraph.split_inclusive([' ', ',', '(', ')', '`', '"', '|', '[', ']', '<', '>']) {
            let bare = word.trim_end_matches([' ', ',', '(', ')', '`', '"', '|', '[', ']', '<', '>']);
            let bare = bare.trim_end_matches(['.', ':', '?', '!', '\'']);
            if let Some(section) = bare.strip_prefix('§') {
                let number = section.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
                match document {
                    _ if standard => {}
                    None => found.push(format!("§{number}: of which document?")),
                    Some(document) if known.sections.contains(&(document, number)) => {}
                    Some(document) => found.push(format!("{document} has no section {number}")),
                }
            } else if is_path(bare, own.is_some()) {
                match known.resolve(file, bare) {
                    None => {
                        found.push(format!("{bare}: no such file"));
                        // One offence is enough: its sections are not asked for.
                        standard = true;
                    }
                    Some(path) if path.ends_with(".md") => (document, standard) = (Some(path), false),
                    Some(_) => {}
                }
            }
            let until = &paragraph[..word.as_ptr().addr() - paragraph.as_ptr().addr() + word.len()];
            if word.trim_end().ends_with([')', '.']) {
                // A sentence or a parenthesis ends: what follows names its document again.
                (document, standard) = (own, false);
            }
            standard |= STANDARDS.iter().any(|name| until.ends_with(name) || until.trim_end().ends_with(name));
        }
    }
    found.iter().map(|what| format!("{}: {what}", file.path)).collect()
}

/// Whether a word is the path of a document or of another file of ours; in Markdown, of a folder, too.
fn is_path(word: &str, markdown: bool) -> bool {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "._-/".contains(c));
    let begins = FOLDERS.iter().any(|folder| word.starts_with(folder)) && !word.contains("...");
    let document = word.len() > 3 && word.ends_with(".md");
    let file = SOURCES.iter().any(|ending| word.ends_with(ending));
    let made = BUILT.iter().any(|folder| word.starts_with(folder));
    plain && !made && (document || begins && (markdown || file))
}

/// The text with each paragraph on one line, and without the marks of comments.
fn joined(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = "";
    for line in text.lines() {
        let line = line.trim();
        let mark =
            ["//!", "///", "//", "#", "*", "--"].into_iter().find(|mark| line.starts_with(mark)).unwrap_or_default();
        let heading = mark == "#" && line.starts_with("# ") && before.is_empty();
        let joins = !line.is_empty() && mark == before && !heading && !line.starts_with(['|', '-']);
        out.push(if joins { ' ' } else { '\n' });
        out.push_str(line[mark.len()..].trim_start());
        before = if line.is_empty() { "\n" } else { mark };
    }
    out
}

/// References to documents that are not in the repository.
fn outside(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (head, what) in
        [("seed 0", "a seed"), ("issue ", "an issue"), ("shared/s", "a folder outside"), ("R", "a requirement")]
    {
        for (at, _) in text.match_indices(head) {
            let after = &text[at + head.len()..];
            let digits = after.chars().take_while(char::is_ascii_digit).count();
            let alone = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let ends = !after[digits..].starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
            let cited = match head {
                "shared/s" => after.starts_with("pec") || after.starts_with("eeds"),
                "R" => alone && ends && (1..=2).contains(&digits) && !text[..at].ends_with('`'),
                _ => alone && digits > 0,
            };
            if cited {
                found.push(format!("`{head}{}`: {what} is no document of this repository", &after[..digits]));
            }
        }
    }
    found
}
