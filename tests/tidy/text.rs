//! Rules on any text, in any language. It must not know syntax.

use super::repository::File;

/// Marks of unfinished work, and names of one machine or network. In two halves, so that this file keeps its own rule.
const FORBIDDEN: [(&str, &str, &str); 9] = [
    ("TO", "DO", "finish it, or file it"),
    ("FIX", "ME", "finish it, or file it"),
    ("XX", "X", "finish it, or file it"),
    ("todo", "!(", "finish it"),
    ("unimple", "mented!(", "finish it"),
    ("/wo", "rk/", "a path of one machine"),
    ("/ro", "ot/", "a path of one machine"),
    ("/ho", "me/", "a path of one machine"),
    ("arti", "factory", "a host of one network"),
];

/// Nothing unfinished, and nothing that is true on one machine only.
pub(crate) fn forbidden(file: &File) -> Vec<String> {
    let mut offences = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        // Digests hold any letters.
        if file.name() == "package-lock.json" && line.trim_start().starts_with("\"integrity\":") {
            continue;
        }
        for (head, tail, why) in FORBIDDEN {
            if line.contains(&format!("{head}{tail}")) {
                offences.push(format!("{}:{}: {head}{tail}: {why}", file.path, number + 1));
            }
        }
        // npm writes the address of each package into package-lock.json unless .npmrc forbids it.
        if file.name() == "package-lock.json" && line.contains("\"resolved\": \"http") {
            offences.push(format!(
                "{}:{}: a registry's address; set omit-lockfile-registry-resolved",
                file.path,
                number + 1
            ));
        }
    }
    offences
}

/// The page's policy allows no inline script, style or handler; an HTML file must not need one.
pub(crate) fn no_inline_script(file: &File) -> Vec<String> {
    if !(file.path.ends_with(".html") && file.within("web/")) {
        return Vec::new();
    }
    let mut offences = Vec::new();
    for part in ["<script>", "<style", " style=", " onclick=", " onload=", " onerror=", "javascript:"] {
        if file.text.contains(part) {
            offences.push(format!("{}: `{}`; the policy forbids it", file.path, part.trim()));
        }
    }
    offences
}
