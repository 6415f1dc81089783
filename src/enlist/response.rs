//! What the responses of the partner server and of the enlistment API change.

use super::device::AccountDevice;
use super::form;
use super::request::{ApiRequest, Reason};
use super::state::{Enlistment, Outcome, done, refusal};
use crate::context::Context;
use crate::io::{HttpFailure, HttpResponse};
use crate::view::{Issue, Stage};

impl Enlistment {
    /// Handles the response to a request.
    pub(crate) fn answered(
        &mut self,
        cx: &mut Context<'_>,
        kind: ApiRequest,
        answer: Result<HttpResponse, HttpFailure>,
    ) -> Outcome {
        match kind {
            ApiRequest::Deployment => self.deployment(cx, answer),
            ApiRequest::Account(reason) => self.account(cx, reason, answer),
            ApiRequest::Claim => self.claimed(cx, answer),
            ApiRequest::Token => self.token(cx, answer),
            ApiRequest::SignIn { tag, identifier } => signed_in(cx, tag, identifier, answer),
            ApiRequest::SignOut { tag } => {
                self.account_device = None;
                signed_out(cx, tag, answer)
            }
            ApiRequest::Enlist { tag } => self.enlisted(cx, tag, answer),
        }
    }

    fn account(&mut self, cx: &mut Context<'_>, reason: Reason, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
        let reported = match answer {
            Ok(HttpResponse { status: 200, body }) => AccountDevice::from_form(&body).ok_or(Issue::PartnerAnswer),
            Ok(HttpResponse { status: 204, .. }) => Err(Issue::SignInNeeded),
            answer => Err(refusal(&answer)),
        };
        if let Ok(reported) = &reported {
            self.account_device = Some(reported.clone());
            cx.group_commit.show_account();
        }
        match (reason, &reported) {
            (Reason::Empty, Ok(reported)) => recognise(cx, reported),
            (Reason::SignIn { tag }, _) => {
                // Whatever this response is, the password was accepted.
                done(cx, tag, Issue::None);
                return Outcome::SignedIn;
            }
            (Reason::Enter { tag }, Ok(reported)) => return enter(cx, tag, reported),
            (Reason::Enter { tag }, Err(issue)) => done(cx, tag, *issue),
            (Reason::Prepare, reported) => return self.account_received(cx, reported.as_ref().map_err(|issue| *issue)),
            _ => {}
        }
        let account = cx.records.account();
        match account.stage == Stage::Enlisted && self.elsewhere_since(&account.device).is_some() {
            true => Outcome::NotReady(Issue::MovedElsewhere),
            false => Outcome::Nothing,
        }
    }

    fn enlisted(&mut self, cx: &mut Context<'_>, tag: u64, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
        self.enlisting = None;
        let integrator = cx.records.account().deployment.as_ref().map_or(0, |deployment| deployment.profile.integrator);
        let login = match answer {
            Ok(HttpResponse { status, body }) => form::answer(status, &body, integrator),
            Err(_) => Err(Issue::EnlistUnreachable),
        };
        cx.group_commit.show_account();
        match login {
            Ok(login) => {
                let account = cx.records.change_account();
                account.login = Some(login);
                account.stage = Stage::Enlisted;
                account.lost_at = 0;
                done(cx, tag, Issue::None);
                Outcome::Enlisted
            }
            Err(issue) => {
                done(cx, tag, issue);
                Outcome::Nothing
            }
        }
    }
}

/// The browser has a session but its store is empty: a device on record means that the browser has removed the data.
/// The page then explains that and requests no password.
fn recognise(cx: &mut Context<'_>, reported: &AccountDevice) {
    if cx.records.account().stage != Stage::SignedOut {
        return;
    }
    let account = cx.records.change_account();
    account.identifier.clone_from(&reported.identifier);
    account.stage = Stage::SignedIn;
    account.lost_at = if reported.device.is_empty() { 0 } else { cx.now };
}

/// The browser has a session that this engine did not create: from a passkey, or from the provider's own sign-in.
fn enter(cx: &mut Context<'_>, tag: u64, reported: &AccountDevice) -> Outcome {
    let account = cx.records.account();
    if account.stage == Stage::Enlisted && account.identifier != reported.identifier {
        done(cx, tag, Issue::AlreadyEnlisted);
        return Outcome::Nothing;
    }
    let account = cx.records.change_account();
    if account.identifier != reported.identifier {
        account.lost_at = 0;
        account.identifier.clone_from(&reported.identifier);
    }
    account.stage = account.stage.max(Stage::SignedIn);
    cx.group_commit.show_account();
    done(cx, tag, Issue::None);
    Outcome::SignedIn
}

fn signed_in(cx: &mut Context<'_>, tag: u64, identifier: String, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
    let issue = match answer {
        Ok(HttpResponse { status: 200 | 204, .. }) => {
            let account = cx.records.change_account();
            if account.identifier != identifier {
                account.lost_at = 0;
            }
            account.identifier = identifier;
            account.stage = account.stage.max(Stage::SignedIn);
            // Not shown yet: the account's state decides what the page shows next.
            return Outcome::Accepted { tag };
        }
        Ok(HttpResponse { status: 401, .. }) => Issue::BadCredentials,
        Ok(HttpResponse { status: 409, .. }) => Issue::IdentifierTaken,
        Ok(HttpResponse { status: 429, .. }) => Issue::RateLimited,
        Ok(HttpResponse { status: 422, body }) if body == b"password_too_short" => Issue::PasswordTooShort,
        Ok(HttpResponse { status: 422, .. }) => Issue::IdentifierInvalid,
        Ok(_) => Issue::PartnerAnswer,
        Err(_) => Issue::PartnerUnreachable,
    };
    done(cx, tag, issue);
    Outcome::Nothing
}

fn signed_out(cx: &mut Context<'_>, tag: u64, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
    match answer {
        Ok(HttpResponse { status: 200 | 204 | 401, .. }) => {
            let account = cx.records.change_account();
            if account.stage == Stage::SignedIn {
                account.stage = Stage::SignedOut;
            }
            cx.group_commit.show_account();
            done(cx, tag, Issue::None);
            Outcome::NotReady(Issue::SignInNeeded)
        }
        Ok(_) => {
            done(cx, tag, Issue::PartnerAnswer);
            Outcome::Nothing
        }
        Err(_) => {
            done(cx, tag, Issue::PartnerUnreachable);
            Outcome::Nothing
        }
    }
}
