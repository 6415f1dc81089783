//! How far sign-in, enlistment and the preparation of a connection have come.

use super::device::AccountDevice;
use crate::context::Context;
use crate::id::{CommandTag, PreparationId};
use crate::io::{HttpFailure, HttpResponse};
use crate::model::DeviceId;
use crate::time::UnixMillis;
use crate::view::{Done, Issue, News};
use zeroize::Zeroizing;

/// What follows from a response.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing yet.
    Nothing,
    /// Request the account's state.
    RefreshAccount,
    /// Everything for a connection is available: the identity token.
    Ready(Zeroizing<String>),
    /// Everything for an enlistment is available.
    Enlist { tag: CommandTag, token: Zeroizing<String> },
    /// A connection cannot be begun now.
    NotReady(Issue),
    /// Another browser has become the account's.
    Moved,
    /// This browser has claimed the account for restored rows. `exact`: no other device held it since the rows were
    /// saved.
    Claimed { exact: bool },
    /// Enlisted: connect.
    Enlisted,
    /// The password was accepted; request the account's state.
    Accepted { tag: CommandTag },
    /// Signed in again: connect if enlisted.
    SignedIn,
}

/// The requests of sign-in and enlistment in flight.
#[derive(Debug, Default)]
pub(crate) struct Enlistment {
    pub(super) preparing: Option<Preparation>,
    /// The last preparation.
    pub(super) last: PreparationId,
    pub(super) deployment_fresh: bool,
    /// The command whose enlistment request is in progress.
    pub(super) enlisting: Option<CommandTag>,
    /// The account's state that the partner server last returned.
    pub(super) account_device: Option<AccountDevice>,
}

/// What the deployment and the token are wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Connecting.
    Connect,
    /// Enlisting, for the command of this tag; even if that replaces the keys of another browser.
    Enlist { tag: CommandTag, replace: bool },
}

#[derive(Debug)]
pub(super) struct Preparation {
    pub(super) purpose: Purpose,
    pub(super) deployment: bool,
    pub(super) step: Step,
}

/// The next step of a preparation.
#[derive(Debug)]
pub(super) enum Step {
    /// The account's state is being requested.
    Account,
    /// The next request must wait for rows to become durable.
    Commit,
    Claim,
    Token,
    Done(Zeroizing<String>),
}

impl Enlistment {
    /// Since when the account's keys live in another browser, as far as is known.
    pub(crate) fn elsewhere_since(&self, own: Option<&DeviceId>) -> Option<UnixMillis> {
        self.account_device.as_ref()?.elsewhere_since(own)
    }

    /// An enlistment is in progress.
    pub(crate) fn is_enlisting(&self) -> bool {
        self.enlisting.is_some() || matches!(&self.preparing, Some(Preparation { purpose: Purpose::Enlist { .. }, .. }))
    }

    /// Whether this preparation is the one in progress.
    pub(super) fn prepares(&self, preparation: PreparationId) -> bool {
        self.preparing.is_some() && self.last == preparation
    }

    /// A connection or an enlistment is being prepared.
    pub(crate) fn is_preparing(&self) -> bool {
        self.preparing.is_some() || self.enlisting.is_some()
    }
}

/// Completes a command.
pub(crate) fn done(cx: &mut Context<'_>, tag: CommandTag, issue: Issue) {
    cx.group_commit.show(News::Done(Done { tag: tag.0, issue: issue.into(), ..Done::default() }));
}

/// The issue of an unexpected response.
pub(super) fn refusal(answer: &Result<HttpResponse, HttpFailure>) -> Issue {
    match answer {
        Ok(HttpResponse { status: 401, .. }) => Issue::SignInNeeded,
        Ok(HttpResponse { status: 429, .. }) => Issue::RateLimited,
        Ok(_) => Issue::PartnerAnswer,
        Err(_) => Issue::PartnerUnreachable,
    }
}
