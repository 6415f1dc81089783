//! Becoming reachable: signing in at the partner server, tokens, enlistment.
//!
//! ```text
//!   signed out ── account or password accepted ──▶ signed in ── keys durable, request accepted ──▶ enlisted
//! ```
//!
//! A connection and an enlistment both begin with the same two questions to the partner server: where are the servers
//! (the deployment), and a fresh identity token. What this room does not know: the channel, and what messages are.

pub mod deployment;
pub(crate) mod form;
pub mod identifier;

use crate::io::{HttpFailure, HttpRequest, HttpResponse, Method};
use crate::session;
use crate::store::account::Keys;
use crate::store::keys;
use crate::store::ledger::Effect;
use crate::store::prekeys::Signed;
use crate::turn::Turn;
use crate::view::{Done, Issue, News, SignIn, Stage};
use causeway_proto::noise::StaticKey;
use causeway_proto::signal::KeyPair;
use deployment::Deployment;
use form_urlencoded::Serializer;
use zeroize::Zeroizing;

/// Largest answer of the partner server that is read.
const MAX_ANSWER: usize = 64 * 1024;
/// Registration ids are 1 to 16380 (wire.md §6.1).
const REGISTRATION_IDS: u32 = 16_380;
/// Id of the first signed prekey.
const FIRST_SIGNED_PREKEY: u32 = 1;

/// A question to a server, by what its answer is for.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Where are the servers?
    Deployment,
    /// A fresh identity token.
    Token,
    /// Sign in, or make an account.
    SignIn { tag: u64, identifier: String },
    /// Sign out.
    SignOut { tag: u64 },
    /// Enlist.
    Enlist { tag: u64 },
}

/// What the deployment and the token are wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Connecting.
    Connect,
    /// Enlisting, for the command of this tag.
    Enlist { tag: u64 },
}

/// What an answer led to.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing yet.
    Nothing,
    /// Everything that a connection needs is here.
    Ready(Zeroizing<String>),
    /// A connection cannot be begun now.
    NotReady(Issue),
    /// Enlisted: connect.
    Enlisted,
    /// Signed in again: connect if enlisted.
    SignedIn,
}

/// Questions under way.
#[derive(Debug, Default)]
pub(crate) struct Enlistment {
    preparing: Option<Preparing>,
    deployment_fresh: bool,
    request: Option<(u64, Zeroizing<String>)>,
}

#[derive(Debug)]
struct Preparing {
    purpose: Purpose,
    deployment: bool,
    token: Option<Zeroizing<String>>,
}

impl Enlistment {
    /// An enlistment is under way.
    pub(crate) fn is_enlisting(&self) -> bool {
        self.request.is_some() || matches!(&self.preparing, Some(Preparing { purpose: Purpose::Enlist { .. }, .. }))
    }

    /// A connection or an enlistment is being prepared.
    pub(crate) fn is_preparing(&self) -> bool {
        self.preparing.is_some() || self.request.is_some()
    }

    /// Begins: the questions to ask.
    pub(crate) fn prepare(&mut self, purpose: Purpose, partner: &str) -> Vec<(Ask, HttpRequest)> {
        self.preparing = Some(Preparing { purpose, deployment: self.deployment_fresh, token: None });
        let mut questions = vec![(Ask::Token, request(Method::Post, partner, "/api/token", None))];
        if !self.deployment_fresh {
            questions.push((Ask::Deployment, request(Method::Get, partner, "/api/profile", None)));
        }
        questions
    }

    /// Asks where the servers are, and what the provider is called, before anybody has signed in.
    pub(crate) fn look_around(&self, partner: &str) -> Option<(Ask, HttpRequest)> {
        (!self.deployment_fresh).then(|| (Ask::Deployment, request(Method::Get, partner, "/api/profile", None)))
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

    /// The keys are durable: the enlistment request.
    pub(crate) fn enlist(&mut self, turn: &mut Turn<'_>) -> Option<(Ask, HttpRequest)> {
        let (tag, token) = self.request.as_ref()?;
        let account = turn.records.account.peek(keys::ACCOUNT)?;
        let (own, deployment) = (account.keys.as_ref()?, account.deployment.as_ref()?);
        let Signed { key: skey, .. } = turn.records.signed_prekeys.peek(&keys::prekey(own.signed_prekey_id))?;
        let form = form::request(&account.identifier, deployment.profile.integrator, own, skey, token);
        let request = HttpRequest {
            method: Method::Post,
            url: deployment.enlist_url.clone(),
            form: Some(form),
            max_answer: form::MAX_ANSWER,
        };
        Some((Ask::Enlist { tag: *tag }, request))
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
            Ask::Token => self.token(turn, answer),
            Ask::SignIn { tag, identifier } => signed_in(turn, tag, identifier, answer),
            Ask::SignOut { tag } => signed_out(turn, tag, answer),
            Ask::Enlist { tag } => self.enlisted(turn, tag, answer),
        }
    }

    fn deployment(&mut self, turn: &mut Turn<'_>, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
        let read = match answer {
            Ok(HttpResponse { status: 200, body }) => Deployment::from_form(&body).map_err(|_| Issue::PartnerAnswer),
            Ok(_) => Err(Issue::PartnerAnswer),
            Err(_) => Err(Issue::PartnerUnreachable),
        };
        match read {
            Ok(deployment) => {
                self.deployment_fresh = true;
                if turn.records.account().deployment.as_ref() != Some(&deployment) {
                    turn.records.change_account().deployment = Some(deployment);
                    turn.ledger.show_account();
                }
            }
            // What the provider said last time serves until it answers again.
            Err(_) if turn.records.account().deployment.is_some() => {}
            Err(issue) => return self.failed(turn, issue),
        }
        if let Some(preparing) = &mut self.preparing {
            preparing.deployment = true;
        }
        self.proceed(turn)
    }

    fn token(&mut self, turn: &mut Turn<'_>, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
        let token = match answer {
            Ok(HttpResponse { status: 200, body }) if (1..=form::MAX_TOKEN).contains(&body.len()) => {
                String::from_utf8(body).map(Zeroizing::new).map_err(|_| Issue::PartnerAnswer)
            }
            Ok(HttpResponse { status: 401, .. }) => Err(Issue::SignInNeeded),
            Ok(HttpResponse { status: 429, .. }) => Err(Issue::RateLimited),
            Ok(_) => Err(Issue::PartnerAnswer),
            Err(_) => Err(Issue::PartnerUnreachable),
        };
        match (token, &mut self.preparing) {
            (Ok(token), Some(preparing)) => preparing.token = Some(token),
            (Ok(_), None) => {}
            (Err(issue), _) => return self.failed(turn, issue),
        }
        self.proceed(turn)
    }

    fn failed(&mut self, turn: &mut Turn<'_>, issue: Issue) -> Outcome {
        match self.preparing.take().map(|preparing| preparing.purpose) {
            Some(Purpose::Connect) => Outcome::NotReady(issue),
            Some(Purpose::Enlist { tag }) => {
                done(turn, tag, issue);
                turn.ledger.show_account();
                Outcome::Nothing
            }
            None => Outcome::Nothing,
        }
    }

    fn proceed(&mut self, turn: &mut Turn<'_>) -> Outcome {
        let Some(Preparing { purpose, token: Some(token), .. }) =
            self.preparing.take_if(|preparing| preparing.deployment && preparing.token.is_some())
        else {
            return Outcome::Nothing;
        };
        match purpose {
            Purpose::Connect => Outcome::Ready(token),
            Purpose::Enlist { tag } => {
                make_keys(turn);
                self.request = Some((tag, token));
                turn.ledger.after(Effect::Enlist);
                turn.ledger.show_account();
                Outcome::Nothing
            }
        }
    }

    fn enlisted(&mut self, turn: &mut Turn<'_>, tag: u64, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
        self.request = None;
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

/// Makes the long-term keys, unless an earlier attempt has: an attempt that failed half-way is repeated with the same.
fn make_keys(turn: &mut Turn<'_>) {
    if turn.records.account().keys.is_some() {
        return;
    }
    let identity = KeyPair::generate(turn.rng);
    let noise = StaticKey::generate(turn.rng);
    let registration_id = 1 + turn.rng.next_u32() % REGISTRATION_IDS;
    let signed = session::signed_prekey(FIRST_SIGNED_PREKEY, &identity, turn.now / 1000, turn.rng);
    turn.records.signed_prekeys.put(keys::prekey(FIRST_SIGNED_PREKEY), Signed { key: signed, replaced: 0 });
    turn.records.change_account().keys = Some(Keys {
        identity,
        noise,
        registration_id,
        signed_prekey_id: FIRST_SIGNED_PREKEY,
        next_signed_prekey_id: None,
    });
}

fn signed_in(turn: &mut Turn<'_>, tag: u64, identifier: String, answer: Result<HttpResponse, HttpFailure>) -> Outcome {
    let issue = match answer {
        Ok(HttpResponse { status: 200 | 204, .. }) => {
            let account = turn.records.change_account();
            account.identifier = identifier;
            account.stage = account.stage.max(Stage::SignedIn);
            turn.ledger.show_account();
            done(turn, tag, Issue::None);
            return Outcome::SignedIn;
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
