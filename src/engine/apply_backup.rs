//! Restores an account from a backup file.
//!
//! The page sends the file piece by piece. Each piece is decrypted and verified on arrival, and its rows are sealed
//! under this browser's own key; nothing is written until the last one has been verified. Then one transaction replaces
//! the whole store, and the engine boots from it: it claims the account at the partner server before it connects. What
//! this module does not know: the file's format (`crate::backup`), and how current it is (`connect.rs`).

use super::restore::{Contents, Restoring};
use super::state::{Engine, Purpose};
use crate::backup::contents::{Kind, Manifest};
use crate::backup::format::{HEADER, LockedFile, MAX_FILE_BYTES};
use crate::backup::kdf::Keys;
use crate::compute::{Computation, ComputeFailure};
use crate::enlist::device;
use crate::id::CommandTag;
use crate::io::UnixMillis;
use crate::model::{DeviceId, Identifier};
use crate::store::account::{Account, Stale};
use crate::store::changes::{Change, Changes, Table};
use crate::store::row_key;
use crate::store::{paged::NotLoaded, row::Row};
use crate::view::{Issue, Restore, Stage};
use causeway_proto::width;
use rand_core::CryptoRng;

impl Engine {
    /// Handles a piece. Returns its result, except for the last one, which completes with the transaction.
    ///
    /// # Errors
    /// [`NotLoaded`] for the last piece while a transaction is in progress; the queue retries it.
    pub(super) fn restore(
        &mut self,
        tag: CommandTag,
        piece: &Restore,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<Option<Issue>, NotLoaded> {
        let end = piece.at.saturating_add(width::to_u64(piece.piece.len()));
        if end >= piece.total && self.group_commit.is_writing() {
            return Err(NotLoaded);
        }
        if first_of(piece).is_none()
            && piece.at == 0
            && self.backups.restoring.as_ref().is_none_or(|restoring| restoring.first != tag)
        {
            match self.begin_restore(tag, piece).transpose().ok_or(NotLoaded)? {
                Ok(restoring) => self.backups.restoring = Some(restoring),
                Err(issue) => {
                    self.backups.restoring = None;
                    return Ok(Some(issue));
                }
            }
        }
        match self.take_piece(tag, piece, rng) {
            Ok(None) => Ok(Some(Issue::None)),
            Ok(Some((manifest, account, changes))) => {
                Ok(self.replace_all(tag, &manifest, account, changes, now, rng).err())
            }
            Err(issue) => {
                self.backups.restoring = None;
                Ok(Some(issue))
            }
        }
    }

    /// The file, opened; `None` while its keys are being derived.
    fn begin_restore(&mut self, tag: CommandTag, piece: &Restore) -> Result<Option<Restoring>, Issue> {
        if self.records.account().keys.is_some() && !piece.replace {
            return Err(Issue::RestoreWouldReplace);
        }
        if piece.total > MAX_FILE_BYTES {
            return Err(Issue::BackupTooLarge);
        }
        let (file, _) = LockedFile::read(&piece.piece)?;
        let Some((_, keys)) = self.backups.restore_keys.take_if(|(asked, _)| *asked == tag) else {
            if !self.computations.any(|purpose| matches!(purpose, Purpose::Restore { tag: asked } if *asked == tag)) {
                let derivation = file.derivation(&piece.passphrase);
                self.compute(Purpose::Restore { tag }, Computation::BackupKeys(derivation));
            }
            return Ok(None);
        };
        let reader = file.open(&keys?)?;
        Ok(Some(Restoring { first: tag, total: piece.total, taken: 0, reader, contents: Contents::default() }))
    }

    /// The keys of the file are derived, or cannot be: the command that waits for them is tried again.
    pub(super) fn restore_keyed(&mut self, tag: CommandTag, keys: Result<Keys, ComputeFailure>) {
        self.backups.restore_keys = Some((tag, keys));
        self.queue.retry();
    }

    /// Everything in the file once it is complete.
    fn take_piece(
        &mut self,
        tag: CommandTag,
        piece: &Restore,
        rng: &mut dyn CryptoRng,
    ) -> Result<Option<(Manifest, Account, Changes)>, Issue> {
        let end = piece.at.saturating_add(width::to_u64(piece.piece.len()));
        let account = self.records.account();
        let signed_in =
            (account.stage != Stage::SignedOut).then(|| Identifier::to_field(account.identifier.as_ref()).to_owned());
        let first = first_of(piece).unwrap_or(tag);
        let mut restoring = self
            .backups
            .restoring
            .take()
            .filter(|restoring| restoring.first == first && restoring.total == piece.total)
            .ok_or(Issue::RestoreInterrupted)?;
        if end <= restoring.taken {
            // A duplicate.
            self.backups.restoring = Some(restoring);
            return Ok(None);
        }
        if piece.at != restoring.taken {
            return Err(Issue::RestoreInterrupted);
        }
        // The header was read when the restore began.
        let header = if piece.at == 0 { HEADER } else { 0 };
        let bytes = piece.piece.get(header..).unwrap_or_default();
        restoring.taken = end;
        restoring.reader.feed(bytes, restoring.contents.unpacker.plain())?;
        restoring.contents.drain(&self.sealer, signed_in.as_deref(), rng)?;
        if restoring.taken < restoring.total {
            self.backups.restoring = Some(restoring);
            return Ok(None);
        }
        let Restoring { reader, mut contents, .. } = restoring;
        reader.finish(contents.unpacker.plain())?;
        contents.drain(&self.sealer, signed_in.as_deref(), rng)?;
        let Contents { unpacker, manifest, account, changes } = contents;
        unpacker.finish()?;
        match (manifest, account) {
            (Some(manifest), Some(account)) => Ok(Some((manifest, account, changes))),
            _ => Err(Issue::BackupDamaged),
        }
    }

    /// Replaces the whole store with the rows of the file, in one transaction; then boots from it.
    fn replace_all(
        &mut self,
        tag: CommandTag,
        manifest: &Manifest,
        mut account: Account,
        mut rows: Changes,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), Issue> {
        // Rows of a browser that continued, or had not completed its own restore, are older than the account.
        if manifest.kind() == Kind::Backup || account.claim_from.is_some() {
            account.stale = Stale::Sessions;
        }
        if manifest.kind() == Kind::Backup {
            account.backed_up_at = UnixMillis::from_field(manifest.created);
        }
        account.claim_from = DeviceId::from_field(&manifest.device);
        account.device = Some(device::random(rng));
        account.moved_at = None;
        account.lost_at = None;
        account.replaced = false;
        let row = self.sealer.seal(Table::Account, row_key::ACCOUNT, &account.to_bytes(), rng);
        let row = row.map_err(|_| Issue::BackupDamaged)?;
        rows.push(Change::Put(Table::Account, row_key::ACCOUNT.to_vec(), row));
        self.replace_store(tag, rows, now, rng);
        Ok(())
    }
}

/// The command that gave the first piece; `None` for that piece itself.
fn first_of(piece: &Restore) -> Option<CommandTag> {
    (piece.first != 0).then_some(CommandTag(piece.first))
}
