//! A backup file that is being read: the parts verified so far.

use crate::backup::contents::{Entry, Manifest, Row as Packed, Unpacker};
use crate::backup::format::Reader;
use crate::id::CommandTag;
use crate::store::account::Account;
use crate::store::changes::{Change, Changes, Table};
use crate::store::records;
use crate::store::row::Row;
use crate::store::row_key;
use crate::store::seal::Sealer;
use crate::view::{Issue, Stage};
use rand_core::CryptoRng;

/// A file that is being read.
pub(super) struct Restoring {
    /// Tag of the command that gave the first piece.
    pub(super) first: CommandTag,
    pub(super) total: u64,
    /// Bytes taken.
    pub(super) taken: u64,
    pub(super) reader: Reader,
    pub(super) contents: Contents,
}

/// What was in it so far.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) unpacker: Unpacker,
    pub(super) manifest: Option<Manifest>,
    pub(super) account: Option<Account>,
    pub(super) changes: Changes,
}

impl Contents {
    /// Takes what the unpacker holds; rows are sealed under the key of this browser.
    pub(super) fn drain(
        &mut self,
        sealer: &Sealer,
        signed_in: Option<&str>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), Issue> {
        let Self { unpacker, manifest, account, changes } = self;
        unpacker.drain(|entry| match entry {
            Entry::Manifest(manifest_read) => {
                if signed_in.is_some_and(|identifier| identifier != manifest_read.identifier) {
                    return Err(Issue::BackupOtherAccount);
                }
                if manifest_read.device.is_empty() {
                    return Err(Issue::BackupDamaged);
                }
                *manifest = Some(manifest_read);
                Ok(())
            }
            Entry::Row(row) => take_row(&row, account, changes, sealer, rng),
            Entry::End(_) => Ok(()),
        })
    }
}

fn take_row(
    packed: &Packed,
    account: &mut Option<Account>,
    changes: &mut Changes,
    sealer: &Sealer,
    rng: &mut dyn CryptoRng,
) -> Result<(), Issue> {
    let table = Table::of_number(packed.table).ok_or(Issue::BackupTooNew)?;
    if table == Table::Account {
        let read = Account::from_bytes(&packed.row).map_err(|_| Issue::BackupDamaged)?;
        let usable = read.stage == Stage::Enlisted && read.keys.is_some() && packed.key == row_key::ACCOUNT;
        if !usable || account.replace(read).is_some() {
            return Err(Issue::BackupDamaged);
        }
        return Ok(());
    }
    // A row that does not decode would otherwise be found only when it is used.
    records::check(table, &packed.row).map_err(|_| Issue::BackupDamaged)?;
    let sealed = sealer.seal(table, &packed.key, &packed.row, rng).map_err(|_| Issue::BackupTooLarge)?;
    changes.push(Change::Put(table, packed.key.clone(), sealed));
    Ok(())
}
