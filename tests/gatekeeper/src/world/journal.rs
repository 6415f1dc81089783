//! An append-only file of events, one JSON object a line.
//!
//! Written before an answer leaves, so that killing the process loses nothing that was acknowledged. It is flushed to
//! the operating system, not to the platter: a sandbox need not outlive a power cut. A torn last line (the process died
//! while writing) is dropped on opening; any other damage is an error, named by its line.

use super::event::Event;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

const FILE: &str = "journal.jsonl";

/// Why the state could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("{FILE} in the data folder: {0}")]
    Io(#[from] std::io::Error),
    /// A line that is no event.
    #[error("{FILE} in the data folder is damaged at line {line}: {error}; delete the folder to start afresh")]
    Damaged {
        /// Counted from 1.
        line: usize,
        /// The parser's error.
        error: serde_json::Error,
    },
    /// An event could not be written as JSON.
    #[error("an event cannot be written: {0}")]
    Encode(serde_json::Error),
}

/// The open file, positioned at its end.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens the file, or makes it, and returns what it holds, oldest first.
    pub(super) fn open(folder: &Path) -> Result<(Self, Vec<Event>), JournalError> {
        let path = folder.join(FILE);
        let file = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
        let events = read(&file)?;
        Ok((Self { path, file }, events))
    }

    /// Records events. Either all are in the file afterwards, or the caller must not act on any.
    pub(super) fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        let mut bytes = Vec::new();
        for event in events {
            serde_json::to_writer(&mut bytes, event).map_err(JournalError::Encode)?;
            bytes.push(b'\n');
        }
        let end = self.file.metadata()?.len();
        if let Err(error) = self.file.write_all(&bytes) {
            // Half a line in the middle would make the whole file unreadable.
            self.file.set_len(end)?;
            return Err(error.into());
        }
        Ok(())
    }

    /// Replaces the whole file by these events: acknowledged mail and used keys take no space any more.
    pub(super) fn rewrite(&mut self, events: &[Event]) -> Result<(), JournalError> {
        let fresh = self.path.with_extension("new");
        let mut writer = BufWriter::new(File::create(&fresh)?);
        for event in events {
            serde_json::to_writer(&mut writer, event).map_err(JournalError::Encode)?;
            writer.write_all(b"\n")?;
        }
        writer.into_inner().map_err(|error| error.into_error())?.sync_all()?;
        std::fs::rename(&fresh, &self.path)?;
        self.file = OpenOptions::new().append(true).open(&self.path)?;
        Ok(())
    }
}

fn read(file: &File) -> Result<Vec<Event>, JournalError> {
    let mut reader = BufReader::new(file);
    let mut events = Vec::new();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 || line.last() != Some(&b'\n') {
            break;
        }
        events.push(serde_json::from_slice(&line).map_err(|error| JournalError::Damaged { line: number, error })?);
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixSeconds;
    use causeway_proto::jid::Jid;

    fn seen(second: u64) -> Event {
        Event::Seen { who: Jid::user("14155550100"), at: UnixSeconds::new(second) }
    }

    #[test]
    fn a_torn_last_line_is_forgotten_and_the_rest_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path()).unwrap();
        journal.append(&[seen(1), seen(2)]).unwrap();
        journal.file.write_all(b"{\"event\":\"se").unwrap();
        let (_, events) = Journal::open(folder.path()).unwrap();
        assert_eq!(events, [seen(1), seen(2)]);
    }

    #[test]
    fn damage_in_the_middle_is_an_error_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path()).unwrap();
        journal.append(&[seen(1)]).unwrap();
        journal.file.write_all(b"rubbish\n").unwrap();
        journal.append(&[seen(2)]).unwrap();
        assert!(matches!(Journal::open(folder.path()), Err(JournalError::Damaged { line: 2, .. })));
    }

    #[test]
    fn after_a_rewrite_appending_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path()).unwrap();
        journal.append(&[seen(1), seen(2)]).unwrap();
        journal.rewrite(&[seen(3)]).unwrap();
        journal.append(&[seen(4)]).unwrap();
        assert_eq!(Journal::open(folder.path()).unwrap().1, [seen(3), seen(4)]);
    }
}
