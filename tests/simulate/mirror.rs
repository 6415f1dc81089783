//! A decoded replica of the durable rows, updated at each transaction, and the invariants of the rows.
//!
//! Must not know the engine's memory: it sees what a browser has on its disk.

use crate::garbage;
use causeway::id::{MessageSeq, PreKeyId};
use causeway::model::{ChatId, DeviceNumber, Peer, Recipient, Stage, StanzaId};
use causeway::store::account::Account;
use causeway::store::changes::{Change, Table};
use causeway::store::chats::{ChatRow, MessageRow, PositionRow, UnknownRow};
use causeway::store::prekeys::OneTimePreKeyRow;
use causeway::store::records;
use causeway::store::row::{Row, RowError};
use causeway::store::seal::Sealer;
use causeway::store::{prekeys::SignedPreKeyRow, row_key};
use causeway::view::{Delivery, Issue, MessageKind};
use causeway_proto::node::Node;
use causeway_proto::secret::Secret;
use causeway_proto::signal::PublicKey;
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// A session row. Only the engine reads its content.
struct Opened;

impl Row for Opened {
    const TABLE: Table = Table::Session;
    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::default()
    }
    fn from_bytes(_: &[u8]) -> Result<Self, RowError> {
        Ok(Self)
    }
}

/// The durable rows.
pub(crate) struct Mirror {
    sealer: Sealer,
    pub(crate) account: Option<Account>,
    pub(crate) chats: BTreeMap<String, ChatRow>,
    /// By chat and sequence number.
    pub(crate) messages: BTreeMap<(String, u64), MessageRow>,
    /// By row key.
    positions: BTreeMap<Vec<u8>, u64>,
    pub(crate) outbox: BTreeMap<Vec<u8>, Recipient>,
    /// Messages that were deleted.
    pub(crate) removed: BTreeSet<(String, u64)>,
    /// Identity keys that the chats have shown, by person.
    pub(crate) shown_keys: BTreeMap<String, BTreeSet<PublicKey>>,
    phone_keys: BTreeMap<String, PublicKey>,
    /// Changes of the key of each person's phone.
    key_changes: BTreeMap<String, usize>,
    /// The key that each envelope was encrypted for, by id and number of the resend.
    encrypted_for: BTreeMap<(String, u32), PublicKey>,
    /// Ids of messages whose sender was told that nobody opened them.
    pub(crate) told: BTreeSet<String>,
    /// Every envelope that was ever durable, by message id and number of the resend.
    pub(crate) envelopes: BTreeMap<(String, u32), Vec<u8>>,
    /// Sealed, because decoding one costs a multiplication on the curve.
    prekeys: BTreeMap<Vec<u8>, Vec<u8>>,
    signed: BTreeSet<u32>,
    /// Chats by the prefix of their row keys.
    prefixes: BTreeMap<Vec<u8>, String>,
}

impl Mirror {
    pub(crate) fn new(data_key: &Secret<32>) -> Self {
        Self {
            sealer: Sealer::new(data_key),
            account: None,
            chats: BTreeMap::new(),
            messages: BTreeMap::new(),
            positions: BTreeMap::new(),
            outbox: BTreeMap::new(),
            envelopes: BTreeMap::new(),
            removed: BTreeSet::new(),
            shown_keys: BTreeMap::new(),
            phone_keys: BTreeMap::new(),
            key_changes: BTreeMap::new(),
            encrypted_for: BTreeMap::new(),
            told: BTreeSet::new(),
            prekeys: BTreeMap::new(),
            signed: BTreeSet::new(),
            prefixes: BTreeMap::new(),
        }
    }

    /// Applies a durable transaction.
    ///
    /// # Errors
    /// A violated invariant.
    pub(crate) fn apply(&mut self, changes: &[Change]) -> Result<(), String> {
        let mut touched = BTreeSet::new();
        // Chats first: they name the prefixes of the other keys.
        for change in changes {
            if let Change::Put(Table::Chat, key, sealed) = change {
                let chat = self.open::<ChatRow>(key, sealed)?;
                touched.insert(chat.id.clone());
                self.prefixes.insert(prefix(&chat.id), chat.id.clone());
                self.chats.insert(chat.id.clone(), chat);
            }
        }
        for change in changes {
            match change {
                Change::Put(table, key, sealed) => self.put(*table, key, sealed, &mut touched)?,
                Change::Delete(table, key) => self.delete(*table, key, &mut touched)?,
                Change::Clear(table) => return Err(format!("nobody asked to clear {table:?}")),
            }
        }
        for chat in touched {
            self.check_chat(&chat)?;
        }
        self.check_outbox()
    }

    fn open<R: Row>(&self, key: &[u8], sealed: &[u8]) -> Result<R, String> {
        records::open::<R>(key, sealed, &self.sealer).map_err(|error| format!("a row that does not open: {error}"))
    }

    fn chat_of(&self, key: &[u8]) -> Result<(String, Vec<u8>), String> {
        let length = key.first_chunk().map_or(0, |length| u32::from_be_bytes(*length) as usize);
        let (prefix, rest) = key.split_at_checked(4 + length).ok_or("a row key that is too short")?;
        let chat = self.prefixes.get(prefix).ok_or_else(|| format!("a row of a chat that is not there: {key:?}"))?;
        Ok((chat.clone(), rest.to_vec()))
    }

    fn put(&mut self, table: Table, key: &[u8], sealed: &[u8], touched: &mut BTreeSet<String>) -> Result<(), String> {
        match table {
            Table::Account => self.account = Some(self.open(key, sealed)?),
            Table::PreKey => {
                self.prekeys.insert(key.to_vec(), sealed.to_vec());
            }
            Table::SignedPreKey => {
                let signed = self.open::<SignedPreKeyRow>(key, sealed)?;
                self.signed.insert(signed.key.id);
            }
            Table::Session => {
                self.open::<Opened>(key, sealed)?;
            }
            Table::Chat => {}
            Table::Message => {
                let (chat, _) = self.chat_of(key)?;
                let message = self.open::<MessageRow>(key, sealed)?;
                touched.insert(chat.clone());
                if message.delivery() == Delivery::Failed && message.issue() == Issue::NotOpened {
                    self.told.insert(message.id.clone());
                }
                let seq = message.seq;
                if let Some(before) = self.messages.insert((chat.clone(), seq), message) {
                    let after = &self.messages[&(chat.clone(), seq)];
                    if before.id != after.id || before.outgoing != after.outgoing {
                        return Err(format!("{chat} #{seq} was {}, is {}", before.id, after.id));
                    }
                    if before.kind() == MessageKind::Text && before.words() != after.words() {
                        return Err(format!("{chat} #{seq} said {:?}, says {:?}", before.words(), after.words()));
                    }
                }
            }
            Table::MessageId => {
                let position = self.open::<PositionRow>(key, sealed)?;
                touched.insert(self.chat_of(key)?.0);
                let seq = position.seq.ok_or("a message has no place in its chat")?;
                if self.positions.insert(key.to_vec(), seq).is_some_and(|before| before != seq) {
                    return Err("a message's id points elsewhere than before".to_owned());
                }
            }
            Table::Outbox => {
                let recipient = self.open::<Recipient>(key, sealed)?;
                if let Stage::Sealed { envelope, .. } = &recipient.stage {
                    let place = (recipient.id.as_str().to_owned(), recipient.resends);
                    self.envelopes.insert(place.clone(), envelope.clone());
                    let identity = recipient.identity.ok_or("an envelope for nobody's key")?;
                    self.encrypted_for.insert(place, identity);
                }
                self.outbox.insert(key.to_vec(), recipient);
            }
            Table::Peer => {
                let peer = self.open::<Peer>(key, sealed)?;
                let id = peer.id.to_string();
                let shown = self.shown_keys.entry(id.clone()).or_default();
                if let Some(identity) = peer.identity(DeviceNumber::PHONE)
                    && self.phone_keys.insert(id.clone(), identity).is_some_and(|before| before != identity)
                {
                    *self.key_changes.entry(id.clone()).or_default() += 1;
                    touched.insert(id);
                }
                shown.extend(peer.identities());
            }
            // What was opened is applied in the same transaction: the simulator has no edits.
            Table::Opened => return Err("an opened message was not applied at once".to_owned()),
            Table::Unknown => {
                let row = self.open::<UnknownRow>(key, sealed)?;
                if !row.xml.contains(garbage::PREFIX) {
                    return Err(format!("a stanza that decodes was not understood: {}", row.xml));
                }
            }
        }
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8], touched: &mut BTreeSet<String>) -> Result<(), String> {
        match table {
            Table::PreKey => {
                self.prekeys.remove(key);
            }
            Table::Outbox => {
                self.outbox.remove(key);
            }
            Table::Message => {
                let (chat, rest) = self.chat_of(key)?;
                let seq = row_key::order_of(&rest).ok_or("a message key without a number")?.0;
                touched.insert(chat.clone());
                self.messages.remove(&(chat.clone(), seq));
                self.removed.insert((chat, seq));
            }
            Table::MessageId => {
                touched.insert(self.chat_of(key)?.0);
                self.positions.remove(key);
            }
            Table::SignedPreKey => {
                let id = key.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
                self.signed.remove(&id);
            }
            other => return Err(format!("a row of {other:?} was deleted")),
        }
        Ok(())
    }

    /// Whether the chat that a message goes to has shown this key.
    ///
    /// # Errors
    /// It has not.
    pub(crate) fn has_shown(&self, message: &Node, identity: PublicKey) -> Result<(), String> {
        let to = message.jid("to").ok().flatten().map(|to| to.to_bare().to_string()).unwrap_or_default();
        match self.shown_keys.get(&to).is_some_and(|shown| shown.contains(&identity)) {
            true => Ok(()),
            false => Err(format!("{} left for a key that {to} has not shown", message.text("id").unwrap_or_default())),
        }
    }

    /// Whether an envelope was encrypted for a key that the chat has shown.
    ///
    /// # Errors
    /// It was not.
    pub(crate) fn is_for_a_shown_key(&self, message: &Node, count: u32) -> Result<(), String> {
        let id = message.text("id").unwrap_or_default().into_owned();
        match self.encrypted_for.get(&(id, count)) {
            Some(identity) => self.has_shown(message, *identity),
            None => Ok(()),
        }
    }

    /// Messages of a chat in their order.
    pub(crate) fn thread(&self, chat: &str) -> impl Iterator<Item = &MessageRow> {
        self.messages.range((chat.to_owned(), 0)..=(chat.to_owned(), u64::MAX)).map(|(_, message)| message)
    }

    /// The message with this id.
    pub(crate) fn find(&self, chat: &str, outgoing: bool, id: &str) -> Option<&MessageRow> {
        let seq =
            self.positions.get(&row_key::message_id(&ChatId::named(chat), outgoing, &StanzaId::new(id.to_owned())))?;
        self.messages.get(&(chat.to_owned(), *seq))
    }

    /// The public half of a one-time prekey.
    pub(crate) fn prekey(&self, id: u32) -> Option<PublicKey> {
        let key = row_key::prekey(PreKeyId(id));
        let row = self.open::<OneTimePreKeyRow>(&key, self.prekeys.get(&key)?).ok()?;
        Some(row.key.pair.public())
    }

    /// Number of unread incoming messages, counted one by one.
    pub(crate) fn unread(&self, chat: &ChatRow) -> u32 {
        let unread =
            |message: &&MessageRow| !message.outgoing && !message.kind().is_notice() && message.seq > chat.read_up_to;
        u32::try_from(self.thread(&chat.id).filter(unread).count()).expect("few")
    }

    fn check_chat(&self, id: &str) -> Result<(), String> {
        let chat = self.chats.get(id).ok_or_else(|| format!("rows of {id}, which is not there"))?;
        let counted = self.unread(chat);
        if chat.unread != counted {
            return Err(format!("{id}: the list says {} unread, there are {counted}", chat.unread));
        }
        let notices = self.thread(id).filter(|message| message.kind() == MessageKind::IdentityChanged).count();
        // Of several changes in one transaction only the last key is in the row.
        let changes = self.key_changes.get(id).copied().unwrap_or(0);
        if notices < changes {
            return Err(format!("{id}: {changes} changes of the key, and {notices} notices"));
        }
        let mut ids = BTreeSet::new();
        for message in self.thread(id) {
            if message.seq >= chat.next_seq {
                return Err(format!("{id}: message {} at or past the next number {}", message.seq, chat.next_seq));
            }
            if message.id.is_empty() {
                continue;
            }
            if !ids.insert((message.outgoing, &message.id)) {
                return Err(format!("{id}: {} is there twice", message.id));
            }
            let position = self.positions.get(&row_key::message_id(
                &ChatId::named(id),
                message.outgoing,
                &StanzaId::new(message.id.clone()),
            ));
            if position != Some(&message.seq) {
                return Err(format!("{id}: {} at {} is found at {position:?}", message.id, message.seq));
            }
        }
        let own = prefix(id);
        let positions = self.positions.range(own.clone()..).take_while(|(key, _)| key.starts_with(&own));
        for (key, seq) in positions {
            if !self.messages.contains_key(&(id.to_owned(), *seq)) {
                return Err(format!("{id}: an id points to {seq}, where nothing is ({key:?})"));
            }
        }
        match &chat.last {
            Some(last) if self.messages.get(&(id.to_owned(), last.seq)).is_none_or(|kept| kept.view() != *last) => {
                Err(format!("{id}: the list's newest message is not the chat's"))
            }
            _ => Ok(()),
        }
    }

    fn check_outbox(&self) -> Result<(), String> {
        for row in self.outbox.values() {
            let Some(message) = self.messages.get(&(row.chat.as_str().to_owned(), row.seq.0)) else {
                return Err(format!("the outbox holds {}, which is no message", row.id.as_str()));
            };
            if message.id != row.id.as_str() || !message.outgoing {
                return Err(format!("the outbox holds {} as another message than the chat", row.id.as_str()));
            }
            if matches!(row.stage, Stage::Accepted) && message.delivery() == Delivery::Queued {
                return Err(format!("the server has {}, which is shown as queued", row.id.as_str()));
            }
            if message.delivery() == Delivery::Failed {
                return Err(format!("{} has failed and is still in the outbox", row.id.as_str()));
            }
        }
        for message in self.messages.values().filter(|message| message.outgoing) {
            let waits = self.outbox.values().any(|row| row.id.as_str() == message.id);
            if message.delivery() == Delivery::Queued && !waits {
                return Err(format!("{} is shown as queued, and nothing will send it", message.id));
            }
        }
        match &self.account {
            Some(Account { keys: Some(keys), .. }) if !self.signed.contains(&keys.signed_prekey_id.0) => {
                Err("the signed prekey in use is not there".to_owned())
            }
            _ => Ok(()),
        }
    }
}

fn prefix(chat: &str) -> Vec<u8> {
    let mut key = row_key::message(&ChatId::named(chat), MessageSeq(0));
    key.truncate(key.len() - 8);
    key
}
