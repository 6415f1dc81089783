//! Signal sessions: which one to use, where keys come from, prekey upkeep, identity changes.
//!
//! What this room does not know: chains and keys inside a session (that is `causeway_proto::signal`), and what messages
//! say.

mod pending_iqs;
pub(crate) mod prekeys;
mod renewal;
mod rotation;

use crate::chat;
use crate::context::Context;
use crate::store::account::AccountKeys;
use crate::store::chats::MessageRow;
use crate::store::prekeys::{OneTimePreKeyRow, SignedPreKeyRow};
use crate::store::records::Records;
use crate::store::row_cache::{NotLoaded, RowCache};
use crate::store::row_key;
use crate::time::Millis;
use crate::transient::is_transient;
use crate::view::Issue;
use causeway_proto::content;
use causeway_proto::jid::Jid;
use causeway_proto::signal::envelope::{Envelope, EnvelopeKind};
use causeway_proto::signal::prekey::PreKeyBundle;
use causeway_proto::signal::{
    DecryptError, Decrypted, KeyPair, LocalIdentity, PreKeys, PublicKey, SessionRecord, padding,
};
use causeway_proto::stanza::iq::{Iq, IqKind};
use causeway_proto::stanza::{passive, prekeys as stanzas};
use pending_iqs::PendingIqs;
use std::collections::BTreeSet;
use zeroize::Zeroizing;

pub(crate) use prekeys::signed_prekey;
pub(crate) use renewal::renew;

/// Peers whose new identity was announced and whose keys were not fetched since. More than these are fetched as usual.
const MAX_RENEWED: usize = 1_000;

/// Answers that are waited for, and whose keys are on their way.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    pending: PendingIqs<Request>,
    fetching: Vec<Jid>,
    uploading: bool,
    renewed: BTreeSet<Jid>,
}

#[derive(Debug)]
enum Request {
    Count,
    Upload(Vec<u32>),
    Rotate(u32),
    Fetch(Vec<Jid>),
    Active,
}

/// What an answer means for others.
#[derive(Debug)]
pub(crate) enum IqOutcome {
    /// Nothing.
    Nothing,
    /// These peers cannot be written to.
    Unreachable(Vec<(Jid, Issue)>),
    /// The server has no time: ask again later.
    Busy,
}

impl Sessions {
    /// Logged in: become active, and see to the prekeys.
    pub(crate) fn logged_in(&mut self, cx: &mut Context<'_>) {
        self.lost();
        self.count(cx);
        self.become_active(cx);
    }

    /// The connection is gone, and with it every answer.
    pub(crate) fn lost(&mut self) {
        let renewed = std::mem::take(&mut self.renewed);
        *self = Self { renewed, ..Self::default() };
    }

    /// Time has passed: what was not answered is asked again.
    pub(crate) fn elapsed(&mut self, cx: &mut Context<'_>) {
        for asked in self.pending.overdue(cx.now) {
            match asked {
                Request::Count => self.count(cx),
                // Whether the keys came through, the count tells.
                Request::Upload(_) => {
                    self.uploading = false;
                    self.count(cx);
                }
                Request::Rotate(_) => self.rotate(cx),
                // Whoever still waits for these keys asks again.
                Request::Fetch(peers) => self.fetching.retain(|peer| !peers.contains(peer)),
                Request::Active => self.become_active(cx),
            }
        }
    }

    /// When [`elapsed`](Self::elapsed) has something to do.
    pub(crate) fn wake_at(&self) -> Option<Millis> {
        self.pending.wake_at()
    }

    fn count(&mut self, cx: &mut Context<'_>) {
        let id = cx.stanza_id();
        cx.transmit(stanzas::count_request(&id));
        self.pending.insert(id, Request::Count, cx.now);
    }

    /// While passive the server withholds live traffic.
    fn become_active(&mut self, cx: &mut Context<'_>) {
        let id = cx.stanza_id();
        cx.transmit(passive::active_request(&id));
        self.pending.insert(id, Request::Active, cx.now);
    }

    /// An iq came: an answer to one of ours, or a request that we don't know.
    pub(crate) fn iq(&mut self, cx: &mut Context<'_>, iq: &Iq) -> Result<IqOutcome, NotLoaded> {
        if matches!(iq.kind, IqKind::Get | IqKind::Set) {
            cx.transmit(iq.refuse());
            return Ok(IqOutcome::Nothing);
        }
        let Some((id, asked)) = iq.id.as_deref().and_then(|id| self.pending.remove(id)) else {
            return Ok(IqOutcome::Nothing);
        };
        match (&iq.kind, asked) {
            (IqKind::Result, Request::Fetch(peers)) => {
                let outcome = fetched(cx, iq, &peers);
                match outcome {
                    Err(NotLoaded) => self.pending.insert(id, Request::Fetch(peers), cx.now),
                    Ok(_) => {
                        self.fetching.retain(|peer| !peers.contains(peer));
                        self.renewed.retain(|peer| !peers.contains(peer));
                    }
                }
                outcome
            }
            (kind, Request::Fetch(peers)) => {
                self.fetching.retain(|peer| !peers.contains(peer));
                match kind {
                    IqKind::Error(error) if is_transient(error.code) => Ok(IqOutcome::Busy),
                    _ => {
                        let unreachable = |peer| (peer, Issue::PeerUnreachable);
                        Ok(IqOutcome::Unreachable(peers.into_iter().map(unreachable).collect()))
                    }
                }
            }
            (kind, Request::Count) => {
                // A server that knows nothing of our keys, or does not say how many, gets some. One that has no time is
                // asked again with the next connection, or says itself when it runs low.
                let busy = matches!(kind, IqKind::Error(error) if is_transient(error.code));
                let known = matches!(kind, IqKind::Result).then(|| stanzas::parse_count(&iq.node).ok()).flatten();
                if !busy {
                    self.server_holds(cx, known.unwrap_or(0));
                }
                Ok(IqOutcome::Nothing)
            }
            (IqKind::Result, Request::Upload(ids)) => {
                self.uploaded(cx, &ids);
                Ok(IqOutcome::Nothing)
            }
            (_, Request::Upload(_)) => {
                self.uploading = false;
                Ok(IqOutcome::Nothing)
            }
            (IqKind::Result, Request::Rotate(signed)) => {
                rotation::rotated(cx, signed);
                Ok(IqOutcome::Nothing)
            }
            (_, Request::Rotate(_) | Request::Active) => Ok(IqOutcome::Nothing),
        }
    }

    /// The envelope of a text to a device, its ratchet step part of the changes. `None` while keys are on their way.
    pub(crate) fn encrypt(&mut self, cx: &mut Context<'_>, to: &Jid, text: &str) -> Option<Envelope> {
        let address = to.to_string();
        let Records { account, sessions, .. } = &mut *cx.records;
        let local = local(account.peek(row_key::ACCOUNT)?.keys.as_ref()?);
        let session = match sessions.try_change(address.as_bytes()) {
            Err(NotLoaded) => return None,
            Ok(session) => session.filter(|session| session.has_session()),
        };
        let Some(session) = session else {
            self.fetch(cx, to);
            return None;
        };
        let mut plaintext = Zeroizing::new(content::text(text));
        padding::pad(&mut plaintext, cx.rng);
        let envelope = session.encrypt(&local, &plaintext).ok()?;
        sessions.mark(address.as_bytes());
        Some(envelope)
    }

    fn fetch(&mut self, cx: &mut Context<'_>, peer: &Jid) {
        if !self.fetching.contains(peer) {
            self.fetching.push(peer.clone());
            let id = cx.stanza_id();
            let renewed = self.renewed.contains(peer);
            cx.transmit(stanzas::fetch_request(&id, std::slice::from_ref(peer), renewed));
            self.pending.insert(id, Request::Fetch(vec![peer.clone()]), cx.now);
        }
    }

    /// The server says that a peer's identity is new: the next message needs new keys.
    pub(crate) fn identity_announced(&mut self, cx: &mut Context<'_>, peer: &Jid) -> Result<(), NotLoaded> {
        let peer = peer.to_bare();
        let address = peer.to_string();
        if let Some(session) = cx.records.sessions.change(address.as_bytes())? {
            session.archive_current();
        }
        if self.renewed.len() < MAX_RENEWED {
            self.renewed.insert(peer);
        }
        Ok(())
    }
}

fn fetched(cx: &mut Context<'_>, iq: &Iq, peers: &[Jid]) -> Result<IqOutcome, NotLoaded> {
    for peer in peers {
        cx.records.sessions.want(peer.to_string().as_bytes());
    }
    for peer in peers {
        cx.records.sessions.get(peer.to_string().as_bytes())?;
    }
    let mut unreachable: Vec<(Jid, Issue)> = peers.iter().map(|peer| (peer.clone(), Issue::PeerUnreachable)).collect();
    // Only peers that were asked for: an answer about anybody else is not ours to believe.
    let mut busy = false;
    for (peer, bundle) in stanzas::parse_fetch_result(&iq.node).unwrap_or_default() {
        let Some(at) = unreachable.iter().position(|(asked, _)| *asked == peer) else { continue };
        let bundle = match bundle {
            Ok(bundle) => bundle,
            Err(error) => {
                if is_transient(error.code) {
                    unreachable.swap_remove(at);
                    busy = true;
                }
                continue;
            }
        };
        let (peer, _) = unreachable.swap_remove(at);
        if !begin(cx, &peer, &bundle) {
            unreachable.push((peer, Issue::PeerKeysInvalid));
        }
    }
    Ok(if busy && unreachable.is_empty() { IqOutcome::Busy } else { IqOutcome::Unreachable(unreachable) })
}

/// Begins a session from a bundle whose signature holds, and notes the peer's identity. The session must be in memory.
pub(crate) fn begin(cx: &mut Context<'_>, peer: &Jid, bundle: &PreKeyBundle) -> bool {
    let address = peer.to_string();
    let Some(local) = cx.records.account.peek(row_key::ACCOUNT).and_then(|account| account.keys.as_ref()).map(local)
    else {
        return false;
    };
    let mut session = cx.records.sessions.peek(address.as_bytes()).cloned().unwrap_or_default();
    if session.initiate(&local, bundle, cx.rng).is_err() {
        return false;
    }
    cx.records.sessions.put(address.into_bytes(), session);
    note_identity(cx, peer, bundle.identity);
    true
}

/// Opens an envelope from a device. On success the session's step is part of the changes. The session must be in memory.
pub(crate) fn decrypt(
    cx: &mut Context<'_>,
    from: &Jid,
    kind: EnvelopeKind,
    bytes: &[u8],
) -> Result<Decrypted, DecryptError> {
    let address = from.to_string();
    let envelope = Envelope::parse(kind, bytes).map_err(DecryptError::Malformed)?;
    let Records { account, sessions, prekeys, signed_prekeys, .. } = &mut *cx.records;
    let local = account.peek(row_key::ACCOUNT).and_then(|account| account.keys.as_ref()).map(local);
    let local = local.ok_or(DecryptError::NoSession)?;
    let held = Held { prekeys, signed_prekeys };
    let (decrypted, current) = match sessions.try_change(address.as_bytes()) {
        Ok(Some(session)) => {
            let decrypted = session.decrypt(&local, &envelope, &held, cx.rng)?;
            let current = session.remote_identity();
            sessions.mark(address.as_bytes());
            (decrypted, current)
        }
        Ok(None) | Err(NotLoaded) => {
            let mut session = SessionRecord::default();
            let decrypted = session.decrypt(&local, &envelope, &held, cx.rng)?;
            let current = session.remote_identity();
            sessions.put(address.into_bytes(), session);
            (decrypted, current)
        }
    };
    if let Some(used) = decrypted.used_prekey {
        prekeys.delete(&row_key::prekey(used));
    }
    // Late mail of an installation that is gone is read, and says nothing new about who the peer is.
    if current == Some(decrypted.remote_identity) {
        note_identity(cx, from, decrypted.remote_identity);
    }
    Ok(decrypted)
}

/// Trust on first use: a new identity key is taken over, and said in the thread. Only the primary device's key is the
/// person's.
fn note_identity(cx: &mut Context<'_>, from: &Jid, identity: PublicKey) {
    let chat = from.to_bare().to_string();
    if from.device != 0 {
        return;
    }
    chat::open(cx, &chat);
    let known = cx.records.chats.change_or_default(chat.as_bytes());
    if known.identity == identity.0 {
        return;
    }
    let changed = !known.identity.is_empty();
    known.identity = identity.0.to_vec();
    if changed {
        let notice: MessageRow = chat::identity_notice(cx.now);
        chat::append(cx, &chat, notice);
    }
    cx.group_commit.show_chat(&chat);
}

fn local(keys: &AccountKeys) -> LocalIdentity<'_> {
    LocalIdentity { pair: &keys.identity, registration_id: keys.registration_id }
}

struct Held<'a> {
    prekeys: &'a RowCache<OneTimePreKeyRow>,
    signed_prekeys: &'a RowCache<SignedPreKeyRow>,
}

impl PreKeys for Held<'_> {
    fn prekey(&self, id: u32) -> Option<&KeyPair> {
        self.prekeys.peek(&row_key::prekey(id)).map(|row| &row.key.pair)
    }

    fn signed_prekey(&self, id: u32) -> Option<&KeyPair> {
        self.signed_prekeys.peek(&row_key::prekey(id)).map(|row| &row.key.pair)
    }
}

/// A bundle of our own with a one-time prekey that nobody else is given: for a peer that lost its session with us.
pub(crate) fn own_bundle(cx: &mut Context<'_>) -> Option<PreKeyBundle> {
    let one_time = prekeys::make(cx, true);
    let own = cx.records.account.peek(row_key::ACCOUNT)?.keys.as_ref()?;
    let SignedPreKeyRow { key: signed, .. } = cx.records.signed_prekeys.peek(&row_key::prekey(own.signed_prekey_id))?;
    let one_time = cx.records.prekeys.peek(&row_key::prekey(one_time))?;
    Some(PreKeyBundle {
        registration_id: own.registration_id,
        identity: own.identity.public(),
        signed_prekey_id: signed.id,
        signed_prekey: signed.pair.public(),
        signed_prekey_signature: signed.signature,
        prekey: Some((one_time.key.id, one_time.key.pair.public())),
    })
}
