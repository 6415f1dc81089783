//! The messages between pages and the engine: commands in, updates out. They carry no keys and no ciphertext.
//!
//! These cross a BroadcastChannel between the engine's worker and every tab, as protobuf. A tab is not trusted to be of
//! the same build: unknown fields and variants are ignored.

mod account;
mod backup;
mod chat;
mod connection;
mod issue;
mod push;

pub use account::{AccountView, Enlist, Erase, SignIn, SignOut, SignedIn, Stage};
pub use backup::{BackupPiece, BackupView, ContinueHere, Export, Restore};
pub use chat::{
    ChatView, Delivery, MAX_RETRIES, MAX_TEXT, MAX_TEXT_PIECE, MarkRead, MessageKind, MessagePage, MessageRef,
    MessageView, Messages, OpenChat, SaveDraft, Send, StartChat,
};
pub use connection::{ConnectionState, ConnectionView, Reconnect};
pub use issue::Issue;
pub use push::{HideText, Notified, Woken};

use prost::{Message, Oneof};

/// Bytes of messages, of chats or of a file that one update carries; more is divided among several. A single message or
/// chat has less.
pub const MAX_UPDATE: usize = 2 << 20;

/// A command of the user, from one tab.
#[derive(Clone, PartialEq, Message)]
pub struct Command {
    /// Chosen at random by the page; the engine responds with [`Done`] of the same tag once it is durable. A command
    /// that is sent again under the same tag (because the engine moved to another tab) has no second effect.
    #[prost(uint64, tag = "1")]
    pub tag: u64,
    /// What to do.
    #[prost(oneof = "Action", tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23")]
    pub action: Option<Action>,
    /// Id of the engine that the command is for, from [`Started`] or [`Snapshot`]. Another engine handles only
    /// [`Hello`]: otherwise a command in flight during start-up could overtake commands that pages must resend. Zero
    /// from pages of versions before 0.2; every engine handles those.
    #[prost(uint64, tag = "18")]
    pub engine: u64,
}

/// What to do.
#[derive(Clone, PartialEq, Oneof)]
pub enum Action {
    /// A page has opened: the engine responds with a [`Snapshot`].
    #[prost(message, tag = "2")]
    Hello(Hello),
    /// Sign in at the partner server, or make an account there.
    #[prost(message, tag = "3")]
    SignIn(SignIn),
    /// Become reachable for WhatsApp users under the signed-in identifier.
    #[prost(message, tag = "4")]
    Enlist(Enlist),
    /// Make a chat with a phone number, or find it. [`Done::chat`] names it.
    #[prost(message, tag = "5")]
    StartChat(StartChat),
    /// Read messages of a chat; they come as [`MessagePage`].
    #[prost(message, tag = "6")]
    OpenChat(OpenChat),
    /// Send text.
    #[prost(message, tag = "7")]
    Send(Send),
    /// Mark the chat as read up to a message.
    #[prost(message, tag = "8")]
    MarkRead(MarkRead),
    /// Store the draft of a chat.
    #[prost(message, tag = "9")]
    SaveDraft(SaveDraft),
    /// Send a failed message again under its own id, or request again a message that could not be decrypted.
    #[prost(message, tag = "10")]
    Retry(MessageRef),
    /// Delete a failed message, or one that could not be decrypted.
    #[prost(message, tag = "11")]
    Discard(MessageRef),
    /// Connect now instead of at the next attempt.
    #[prost(message, tag = "12")]
    Reconnect(Reconnect),
    /// Erase everything that this browser holds.
    #[prost(message, tag = "13")]
    Erase(Erase),
    /// Sign out at the partner server; local data stays.
    #[prost(message, tag = "14")]
    SignOut(SignOut),
    /// Make an encrypted backup file. It arrives as [`BackupPiece`]s.
    #[prost(message, tag = "15")]
    Export(Export),
    /// A piece of a backup file; after the last one its content replaces this browser's.
    #[prost(message, tag = "16")]
    Restore(Restore),
    /// Take back a hand-over: this browser continues, and the file is outdated.
    #[prost(message, tag = "17")]
    ContinueHere(ContinueHere),
    /// A push arrived: read the mailbox. [`Done`] when all of it is durable, or with an issue if that is impossible
    /// now.
    #[prost(message, tag = "19")]
    Woken(Woken),
    /// A notification has shown a chat's messages.
    #[prost(message, tag = "20")]
    Notified(Notified),
    /// Whether notifications hide the sender and the text.
    #[prost(message, tag = "21")]
    HideText(HideText),
    /// The browser may have a session at the partner server from a passkey or from the provider's own sign-in page.
    #[prost(message, tag = "22")]
    SignedIn(SignedIn),
    /// Make a log for support, without content, names, numbers, addresses and keys. [`Done::log`] holds it.
    #[prost(message, tag = "23")]
    SupportLog(SupportLog),
}

/// Make a log for support.
#[derive(Clone, PartialEq, Message)]
pub struct SupportLog {}

/// A page has opened.
#[derive(Clone, PartialEq, Message)]
pub struct Hello {}

/// A change for pages. It is sent only when it is durable.
#[derive(Clone, PartialEq, Message)]
pub struct Update {
    /// What changed.
    #[prost(oneof = "News", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9")]
    pub news: Option<News>,
}

impl From<News> for Update {
    fn from(news: News) -> Self {
        Self { news: Some(news) }
    }
}

/// What changed.
#[derive(Clone, PartialEq, Oneof)]
pub enum News {
    /// An engine has started in some tab: pages send [`Hello`], then resend every command without [`Done`].
    #[prost(message, tag = "1")]
    Started(Started),
    /// Everything but messages.
    #[prost(message, tag = "2")]
    Snapshot(Snapshot),
    /// The account changed.
    #[prost(message, tag = "3")]
    Account(AccountView),
    /// The connection changed.
    #[prost(message, tag = "4")]
    Connection(ConnectionView),
    /// A chat is new or changed.
    #[prost(message, tag = "5")]
    Chat(ChatView),
    /// The response to [`OpenChat`]: a page of messages.
    #[prost(message, tag = "6")]
    MessagePage(MessagePage),
    /// Messages that are new or changed; replace by sequence number.
    #[prost(message, tag = "7")]
    Messages(Messages),
    /// A command has completed.
    #[prost(message, tag = "8")]
    Done(Done),
    /// A piece of the file that [`Export`] makes. Only the page with its tag uses it.
    #[prost(message, tag = "9")]
    BackupPiece(BackupPiece),
}

/// An engine has started.
#[derive(Clone, PartialEq, Message)]
pub struct Started {
    /// Random id of the engine, for [`Command::engine`]; never zero.
    #[prost(uint64, tag = "1")]
    pub engine: u64,
}

/// Everything but messages.
#[derive(Clone, PartialEq, Message)]
pub struct Snapshot {
    /// The account.
    #[prost(message, optional, boxed, tag = "1")]
    pub account: Option<Box<AccountView>>,
    /// The connection.
    #[prost(message, optional, tag = "2")]
    pub connection: Option<ConnectionView>,
    /// The most recent chats, most recent first. Those beyond [`MAX_UPDATE`] follow, each as [`News::Chat`].
    #[prost(message, repeated, tag = "3")]
    pub chats: Vec<ChatView>,
    /// As in [`Started`].
    #[prost(uint64, tag = "4")]
    pub engine: u64,
}

/// A command has completed.
#[derive(Clone, PartialEq, Message)]
pub struct Done {
    /// The command's tag.
    #[prost(uint64, tag = "1")]
    pub tag: u64,
    /// Why it failed; [`Issue::None`] if it succeeded.
    #[prost(enumeration = "Issue", tag = "2")]
    pub issue: i32,
    /// For [`StartChat`]: the chat's id.
    #[prost(string, tag = "3")]
    pub chat: String,
    /// For [`SupportLog`]: the log.
    #[prost(string, tag = "4")]
    pub log: String,
}
