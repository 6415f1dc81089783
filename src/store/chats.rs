//! Rows of chats, messages and message ids.

use super::changes::Table;
use super::row_cache::{Row, RowError};
use crate::model::recipient::Plaintext;
use crate::view::{Delivery, Issue, MessageKind, MessageView};
use causeway_proto::content::{self, Content};
use causeway_proto::signal::SessionRecord;
use prost::Message as _;
use zeroize::Zeroizing;

/// A chat with one peer.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ChatRow {
    /// The peer's bare JID as text; the chat's id.
    #[prost(string, tag = "1")]
    pub id: String,
    /// The name that the peer gives itself, in rows of versions before there were rows of people.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Incoming messages that were not read.
    #[prost(uint32, tag = "3")]
    pub unread: u32,
    /// Sequence number of the next message.
    #[prost(uint64, tag = "4")]
    pub next_seq: u64,
    /// The newest message, its text cut short.
    #[prost(message, optional, tag = "5")]
    pub last: Option<MessageView>,
    /// When something last happened, unix milliseconds.
    #[prost(uint64, tag = "6")]
    pub active_at: u64,
    /// Typed and not sent.
    #[prost(string, tag = "7")]
    pub draft: String,
    /// The peer's identity public key, 32 bytes, in rows of versions before there were rows of people.
    #[prost(bytes = "vec", tag = "8")]
    pub identity: Vec<u8>,
    /// Sequence number of the newest message that was read.
    #[prost(uint64, tag = "9")]
    pub read_up_to: u64,
    /// Sequence number of the newest message that the user was notified of.
    #[prost(uint64, tag = "10")]
    pub notified_up_to: u64,
}

/// A message, either way.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MessageRow {
    /// Orders the chat.
    #[prost(uint64, tag = "1")]
    pub seq: u64,
    /// The stanza's id.
    #[prost(string, tag = "2")]
    pub id: String,
    /// From us.
    #[prost(bool, tag = "3")]
    pub outgoing: bool,
    /// What it is.
    #[prost(enumeration = "MessageKind", tag = "4")]
    pub kind: i32,
    /// For unsupported kinds, the kind's name; for text, the text in rows of versions that did not keep the whole content.
    #[prost(string, tag = "5")]
    pub text: String,
    /// When it was sent, unix milliseconds.
    #[prost(uint64, tag = "6")]
    pub at: u64,
    /// Where it is.
    #[prost(enumeration = "Delivery", tag = "7")]
    pub delivery: i32,
    /// Why it failed.
    #[prost(enumeration = "Issue", tag = "8")]
    pub issue: i32,
    /// For what could not be opened, its fingerprint. In rows of versions that did not keep the whole content: for kinds
    /// that the version did not show, the content; for outgoing ones, fingerprints of retry requests that were served.
    #[prost(bytes = "vec", tag = "9")]
    pub content: Vec<u8>,
    /// Retry receipts sent for it; in rows of outgoing messages of versions without rows of recipients, served.
    #[prost(uint32, tag = "10")]
    pub retries: u32,
    /// The whole content as it was decrypted, or as it is encrypted, without padding. Empty where nothing was decrypted,
    /// and in rows of versions that kept only the text.
    #[prost(bytes = "vec", tag = "11")]
    pub plaintext: Vec<u8>,
    /// Its sender has changed it.
    #[prost(bool, tag = "12")]
    pub edited: bool,
    /// The peer's latest reaction to it, as it was decrypted.
    #[prost(bytes = "vec", tag = "13")]
    pub reaction: Vec<u8>,
}

impl MessageRow {
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
            self.set_delivery(delivery);
            self.set_issue(Issue::None);
        }
        rises
    }

    /// Marks it failed.
    pub fn fail(&mut self, issue: Issue) {
        self.set_delivery(Delivery::Failed);
        self.set_issue(issue);
    }
}

/// Where the message of an id is.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PositionRow {
    /// The message's sequence number; `None` if it has no place in the chat: an edit, or one that is not applied yet.
    #[prost(uint64, optional, tag = "1")]
    pub seq: Option<u64>,
}

/// A stanza of an unknown kind.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UnknownRow {
    /// The stanza in its text form.
    #[prost(string, tag = "1")]
    pub xml: String,
    /// When it came, unix milliseconds.
    #[prost(uint64, tag = "2")]
    pub at: u64,
}

macro_rules! prost_row {
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

prost_row!(ChatRow, Table::Chat, "a chat");
prost_row!(MessageRow, Table::Message, "a message");
prost_row!(PositionRow, Table::MessageId, "a sequence number");
prost_row!(UnknownRow, Table::Unknown, "a stanza");

impl Row for SessionRecord {
    const TABLE: Table = Table::Session;

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Self::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        Self::from_bytes(bytes).map_err(|_| RowError { table: Self::TABLE, expected: "a session record" })
    }
}
