//! Files that are saved and opened.

use crate::state::scope::Answer;

/// A part of a file: the whole file's length, and the part's bytes.
pub type FilePart = (u64, Vec<u8>);

/// Files that are saved and opened.
pub trait Files {
    /// Collects a piece of a file that is to be saved; a piece at offset 0 begins a new file.
    fn collect(&self, at: u64, piece: &[u8]);
    /// Saves what was collected as a download of this name.
    fn save(&self, name: &str);
    /// Reads a part of the file that is chosen in the input of an id: the whole file's length and the part's bytes, or
    /// nothing if there is no such file, or no such part.
    fn read_file(&self, input: &str, at: u64, length: u64, then: Answer<Option<FilePart>>);
}
