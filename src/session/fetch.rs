//! Prekey bundles of peers: requests for them, and sessions from the responses.

use super::establish::begin;
use super::state::{IqOutcome, Sessions};
use crate::context::Context;
use crate::iq::Purpose;
use crate::model::DeviceAddress;
use crate::peer;
use crate::store::paged::NotLoaded;
use crate::store::row_key;
use crate::transient::is_transient;
use crate::view::Issue;
use causeway_proto::jid::Jid;
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

pub(super) fn fetched(cx: &mut Context<'_>, iq: &Iq, peers: &[Jid]) -> Result<IqOutcome, NotLoaded> {
    let addresses: Vec<_> = peers.iter().filter_map(|peer| peer::device_of(cx.records, peer)).collect();
    for address in &addresses {
        cx.records.sessions.want(&row_key::session(address));
    }
    for address in &addresses {
        cx.records.sessions.get(&row_key::session(address))?;
    }
    let mut unreachable: Vec<(Jid, Issue)> = peers.iter().map(|peer| (peer.clone(), Issue::PeerUnreachable)).collect();
    // Only requested peers: bundles of others in the response are ignored.
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
        let address = peer::device_of(cx.records, &peer);
        if !address.is_some_and(|address| begin(cx, &address, &bundle)) {
            unreachable.push((peer, Issue::PeerKeysInvalid));
        }
    }
    Ok(if busy && unreachable.is_empty() { IqOutcome::Busy } else { IqOutcome::Unreachable(unreachable) })
}
