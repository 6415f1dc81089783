//! One value = one transaction: the vocabulary between the engine and any store.
//!
//! A store is a set of tables from byte keys, in byte order, to byte values. Values are sealed before they get here.
//! What this module does not know: the meaning of the bytes.

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// One row, `account`: who we are.
    Account,
    /// One-time prekeys by id (3 bytes, big endian).
    PreKey,
    /// Signed prekeys by id (3 bytes, big endian).
    SignedPreKey,
    /// Signal sessions by address.
    Session,
    /// Chats by the peer's JID: counters, drafts.
    Chat,
    /// Messages by chat and sequence number: see [`row_key`](crate::store::row_key).
    Message,
    /// Sequence numbers by chat and message id: dedupe, receipts.
    MessageId,
    /// What waits to be acknowledged by the server, by order (8 bytes, big endian).
    Outbox,
    /// Stanzas of unknown kinds, by order (8 bytes, big endian).
    Unknown,
    /// People by their id: addresses, devices with identity keys, names.
    Peer,
    /// Messages that were opened and are not applied yet, by order (8 bytes, big endian).
    Opened,
}

impl Table {
    /// Every table, for opening a store.
    pub const ALL: [Self; 11] = [
        Self::Account,
        Self::PreKey,
        Self::SignedPreKey,
        Self::Session,
        Self::Chat,
        Self::Message,
        Self::MessageId,
        Self::Outbox,
        Self::Unknown,
        Self::Peer,
        Self::Opened,
    ];

    /// The number that the seal binds rows to.
    pub const fn number(self) -> u8 {
        match self {
            Self::Account => 1,
            Self::PreKey => 2,
            Self::SignedPreKey => 3,
            Self::Session => 4,
            Self::Chat => 5,
            Self::Message => 6,
            Self::MessageId => 7,
            Self::Outbox => 8,
            Self::Unknown => 9,
            Self::Peer => 10,
            Self::Opened => 11,
        }
    }

    /// The table of a number.
    pub fn of_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|table| u32::from(table.number()) == number)
    }

    /// The name of the object store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::PreKey => "prekey",
            Self::SignedPreKey => "signed_prekey",
            Self::Session => "session",
            Self::Chat => "chat",
            Self::Message => "message",
            Self::MessageId => "message_id",
            Self::Outbox => "outbox",
            Self::Unknown => "unknown",
            Self::Peer => "peer",
            Self::Opened => "opened",
        }
    }
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Insert or replace.
    Put(Table, Vec<u8>, Vec<u8>),
    /// Remove; nothing happens when there is no such row.
    Delete(Table, Vec<u8>),
    /// Remove every row of the table.
    Clear(Table),
}

/// Writes that become durable together or not at all, in this order.
pub type Changes = Vec<Change>;

/// One read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// The row of this key, if there is one.
    Get(Table, Vec<u8>),
    /// At most `limit` rows with `from <= key < to`, in key order, or from the end when `reverse`.
    Range {
        /// Where to look.
        table: Table,
        /// First key of the range.
        from: Vec<u8>,
        /// End of the range, exclusive. `None` is the end of the table.
        to: Option<Vec<u8>>,
        /// From the end.
        reverse: bool,
        /// At most this many rows.
        limit: u32,
    },
}

/// The results of a list of queries, one for each: the rows found, as key and value.
pub type Rows = Vec<Vec<(Vec<u8>, Vec<u8>)>>;
