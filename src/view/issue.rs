//! Problems that are shown to the user. The page has the sentences.

/// A problem that is shown to the user. The page has one sentence for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Issue {
    /// Nothing.
    None = 0,
    /// The partner server did not answer.
    PartnerUnreachable = 1,
    /// The response of the partner server is malformed.
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
    /// The response of the enlistment API is malformed.
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
    /// The certificate has expired, or is not valid yet: one of the clocks is wrong, or the server is an impostor.
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
    /// The message is longer than [`max_text_bytes`](super::AccountView::max_text_bytes).
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
    /// The backup belongs to another account than the one that is signed in.
    BackupOtherAccount = 47,
    /// There is an account in this browser, and the user has not agreed that it is replaced.
    RestoreWouldReplace = 48,
    /// The engine that was reading the backup is gone: begin again.
    RestoreInterrupted = 49,
    /// The account's row, or the key to all rows, is damaged: nothing can be opened.
    AccountDamaged = 55,
    /// This browser, or this kind of window, does not keep keys: nothing can be begun in it.
    KeysNotKept = 60,
    /// A newer build has changed how data is kept: this one must be loaded again.
    StorageNewer = 56,
    /// Another browser has become this account's; this one can never connect again with the keys it holds.
    MovedElsewhere = 50,
    /// Another browser is this account's: enlisting here would replace its keys, and the user has not agreed to that.
    EnlistedElsewhere = 51,
}
