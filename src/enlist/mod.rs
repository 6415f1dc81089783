//! Becoming reachable: signing in at the partner server, tokens, enlistment.
//!
//! ```text
//!   signed out ── account or password accepted ──▶ signed in ── keys durable, request accepted ──▶ enlisted
//! ```
//!
//! A connection and an enlistment both begin with the same questions to the partner server: where are the servers (the
//! deployment), whose keys are the account's (the device), and a fresh identity token. What this room does not know: the
//! channel, and what messages are.

pub mod deployment;
pub(crate) mod device;
pub(crate) mod form;
pub mod identifier;
mod prepare;

use crate::io::{HttpFailure, HttpRequest, HttpResponse, Method};
use crate::turn::Turn;
use crate::view::{Done, Issue, News, SignIn, Stage};
use device::Whereabouts;
use form_urlencoded::Serializer;
use prepare::Preparing;
pub(crate) use prepare::Purpose;
use zeroize::Zeroizing;

/// Largest answer of the partner server that is read.
const MAX_ANSWER: usize = 64 * 1024;

/// A question to a server, by what its answer is for.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Where are the servers?
    Deployment,
    /// Who is signed in, and whose device is the account's?
    Account(Why),
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
pub(crate) enum Why {
    /// The store holds nothing at all: a browser that was never used, or that has removed what was kept.
    Empty,
    /// Somebody has just signed in, by the command of this tag.
    SignIn { tag: u64 },
    /// The browser may have got a session by itself; the command of this tag asks.
    Enter { tag: u64 },
    /// An enlistment is being prepared.
    Prepare,
    /// It may have changed.
    Look,
}

/// A question and where it goes.
pub(crate) type Question = (Ask, HttpRequest);

/// What an answer led to.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing yet.
    Nothing,
    /// Ask whose the account is.
    Look,
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
    preparing: Option<Preparing>,
    deployment_fresh: bool,
    /// The command whose enlistment request is under way.
    enlisting: Option<u64>,
    /// What the partner server last said of the account.
    whereabouts: Option<Whereabouts>,
}

impl Enlistment {
    /// Since when the account's keys live in another browser, as far as is known.
    pub(crate) fn elsewhere_since(&self, own: &str) -> Option<u64> {
        self.whereabouts.as_ref()?.elsewhere_since(own)
    }

    /// Asks where the servers are and what the provider is called, unless this is known.
    pub(crate) fn where_to(&self, partner: &str) -> Option<Question> {
        (!self.deployment_fresh).then(|| (Ask::Deployment, request(Method::Get, partner, "/api/profile", None)))
    }

    /// Asks whose the account is.
    pub(crate) fn whose(&self, why: Why, partner: &str) -> Question {
        (Ask::Account(why), request(Method::Get, partner, "/api/account", None))
    }

    /// Signs in.
    ///
    /// # Errors
    /// [`Issue`] for what need not be asked: an identifier that cannot be one, or one that is not this browser's.
    pub(crate) fn sign_in(
        turn: &mut Turn<'_>,
        tag: u64,
        command: &SignIn,
        partner: &str,
    ) -> Result<(Ask, HttpRequest), Issue> {
        let identifier = identifier::check(&command.identifier)?;
        let account = turn.records.account();
        if account.stage == Stage::Enlisted && account.identifier != identifier {
            return Err(Issue::AlreadyEnlisted);
        }
        let form = Serializer::new(String::new())
            .append_pair("identifier", identifier)
            .append_pair("password", &command.password)
            .finish();
        let path = if command.create { "/api/account" } else { "/api/session" };
        let ask = Ask::SignIn { tag, identifier: identifier.to_owned() };
        Ok((ask, request(Method::Post, partner, path, Some(Zeroizing::new(form)))))
    }

    /// Signs out.
    pub(crate) fn sign_out(tag: u64, partner: &str) -> (Ask, HttpRequest) {
        (Ask::SignOut { tag }, request(Method::Delete, partner, "/api/session", None))
    }

    /// A question was answered.
    pub(crate) fn answered(
        &mut self,
        turn: &mut Turn<'_>,
        ask: Ask,
        answer: Result<HttpResponse, HttpFailure>,
    ) -> Outcome {
        match ask {
            Ask::Deployment => self.deployment(turn, answer),
            Ask::Account(why) => self.account(turn, why, answer),
            Ask::Claim => self.claimed(turn, answer),
            Ask::Token => self.token(turn, answer),
            Ask::SignIn { tag, identifier } => signed_in(turn, tag, identifier, answer),
            Ask::SignOut { tag } => {
                self.whereabouts = None;
                signed_out(turn, tag, answer)
            }
            Ask::Enlist { tag } => self.enlisted(turn, tag, answer),
        }
    }

    fn account(&mut self, turn: &mut Turn<'_>, why: Why, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
        let said = match answer {
            Ok(HttpResponse { status: 200, body }) => Whereabouts::from_form(&body).ok_or(Issue::PartnerAnswer),
            Ok(HttpResponse { status: 204, .. }) => Err(Issue::SignInNeeded),
            answer => Err(prepare::refusal(&answer)),
        };
        if let Ok(said) = &said {
            self.whereabouts = Some(said.clone());
            turn.ledger.show_account();
        }
        match (why, &said) {
            (Why::Empty, Ok(said)) => recognise(turn, said),
            (Why::SignIn { tag }, _) => {
                // Whatever this answer is: the password was accepted.
                done(turn, tag, Issue::None);
                return Outcome::SignedIn;
            }
            (Why::Enter { tag }, Ok(said)) => return enter(turn, tag, said),
            (Why::Enter { tag }, Err(issue)) => done(turn, tag, *issue),
            (Why::Prepare, said) => return self.judge(turn, said.as_ref().map_err(|issue| *issue)),
            _ => {}
        }
        let account = turn.records.account();
        match account.stage == Stage::Enlisted && self.elsewhere_since(&account.device).is_some() {
            true => Outcome::NotReady(Issue::MovedElsewhere),
            false => Outcome::Nothing,
        }
    }

    fn enlisted(&mut self, turn: &mut Turn<'_>, tag: u64, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
        self.enlisting = None;
        let integrator =
            turn.records.account().deployment.as_ref().map_or(0, |deployment| deployment.profile.integrator);
        let login = match answer {
            Ok(HttpResponse { status, body }) => form::answer(status, &body, integrator),
            Err(_) => Err(Issue::EnlistUnreachable),
        };
        turn.ledger.show_account();
        match login {
            Ok(login) => {
                let account = turn.records.change_account();
                account.login = Some(login);
                account.stage = Stage::Enlisted;
                account.lost_at = 0;
                done(turn, tag, Issue::None);
                Outcome::Enlisted
            }
            Err(issue) => {
                done(turn, tag, issue);
                Outcome::Nothing
            }
        }
    }
}

/// Somebody is signed in here, and the store holds nothing at all: a device on record says that there was something, and
/// that the browser has removed it. That is worth an explanation, and no question for a password.
fn recognise(turn: &mut Turn<'_>, said: &Whereabouts) {
    if turn.records.account().stage != Stage::SignedOut {
        return;
    }
    let account = turn.records.change_account();
    account.identifier.clone_from(&said.identifier);
    account.stage = Stage::SignedIn;
    account.lost_at = if said.device.is_empty() { 0 } else { turn.now };
}

/// The browser has a session that this engine did not ask for: from a passkey, or from the provider's own sign-in.
fn enter(turn: &mut Turn<'_>, tag: u64, said: &Whereabouts) -> Outcome {
    let account = turn.records.account();
    if account.stage == Stage::Enlisted && account.identifier != said.identifier {
        done(turn, tag, Issue::AlreadyEnlisted);
        return Outcome::Nothing;
    }
    let account = turn.records.change_account();
    if account.identifier != said.identifier {
        account.lost_at = 0;
        account.identifier.clone_from(&said.identifier);
    }
    account.stage = account.stage.max(Stage::SignedIn);
    turn.ledger.show_account();
    done(turn, tag, Issue::None);
    Outcome::SignedIn
}

fn signed_in(turn: &mut Turn<'_>, tag: u64, identifier: String, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
    let issue = match answer {
        Ok(HttpResponse { status: 200 | 204, .. }) => {
            let account = turn.records.change_account();
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
    done(turn, tag, issue);
    Outcome::Nothing
}

fn signed_out(turn: &mut Turn<'_>, tag: u64, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
    match answer {
        Ok(HttpResponse { status: 200 | 204 | 401, .. }) => {
            let account = turn.records.change_account();
            if account.stage == Stage::SignedIn {
                account.stage = Stage::SignedOut;
            }
            turn.ledger.show_account();
            done(turn, tag, Issue::None);
            Outcome::NotReady(Issue::SignInNeeded)
        }
        Ok(_) => {
            done(turn, tag, Issue::PartnerAnswer);
            Outcome::Nothing
        }
        Err(_) => {
            done(turn, tag, Issue::PartnerUnreachable);
            Outcome::Nothing
        }
    }
}

/// Answers a command.
pub(crate) fn done(turn: &mut Turn<'_>, tag: u64, issue: Issue) {
    turn.ledger.show(News::Done(Done { tag, issue: issue.into(), chat: String::new() }));
}

fn request(method: Method, partner: &str, path: &str, form: Option<Zeroizing<String>>) -> HttpRequest {
    HttpRequest { method, url: format!("{partner}{path}"), form, max_answer: MAX_ANSWER }
}
