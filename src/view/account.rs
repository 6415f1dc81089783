//! The account: sign-in, enlistment, sign-out, and their progress.

use super::BackupView;
use prost::Message;

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
    /// Replace the keys if another browser holds the account; that browser can then never connect again.
    /// Without it such an enlistment is refused with [`EnlistedElsewhere`](super::Issue::EnlistedElsewhere).
    #[prost(bool, tag = "1")]
    pub replace: bool,
}

/// Erase local data.
#[derive(Clone, PartialEq, Message)]
pub struct Erase {}

/// Sign out.
#[derive(Clone, PartialEq, Message)]
pub struct SignOut {}

/// Progress of sign-in and enlistment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Stage {
    /// Not signed in at the partner server.
    SignedOut = 0,
    /// Signed in, not enlisted.
    SignedIn = 1,
    /// Enlistment is in progress.
    Enlisting = 2,
    /// Reachable.
    Enlisted = 3,
}

/// The account as pages show it, with technical details.
#[derive(Clone, PartialEq, Message)]
pub struct AccountView {
    /// Progress of sign-in and enlistment.
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
    /// Display name of the provider.
    #[prost(string, tag = "8")]
    pub partner: String,
    /// One-time prekeys that the server was last known to hold.
    #[prost(uint32, optional, tag = "9")]
    pub prekeys_on_server: Option<u32>,
    /// Number of stanzas of unknown kinds.
    #[prost(uint32, tag = "10")]
    pub unknown_stanzas: u32,
    /// Largest text of a message, in UTF-8 bytes.
    #[prost(uint32, tag = "11")]
    pub max_text_bytes: u32,
    /// Since when another browser holds the account's keys, unix milliseconds; 0 if none is known to.
    #[prost(uint64, tag = "12")]
    pub elsewhere_since: u64,
    /// When the loss of the store was detected, unix milliseconds; 0 if it was not lost.
    #[prost(uint64, tag = "13")]
    pub lost_at: u64,
    /// State of backups and hand-overs.
    #[prost(message, optional, tag = "15")]
    pub backup: Option<BackupView>,
    /// Notifications hide the sender and the text.
    #[prost(bool, tag = "16")]
    pub hide_text: bool,
    /// People sign in at the provider's own page: there are no passwords and no passkeys here.
    #[prost(bool, tag = "17")]
    pub signs_in_elsewhere: bool,
    /// The provider takes passkeys.
    #[prost(bool, tag = "18")]
    pub passkeys: bool,
}
