//! Every text of the pages with gaps to fill.

use crate::state::browser::Plural;

/// Words with gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phrase<'a> {
    /// Heading of the first step: the provider's name.
    ChooseNameAt(&'a str),
    /// Which step of how many.
    Step(u32, u32),
    /// How many characters of how many.
    Characters(usize, usize),
    /// What happens to the name: the name, and the provider's.
    SharedNameMore(&'a str, &'a str),
    /// Who can read: the provider's name.
    SharedMessagesMore(&'a str),
    /// Below the heading of success: the name.
    EnlistDone(&'a str),
    /// A number that answers here.
    SuggestedNumber(&'a str),
    /// The mailbox is read.
    Reading(u32, Plural),
    /// The next attempt.
    RetryIn(u32, Plural),
    /// Since when nothing came: a time.
    SyncedAt(&'a str),
    /// Messages not read.
    Unread(u32, Plural),
    /// Remaining length of a message, in bytes.
    LengthRemaining(u32, Plural),
    /// Too much in a message: by how many bytes, and the limit.
    LengthExceeded(u32, Plural, u32),
    /// A message that is not shown: its kind.
    UnsupportedKind(&'a str),
    /// A message that can't be read: how often its sender was asked for it, and how often at most.
    Undecryptable(u32, u32),
    /// The accessible name of a message: sender, text, time, and delivery state.
    MessageLabel(&'a str, &'a str, &'a str, Option<&'a str>),
    /// A message came: sender and text.
    NewMessageFrom(&'a str, &'a str),
    /// Storage usage and quota, in bytes.
    StorageUsed(u64, u64),
    /// How much of it messages and keys take: bytes.
    StorageOfMessages(u64),
    /// Signed in as.
    SignedInAs(&'a str),
    /// Signs in again: the name.
    SignInAgainAs(&'a str),
    /// A chat with someone.
    ChatWith(&'a str),
    /// Our own name in a chat's safety details.
    EncryptedWith(&'a str),
    /// The title of the window: unread, and the rest.
    Title(u32, &'a str),
}

/// What an issue's sentence may name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The provider's name.
    pub partner: &'a str,
    /// The largest message, in bytes.
    pub max_text_bytes: u32,
}
