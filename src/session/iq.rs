//! The IQs of this module: when they are sent, when they are sent again, and what their answers change.

use super::fetch::{Fetched, fetched};
use super::rotation;
use super::state::{IqOutcome, Sessions};
use crate::context::Context;
use crate::iq::Purpose;
use crate::store::paged::NotLoaded;
use crate::store::records::Records;
use crate::transient::is_transient;
use crate::view::Issue;
use causeway_proto::stanza::iq::{Iq, IqKind};
use causeway_proto::stanza::{passive, prekeys as stanzas};

/// What handling an answer needs.
#[derive(Debug)]
pub(crate) struct AnswerPlan(Option<Fetched>);

impl AnswerPlan {
    /// Looks up the rows that an answer concerns.
    ///
    /// # Errors
    /// [`NotLoaded`] while one is not in memory.
    pub(crate) fn plan(records: &Records, iq: &Iq, purpose: &Purpose) -> Result<Self, NotLoaded> {
        let (IqKind::Result, Purpose::Keys(peers)) = (&iq.kind, purpose) else { return Ok(Self(None)) };
        Ok(Self(Some(Fetched::plan(records, iq, peers)?)))
    }
}

impl Sessions {
    /// Logged in: becomes active and checks the number of prekeys at the server.
    pub(crate) fn logged_in(&mut self, cx: &mut Context<'_>) {
        self.lost();
        count(cx);
        become_active(cx);
    }

    /// An IQ was not answered in time: sends it again, if that is needed.
    pub(crate) fn timed_out(&mut self, cx: &mut Context<'_>, purpose: Purpose) {
        match purpose {
            Purpose::PreKeyCount => count(cx),
            // The count shows whether the keys arrived.
            Purpose::PreKeyUpload(_) => {
                self.uploading = false;
                count(cx);
            }
            Purpose::SignedPreKey(_) => self.rotate(cx),
            // The outbox requests keys again for messages that still wait.
            Purpose::Keys(peers) => self.fetching.retain(|peer| !peers.contains(peer)),
            Purpose::Active => become_active(cx),
        }
    }

    /// Handles an answer.
    pub(crate) fn answered(&mut self, cx: &mut Context<'_>, iq: &Iq, purpose: &Purpose, plan: AnswerPlan) -> IqOutcome {
        match (&iq.kind, purpose) {
            (IqKind::Result, Purpose::Keys(peers)) => {
                let outcome = plan.0.map_or(IqOutcome::Nothing, |plan| fetched(cx, plan, peers));
                self.fetching.retain(|peer| !peers.contains(peer));
                self.renewed.retain(|peer| !peers.contains(peer));
                return outcome;
            }
            (kind, Purpose::Keys(peers)) => {
                self.fetching.retain(|peer| !peers.contains(peer));
                return match kind {
                    IqKind::Error(error) if is_transient(error.code) => IqOutcome::Busy,
                    _ => {
                        let unreachable = |peer: &_| (Clone::clone(peer), Issue::PeerUnreachable);
                        IqOutcome::Unreachable(peers.iter().map(unreachable).collect())
                    }
                };
            }
            (kind, Purpose::PreKeyCount) => {
                // No keys at the server, or an unreadable count, leads to an upload. A busy server is asked again after
                // the next log-in, and notifies when it runs low.
                let busy = matches!(kind, IqKind::Error(error) if is_transient(error.code));
                let known = matches!(kind, IqKind::Result).then(|| stanzas::parse_count(&iq.node).ok()).flatten();
                if !busy {
                    self.server_holds(cx, known.unwrap_or(0));
                }
            }
            (IqKind::Result, Purpose::PreKeyUpload(ids)) => self.uploaded(cx, ids),
            (_, Purpose::PreKeyUpload(_)) => self.uploading = false,
            (IqKind::Result, Purpose::SignedPreKey(signed)) => rotation::rotated(cx, *signed),
            (_, Purpose::SignedPreKey(_) | Purpose::Active) => {}
        }
        IqOutcome::Nothing
    }
}

fn count(cx: &mut Context<'_>) {
    if let Some(id) = cx.begin_iq(Purpose::PreKeyCount) {
        cx.transmit(stanzas::count_request(id.as_str()));
    }
}

/// Requests live traffic, which the server withholds from passive connections.
fn become_active(cx: &mut Context<'_>) {
    if let Some(id) = cx.begin_iq(Purpose::Active) {
        cx.transmit(passive::active_request(id.as_str()));
    }
}
