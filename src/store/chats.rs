//! Rows of chats, messages and message ids.

use super::changes::Table;
use super::row::{Row, RowError};
use crate::model::StanzaId;
use crate::model::recipient::Plaintext;
use crate::protobuf::{Message as _, message};
use crate::view::{Delivery, Issue, MessageKind, MessageView};
use causeway_proto::content::{self, Content};
use causeway_proto::signal::SessionRecord;
use zeroize::Zeroizing;

/// A chat with one peer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatRow {
    /// The peer's bare JID as text; the chat's id.
    pub id: String,
    /// The name that the peer gives itself, in rows of versions before there were rows of people.
    pub name: String,
    /// Incoming messages that were not read.
    pub unread: u32,
    /// Sequence number of the next message.
    pub next_seq: u64,
    /// The newest message, its text cut short.
    pub last: Option<MessageView>,
    /// When something last happened, unix milliseconds.
    pub active_at: u64,
    /// Typed and not sent.
    pub draft: String,
    /// The peer's identity public key, 32 bytes, in rows of versions before there were rows of people.
    pub identity: Vec<u8>,
    /// Sequence number of the newest message that was read.
    pub read_up_to: u64,
    /// Sequence number of the newest message that the user was notified of.
    pub notified_up_to: u64,
    /// The chat whose rows are being moved here, if any are.
    pub joins: Option<Join>,
}

message!(ChatRow { 1 => id, 2 => name, 3 => unread, 4 => next_seq, 5 => last, 6 => active_at, 7 => draft, 8 => identity, 9 => read_up_to, 10 => notified_up_to, 11 => joins });

/// A chat that becomes a part of another one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Join {
    /// The chat's id.
    pub from: String,
    /// What is added to the sequence numbers of its messages.
    pub behind: u64,
}

message!(Join { 1 => from, 2 => behind });

/// A message, either way.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MessageRow {
    /// Orders the chat.
    pub seq: u64,
    /// The stanza's id.
    pub id: String,
    /// From us.
    pub outgoing: bool,
    /// What it is.
    pub kind: i32,
    /// For unsupported kinds, the kind's name; for text, the text in rows of versions that did not keep the whole content.
    pub text: String,
    /// When it was sent, unix milliseconds.
    pub at: u64,
    /// Where it is.
    pub delivery: i32,
    /// Why it failed.
    pub issue: i32,
    /// For what could not be opened, its fingerprint. In rows of versions that did not keep the whole content: for kinds
    /// that the version did not show, the content; for outgoing ones, fingerprints of retry requests that were served.
    pub content: Vec<u8>,
    /// Retry receipts sent for it; in rows of outgoing messages of versions without rows of recipients, served.
    pub retries: u32,
    /// The whole content as it was decrypted, or as it is encrypted, without padding. Empty where nothing was decrypted,
    /// and in rows of versions that kept only the text.
    pub plaintext: Vec<u8>,
    /// Its sender has changed it.
    pub edited: bool,
    /// The peer's latest reaction to it, as it was decrypted.
    pub reaction: Vec<u8>,
}

message!(MessageRow { 1 => seq, 2 => id, 3 => outgoing, 4 => kind: MessageKind, 5 => text, 6 => at, 7 => delivery: Delivery, 8 => issue: Issue, 9 => content, 10 => retries, 11 => plaintext, 12 => edited, 13 => reaction });

impl MessageRow {
    /// The stanza that brought it, or brings it; `None` for a notice.
    pub fn stanza_id(&self) -> Option<StanzaId> {
        (!self.id.is_empty()).then(|| StanzaId::new(self.id.clone()))
    }

    /// The text of a text, the name of an unsupported kind; empty for all others.
    pub fn words(&self) -> String {
        match content::parse(&self.plaintext) {
            Ok(Content::Text { body } | Content::Edit { body: Some(body), .. }) if self.kind() == MessageKind::Text => {
                body
            }
            _ => self.text.clone(),
        }
    }

    /// The content to encrypt.
    pub fn to_encrypt(&self) -> Plaintext {
        Zeroizing::new(if self.plaintext.is_empty() { content::text(&self.text) } else { self.plaintext.clone() })
    }

    /// As a page sees it.
    pub fn view(&self) -> MessageView {
        MessageView {
            seq: self.seq,
            id: self.id.clone(),
            outgoing: self.outgoing,
            kind: self.kind,
            text: self.words(),
            at: self.at,
            delivery: self.delivery,
            issue: self.issue,
            edited: self.edited,
            asked: if self.kind() == MessageKind::Undecryptable { self.retries } else { 0 },
            whole_bytes: None,
        }
    }

    /// Raises the delivery state; it never falls, and a failed message stays failed, unless it was given up too early.
    /// Returns whether it changed.
    pub fn raise(&mut self, delivery: Delivery) -> bool {
        let given_up = self.delivery() == Delivery::Failed && self.issue() == Issue::NotOpened;
        let rises = match self.delivery() {
            Delivery::Failed => given_up && delivery >= Delivery::Delivered,
            known => known < delivery,
        };
        if rises {
            self.deliver(delivery);
        }
        rises
    }

    /// Sets the delivery state of a message that has not failed.
    pub fn deliver(&mut self, delivery: Delivery) {
        self.delivery = delivery.into();
        self.issue = Issue::None.into();
    }

    /// Marks it failed.
    pub fn fail(&mut self, issue: Issue) {
        self.delivery = Delivery::Failed.into();
        self.issue = issue.into();
    }
}

/// Where the message of an id is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PositionRow {
    /// The message's sequence number; `None` if it has no place in the chat: an edit, or one that is not applied yet.
    pub seq: Option<u64>,
}

message!(PositionRow { 1 => seq });

/// A stanza of an unknown kind.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UnknownRow {
    /// The stanza in its text form.
    pub xml: String,
    /// When it came, unix milliseconds.
    pub at: u64,
}

message!(UnknownRow { 1 => xml, 2 => at });

macro_rules! message_row {
    ($row:ty, $table:expr, $expected:literal) => {
        impl Row for $row {
            const TABLE: Table = $table;
            fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
                Zeroizing::new(self.encode_to_vec())
            }
            fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
                Self::decode(bytes).map_err(|_| RowError { table: $table, expected: $expected })
            }
        }
    };
}

message_row!(ChatRow, Table::Chat, "a chat");
message_row!(MessageRow, Table::Message, "a message");
message_row!(PositionRow, Table::MessageId, "a sequence number");
message_row!(UnknownRow, Table::Unknown, "a stanza");

impl Row for SessionRecord {
    const TABLE: Table = Table::Session;

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Self::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        Self::from_bytes(bytes).map_err(|_| RowError { table: Self::TABLE, expected: "a session record" })
    }
}
