//! The iqs of this module: when they are sent, when they are sent again, and what their responses change.

use super::fetch::fetched;
use super::rotation;
use super::state::{IqOutcome, Request, Sessions};
use crate::context::Context;
use crate::store::row_cache::NotLoaded;
use crate::transient::is_transient;
use crate::view::Issue;
use causeway_proto::stanza::iq::{Iq, IqKind};
use causeway_proto::stanza::{passive, prekeys as stanzas};

impl Sessions {
    /// Logged in: becomes active and checks the number of prekeys at the server.
    pub(crate) fn logged_in(&mut self, cx: &mut Context<'_>) {
        self.lost();
        self.count(cx);
        self.become_active(cx);
    }

    /// Sends again the requests whose response is overdue.
    pub(crate) fn elapsed(&mut self, cx: &mut Context<'_>) {
        for asked in self.pending.overdue(cx.now) {
            match asked {
                Request::Count => self.count(cx),
                // The count shows whether the keys arrived.
                Request::Upload(_) => {
                    self.uploading = false;
                    self.count(cx);
                }
                Request::Rotate(_) => self.rotate(cx),
                // The outbox requests keys again for messages that still wait.
                Request::Fetch(peers) => self.fetching.retain(|peer| !peers.contains(peer)),
                Request::Active => self.become_active(cx),
            }
        }
    }

    fn count(&mut self, cx: &mut Context<'_>) {
        let id = cx.stanza_id();
        cx.transmit(stanzas::count_request(&id));
        self.pending.insert(id, Request::Count, cx.now);
    }

    /// Requests live traffic, which the server withholds from passive connections.
    fn become_active(&mut self, cx: &mut Context<'_>) {
        let id = cx.stanza_id();
        cx.transmit(passive::active_request(&id));
        self.pending.insert(id, Request::Active, cx.now);
    }

    /// Handles an iq: a response to one of ours, or a request, all of which are refused.
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
                // No keys at the server, or an unreadable count, leads to an upload. A busy server is asked again after
                // the next log-in, and notifies when it runs low.
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
}
