//! The account row: identity, long-term keys, and the deployment.

use super::changes::Table;
use super::row_cache::{Row, RowError};
use crate::deployment::Deployment;
use crate::view::Stage;
use causeway_proto::jid::Jid;
use causeway_proto::noise::StaticKey;
use causeway_proto::secret::Secret;
use causeway_proto::signal::KeyPair;
use prost::Message;
use zeroize::{Zeroize, Zeroizing};

/// The account of this browser profile.
#[derive(Debug, Default)]
pub struct Account {
    /// Progress of sign-in and enlistment.
    pub stage: Stage,
    /// The user-visible identifier; empty when signed out.
    pub identifier: String,
    /// The login JID that WhatsApp assigned.
    pub login: Option<Jid>,
    /// Long-term keys, made at enlistment.
    pub keys: Option<AccountKeys>,
    /// The deployment that the partner server last returned.
    pub deployment: Option<Deployment>,
    /// One-time prekeys that the server was last known to hold.
    pub prekeys_on_server: Option<u32>,
    /// Id of the next one-time prekey, 1 to 2^24 - 2.
    pub next_prekey_id: u32,
    /// Number of stanzas of unknown kinds, ever.
    pub unknown_stanzas: u32,
    /// The next number for rows that are ordered by one.
    pub next_order: u64,
    /// When the mailbox was last fully read, unix milliseconds; 0 never.
    pub synced_at: u64,
    /// Id of this browser profile at the partner server: 32 lower-case hex digits, drawn with the keys. Empty before
    /// that, and in rows of versions without ids.
    pub device: String,
    /// When the account was handed over to another browser, unix milliseconds; 0 if it was not. While it is set, this
    /// browser never connects and requests no token: the ratchets continue in the other browser.
    pub moved_at: u64,
    /// The device whose backup these rows were restored from. While it is not empty, [`Account::device`] must be
    /// claimed at the partner server before anything connects; the response shows whether the restored ratchets are the
    /// newest.
    pub claim_from: String,
    /// When the loss of the store was detected, unix milliseconds; 0 if it was not lost, or the account was enlisted or
    /// restored since.
    pub lost_at: u64,
    /// When the last backup was made, unix milliseconds; 0 never.
    pub backed_up_at: u64,
    /// What is left to do because these rows are older than the account's last activity: freeze the sessions before
    /// connecting, then upload fresh prekeys.
    pub stale: Stale,
    /// Notifications hide the sender and the text.
    pub hide_text: bool,
    /// Another connection has replaced this browser's: nothing connects until a person requests it.
    pub replaced: bool,
}

/// What is left to do for rows that are older than the account's last activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Stale {
    /// Nothing.
    No = 0,
    /// Sessions and prekeys.
    Sessions = 1,
    /// Prekeys: the server may still hand out some whose secret halves are lost.
    PreKeys = 2,
}

/// Long-term keys.
#[derive(Debug)]
pub struct AccountKeys {
    /// Signal identity.
    pub identity: KeyPair,
    /// Noise static key, known to the server as `authkey`.
    pub noise: StaticKey,
    /// Signal registration id.
    pub registration_id: u32,
    /// Id of the signed prekey that is in use.
    pub signed_prekey_id: u32,
    /// Id of the signed prekey that takes its place as soon as the server confirms that it has it.
    pub next_signed_prekey_id: Option<u32>,
}

impl Account {
    /// The next number for an ordered row.
    pub fn take_order(&mut self) -> u64 {
        let order = self.next_order;
        self.next_order = order.saturating_add(1);
        order
    }
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct AccountRow {
    #[prost(enumeration = "Stage", tag = "1")]
    stage: i32,
    #[prost(string, tag = "2")]
    identifier: String,
    #[prost(string, tag = "3")]
    login: String,
    #[prost(bytes = "vec", tag = "4")]
    identity: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    noise: Vec<u8>,
    #[prost(uint32, tag = "6")]
    registration_id: u32,
    #[prost(uint32, tag = "7")]
    signed_prekey_id: u32,
    #[prost(string, tag = "8")]
    deployment: String,
    #[prost(uint32, optional, tag = "9")]
    prekeys_on_server: Option<u32>,
    #[prost(uint32, tag = "10")]
    next_prekey_id: u32,
    #[prost(uint32, tag = "11")]
    unknown_stanzas: u32,
    #[prost(uint64, tag = "12")]
    next_order: u64,
    #[prost(uint64, tag = "13")]
    synced_at: u64,
    #[prost(string, tag = "14")]
    device: String,
    #[prost(uint64, tag = "15")]
    moved_at: u64,
    #[prost(string, tag = "16")]
    claim_from: String,
    #[prost(uint64, tag = "20")]
    lost_at: u64,
    #[prost(uint32, optional, tag = "17")]
    next_signed_prekey_id: Option<u32>,
    #[prost(uint64, tag = "18")]
    backed_up_at: u64,
    #[prost(enumeration = "Stale", tag = "19")]
    stale: i32,
    #[prost(bool, tag = "21")]
    hide_text: bool,
    #[prost(bool, tag = "22")]
    replaced: bool,
}

impl Drop for AccountRow {
    fn drop(&mut self) {
        self.identity.zeroize();
        self.noise.zeroize();
    }
}

impl Row for Account {
    const TABLE: Table = Table::Account;

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut row = AccountRow::default();
        row.stage = self.stage.into();
        row.identifier.clone_from(&self.identifier);
        row.login = self.login.as_ref().map(ToString::to_string).unwrap_or_default();
        if let Some(keys) = &self.keys {
            row.identity = keys.identity.secret().expose().to_vec();
            row.noise = keys.noise.secret().expose().to_vec();
            row.registration_id = keys.registration_id;
            row.signed_prekey_id = keys.signed_prekey_id;
            row.next_signed_prekey_id = keys.next_signed_prekey_id;
        }
        row.deployment = self.deployment.as_ref().map(Deployment::to_form).unwrap_or_default();
        row.prekeys_on_server = self.prekeys_on_server;
        row.next_prekey_id = self.next_prekey_id;
        row.unknown_stanzas = self.unknown_stanzas;
        row.next_order = self.next_order;
        row.synced_at = self.synced_at;
        row.device.clone_from(&self.device);
        row.moved_at = self.moved_at;
        row.claim_from.clone_from(&self.claim_from);
        row.lost_at = self.lost_at;
        row.backed_up_at = self.backed_up_at;
        row.stale = self.stale.into();
        row.hide_text = self.hide_text;
        row.replaced = self.replaced;
        Zeroizing::new(row.encode_to_vec())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        let expected = |expected| RowError { table: Self::TABLE, expected };
        let row = AccountRow::decode(bytes).map_err(|_| expected("an account"))?;
        let login = match row.login.as_str() {
            "" => None,
            login => Some(login.parse().map_err(|_| expected("a login JID"))?),
        };
        let keys = match (row.identity.as_slice(), row.noise.as_slice()) {
            ([], []) => None,
            (identity, noise) => Some(AccountKeys {
                identity: KeyPair::from_secret(
                    Secret::from_slice(identity).map_err(|_| expected("an identity key of 32 bytes"))?,
                ),
                noise: StaticKey::from_secret(
                    Secret::from_slice(noise).map_err(|_| expected("a Noise key of 32 bytes"))?,
                ),
                registration_id: row.registration_id,
                signed_prekey_id: row.signed_prekey_id,
                next_signed_prekey_id: row.next_signed_prekey_id,
            }),
        };
        let deployment = match row.deployment.as_str() {
            "" => None,
            form => Some(Deployment::from_form(form.as_bytes()).map_err(|_| expected("a deployment"))?),
        };
        Ok(Self {
            stage: row.stage(),
            identifier: row.identifier.clone(),
            login,
            keys,
            deployment,
            prekeys_on_server: row.prekeys_on_server,
            next_prekey_id: row.next_prekey_id,
            unknown_stanzas: row.unknown_stanzas,
            next_order: row.next_order,
            synced_at: row.synced_at,
            device: row.device.clone(),
            moved_at: row.moved_at,
            claim_from: row.claim_from.clone(),
            lost_at: row.lost_at,
            backed_up_at: row.backed_up_at,
            stale: row.stale(),
            hide_text: row.hide_text,
            replaced: row.replaced,
        })
    }
}
