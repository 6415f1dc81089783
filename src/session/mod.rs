//! Signal sessions: which one to use, where keys come from, prekey upkeep, identity changes.
//!
//! What this room does not know: chains and keys inside a session (that is `causeway_proto::signal`), and what messages
//! say.

pub(crate) mod prekeys;
mod question;
mod renewal;
mod rotation;

use crate::chat;
use crate::io::Millis;
use crate::outbox::PASSING;
use crate::store::account::Keys;
use crate::store::chats::Message;
use crate::store::keys;
use crate::store::prekeys::{OneTime, Signed};
use crate::store::records::Records;
use crate::store::shelf::{Missing, Shelf};
use crate::turn::Turn;
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
use question::Questions;
use std::collections::BTreeSet;
use zeroize::Zeroizing;

pub(crate) use prekeys::signed_prekey;
pub(crate) use renewal::renew;

/// Peers whose new identity was announced and whose keys were not fetched since. More than these are fetched as usual.
const MAX_RENEWED: usize = 1_000;

/// Answers that are waited for, and whose keys are on their way.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    asked: Questions<Asked>,
    fetching: Vec<Jid>,
    uploading: bool,
    renewed: BTreeSet<Jid>,
}

#[derive(Debug)]
enum Asked {
    Count,
    Upload(Vec<u32>),
    Rotate(u32),
    Fetch(Vec<Jid>),
    Active,
}

/// What an answer means for others.
#[derive(Debug)]
pub(crate) enum Answered {
    /// Nothing.
    Nothing,
    /// These peers cannot be written to.
    Unreachable(Vec<(Jid, Issue)>),
    /// The server has no time: ask again later.
    Busy,
}

impl Sessions {
    /// Logged in: become active, and see to the prekeys.
    pub(crate) fn logged_in(&mut self, turn: &mut Turn<'_>) {
        self.lost();
        self.count(turn);
        self.become_active(turn);
    }

    /// The connection is gone, and with it every answer.
    pub(crate) fn lost(&mut self) {
        let renewed = std::mem::take(&mut self.renewed);
        *self = Self { renewed, ..Self::default() };
    }

    /// Time has passed: what was not answered is asked again.
    pub(crate) fn elapsed(&mut self, turn: &mut Turn<'_>) {
        for asked in self.asked.overdue(turn.now) {
            match asked {
                Asked::Count => self.count(turn),
                // Whether the keys came through, the count tells.
                Asked::Upload(_) => {
                    self.uploading = false;
                    self.count(turn);
                }
                Asked::Rotate(_) => self.rotate(turn),
                // Whoever still waits for these keys asks again.
                Asked::Fetch(peers) => self.fetching.retain(|peer| !peers.contains(peer)),
                Asked::Active => self.become_active(turn),
            }
        }
    }

    /// When [`elapsed`](Self::elapsed) has something to do.
    pub(crate) fn wake_at(&self) -> Option<Millis> {
        self.asked.wake_at()
    }

    fn count(&mut self, turn: &mut Turn<'_>) {
        let id = turn.stanza_id();
        turn.transmit(stanzas::count_request(&id));
        self.asked.insert(id, Asked::Count, turn.now);
    }

    /// While passive the server withholds live traffic.
    fn become_active(&mut self, turn: &mut Turn<'_>) {
        let id = turn.stanza_id();
        turn.transmit(passive::active_request(&id));
        self.asked.insert(id, Asked::Active, turn.now);
    }

    /// An iq came: an answer to one of ours, or a request that we don't know.
    pub(crate) fn iq(&mut self, turn: &mut Turn<'_>, iq: &Iq) -> Result<Answered, Missing> {
        if matches!(iq.kind, IqKind::Get | IqKind::Set) {
            turn.transmit(iq.refuse());
            return Ok(Answered::Nothing);
        }
        let Some((id, asked)) = iq.id.as_deref().and_then(|id| self.asked.remove(id)) else {
            return Ok(Answered::Nothing);
        };
        match (&iq.kind, asked) {
            (IqKind::Result, Asked::Fetch(peers)) => {
                let answered = fetched(turn, iq, &peers);
                match answered {
                    Err(Missing) => self.asked.insert(id, Asked::Fetch(peers), turn.now),
                    Ok(_) => {
                        self.fetching.retain(|peer| !peers.contains(peer));
                        self.renewed.retain(|peer| !peers.contains(peer));
                    }
                }
                answered
            }
            (kind, Asked::Fetch(peers)) => {
                self.fetching.retain(|peer| !peers.contains(peer));
                match kind {
                    IqKind::Error(error) if PASSING.contains(&error.code) => Ok(Answered::Busy),
                    _ => {
                        let unreachable = |peer| (peer, Issue::PeerUnreachable);
                        Ok(Answered::Unreachable(peers.into_iter().map(unreachable).collect()))
                    }
                }
            }
            (kind, Asked::Count) => {
                // A server that knows nothing of our keys, or does not say how many, gets some. One that has no time is
                // asked again with the next connection, or says itself when it runs low.
                let busy = matches!(kind, IqKind::Error(error) if PASSING.contains(&error.code));
                let known = matches!(kind, IqKind::Result).then(|| stanzas::parse_count(&iq.node).ok()).flatten();
                if !busy {
                    self.server_holds(turn, known.unwrap_or(0));
                }
                Ok(Answered::Nothing)
            }
            (IqKind::Result, Asked::Upload(ids)) => {
                self.uploaded(turn, &ids);
                Ok(Answered::Nothing)
            }
            (_, Asked::Upload(_)) => {
                self.uploading = false;
                Ok(Answered::Nothing)
            }
            (IqKind::Result, Asked::Rotate(signed)) => {
                rotation::rotated(turn, signed);
                Ok(Answered::Nothing)
            }
            (_, Asked::Rotate(_) | Asked::Active) => Ok(Answered::Nothing),
        }
    }

    /// The envelope of a text to a device, its ratchet step part of the changes. `None` while keys are on their way.
    pub(crate) fn encrypt(&mut self, turn: &mut Turn<'_>, to: &Jid, text: &str) -> Option<Envelope> {
        let address = to.to_string();
        let Records { account, sessions, .. } = &mut *turn.records;
        let local = local(account.peek(keys::ACCOUNT)?.keys.as_ref()?);
        let session = match sessions.try_change(address.as_bytes()) {
            Err(Missing) => return None,
            Ok(session) => session.filter(|session| session.has_session()),
        };
        let Some(session) = session else {
            self.fetch(turn, to);
            return None;
        };
        let mut plaintext = Zeroizing::new(content::text(text));
        padding::pad(&mut plaintext, turn.rng);
        let envelope = session.encrypt(&local, &plaintext).ok()?;
        sessions.mark(address.as_bytes());
        Some(envelope)
    }

    fn fetch(&mut self, turn: &mut Turn<'_>, peer: &Jid) {
        if !self.fetching.contains(peer) {
            self.fetching.push(peer.clone());
            let id = turn.stanza_id();
            let renewed = self.renewed.contains(peer);
            turn.transmit(stanzas::fetch_request(&id, std::slice::from_ref(peer), renewed));
            self.asked.insert(id, Asked::Fetch(vec![peer.clone()]), turn.now);
        }
    }

    /// The server says that a peer's identity is new: the next message needs new keys.
    pub(crate) fn identity_announced(&mut self, turn: &mut Turn<'_>, peer: &Jid) -> Result<(), Missing> {
        let peer = peer.to_bare();
        let address = peer.to_string();
        if let Some(session) = turn.records.sessions.change(address.as_bytes())? {
            session.archive_current();
        }
        if self.renewed.len() < MAX_RENEWED {
            self.renewed.insert(peer);
        }
        Ok(())
    }
}

fn fetched(turn: &mut Turn<'_>, iq: &Iq, peers: &[Jid]) -> Result<Answered, Missing> {
    for peer in peers {
        turn.records.sessions.want(peer.to_string().as_bytes());
    }
    for peer in peers {
        turn.records.sessions.get(peer.to_string().as_bytes())?;
    }
    let mut unreachable: Vec<(Jid, Issue)> = peers.iter().map(|peer| (peer.clone(), Issue::PeerUnreachable)).collect();
    // Only peers that were asked for: an answer about anybody else is not ours to believe.
    let mut busy = false;
    for (peer, bundle) in stanzas::parse_fetch_result(&iq.node).unwrap_or_default() {
        let Some(at) = unreachable.iter().position(|(asked, _)| *asked == peer) else { continue };
        let bundle = match bundle {
            Ok(bundle) => bundle,
            Err(error) => {
                if PASSING.contains(&error.code) {
                    unreachable.swap_remove(at);
                    busy = true;
                }
                continue;
            }
        };
        let (peer, _) = unreachable.swap_remove(at);
        if !begin(turn, &peer, &bundle) {
            unreachable.push((peer, Issue::PeerKeysInvalid));
        }
    }
    Ok(if busy && unreachable.is_empty() { Answered::Busy } else { Answered::Unreachable(unreachable) })
}

/// Begins a session from a bundle whose signature holds, and notes the peer's identity. The session must be in memory.
pub(crate) fn begin(turn: &mut Turn<'_>, peer: &Jid, bundle: &PreKeyBundle) -> bool {
    let address = peer.to_string();
    let Some(local) = turn.records.account.peek(keys::ACCOUNT).and_then(|account| account.keys.as_ref()).map(local)
    else {
        return false;
    };
    let mut session = turn.records.sessions.peek(address.as_bytes()).cloned().unwrap_or_default();
    if session.initiate(&local, bundle, turn.rng).is_err() {
        return false;
    }
    turn.records.sessions.put(address.into_bytes(), session);
    note_identity(turn, peer, bundle.identity);
    true
}

/// Opens an envelope from a device. On success the session's step is part of the changes. The session must be in memory.
pub(crate) fn decrypt(
    turn: &mut Turn<'_>,
    from: &Jid,
    kind: EnvelopeKind,
    bytes: &[u8],
) -> Result<Decrypted, DecryptError> {
    let address = from.to_string();
    let envelope = Envelope::parse(kind, bytes).map_err(DecryptError::Malformed)?;
    let Records { account, sessions, prekeys, signed_prekeys, .. } = &mut *turn.records;
    let local = account.peek(keys::ACCOUNT).and_then(|account| account.keys.as_ref()).map(local);
    let local = local.ok_or(DecryptError::NoSession)?;
    let held = Held { prekeys, signed_prekeys };
    let (decrypted, current) = match sessions.try_change(address.as_bytes()) {
        Ok(Some(session)) => {
            let decrypted = session.decrypt(&local, &envelope, &held, turn.rng)?;
            let current = session.remote_identity();
            sessions.mark(address.as_bytes());
            (decrypted, current)
        }
        Ok(None) | Err(Missing) => {
            let mut session = SessionRecord::default();
            let decrypted = session.decrypt(&local, &envelope, &held, turn.rng)?;
            let current = session.remote_identity();
            sessions.put(address.into_bytes(), session);
            (decrypted, current)
        }
    };
    if let Some(used) = decrypted.used_prekey {
        prekeys.delete(&keys::prekey(used));
    }
    // Late mail of an installation that is gone is read, and says nothing new about who the peer is.
    if current == Some(decrypted.remote_identity) {
        note_identity(turn, from, decrypted.remote_identity);
    }
    Ok(decrypted)
}

/// Trust on first use: a new identity key is taken over, and said in the thread. Only the primary device's key is the
/// person's.
fn note_identity(turn: &mut Turn<'_>, from: &Jid, identity: PublicKey) {
    let chat = from.to_bare().to_string();
    if from.device != 0 {
        return;
    }
    chat::open(turn, &chat);
    let known = turn.records.chats.change_or_default(chat.as_bytes());
    if known.identity == identity.0 {
        return;
    }
    let changed = !known.identity.is_empty();
    known.identity = identity.0.to_vec();
    if changed {
        let notice: Message = chat::identity_notice(turn.now);
        chat::append(turn, &chat, notice);
    }
    turn.ledger.show_chat(&chat);
}

fn local(keys: &Keys) -> LocalIdentity<'_> {
    LocalIdentity { pair: &keys.identity, registration_id: keys.registration_id }
}

struct Held<'a> {
    prekeys: &'a Shelf<OneTime>,
    signed_prekeys: &'a Shelf<Signed>,
}

impl PreKeys for Held<'_> {
    fn prekey(&self, id: u32) -> Option<&KeyPair> {
        self.prekeys.peek(&keys::prekey(id)).map(|row| &row.key.pair)
    }

    fn signed_prekey(&self, id: u32) -> Option<&KeyPair> {
        self.signed_prekeys.peek(&keys::prekey(id)).map(|row| &row.key.pair)
    }
}

/// A bundle of our own with a one-time prekey that nobody else is given: for a peer that lost its session with us.
pub(crate) fn own_bundle(turn: &mut Turn<'_>) -> Option<PreKeyBundle> {
    let one_time = prekeys::make(turn, true);
    let own = turn.records.account.peek(keys::ACCOUNT)?.keys.as_ref()?;
    let Signed { key: signed, .. } = turn.records.signed_prekeys.peek(&keys::prekey(own.signed_prekey_id))?;
    let one_time = turn.records.prekeys.peek(&keys::prekey(one_time))?;
    Some(PreKeyBundle {
        registration_id: own.registration_id,
        identity: own.identity.public(),
        signed_prekey_id: signed.id,
        signed_prekey: signed.pair.public(),
        signed_prekey_signature: signed.signature,
        prekey: Some((one_time.key.id, one_time.key.pair.public())),
    })
}
