//! The files of the repository, as text, without what builds and tools leave behind. It must not know any rule.

use std::{fs, path::Path};

/// One file of the repository.
pub(crate) struct File {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    /// The whole file; empty if it is not UTF-8.
    pub(crate) text: String,
}

impl File {
    /// Whether the file lies in (or under) `folder`, which ends in `/`.
    pub(crate) fn within(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    /// Whether this is Rust source.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// What builds, tools and git leave behind.
const NOT_OURS: [&str; 6] = [".git", ".run", "dist", "node_modules", "target", "artifacts"];

/// Every file of the repository, sorted by path.
pub(crate) fn files() -> Vec<File> {
    let mut found = Vec::new();
    walk(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<File>) {
    let mut entries = fs::read_dir(folder).unwrap();
    while let Some(Ok(entry)) = entries.next() {
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().unwrap();
        if NOT_OURS.contains(&name.as_str()) {
            continue;
        } else if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), found);
        } else if kind.is_file() {
            // What is not UTF-8 is a picture or an input of the fuzzers: it can be cited, not read.
            let text = String::from_utf8(fs::read(entry.path()).unwrap()).unwrap_or_default();
            found.push(File { path, text });
        }
    }
}
