//! All that a page ever sees, and all that it can ask for. No keys, no ciphertext.
//!
//! These cross a BroadcastChannel between the engine's worker and every tab, as protobuf. A tab is not trusted to be of
//! the same build: unknown fields and variants are ignored.

mod backup;
mod push;

pub use backup::{BackupPiece, BackupView, ContinueHere, Export, Restore};
pub use push::{HideText, Notified, Woken};

use prost::{Message, Oneof};

/// Something that a person asked for, from one tab.
#[derive(Clone, PartialEq, Message)]
pub struct Command {
    /// Chosen at random by the page; the engine answers with [`Done`] of the same tag once it is durable. A command that
    /// is sent again under the same tag (because the engine moved to another tab) has no second effect.
    #[prost(uint64, tag = "1")]
    pub tag: u64,
    /// What to do.
    #[prost(oneof = "Action", tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22")]
    pub action: Option<Action>,
    /// The engine that is asked, as it named itself in [`Started`] or [`Snapshot`]. Any other hears only [`Hello`]: else a
    /// command on its way while an engine starts would overtake those that the page says again to that engine. Zero from
    /// pages of before 0.2, which name none and are heard by all.
    #[prost(uint64, tag = "18")]
    pub engine: u64,
}

/// What to do.
#[derive(Clone, PartialEq, Oneof)]
pub enum Action {
    /// A page has come: answer with a [`Snapshot`].
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
    /// Read messages of a chat; they come as [`Thread`].
    #[prost(message, tag = "6")]
    OpenChat(OpenChat),
    /// Send text.
    #[prost(message, tag = "7")]
    Send(Send),
    /// The person has seen the chat up to a message.
    #[prost(message, tag = "8")]
    MarkRead(MarkRead),
    /// Keep what is typed and not sent.
    #[prost(message, tag = "9")]
    SaveDraft(SaveDraft),
    /// Try a failed message again, under its own id; or ask once more for one that could not be opened.
    #[prost(message, tag = "10")]
    Retry(MessageRef),
    /// Remove a failed message, or one that could not be opened.
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
    /// Make an encrypted file of everything that this browser holds. It comes as [`BackupPiece`]s.
    #[prost(message, tag = "15")]
    Export(Export),
    /// Give a piece of such a file; the last one makes everything in it this browser's.
    #[prost(message, tag = "16")]
    Restore(Restore),
    /// Take back a hand-over: this browser goes on, and the file is old.
    #[prost(message, tag = "17")]
    ContinueHere(ContinueHere),
    /// A push has come: fetch what waits. [`Done`] when everything that waited is durable, or cannot be fetched now.
    #[prost(message, tag = "19")]
    Woken(Woken),
    /// The person has been notified of a chat's messages.
    #[prost(message, tag = "20")]
    Notified(Notified),
    /// Notifications name nobody and quote nothing, or do.
    #[prost(message, tag = "21")]
    HideText(HideText),
    /// The browser has got a session at the partner server by itself: by a passkey, or at the provider's own sign-in.
    #[prost(message, tag = "22")]
    SignedIn(SignedIn),
}

/// A page has come.
#[derive(Clone, PartialEq, Message)]
pub struct Hello {}

/// Sign in, or create the account.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub struct SignIn {
    /// The user-visible identifier, 1 to 40 characters.
    #[prost(string, tag = "1")]
    pub identifier: String,
    /// The partner account's password.
    #[prost(string, tag = "2")]
    pub password: String,
    /// Make the account.
    #[prost(bool, tag = "3")]
    pub create: bool,
}

impl core::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { identifier: _, password: _, create } = self;
        write!(f, "SignIn {{ create: {create} }}")
    }
}

/// The browser may have a session.
#[derive(Clone, PartialEq, Message)]
pub struct SignedIn {}

/// Enlist the signed-in user.
#[derive(Clone, PartialEq, Message)]
pub struct Enlist {
    /// Even if the account's keys live in another browser: these are replaced, and that browser can't connect any more.
    /// Without it such an enlistment is refused with [`Issue::EnlistedElsewhere`].
    #[prost(bool, tag = "1")]
    pub replace: bool,
}

/// Start a chat.
#[derive(Clone, PartialEq, Message)]
pub struct StartChat {
    /// A phone number as typed.
    #[prost(string, tag = "1")]
    pub phone: String,
}

/// Read a page of messages, newest first in time but delivered in ascending order.
#[derive(Clone, PartialEq, Message)]
pub struct OpenChat {
    /// The chat's id.
    #[prost(string, tag = "1")]
    pub chat: String,
    /// Only messages with a smaller sequence number; `None` for the newest.
    #[prost(uint64, optional, tag = "2")]
    pub before: Option<u64>,
    /// At most this many; the engine caps it at 200.
    #[prost(uint32, tag = "3")]
    pub limit: u32,
}

/// Send text to a chat.
#[derive(Clone, PartialEq, Message)]
pub struct Send {
    /// The chat's id.
    #[prost(string, tag = "1")]
    pub chat: String,
    /// What the person wrote.
    #[prost(string, tag = "2")]
    pub text: String,
}

/// The person has seen messages.
#[derive(Clone, PartialEq, Message)]
pub struct MarkRead {
    /// The chat's id.
    #[prost(string, tag = "1")]
    pub chat: String,
    /// Sequence number of the newest message seen.
    #[prost(uint64, tag = "2")]
    pub up_to: u64,
}

/// Keep a draft; empty text removes it.
#[derive(Clone, PartialEq, Message)]
pub struct SaveDraft {
    /// The chat's id.
    #[prost(string, tag = "1")]
    pub chat: String,
    /// What is typed.
    #[prost(string, tag = "2")]
    pub text: String,
}

/// Names one message.
#[derive(Clone, PartialEq, Message)]
pub struct MessageRef {
    /// The chat's id.
    #[prost(string, tag = "1")]
    pub chat: String,
    /// The message's sequence number.
    #[prost(uint64, tag = "2")]
    pub seq: u64,
}

/// Connect now.
#[derive(Clone, PartialEq, Message)]
pub struct Reconnect {}

/// Erase local data.
#[derive(Clone, PartialEq, Message)]
pub struct Erase {}

/// Sign out.
#[derive(Clone, PartialEq, Message)]
pub struct SignOut {}

/// Something to show. Only what is durable is shown.
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
    /// An engine has started in some tab: pages say [`Hello`] and send again what was not [`Done`].
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
    /// The answer to [`OpenChat`]: a page of messages.
    #[prost(message, tag = "6")]
    Thread(Thread),
    /// Messages that are new or changed; replace by sequence number.
    #[prost(message, tag = "7")]
    Messages(Messages),
    /// A command was carried out, or was not.
    #[prost(message, tag = "8")]
    Done(Done),
    /// A piece of the file that [`Export`] asked for. Only the page that asked wants it.
    #[prost(message, tag = "9")]
    BackupPiece(BackupPiece),
}

/// An engine has started.
#[derive(Clone, PartialEq, Message)]
pub struct Started {
    /// What to call it, in [`Command::engine`]. Another one each time; never zero.
    #[prost(uint64, tag = "1")]
    pub engine: u64,
}

/// Everything but messages.
#[derive(Clone, PartialEq, Message)]
pub struct Snapshot {
    /// Who we are.
    #[prost(message, optional, boxed, tag = "1")]
    pub account: Option<Box<AccountView>>,
    /// How the connection is.
    #[prost(message, optional, tag = "2")]
    pub connection: Option<ConnectionView>,
    /// Every chat, most recent first.
    #[prost(message, repeated, tag = "3")]
    pub chats: Vec<ChatView>,
    /// As in [`Started`].
    #[prost(uint64, tag = "4")]
    pub engine: u64,
}

/// How far the person has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Stage {
    /// Not signed in at the partner server.
    SignedOut = 0,
    /// Signed in, not enlisted.
    SignedIn = 1,
    /// Enlistment is under way.
    Enlisting = 2,
    /// Reachable.
    Enlisted = 3,
}

/// Who we are, and the technical facts.
#[derive(Clone, PartialEq, Message)]
pub struct AccountView {
    /// How far the person has come.
    #[prost(enumeration = "Stage", tag = "1")]
    pub stage: i32,
    /// The user-visible identifier.
    #[prost(string, tag = "2")]
    pub identifier: String,
    /// The login JID that WhatsApp assigned.
    #[prost(string, tag = "3")]
    pub login: String,
    /// Our identity public key, lower-case hex.
    #[prost(string, tag = "4")]
    pub identity_key: String,
    /// Our registration id.
    #[prost(uint32, tag = "5")]
    pub registration_id: u32,
    /// Interop protocol version.
    #[prost(string, tag = "6")]
    pub protocol_version: String,
    /// Version of this build.
    #[prost(string, tag = "7")]
    pub client_version: String,
    /// Name of the provider, for people.
    #[prost(string, tag = "8")]
    pub partner: String,
    /// One-time prekeys that the server was last known to hold.
    #[prost(uint32, optional, tag = "9")]
    pub prekeys_on_server: Option<u32>,
    /// Stanzas that nobody understood and that are kept.
    #[prost(uint32, tag = "10")]
    pub unknown_stanzas: u32,
    /// Largest text of a message, in UTF-8 bytes.
    #[prost(uint32, tag = "11")]
    pub max_text_bytes: u32,
    /// Since when the account's keys live in another browser, unix milliseconds; 0 if they don't, as far as is known.
    #[prost(uint64, tag = "12")]
    pub elsewhere_since: u64,
    /// When it was found that the browser had removed what was kept here, unix milliseconds; 0 if it has not.
    #[prost(uint64, tag = "13")]
    pub lost_at: u64,
    /// What a person should know of backups.
    #[prost(message, optional, tag = "15")]
    pub backup: Option<BackupView>,
    /// Notifications name nobody and quote nothing.
    #[prost(bool, tag = "16")]
    pub hide_text: bool,
    /// People sign in at the provider's own page: there are no passwords and no passkeys here.
    #[prost(bool, tag = "17")]
    pub signs_in_elsewhere: bool,
    /// The provider takes passkeys.
    #[prost(bool, tag = "18")]
    pub passkeys: bool,
}

/// States of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum ConnectionState {
    /// No connection, and none wanted yet.
    Off = 0,
    /// Getting a token, opening the socket, or shaking hands.
    Connecting = 1,
    /// Logged in; the mailbox is being read.
    Draining = 2,
    /// Logged in and up to date.
    Online = 3,
    /// Waiting until [`ConnectionView::retry_at`].
    Waiting = 4,
    /// Stopped until the person does something: see [`ConnectionView::issue`].
    Stopped = 5,
}

/// How the connection is.
#[derive(Clone, PartialEq, Message)]
pub struct ConnectionView {
    /// The state.
    #[prost(enumeration = "ConnectionState", tag = "1")]
    pub state: i32,
    /// When the next attempt comes, unix milliseconds.
    #[prost(uint64, tag = "2")]
    pub retry_at: u64,
    /// What went wrong last, if something did.
    #[prost(enumeration = "Issue", tag = "3")]
    pub issue: i32,
    /// When the mailbox was last fully read, unix milliseconds; 0 never.
    #[prost(uint64, tag = "4")]
    pub synced_at: u64,
    /// Messages that the mailbox announced and that are not read yet.
    #[prost(uint32, tag = "5")]
    pub pending: u32,
}

/// Everything that can go wrong and that a person is told. The page has one sentence for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Issue {
    /// Nothing.
    None = 0,
    /// The partner server did not answer.
    PartnerUnreachable = 1,
    /// The partner server answered something that we do not understand.
    PartnerAnswer = 2,
    /// The identifier is not 1 to 40 characters.
    IdentifierInvalid = 3,
    /// The identifier belongs to someone else.
    IdentifierTaken = 4,
    /// Wrong identifier or password.
    BadCredentials = 5,
    /// The password is too short.
    PasswordTooShort = 6,
    /// Too many tries; wait.
    RateLimited = 7,
    /// The partner session has ended; sign in again.
    SignInNeeded = 8,
    /// The enlistment API did not answer.
    EnlistUnreachable = 9,
    /// The enlistment API answered something that we do not understand.
    EnlistAnswer = 10,
    /// Enlistment refused: the provider is not known to WhatsApp.
    EnlistBadIntegrator = 11,
    /// Enlistment refused: the token was not accepted.
    EnlistBadToken = 12,
    /// Enlistment refused: the identifier is not the token's, or not acceptable.
    EnlistBadIdentifier = 13,
    /// Enlistment refused: a key or signature was not accepted.
    EnlistBadKeys = 14,
    /// Enlistment refused: this version is too old.
    EnlistOutdated = 15,
    /// Enlistment refused for another reason.
    EnlistRefused = 16,
    /// The chat server could not be reached, or hung up.
    ChatUnreachable = 17,
    /// The chat server's certificate is not signed by the root that this provider trusts.
    ServerNotTrusted = 18,
    /// The certificate has expired, or is not valid yet: one of the clocks is wrong, or the server is not who it says.
    CertificateDates = 19,
    /// The handshake or a frame was altered or malformed.
    ChannelBroken = 20,
    /// The chat server did not accept the token or the keys.
    LoginRefused = 21,
    /// WhatsApp has un-enlisted this user; enlist again.
    NotEnlisted = 22,
    /// This version is too old for the chat server.
    Outdated = 23,
    /// Another browser took over this account's connection.
    Replaced = 24,
    /// Blocked for a while by WhatsApp.
    Banned = 25,
    /// The phone number is not one.
    PhoneInvalid = 26,
    /// That number has no reachable WhatsApp user.
    PeerUnreachable = 27,
    /// The message is empty.
    TextEmpty = 28,
    /// The message is longer than [`AccountView::max_text_bytes`].
    TextTooLong = 29,
    /// The server refused the message.
    MessageRefused = 30,
    /// The browser's storage is full; nothing was lost that was confirmed.
    StorageFull = 31,
    /// The browser's storage failed.
    StorageFailed = 32,
    /// There is no such chat or message.
    NoSuchChat = 33,
    /// Data in this browser is damaged: a row could not be opened.
    StorageDamaged = 34,
    /// The peer's keys did not verify.
    PeerKeysInvalid = 35,
    /// Already enlisted here.
    AlreadyEnlisted = 36,
    /// Not enlisted yet.
    NotYetEnlisted = 37,
    /// Another backup is being made.
    BackupBusy = 40,
    /// The passphrase is too easy to guess.
    PassphraseTooWeak = 41,
    /// A backup that is larger than this browser can make or read.
    BackupTooLarge = 42,
    /// The file is no backup.
    BackupNotOne = 43,
    /// The backup was made by a newer version.
    BackupTooNew = 44,
    /// The passphrase is wrong, or the beginning of the file is damaged: that looks the same.
    BackupLocked = 45,
    /// The backup was altered or cut off.
    BackupDamaged = 46,
    /// The backup is somebody else's than the account that is signed in.
    BackupOtherAccount = 47,
    /// There is an account in this browser, and the person has not agreed that it is replaced.
    RestoreWouldReplace = 48,
    /// The engine that was reading the backup is gone: begin again.
    RestoreInterrupted = 49,
    /// The account's row, or the key to all rows, is damaged: nothing can be opened.
    AccountDamaged = 55,
    /// A newer build has changed how data is kept: this one must be loaded again.
    StorageNewer = 56,
    /// Another browser has become this account's; this one can never connect again with the keys it holds.
    MovedElsewhere = 50,
    /// Another browser is this account's: enlisting here would replace its keys, and the person has not agreed to that.
    EnlistedElsewhere = 51,
}

/// One row of the list of chats.
#[derive(Clone, PartialEq, Message)]
pub struct ChatView {
    /// The chat's id: the peer's JID as text.
    #[prost(string, tag = "1")]
    pub id: String,
    /// The peer's phone number with a plus, or the user part of the JID.
    #[prost(string, tag = "2")]
    pub address: String,
    /// The name that the peer gives itself, if it gave one. Unverified text.
    #[prost(string, tag = "3")]
    pub name: String,
    /// Messages not read.
    #[prost(uint32, tag = "4")]
    pub unread: u32,
    /// The newest message, if there is one.
    #[prost(message, optional, tag = "5")]
    pub last: Option<MessageView>,
    /// When something last happened, unix milliseconds. The list is sorted by it, newest first.
    #[prost(uint64, tag = "6")]
    pub active_at: u64,
    /// What was typed and not sent.
    #[prost(string, tag = "7")]
    pub draft: String,
    /// 60 digits to compare with the peer, if both identities are known.
    #[prost(string, tag = "8")]
    pub security_code: String,
    /// Sequence number of the newest message that the person had read when the chat was loaded.
    #[prost(uint64, tag = "9")]
    pub read_up_to: u64,
    /// Sequence number of the newest message that the person was notified of; 0 if there is none.
    #[prost(uint64, tag = "10")]
    pub notified_up_to: u64,
}

/// Where an outgoing message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Delivery {
    /// Kept here, will be sent.
    Queued = 0,
    /// The server has it.
    Sent = 1,
    /// The peer's device has it.
    Delivered = 2,
    /// The peer says that it was read.
    Read = 3,
    /// It will not be sent: see [`MessageView::issue`].
    Failed = 4,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum MessageKind {
    /// Text.
    Text = 0,
    /// A kind of message that this version does not show; the bytes are kept. [`MessageView::text`] names the kind.
    Unsupported = 1,
    /// Could not be decrypted; asked the sender to send it again.
    Undecryptable = 2,
    /// A notice: the peer's identity key is new.
    IdentityChanged = 3,
}

/// So often a sender is asked to send a message again by itself; after that a person must ask (wire.md §5.10).
pub const MOST_TRIES: u32 = 5;

/// One message.
#[derive(Clone, PartialEq, Message)]
pub struct MessageView {
    /// Orders the messages of one chat.
    #[prost(uint64, tag = "1")]
    pub seq: u64,
    /// The stanza id.
    #[prost(string, tag = "2")]
    pub id: String,
    /// From us.
    #[prost(bool, tag = "3")]
    pub outgoing: bool,
    /// What it is.
    #[prost(enumeration = "MessageKind", tag = "4")]
    pub kind: i32,
    /// Text, for [`MessageKind::Text`].
    #[prost(string, tag = "5")]
    pub text: String,
    /// When it was sent, unix milliseconds: ours by our clock, theirs as the server says.
    #[prost(uint64, tag = "6")]
    pub at: u64,
    /// Where it is, for outgoing messages.
    #[prost(enumeration = "Delivery", tag = "7")]
    pub delivery: i32,
    /// Why it failed.
    #[prost(enumeration = "Issue", tag = "8")]
    pub issue: i32,
    /// How often its sender was asked to send it again, for [`MessageKind::Undecryptable`]; see [`MOST_TRIES`].
    #[prost(uint32, tag = "9")]
    pub asked: u32,
}

/// A page of messages.
#[derive(Clone, PartialEq, Message)]
pub struct Thread {
    /// The chat's id.
    #[prost(string, tag = "1")]
    pub chat: String,
    /// Ascending by sequence number.
    #[prost(message, repeated, tag = "2")]
    pub messages: Vec<MessageView>,
    /// There are older ones.
    #[prost(bool, tag = "3")]
    pub more: bool,
    /// The tag of the command.
    #[prost(uint64, tag = "4")]
    pub tag: u64,
}

/// Messages that are new or changed.
#[derive(Clone, PartialEq, Message)]
pub struct Messages {
    /// The chat's id.
    #[prost(string, tag = "1")]
    pub chat: String,
    /// Ascending by sequence number.
    #[prost(message, repeated, tag = "2")]
    pub messages: Vec<MessageView>,
    /// Sequence numbers of messages that are gone.
    #[prost(uint64, repeated, tag = "3")]
    pub removed: Vec<u64>,
}

/// A command was carried out, or was not.
#[derive(Clone, PartialEq, Message)]
pub struct Done {
    /// The command's tag.
    #[prost(uint64, tag = "1")]
    pub tag: u64,
    /// Why not.
    #[prost(enumeration = "Issue", tag = "2")]
    pub issue: i32,
    /// For [`StartChat`]: the chat's id.
    #[prost(string, tag = "3")]
    pub chat: String,
}
