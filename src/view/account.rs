//! The account: sign-in, enlistment, sign-out, and their progress.

use super::BackupView;
use crate::protobuf::message;

/// Sign in, or create the account.
#[derive(Clone, PartialEq, Default)]
pub struct SignIn {
    /// The user-visible identifier, 1 to 40 characters.
    pub identifier: String,
    /// The partner account's password.
    pub password: String,
    /// Make the account.
    pub create: bool,
}

message!(SignIn { 1 => identifier, 2 => password, 3 => create });

impl core::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { identifier: _, password: _, create } = self;
        write!(f, "SignIn {{ create: {create} }}")
    }
}

/// The browser may have a session.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SignedIn {}

message!(SignedIn {});

/// Enlist the signed-in user.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Enlist {
    /// Replace the keys if another browser holds the account; that browser can then never connect again.
    /// Without it such an enlistment is refused with [`EnlistedElsewhere`](super::Issue::EnlistedElsewhere).
    pub replace: bool,
}

message!(Enlist { 1 => replace });

/// Erase local data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Erase {}

message!(Erase {});

/// Sign out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SignOut {}

message!(SignOut {});

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
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccountView {
    /// Progress of sign-in and enlistment.
    pub stage: i32,
    /// The user-visible identifier.
    pub identifier: String,
    /// The login JID that WhatsApp assigned.
    pub login: String,
    /// Our identity public key, lower-case hex.
    pub identity_key: String,
    /// Our registration id.
    pub registration_id: u32,
    /// Interop protocol version.
    pub protocol_version: String,
    /// Version of this build.
    pub client_version: String,
    /// Display name of the provider.
    pub partner: String,
    /// One-time prekeys that the server was last known to hold.
    pub prekeys_on_server: Option<u32>,
    /// Number of stanzas of unknown kinds.
    pub unknown_stanzas: u32,
    /// Largest text of a message, in UTF-8 bytes.
    pub max_text_bytes: u32,
    /// Since when another browser holds the account's keys, unix milliseconds; 0 if none is known to.
    pub elsewhere_since: u64,
    /// When the loss of the store was detected, unix milliseconds; 0 if it was not lost.
    pub lost_at: u64,
    /// State of backups and hand-overs.
    pub backup: Option<BackupView>,
    /// Notifications hide the sender and the text.
    pub hide_text: bool,
    /// People sign in at the provider's own page: there are no passwords and no passkeys here.
    pub signs_in_elsewhere: bool,
    /// The provider takes passkeys.
    pub passkeys: bool,
}

message!(AccountView { 1 => stage: Stage, 2 => identifier, 3 => login, 4 => identity_key, 5 => registration_id, 6 => protocol_version, 7 => client_version, 8 => partner, 9 => prekeys_on_server, 10 => unknown_stanzas, 11 => max_text_bytes, 12 => elsewhere_since, 13 => lost_at, 15 => backup, 16 => hide_text, 17 => signs_in_elsewhere, 18 => passkeys });
