//! The messages between pages and the engine: commands in, updates out. They carry no keys and no ciphertext.
//!
//! These cross a BroadcastChannel between the engine's worker and every tab, as protobuf. A tab is not trusted to be of
//! the same build: unknown fields and variants are ignored.

use crate::protobuf::{message, one_of};

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
    MessageView, Messages, OpenChat, OtherAddresses, SaveDraft, Send, StartChat,
};
pub use connection::{ConnectionState, ConnectionView, Reconnect};
pub use issue::Issue;
pub use push::{HideText, Notified, Woken};

/// Bytes of messages, of chats or of a file that one update carries; more is divided among several. A single message or
/// chat has less.
pub const MAX_UPDATE: usize = 2 << 20;

/// A command of the user, from one tab.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Command {
    /// Chosen at random by the page; the engine responds with [`Done`] of the same tag once it is durable. A command
    /// that is sent again under the same tag (because the engine moved to another tab) has no second effect.
    pub tag: u64,
    /// What to do.
    pub action: Option<Action>,
    /// Id of the engine that the command is for, from [`Started`] or [`Snapshot`]. Another engine handles only
    /// [`Hello`]: otherwise a command in flight during start-up could overtake commands that pages must resend. Zero
    /// from pages of versions before 0.2; every engine handles those.
    pub engine: u64,
}

message!(Command { 1 => tag, 18 => engine, ..action });

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A page has opened: the engine responds with a [`Snapshot`].
    Hello(Hello),
    /// Sign in at the partner server, or make an account there.
    SignIn(SignIn),
    /// Become reachable for WhatsApp users under the signed-in identifier.
    Enlist(Enlist),
    /// Make a chat with a phone number, or find it. [`Done::chat`] names it.
    StartChat(StartChat),
    /// Read messages of a chat; they come as [`MessagePage`].
    OpenChat(OpenChat),
    /// Send text.
    Send(Send),
    /// Mark the chat as read up to a message.
    MarkRead(MarkRead),
    /// Store the draft of a chat.
    SaveDraft(SaveDraft),
    /// Send a failed message again under its own id, or request again a message that could not be decrypted.
    Retry(MessageRef),
    /// Delete a failed message, or one that could not be decrypted.
    Discard(MessageRef),
    /// Connect now instead of at the next attempt.
    Reconnect(Reconnect),
    /// Erase everything that this browser holds.
    Erase(Erase),
    /// Sign out at the partner server; local data stays.
    SignOut(SignOut),
    /// Make an encrypted backup file. It arrives as [`BackupPiece`]s.
    Export(Export),
    /// A piece of a backup file; after the last one its content replaces this browser's.
    Restore(Restore),
    /// Take back a hand-over: this browser continues, and the file is outdated.
    ContinueHere(ContinueHere),
    /// A push arrived: read the mailbox. [`Done`] when all of it is durable, or with an issue if that is impossible
    /// now.
    Woken(Woken),
    /// A notification has shown a chat's messages.
    Notified(Notified),
    /// Whether notifications hide the sender and the text.
    HideText(HideText),
    /// The browser may have a session at the partner server from a passkey or from the provider's own sign-in page.
    SignedIn(SignedIn),
    /// Make a log for support, without content, names, numbers, addresses and keys. [`Done::log`] holds it.
    SupportLog(SupportLog),
}

one_of!(Action { 2 => Hello, 3 => SignIn, 4 => Enlist, 5 => StartChat, 6 => OpenChat, 7 => Send, 8 => MarkRead, 9 => SaveDraft, 10 => Retry, 11 => Discard, 12 => Reconnect, 13 => Erase, 14 => SignOut, 15 => Export, 16 => Restore, 17 => ContinueHere, 19 => Woken, 20 => Notified, 21 => HideText, 22 => SignedIn, 23 => SupportLog });

/// Make a log for support.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SupportLog {}

message!(SupportLog {});

/// A page has opened.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hello {}

message!(Hello {});

/// A change for pages. It is sent only when it is durable.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Update {
    /// What changed.
    pub news: Option<News>,
}

message!(Update { ..news });

impl From<News> for Update {
    fn from(news: News) -> Self {
        Self { news: Some(news) }
    }
}

/// What changed.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// An engine has started in some tab: pages send [`Hello`], then resend every command without [`Done`].
    Started(Started),
    /// Everything but messages.
    Snapshot(Snapshot),
    /// The account changed.
    Account(AccountView),
    /// The connection changed.
    Connection(ConnectionView),
    /// A chat is new or changed.
    Chat(ChatView),
    /// The response to [`OpenChat`]: a page of messages.
    MessagePage(MessagePage),
    /// Messages that are new or changed; replace by sequence number.
    Messages(Messages),
    /// A command has completed.
    Done(Done),
    /// A piece of the file that [`Export`] makes. Only the page with its tag uses it.
    BackupPiece(BackupPiece),
}

one_of!(News { 1 => Started, 2 => Snapshot, 3 => Account, 4 => Connection, 5 => Chat, 6 => MessagePage, 7 => Messages, 8 => Done, 9 => BackupPiece });

/// An engine has started.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Started {
    /// Random id of the engine, for [`Command::engine`]; never zero.
    pub engine: u64,
}

message!(Started { 1 => engine });

/// Everything but messages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// The account.
    pub account: Option<Box<AccountView>>,
    /// The connection.
    pub connection: Option<ConnectionView>,
    /// The most recent chats, most recent first. Those beyond [`MAX_UPDATE`] follow, each as [`News::Chat`].
    pub chats: Vec<ChatView>,
    /// As in [`Started`].
    pub engine: u64,
}

message!(Snapshot { 1 => account, 2 => connection, 3 => chats, 4 => engine });

/// A command has completed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Done {
    /// The command's tag.
    pub tag: u64,
    /// Why it failed; [`Issue::None`] if it succeeded.
    pub issue: i32,
    /// For [`StartChat`]: the chat's id.
    pub chat: String,
    /// For [`SupportLog`]: the log.
    pub log: String,
}

message!(Done { 1 => tag, 2 => issue: Issue, 3 => chat, 4 => log });
