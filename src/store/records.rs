//! Every row that is in memory, by table, and the passage to and from sealed rows.
//!
//! Some tables are held whole, others are read on demand. What this module does not know: the meaning of rows.

use super::account::Account;
use super::changes::{Change, Changes, Query, Rows, Table};
use super::chats::{ChatRow, MessageRow, PositionRow, UnknownRow};
use super::paged::{NotLoaded, Paged};
use super::prekeys::{OneTimePreKeyRow, SignedPreKeyRow};
use super::resident::Resident;
use super::row::{Row, RowError};
use super::row_cache::DirtyRow;
use super::row_key;
use super::seal::{SealError, Sealer};
use crate::id::MessageSeq;
use crate::model::{ChatId, Opened, Peer, PeerId, Recipient, StanzaId};
use crate::sorted_map::SortedMap;
use crate::sorted_set::SortedSet;
use causeway_proto::signal::SessionRecord;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Unchanged rows kept of each table that is read on demand.
const MAX_RESIDENT: usize = 512;
/// Bytes of unchanged rows kept of each table that is read on demand.
const MAX_RESIDENT_BYTES: usize = 4 << 20;
/// Rows read of a table that is held whole. A store that holds more was not written by us.
const WHOLE: u32 = 100_000;

/// Rows in memory.
#[derive(Default)]
pub struct Records {
    /// The account, one row.
    pub account: Resident<Account>,
    /// Our one-time prekeys.
    pub prekeys: Resident<OneTimePreKeyRow>,
    /// Our signed prekeys.
    pub signed_prekeys: Resident<SignedPreKeyRow>,
    /// Chats.
    pub chats: Resident<ChatRow>,
    /// People and their devices.
    pub peers: Resident<Peer>,
    /// The person that each alias stands for, by the alias as text. Follows `peers`. Boxed for the reason of
    /// `RowCache`: one copy of the map's code.
    pub aliases: SortedMap<String, Box<PeerId>>,
    /// People whose chats under other addresses are being joined to theirs. Follows `chats` and `aliases`.
    pub joining: Vec<PeerId>,
    /// Messages that were opened and not applied, by order.
    pub opened: Resident<Opened>,
    /// Recipients of messages that are not finished, by order.
    pub outbox: Resident<Recipient>,
    /// Sessions, by device.
    pub sessions: Paged<SessionRecord>,
    /// Messages, by chat and sequence number.
    pub messages: Paged<MessageRow>,
    /// Where the message of an id is.
    pub positions: Paged<PositionRow>,
    /// Stanzas that nobody understood; only written.
    pub unknown: Paged<UnknownRow>,
}

/// A row that does not open or does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DamagedRow {
    /// It does not open.
    #[error("a row of table {}: {error}", table.name())]
    Sealed {
        /// Where it is.
        table: Table,
        /// Why.
        error: SealError,
    },
    /// It does not decode.
    #[error(transparent)]
    Row(#[from] RowError),
}

/// The tables that are held whole, in the order of [`boot_queries`].
const WHOLE_TABLES: [Table; 7] =
    [Table::Account, Table::PreKey, Table::SignedPreKey, Table::Chat, Table::Outbox, Table::Peer, Table::Opened];

/// Reads every table that is held whole.
pub fn boot_queries() -> Vec<Query> {
    WHOLE_TABLES.into_iter().map(whole).collect()
}

/// Reads a whole table.
pub(crate) fn whole(table: Table) -> Query {
    Query::Range { table, from: Vec::new(), to: None, reverse: false, limit: WHOLE }
}

impl Records {
    /// Builds the records from the results of [`boot_queries`]. Damaged rows stay in the store and are returned as
    /// errors; their keys count as neither there nor absent.
    pub fn boot(rows: &Rows, sealer: &Sealer) -> (Self, Vec<DamagedRow>) {
        let (mut records, mut damaged) = (Self::default(), Vec::new());
        for (table, rows) in WHOLE_TABLES.into_iter().zip(rows) {
            for (key, sealed) in rows {
                if let Err(error) = records.put_sealed(table, key, Some(sealed), sealer) {
                    records.mark_damaged(table, key);
                    damaged.push(error);
                }
            }
        }
        for (_, peer) in records.peers.iter() {
            for alias in &peer.aliases {
                records.aliases.insert(alias.to_string(), Box::new(peer.id.clone()));
            }
        }
        (records, damaged)
    }

    fn mark_damaged(&mut self, table: Table, key: &[u8]) {
        match table {
            Table::PreKey => self.prekeys.mark_damaged(key),
            Table::SignedPreKey => self.signed_prekeys.mark_damaged(key),
            Table::Chat => self.chats.mark_damaged(key),
            Table::Outbox => self.outbox.mark_damaged(key),
            Table::Peer => self.peers.mark_damaged(key),
            // The message can never be applied; its id stays known.
            Table::Opened => {}
            // The engine stops.
            Table::Account => {}
            // Read on demand, see `loaded`.
            Table::Session | Table::Message | Table::MessageId | Table::Unknown => {}
        }
    }

    /// The account, for reading; an empty one if there is none yet.
    pub fn account(&mut self) -> &Account {
        self.account.get_or_default(row_key::ACCOUNT)
    }

    /// The account, for changing.
    pub fn change_account(&mut self) -> &mut Account {
        self.account.change_or_default(row_key::ACCOUNT)
    }

    /// Inserts rows that a look-up requested.
    ///
    /// # Errors
    /// [`DamagedRow`] for the last row that does not open or decode; it counts as absent. Only a message id stays known,
    /// as that of a message that is gone: otherwise the message would be taken, or sent, a second time.
    pub fn loaded(&mut self, queries: &[Query], rows: &Rows, sealer: &Sealer) -> Result<(), DamagedRow> {
        let mut result = Ok(());
        for (query, rows) in queries.iter().zip(rows) {
            let Query::Get(table, key) = query else { continue };
            let row = rows.first().map(|(_, sealed)| sealed.as_slice());
            if let Err(error) = self.put_sealed(*table, key, row, sealer) {
                result = Err(error);
                match table {
                    Table::MessageId => self.positions.loaded(key.clone(), Some(PositionRow { seq: None }), 0),
                    _ => drop(self.put_sealed(*table, key, None, sealer)),
                }
            }
        }
        result
    }

    /// A message of a chat, if there is one.
    ///
    /// # Errors
    /// [`NotLoaded`] when it is not in memory.
    pub fn message(&self, chat: &ChatId, seq: MessageSeq) -> Result<Option<&MessageRow>, NotLoaded> {
        self.messages.get(&row_key::message(chat, seq))
    }

    /// The message of a chat with this id, if there is one.
    ///
    /// # Errors
    /// [`NotLoaded`] when it, or the place of the id, is not in memory.
    pub fn message_of(&self, chat: &ChatId, outgoing: bool, id: &StanzaId) -> Result<Option<&MessageRow>, NotLoaded> {
        let position = self.positions.get(&row_key::message_id(chat, outgoing, id))?;
        let Some(seq) = position.and_then(|position| position.seq) else { return Ok(None) };
        self.message(chat, MessageSeq(seq))
    }

    fn put_sealed(
        &mut self,
        table: Table,
        key: &[u8],
        sealed: Option<&[u8]>,
        sealer: &Sealer,
    ) -> Result<(), DamagedRow> {
        // One copy of these functions for each kind of row: only what depends on the kind belongs in them.
        fn hold<R: Row>(rows: &mut Resident<R>, key: &[u8], row: Option<&[u8]>) -> Result<(), RowError> {
            rows.loaded(key.to_vec(), row.map(R::from_bytes).transpose()?);
            Ok(())
        }
        fn page<R: Row>(rows: &mut Paged<R>, key: &[u8], row: Option<&[u8]>) -> Result<(), RowError> {
            rows.loaded(key.to_vec(), row.map(R::from_bytes).transpose()?, row.map_or(0, <[u8]>::len));
            Ok(())
        }
        let row = sealed.map(|sealed| unseal(table, key, sealed, sealer)).transpose()?;
        let row = row.as_ref().map(|row| row.as_slice());
        let put = match table {
            Table::Account => hold(&mut self.account, key, row),
            Table::PreKey => hold(&mut self.prekeys, key, row),
            Table::SignedPreKey => hold(&mut self.signed_prekeys, key, row),
            Table::Session => page(&mut self.sessions, key, row),
            Table::Chat => hold(&mut self.chats, key, row),
            Table::Message => page(&mut self.messages, key, row),
            Table::MessageId => page(&mut self.positions, key, row),
            Table::Outbox => hold(&mut self.outbox, key, row),
            Table::Unknown => page(&mut self.unknown, key, row),
            Table::Peer => hold(&mut self.peers, key, row),
            Table::Opened => hold(&mut self.opened, key, row),
        };
        Ok(put?)
    }

    /// What look-ups missed since the last call.
    pub fn take_wanted(&mut self) -> Vec<Query> {
        let mut queries = Vec::new();
        let mut add = |table, keys: SortedSet<Vec<u8>>| {
            queries.extend(keys.into_iter().map(|key| Query::Get(table, key)));
        };
        add(Table::Session, self.sessions.take_wanted());
        add(Table::Message, self.messages.take_wanted());
        add(Table::MessageId, self.positions.take_wanted());
        queries
    }

    /// Something changed since the last [`take_changes`](Self::take_changes).
    pub fn is_dirty(&self) -> bool {
        self.account.is_dirty()
            || self.prekeys.is_dirty()
            || self.signed_prekeys.is_dirty()
            || self.chats.is_dirty()
            || self.outbox.is_dirty()
            || self.sessions.is_dirty()
            || self.messages.is_dirty()
            || self.positions.is_dirty()
            || self.unknown.is_dirty()
            || self.peers.is_dirty()
            || self.opened.is_dirty()
    }

    /// Everything that changed, sealed: each row once, however often it changed.
    ///
    /// # Errors
    /// [`DamagedRow`] for a row too large to seal.
    pub fn take_changes(&mut self, sealer: &Sealer, rng: &mut dyn CryptoRng) -> Result<Changes, DamagedRow> {
        let mut changes = Changes::new();
        let mut take = |table, rows: Vec<DirtyRow>| {
            for (key, row) in rows {
                changes.push(match row {
                    Some(row) => {
                        let sealed =
                            sealer.seal(table, &key, &row, rng).map_err(|error| DamagedRow::Sealed { table, error })?;
                        Change::Put(table, key, sealed)
                    }
                    None => Change::Delete(table, key),
                });
            }
            Ok::<_, DamagedRow>(())
        };
        take(Table::Account, self.account.take_dirty())?;
        take(Table::PreKey, self.prekeys.take_dirty())?;
        take(Table::SignedPreKey, self.signed_prekeys.take_dirty())?;
        take(Table::Session, self.sessions.take_dirty())?;
        take(Table::Chat, self.chats.take_dirty())?;
        take(Table::Message, self.messages.take_dirty())?;
        take(Table::MessageId, self.positions.take_dirty())?;
        take(Table::Outbox, self.outbox.take_dirty())?;
        take(Table::Unknown, self.unknown.take_dirty())?;
        take(Table::Peer, self.peers.take_dirty())?;
        take(Table::Opened, self.opened.take_dirty())?;
        Ok(changes)
    }

    /// The transaction made of the last [`take_changes`](Self::take_changes) is durable.
    pub fn written(&mut self) {
        self.account.written();
        self.prekeys.written();
        self.signed_prekeys.written();
        self.chats.written();
        self.outbox.written();
        self.sessions.written();
        self.messages.written();
        self.positions.written();
        self.unknown.written();
        self.peers.written();
        self.opened.written();
    }

    /// Evicts rows that can be read again. Only while no read is in progress, or a stale row could come back.
    pub fn trim(&mut self) {
        self.sessions.trim(MAX_RESIDENT, MAX_RESIDENT_BYTES);
        self.messages.trim(MAX_RESIDENT, MAX_RESIDENT_BYTES);
        self.positions.trim(MAX_RESIDENT, MAX_RESIDENT_BYTES);
        self.unknown.trim(0, 0);
    }
}

impl DamagedRow {
    /// Where it is.
    pub fn table(&self) -> Table {
        match self {
            Self::Sealed { table, .. } => *table,
            Self::Row(error) => error.table,
        }
    }
}

/// Opens and decodes one row.
///
/// # Errors
/// [`DamagedRow`].
pub fn open<R: Row>(key: &[u8], sealed: &[u8], sealer: &Sealer) -> Result<R, DamagedRow> {
    Ok(R::from_bytes(&unseal(R::TABLE, key, sealed, sealer)?)?)
}

fn unseal(table: Table, key: &[u8], sealed: &[u8], sealer: &Sealer) -> Result<Zeroizing<Vec<u8>>, DamagedRow> {
    sealer.open(table, key, sealed).map_err(|error| DamagedRow::Sealed { table, error })
}

/// Checks that an opened row decodes as one of its table.
///
/// # Errors
/// [`RowError`].
pub(crate) fn check(table: Table, row: &[u8]) -> Result<(), RowError> {
    match table {
        Table::Account => Account::from_bytes(row).map(drop),
        Table::PreKey => OneTimePreKeyRow::from_bytes(row).map(drop),
        Table::SignedPreKey => SignedPreKeyRow::from_bytes(row).map(drop),
        Table::Session => <SessionRecord as Row>::from_bytes(row).map(drop),
        Table::Chat => ChatRow::from_bytes(row).map(drop),
        Table::Message => MessageRow::from_bytes(row).map(drop),
        Table::MessageId => PositionRow::from_bytes(row).map(drop),
        Table::Outbox => Recipient::from_bytes(row).map(drop),
        Table::Unknown => UnknownRow::from_bytes(row).map(drop),
        Table::Peer => Peer::from_bytes(row).map(drop),
        Table::Opened => Opened::from_bytes(row).map(drop),
    }
}
