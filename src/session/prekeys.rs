//! Prekey maintenance: enough one-time prekeys at the server, each durable here before it is uploaded.

use super::state::Sessions;
use crate::context::Context;
use crate::id::PreKeyId;
use crate::iq::Purpose;
use crate::model::StanzaId;
use crate::store::account::Stale;
use crate::store::group_commit::Effect;
use crate::store::prekeys::{OneTimePreKeyRow, SignedPreKeyRow};
use crate::store::records::Records;
use crate::store::row_key;
use crate::time::UnixSeconds;
use causeway_proto::node::Node;
use causeway_proto::signal::KeyPair;
use causeway_proto::signal::prekey::{PreKeyPair, SignedPreKeyPair};
use causeway_proto::stanza::prekeys as stanzas;
use rand_core::CryptoRng;

/// One-time prekeys kept for each use, handed out or not. A server holds 812 at most.
const MAX_KEPT: usize = 1_000;

/// A signed prekey under the identity key.
pub(crate) fn signed_prekey(
    id: PreKeyId,
    identity: &KeyPair,
    now: UnixSeconds,
    rng: &mut dyn CryptoRng,
) -> SignedPreKeyPair {
    SignedPreKeyPair::generate(id.0, identity, now.0, rng)
}

impl Sessions {
    /// The server holds `count` of our one-time prekeys: uploads more if that is below the floor.
    pub(crate) fn server_holds(&mut self, cx: &mut Context<'_>, count: u32) {
        let account = cx.records.change_account();
        let first = account.prekeys_on_server.is_none();
        account.prekeys_on_server = Some(count);
        cx.group_commit.show_account();
        let Some(profile) = cx.records.account().deployment.as_ref().map(|deployment| deployment.profile.clone())
        else {
            return;
        };
        let lost = cx.records.account().stale == Stale::PreKeys;
        if (count < profile.prekeys_floor || lost) && !self.uploading {
            self.upload(cx, if first { profile.prekeys_initial } else { profile.prekeys_refill });
        }
    }

    fn upload(&mut self, cx: &mut Context<'_>, amount: u32) {
        let amount = usize::try_from(amount).unwrap_or(usize::MAX);
        // Keys that were made and never confirmed are uploaded first.
        let mut ids: Vec<PreKeyId> = cx
            .records
            .prekeys
            .iter()
            .filter(|(_, row)| !row.uploaded && !row.in_receipt)
            .map(|(_, row)| PreKeyId(row.key.id))
            .take(amount)
            .collect();
        while ids.len() < amount {
            ids.push(make(cx, false));
        }
        if let Some(iq) = cx.begin_iq(Purpose::PreKeyUpload(ids.clone())) {
            cx.group_commit.after(Effect::Upload(cx.socket, iq, ids));
            self.uploading = true;
        }
    }

    /// The server has confirmed the upload.
    pub(super) fn uploaded(&mut self, cx: &mut Context<'_>, ids: &[PreKeyId]) {
        self.uploading = false;
        for &id in ids {
            if let Some(row) = cx.records.prekeys.change(&row_key::prekey(id)) {
                row.uploaded = true;
            }
        }
        let account = cx.records.change_account();
        let sent = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        account.prekeys_on_server = Some(account.prekeys_on_server.unwrap_or(0).saturating_add(sent));
        if account.stale == Stale::PreKeys {
            account.stale = Stale::No;
        }
        cx.group_commit.show_account();
    }
}

/// The upload stanza of these prekeys, built when it is sent: an earlier upload without a response may have succeeded,
/// and mail of the same group may have used some of them. `None` if none is left, or before the enlistment.
pub(crate) fn upload(records: &Records, iq: &StanzaId, ids: &[PreKeyId]) -> Option<Node> {
    let keys = records.account.get(row_key::ACCOUNT)?.keys.as_ref()?;
    let SignedPreKeyRow { key: signed, .. } = records.signed_prekeys.get(&row_key::prekey(keys.signed_prekey_id))?;
    let held = ids.iter().filter_map(|&id| records.prekeys.get(&row_key::prekey(id)));
    let pairs: Vec<&PreKeyPair> = held.map(|row| &row.key).collect();
    let request =
        || stanzas::upload_request(iq.as_str(), keys.registration_id.0, &keys.identity.public(), signed, &pairs);
    (!pairs.is_empty()).then(request)
}

/// Creates one prekey under the next id, for an upload or for a receipt. Returns the id.
pub(super) fn make(cx: &mut Context<'_>, in_receipt: bool) -> PreKeyId {
    give_up_oldest(cx, in_receipt);
    let account = cx.records.change_account();
    let id = account.next_prekey_id.clamp(PreKeyId::FIRST, PreKeyId::LAST);
    account.next_prekey_id = id.next();
    let key = PreKeyPair { id: id.0, pair: KeyPair::generate(cx.rng) };
    cx.records.prekeys.put(row_key::prekey(id), OneTimePreKeyRow { key, uploaded: false, in_receipt });
    id
}

/// Bounds the number of prekeys of this use: at [`MAX_KEPT`] the oldest is deleted. A message that needs it leads to a
/// retry receipt. Keys in receipts and keys of uploads are counted apart, so that peers cannot exhaust the uploads.
fn give_up_oldest(cx: &mut Context<'_>, in_receipt: bool) {
    let next = cx.records.account().next_prekey_id;
    let alike = || cx.records.prekeys.iter().filter(|(_, row)| row.in_receipt == in_receipt);
    if alike().count() < MAX_KEPT {
        return;
    }
    // Ids wrap: the oldest is the first at or after the next one, or else the very first.
    let oldest = alike().map(|(key, row)| (PreKeyId(row.key.id) < next, key)).min();
    if let Some(key) = oldest.map(|(_, key)| key.to_vec()) {
        cx.records.prekeys.delete(&key);
    }
}
