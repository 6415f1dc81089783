//! Becoming reachable: signing in at the partner server, tokens, enlistment.
//!
//! ```text
//!   signed out ── account or password accepted ──▶ signed in ── keys durable, request accepted ──▶ enlisted
//! ```
//!
//! A connection and an enlistment both begin with the same questions to the partner server: where are the servers (the
//! deployment), whose keys are the account's (the device), and a fresh identity token. What this room does not know: the
//! channel, and what messages are.

pub(crate) mod device;
pub(crate) mod form;
pub mod identifier;
mod prepare;

use crate::context::Context;
use crate::io::{HttpFailure, HttpRequest, HttpResponse, Method};
use crate::view::{Done, Issue, News, SignIn, Stage};
use device::AccountDevice;
use form_urlencoded::Serializer;
use prepare::Preparation;
pub(crate) use prepare::Purpose;
use zeroize::Zeroizing;

/// Largest answer of the partner server that is read.
const MAX_ANSWER: usize = 64 * 1024;

/// A question to a server, by what its answer is for.
#[derive(Debug)]
pub(crate) enum ApiRequest {
    /// Where are the servers?
    Deployment,
    /// Who is signed in, and whose device is the account's?
    Account(Reason),
    /// From now on the account's keys live in this browser.
    Claim,
    /// A fresh identity token.
    Token,
    /// Sign in, or make an account.
    SignIn { tag: u64, identifier: String },
    /// Sign out.
    SignOut { tag: u64 },
    /// Enlist.
    Enlist { tag: u64 },
}

/// Why it is asked whose the account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The store holds nothing at all: a browser that was never used, or that has removed what was kept.
    Empty,
    /// Somebody has just signed in, by the command of this tag.
    SignIn { tag: u64 },
    /// The browser may have got a session by itself; the command of this tag asks.
    Enter { tag: u64 },
    /// An enlistment is being prepared.
    Prepare,
    /// It may have changed.
    Refresh,
}

/// A question and where it goes.
pub(crate) type PreparedRequest = (ApiRequest, HttpRequest);

/// What an answer led to.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing yet.
    Nothing,
    /// Ask whose the account is.
    RefreshAccount,
    /// Everything that a connection needs is here.
    Ready(Zeroizing<String>),
    /// Everything that an enlistment needs is here.
    Enlist { tag: u64, token: Zeroizing<String> },
    /// A connection cannot be begun now.
    NotReady(Issue),
    /// Another browser has become the account's.
    Moved,
    /// This browser has become the device of restored rows. They are exact if nobody was the device between the one that
    /// they come from and this one.
    Claimed { exact: bool },
    /// Enlisted: connect.
    Enlisted,
    /// The password was accepted; ask whose the account is.
    Accepted { tag: u64 },
    /// Signed in again: connect if enlisted.
    SignedIn,
}

/// Questions under way.
#[derive(Debug, Default)]
pub(crate) struct Enlistment {
    preparing: Option<Preparation>,
    deployment_fresh: bool,
    /// The command whose enlistment request is under way.
    enlisting: Option<u64>,
    /// What the partner server last said of the account.
    account_device: Option<AccountDevice>,
}

impl Enlistment {
    /// Since when the account's keys live in another browser, as far as is known.
    pub(crate) fn elsewhere_since(&self, own: &str) -> Option<u64> {
        self.account_device.as_ref()?.elsewhere_since(own)
    }

    /// Asks where the servers are and what the provider is called, unless this is known.
    pub(crate) fn request_deployment(&self, partner: &str) -> Option<PreparedRequest> {
        (!self.deployment_fresh).then(|| (ApiRequest::Deployment, request(Method::Get, partner, "/api/profile", None)))
    }

    /// Asks whose the account is.
    pub(crate) fn request_account(&self, reason: Reason, partner: &str) -> PreparedRequest {
        (ApiRequest::Account(reason), request(Method::Get, partner, "/api/account", None))
    }

    /// Signs in.
    ///
    /// # Errors
    /// [`Issue`] for what need not be asked: an identifier that cannot be one, or one that is not this browser's.
    pub(crate) fn sign_in(
        cx: &mut Context<'_>,
        tag: u64,
        command: &SignIn,
        partner: &str,
    ) -> Result<(ApiRequest, HttpRequest), Issue> {
        let identifier = identifier::check(&command.identifier)?;
        let account = cx.records.account();
        if account.stage == Stage::Enlisted && account.identifier != identifier {
            return Err(Issue::AlreadyEnlisted);
        }
        let form = Serializer::new(String::new())
            .append_pair("identifier", identifier)
            .append_pair("password", &command.password)
            .finish();
        let path = if command.create { "/api/account" } else { "/api/session" };
        let kind = ApiRequest::SignIn { tag, identifier: identifier.to_owned() };
        Ok((kind, request(Method::Post, partner, path, Some(Zeroizing::new(form)))))
    }

    /// Signs out.
    pub(crate) fn sign_out(tag: u64, partner: &str) -> (ApiRequest, HttpRequest) {
        (ApiRequest::SignOut { tag }, request(Method::Delete, partner, "/api/session", None))
    }

    /// A question was answered.
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
            answer => Err(prepare::refusal(&answer)),
        };
        if let Ok(reported) = &reported {
            self.account_device = Some(reported.clone());
            cx.group_commit.show_account();
        }
        match (reason, &reported) {
            (Reason::Empty, Ok(reported)) => recognise(cx, reported),
            (Reason::SignIn { tag }, _) => {
                // Whatever this answer is: the password was accepted.
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

/// Somebody is signed in here, and the store holds nothing at all: a device on record says that there was something, and
/// that the browser has removed it. That is worth an explanation, and no question for a password.
fn recognise(cx: &mut Context<'_>, reported: &AccountDevice) {
    if cx.records.account().stage != Stage::SignedOut {
        return;
    }
    let account = cx.records.change_account();
    account.identifier.clone_from(&reported.identifier);
    account.stage = Stage::SignedIn;
    account.lost_at = if reported.device.is_empty() { 0 } else { cx.now };
}

/// The browser has a session that this engine did not ask for: from a passkey, or from the provider's own sign-in.
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
            // Not shown yet: whose the account is decides what the page asks next.
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

/// Answers a command.
pub(crate) fn done(cx: &mut Context<'_>, tag: u64, issue: Issue) {
    cx.group_commit.show(News::Done(Done { tag, issue: issue.into(), chat: String::new() }));
}

fn request(method: Method, partner: &str, path: &str, form: Option<Zeroizing<String>>) -> HttpRequest {
    HttpRequest { method, url: format!("{partner}{path}"), form, max_answer: MAX_ANSWER }
}
