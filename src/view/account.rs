//! Who we are: signing in, enlisting, signing out, and how far that has come.

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
    /// Even if the account's keys live in another browser: these are replaced, and that browser can't connect any more.
    /// Without it such an enlistment is refused with [`Issue::EnlistedElsewhere`](super::Issue::EnlistedElsewhere).
    #[prost(bool, tag = "1")]
    pub replace: bool,
}

/// Erase local data.
#[derive(Clone, PartialEq, Message)]
pub struct Erase {}

/// Sign out.
#[derive(Clone, PartialEq, Message)]
pub struct SignOut {}

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
