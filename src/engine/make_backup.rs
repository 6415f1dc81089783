//! Makes a backup file: a consistent view of the store at one moment.
//!
//! ```text
//!   requested ── keys derived ── everything before it is durable ──▶ reading, page by page ──▶ the last piece
//!                                (for a hand-over: its mark, too)       nothing is written, tasks wait
//! ```
//!
//! No read transaction spans the pages; instead no write transaction starts between them, so that all pages show the
//! same moment. Tasks that arrive meanwhile wait in the queue. The pieces are encrypted; the page never sees a key.
//! What this module does not know: the file's format (`crate::backup`), and where the page stores it.

use super::export::{Export, Reading, State};
use super::state::{Engine, Purpose, Read};
use crate::backup::contents::{End, Entry, FORMAT, Kind, Manifest, Row, pack};
use crate::backup::format::UnkeyedFile;
use crate::backup::kdf::Keys;
use crate::backup::passphrase::{Strength, strength};
use crate::compute::{Computation, ComputeFailure};
use crate::enlist::device;
use crate::id::CommandTag;
use crate::io::{Output, StoreFailure, UnixMillis};
use crate::model::{DeviceId, Identifier};
use crate::store::changes::{Query, Rows, Table};
use crate::view::{self, BackupPiece, Issue, MAX_UPDATE, News, Stage, Update};
use causeway_proto::width;
use rand_core::CryptoRng;

/// Rows of the first page that is read. Later ones grow and shrink with the bytes that come.
const FIRST_PAGE: u32 = 32;
/// Most rows of a page.
const MAX_PAGE: u32 = 256;
/// Bytes of a page of rows: with more, the next one has fewer rows.
const PAGE_BYTES: usize = 1 << 20;

impl Engine {
    /// Starts an export. Returns the issue if it cannot; otherwise the command completes with the last piece.
    pub(super) fn export(&mut self, tag: CommandTag, command: &view::Export, rng: &mut dyn CryptoRng) -> Option<Issue> {
        if let Some(export) = &self.backups.export {
            return (export.tag != tag).then_some(Issue::BackupBusy);
        }
        let account = self.records.account();
        if account.stage != Stage::Enlisted || account.keys.is_none() {
            return Some(Issue::NotYetEnlisted);
        }
        if strength(&command.passphrase) == Strength::Refused {
            return Some(Issue::PassphraseTooWeak);
        }
        if account.device.is_none() {
            self.records.change_account().device = Some(device::random(rng));
        }
        let kind = if command.hand_over { Kind::HandOver } else { Kind::Backup };
        let file = UnkeyedFile::draw(self.backups.argon2_cost, rng);
        self.compute(Purpose::Export, Computation::BackupKeys(file.derivation(&command.passphrase)));
        self.backups.export = Some(Export { tag, kind, state: State::Deriving(file) });
        None
    }

    /// The keys of the file are derived, or cannot be: a hand-over takes effect only now.
    pub(super) fn export_keyed(
        &mut self,
        keys: Result<Keys, ComputeFailure>,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) {
        let Some(export) = self.backups.export.take_if(|export| matches!(export.state, State::Deriving(_))) else {
            return;
        };
        let Export { tag, kind, state: State::Deriving(file) } = export else { return };
        let keys = match keys {
            Ok(keys) => keys,
            Err(failure) => return self.done(tag, failure.into()),
        };
        if kind == Kind::HandOver && self.records.account().moved_at.is_none() {
            self.records.change_account().moved_at = Some(now.max(UnixMillis(1)));
            self.group_commit.show_account();
            self.channel.stop(Issue::MovedElsewhere, now, rng);
        }
        self.backups.export = Some(Export { tag, kind, state: State::Waiting(Box::new(file.begin(keys))) });
    }

    /// Everything before the export is durable, and nothing is being written: starts to read.
    pub(super) fn begin_export(&mut self, now: UnixMillis) {
        let Some(export) = self.backups.export.take_if(|export| matches!(export.state, State::Waiting(_))) else {
            return;
        };
        let Export { tag, kind, state: State::Waiting(mut writer) } = export else { return };
        let expected = self.rows_expected();
        let account = self.records.account();
        let manifest = Manifest {
            format: FORMAT,
            created: now.0,
            kind: kind.into(),
            identifier: Identifier::to_field(account.identifier.as_ref()).to_owned(),
            device: DeviceId::to_field(account.device.as_ref()).to_owned(),
            client_version: self.client_version.clone(),
        };
        if let Err(error) = writer.write(&pack(Entry::Manifest(manifest))) {
            return self.done(tag, error.into());
        }
        let reading = Reading {
            writer: *writer,
            tables: &Table::ALL,
            page: FIRST_PAGE,
            given: 0,
            rows: 0,
            left_out: 0,
            expected,
        };
        self.backups.export = Some(Export { tag, kind, state: State::Reading(Box::new(reading)) });
        self.next_page(Vec::new());
    }

    fn rows_expected(&self) -> u64 {
        let messages = self.records.chats.iter().map(|(_, chat)| chat.next_seq).fold(0, u64::saturating_add);
        let whole = self.records.chats.iter().count() * 2 + self.records.prekeys.iter().count();
        messages.saturating_mul(2).saturating_add(width::to_u64(whole) + 1)
    }

    fn next_page(&mut self, from: Vec<u8>) {
        let Some(Export { state: State::Reading(reading), .. }) = &self.backups.export else { return };
        if let Some(&table) = reading.tables.first() {
            let page = Query::Range { table, from, to: None, reverse: false, limit: reading.page };
            self.load(Read::Export, vec![page]);
        }
    }

    /// Handles the result of reading a page of rows.
    pub(super) fn exported(&mut self, page: Result<Rows, StoreFailure>, now: UnixMillis) {
        let Some(Export { tag, state: State::Reading(reading), .. }) = &mut self.backups.export else { return };
        let Ok(page) = page else { return self.end_export(Issue::StorageFailed) };
        let rows = page.into_iter().next().unwrap_or_default();
        let Some((&table, later)) = reading.tables.split_first() else { return };
        let full = rows.len() >= width::to_usize(reading.page);
        let bytes: usize = rows.iter().map(|(_, sealed)| sealed.len()).sum();
        reading.page = if bytes > PAGE_BYTES { reading.page / 2 } else { reading.page * 2 }.clamp(1, MAX_PAGE);
        let mut last_key = Vec::new();
        for (key, sealed) in rows {
            last_key.clone_from(&key);
            let Ok(row) = self.sealer.open(table, &key, &sealed) else {
                reading.left_out += 1;
                continue;
            };
            reading.rows += 1;
            let packed = pack(Entry::Row(Row { table: table.number().into(), key, row: row.to_vec() }));
            if let Err(error) = reading.writer.write(&packed) {
                return self.end_export(error.into());
            }
        }
        if !full {
            reading.tables = later;
        }
        let progress = reading.rows.saturating_mul(1000) / reading.expected.max(1);
        let piece = BackupPiece {
            tag: tag.0,
            at: reading.given,
            bytes: reading.writer.take(),
            progress: u32::try_from(progress).unwrap_or(u32::MAX).min(999),
            left_out: reading.left_out,
            last: false,
        };
        reading.given += width::to_u64(piece.bytes.len());
        if reading.tables.is_empty() {
            return self.finish_export(piece, now);
        }
        self.show_piece(piece);
        // The next key in byte order, if the table goes on.
        last_key.push(0);
        self.next_page(if full { last_key } else { Vec::new() });
    }

    fn finish_export(&mut self, mut piece: BackupPiece, now: UnixMillis) {
        let Some(Export { tag, kind, state: State::Reading(reading) }) = self.backups.export.take() else { return };
        let Reading { mut writer, rows, left_out, .. } = *reading;
        let end = writer.write(&pack(Entry::End(End { rows, left_out }))).and_then(|()| writer.finish());
        match end {
            Ok(mut end) => {
                piece.bytes.append(&mut end);
                piece.last = true;
                piece.progress = 1000;
                self.show_piece(piece);
                if kind == Kind::Backup {
                    self.records.change_account().backed_up_at = Some(now);
                    self.group_commit.show_account();
                }
                self.done(tag, Issue::None);
            }
            Err(error) => self.done(tag, error.into()),
        }
    }

    /// Sends a piece, divided if it is large. All of its content is durable already.
    fn show_piece(&mut self, piece: BackupPiece) {
        let (mut at, total) = (0, piece.bytes.len());
        for bytes in piece.bytes.chunks(MAX_UPDATE) {
            let begin = piece.at.saturating_add(width::to_u64(at));
            at += bytes.len();
            let part = BackupPiece { at: begin, bytes: bytes.to_vec(), last: piece.last && at == total, ..piece };
            self.out.push_back(Output::Update(Update::from(News::BackupPiece(part))));
        }
    }

    fn end_export(&mut self, issue: Issue) {
        if let Some(export) = self.backups.export.take() {
            self.done(export.tag, issue);
        }
    }
}
