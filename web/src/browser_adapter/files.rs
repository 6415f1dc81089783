//! Files that are saved and opened.

use crate::state::scope::Answer;

use super::BrowserAdapter;
use crate::port::file;
use crate::state::browser::{FilePart, Files};

impl Files for BrowserAdapter {
    fn collect(&self, at: u64, piece: &[u8]) {
        self.download.borrow_mut().take(at, piece);
    }

    fn save(&self, name: &str) {
        self.download.borrow_mut().save(name);
    }

    fn read_file(&self, input: &str, at: u64, length: u64, then: Answer<Option<FilePart>>) {
        file::read(input, at, length, move |part| then.run(part));
    }
}
