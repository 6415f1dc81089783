//! More than one browser profile of the same person, and the backup files that go between them.

use super::{World, engine};
use causeway::engine::Engine;
use causeway::io::Input;
use causeway::store::memory::{MemoryPlace, MemoryStore};
use causeway::view::{Action, Command, Export, Issue, News, Restore};

/// What makes a browser profile: what it keeps, and who is signed in there.
pub(crate) struct Browser {
    engine: Engine,
    place: MemoryPlace,
    store: MemoryStore,
    data_key: [u8; 32],
    signed_in: Option<String>,
}

impl World {
    /// Puts the browser aside and takes another one, never used before.
    pub(crate) fn fresh_browser(&mut self) -> Browser {
        let place = MemoryPlace::default();
        let data_key = self.data_key.map(|byte| byte + 1);
        let fresh = Browser { engine: engine(data_key), store: place.open_now(), place, data_key, signed_in: None };
        let old = self.swap_browser(fresh);
        self.input(Input::Started);
        old
    }

    /// Puts the browser aside and takes another one. The one put aside is closed, as far as the servers see.
    pub(crate) fn swap_browser(&mut self, mut other: Browser) -> Browser {
        self.cut();
        self.held.clear();
        self.held_loads.clear();
        self.held_requests.clear();
        self.updates.clear();
        std::mem::swap(&mut self.engine, &mut other.engine);
        std::mem::swap(&mut self.place, &mut other.place);
        std::mem::swap(&mut self.store, &mut other.store);
        std::mem::swap(&mut self.data_key, &mut other.data_key);
        std::mem::swap(&mut self.servers.signed_in, &mut other.signed_in);
        self.wake_at = None;
        other
    }

    /// Makes a backup file, or says why there is none.
    pub(crate) fn export(&mut self, passphrase: &str, hand_over: bool) -> Result<Vec<u8>, Issue> {
        let tag = self.next_tag();
        let export = Export { passphrase: passphrase.into(), hand_over };
        self.input(Input::Command(Command { tag, action: Some(Action::Export(export)), ..Command::default() }));
        self.exported(tag)
    }

    /// The file that the command of this tag led to: its pieces join without a gap, and the last one ends it.
    pub(crate) fn exported(&mut self, tag: u64) -> Result<Vec<u8>, Issue> {
        match self.done(tag).expect("no answer").issue() {
            Issue::None => {}
            issue => return Err(issue),
        }
        let mut file = Vec::new();
        let mut ended = false;
        for update in &self.updates {
            let Some(News::BackupPiece(piece)) = &update.news else { continue };
            if piece.tag != tag {
                continue;
            }
            if piece.at == 0 {
                file.clear();
            }
            assert_eq!(piece.at, file.len() as u64, "a gap in the file");
            file.extend_from_slice(&piece.bytes);
            ended = piece.last;
        }
        assert!(ended, "the file does not end");
        Ok(file)
    }

    /// Gives a backup file to this browser in pieces of this many bytes, until it is taken or refused.
    pub(crate) fn restore_in(&mut self, passphrase: &str, file: &[u8], piece: usize, replace: bool) -> Issue {
        let (mut first, mut at) = (0, 0);
        for bytes in file.chunks(piece) {
            let tag = self.next_tag();
            let passphrase = if first == 0 { passphrase.to_owned() } else { String::new() };
            let piece = Restore { passphrase, piece: bytes.to_vec(), at, total: file.len() as u64, first, replace };
            self.input(Input::Command(Command { tag, action: Some(Action::Restore(piece)), ..Command::default() }));
            let issue = self.done(tag).expect("no answer").issue();
            if issue != Issue::None {
                return issue;
            }
            first = if first == 0 { tag } else { first };
            at += bytes.len() as u64;
        }
        Issue::None
    }

    pub(crate) fn restore(&mut self, passphrase: &str, file: &[u8]) -> Issue {
        self.restore_in(passphrase, file, 10_000, false)
    }
}
