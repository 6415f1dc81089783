//! Prekey bundles of peers: requests for them, and sessions from the responses.

use super::establish::begin;
use super::state::{IqOutcome, Sessions};
use crate::context::Context;
use crate::iq::Purpose;
use crate::model::DeviceAddress;
use crate::peer;
use crate::store::paged::{Found, NotLoaded};
use crate::store::records::Records;
use crate::store::row_key;
use crate::transient::is_transient;
use crate::view::Issue;
use causeway_proto::jid::Jid;
use causeway_proto::signal::SessionRecord;
use causeway_proto::signal::prekey::PreKeyBundle;
use causeway_proto::stanza::iq::Iq;
use causeway_proto::stanza::prekeys as stanzas;

impl Sessions {
    pub(super) fn fetch(&mut self, cx: &mut Context<'_>, device: &DeviceAddress) {
        let Some(peer) = &device.jid() else { return };
        if !self.fetching.contains(peer) {
            let Some(id) = cx.begin_iq(Purpose::Keys(vec![peer.clone()])) else { return };
            self.fetching.push(peer.clone());
            let renewed = self.renewed.contains(peer);
            cx.transmit(stanzas::fetch_request(id.as_str(), std::slice::from_ref(peer), renewed));
        }
    }
}

/// An answer with bundles, and the sessions that they may begin.
#[derive(Debug)]
pub(super) struct Fetched {
    answers: Vec<stanzas::Fetched>,
    is_only: bool,
    sessions: Vec<(DeviceAddress, Found<SessionRecord>)>,
}

impl Fetched {
    /// Reads the answer to a question about these peers, and looks up their sessions.
    ///
    /// # Errors
    /// [`NotLoaded`] while a session is not in memory.
    pub(super) fn plan(records: &Records, iq: &Iq, peers: &[Jid]) -> Result<Self, NotLoaded> {
        let answers = stanzas::parse_fetch_result(&iq.node).unwrap_or_default();
        // Only requested peers: bundles of others in the response are ignored. But the only answer to a question about
        // one peer is about that peer, whatever the address is that the server knows them by.
        let is_only = peers.len() == 1 && answers.len() == 1;
        let jids = peers.iter().chain(answers.iter().filter(|_| is_only).map(|(jid, _)| jid));
        let addresses: Vec<_> = jids.filter_map(|jid| peer::device_of(records, jid)).collect();
        for address in &addresses {
            records.sessions.want(&row_key::session(address));
        }
        let mut sessions = Vec::new();
        for address in addresses {
            let found = records.sessions.find(row_key::session(&address))?;
            sessions.push((address, found));
        }
        Ok(Self { answers, is_only, sessions })
    }
}

/// Begins a session with each peer whose keys came.
pub(super) fn fetched(cx: &mut Context<'_>, plan: Fetched, peers: &[Jid]) -> IqOutcome {
    let Fetched { answers, is_only, mut sessions } = plan;
    let mut unreachable: Vec<(Jid, Issue)> = peers.iter().map(|peer| (peer.clone(), Issue::PeerUnreachable)).collect();
    let mut busy = false;
    for (peer, bundle) in answers {
        let at = unreachable.iter().position(|(asked, _)| is_only || *asked == peer);
        let Some(at) = at else { continue };
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
        let (asked, _) = unreachable.swap_remove(at);
        if let Some(issue) = take(cx, &mut sessions, &asked, &peer, &bundle) {
            unreachable.push((asked, issue));
        }
    }
    if busy && unreachable.is_empty() { IqOutcome::Busy } else { IqOutcome::Unreachable(unreachable) }
}

/// Begins a session with the peer that was asked for, who may be known under another address. Returns the issue if that
/// is not possible.
fn take(
    cx: &mut Context<'_>,
    sessions: &mut Vec<(DeviceAddress, Found<SessionRecord>)>,
    asked: &Jid,
    answered: &Jid,
    bundle: &PreKeyBundle,
) -> Option<Issue> {
    if !bundle.is_signed() {
        return Some(Issue::PeerKeysInvalid);
    }
    let device = peer::device_of(cx.records, asked)?;
    if asked != answered
        && !peer::device_of(cx.records, answered).is_some_and(|other| peer::answered(cx, &device, &other))
    {
        return Some(Issue::PeerUnreachable);
    }
    // Now perhaps the one that answered.
    let device = peer::device_of(cx.records, asked)?;
    let at = sessions.iter().position(|(address, _)| *address == device);
    let Some((_, found)) = at.map(|at| sessions.swap_remove(at)) else { return Some(Issue::PeerUnreachable) };
    (!begin(cx, &device, &found, bundle)).then_some(Issue::PeerKeysInvalid)
}
