//! The account row: identity, long-term keys, and the deployment.

use super::changes::Table;
use super::row::{Row, RowError};
use crate::deployment::Deployment;
use crate::id::{Order, PreKeyId, RegistrationId};
use crate::model::{DeviceId, Identifier};
use crate::protobuf::{Message as _, message};
use crate::time::UnixMillis;
use crate::view::Stage;
use causeway_proto::jid::Jid;
use causeway_proto::noise::StaticKey;
use causeway_proto::secret::Secret;
use causeway_proto::signal::KeyPair;
use zeroize::Zeroizing;

/// The account of this browser profile.
#[derive(Debug, Default)]
pub struct Account {
    /// Progress of sign-in and enlistment.
    pub stage: Stage,
    /// The user-visible identifier; `None` when signed out.
    pub identifier: Option<Identifier>,
    /// The login JID that WhatsApp assigned.
    pub login: Option<Jid>,
    /// Long-term keys, made at enlistment.
    pub keys: Option<AccountKeys>,
    /// The deployment that the partner server last returned.
    pub deployment: Option<Deployment>,
    /// One-time prekeys that the server was last known to hold.
    pub prekeys_on_server: Option<u32>,
    /// Id of the next one-time prekey.
    pub next_prekey_id: PreKeyId,
    /// Number of stanzas of unknown kinds, ever.
    pub unknown_stanzas: u32,
    /// The next number for rows that are ordered by one.
    pub next_order: Order,
    /// When the mailbox was last fully read; `None`: never.
    pub synced_at: Option<UnixMillis>,
    /// This browser profile, drawn with the keys. `None` before that, and in rows of versions without ids.
    pub device: Option<DeviceId>,
    /// When the account was handed over to another browser, if it was. While it is set, this browser never connects and
    /// requests no token: the ratchets continue in the other browser.
    pub moved_at: Option<UnixMillis>,
    /// The device whose backup these rows were restored from. While there is one, [`Account::device`] must be
    /// claimed at the partner server before anything connects; the response shows whether the restored ratchets are the
    /// newest.
    pub claim_from: Option<DeviceId>,
    /// When the loss of the store was detected; `None` if it was not lost, or the account was enlisted or restored since.
    pub lost_at: Option<UnixMillis>,
    /// When the last backup was made; `None`: never.
    pub backed_up_at: Option<UnixMillis>,
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
    pub registration_id: RegistrationId,
    /// Id of the signed prekey that is in use.
    pub signed_prekey_id: PreKeyId,
    /// Id of the signed prekey that takes its place as soon as the server confirms that it has it.
    pub next_signed_prekey_id: Option<PreKeyId>,
}

impl Account {
    /// The next number for an ordered row.
    pub fn take_order(&mut self) -> Order {
        let order = self.next_order;
        self.next_order = Order(order.0.saturating_add(1));
        order
    }
}

#[derive(Default)]
struct AccountRow<'a> {
    stage: i32,
    identifier: &'a str,
    login: &'a str,
    identity: &'a [u8],
    noise: &'a [u8],
    registration_id: u32,
    signed_prekey_id: u32,
    deployment: &'a str,
    prekeys_on_server: Option<u32>,
    next_prekey_id: u32,
    unknown_stanzas: u32,
    next_order: u64,
    synced_at: u64,
    device: &'a str,
    moved_at: u64,
    claim_from: &'a str,
    lost_at: u64,
    next_signed_prekey_id: Option<u32>,
    backed_up_at: u64,
    stale: i32,
    hide_text: bool,
    replaced: bool,
}

message!(AccountRow<'a> { 1 => stage, 2 => identifier, 3 => login, 4 => identity, 5 => noise, 6 => registration_id, 7 => signed_prekey_id, 8 => deployment, 9 => prekeys_on_server, 10 => next_prekey_id, 11 => unknown_stanzas, 12 => next_order, 13 => synced_at, 14 => device, 15 => moved_at, 16 => claim_from, 17 => next_signed_prekey_id, 18 => backed_up_at, 19 => stale, 20 => lost_at, 21 => hide_text, 22 => replaced });

impl Row for Account {
    const TABLE: Table = Table::Account;

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let login = self.login.as_ref().map(ToString::to_string).unwrap_or_default();
        let deployment = self.deployment.as_ref().map(Deployment::to_form).unwrap_or_default();
        let keys = self.keys.as_ref();
        let row = AccountRow {
            stage: self.stage.into(),
            identifier: Identifier::to_field(self.identifier.as_ref()),
            login: &login,
            identity: keys.map_or(&[], |keys| keys.identity.secret().expose()),
            noise: keys.map_or(&[], |keys| keys.noise.secret().expose()),
            registration_id: keys.map_or(0, |keys| keys.registration_id.0),
            signed_prekey_id: keys.map_or(0, |keys| keys.signed_prekey_id.0),
            deployment: &deployment,
            prekeys_on_server: self.prekeys_on_server,
            next_prekey_id: self.next_prekey_id.0,
            unknown_stanzas: self.unknown_stanzas,
            next_order: self.next_order.0,
            synced_at: UnixMillis::to_field(self.synced_at),
            device: DeviceId::to_field(self.device.as_ref()),
            moved_at: UnixMillis::to_field(self.moved_at),
            claim_from: DeviceId::to_field(self.claim_from.as_ref()),
            lost_at: UnixMillis::to_field(self.lost_at),
            next_signed_prekey_id: keys.and_then(|keys| keys.next_signed_prekey_id).map(|id| id.0),
            backed_up_at: UnixMillis::to_field(self.backed_up_at),
            stale: self.stale.into(),
            hide_text: self.hide_text,
            replaced: self.replaced,
        };
        Zeroizing::new(row.encode_to_vec())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        let expected = |expected| RowError { table: Self::TABLE, expected };
        let row = AccountRow::decode(bytes).map_err(|_| expected("an account"))?;
        let login = match row.login {
            "" => None,
            login => Some(login.parse().map_err(|_| expected("a login JID"))?),
        };
        let keys = match (row.identity, row.noise) {
            ([], []) => None,
            (identity, noise) => Some(AccountKeys {
                identity: KeyPair::from_secret(
                    Secret::from_slice(identity).map_err(|_| expected("an identity key of 32 bytes"))?,
                ),
                noise: StaticKey::from_secret(
                    Secret::from_slice(noise).map_err(|_| expected("a Noise key of 32 bytes"))?,
                ),
                registration_id: RegistrationId(row.registration_id),
                signed_prekey_id: PreKeyId(row.signed_prekey_id),
                next_signed_prekey_id: row.next_signed_prekey_id.map(PreKeyId),
            }),
        };
        let deployment = match row.deployment {
            "" => None,
            form => Some(Deployment::from_form(form.as_bytes()).map_err(|_| expected("a deployment"))?),
        };
        Ok(Self {
            stage: Stage::try_from(row.stage).unwrap_or_default(),
            identifier: Identifier::from_field(row.identifier),
            login,
            keys,
            deployment,
            prekeys_on_server: row.prekeys_on_server,
            next_prekey_id: PreKeyId(row.next_prekey_id),
            unknown_stanzas: row.unknown_stanzas,
            next_order: Order(row.next_order),
            synced_at: UnixMillis::from_field(row.synced_at),
            device: DeviceId::from_field(row.device),
            moved_at: UnixMillis::from_field(row.moved_at),
            claim_from: DeviceId::from_field(row.claim_from),
            lost_at: UnixMillis::from_field(row.lost_at),
            backed_up_at: UnixMillis::from_field(row.backed_up_at),
            stale: Stale::try_from(row.stale).unwrap_or_default(),
            hide_text: row.hide_text,
            replaced: row.replaced,
        })
    }
}
