//! Rules on the length of files. It must not know what a file contains.

use super::repository::File;
use super::syntax::production;

/// Lines of any source file, its tests included.
const MOST_LINES: usize = 500;
/// Lines of a component of the page, its tests excluded.
const MOST_LINES_UI: usize = 300;
/// Median of the lines of Rust files.
const MOST_MEDIAN: usize = 120;
/// Languages that are written by hand. Lock files, vectors and other data are not.
const WRITTEN: [&str; 4] = [".rs", ".js", ".mjs", ".css"];

/// No source file is longer than [`MOST_LINES`], no component of the page longer than [`MOST_LINES_UI`].
pub(crate) fn length(file: &File) -> Vec<String> {
    if !WRITTEN.iter().any(|ending| file.path.ends_with(ending)) {
        return Vec::new();
    }
    let ui = file.within("web/src/ui/");
    let (lines, most) = match ui {
        true => (production(file).lines().count(), MOST_LINES_UI),
        false => (file.text.lines().count(), MOST_LINES),
    };
    if lines <= most {
        return Vec::new();
    }
    vec![format!("{}: {lines} lines, at most {most}: split it by idea", file.path)]
}

/// Half of the Rust files have at most [`MOST_MEDIAN`] lines.
pub(crate) fn median(files: &[File]) -> Vec<String> {
    let mut lengths: Vec<usize> =
        files.iter().filter(|file| file.is_rust()).map(|file| file.text.lines().count()).collect();
    lengths.sort_unstable();
    match lengths.get(lengths.len() / 2) {
        Some(median) if *median > MOST_MEDIAN => {
            vec![format!("the median Rust file has {median} lines, at most {MOST_MEDIAN}")]
        }
        _ => Vec::new(),
    }
}
