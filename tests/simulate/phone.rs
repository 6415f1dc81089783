//! A WhatsApp user: the Signal state of `causeway_peer` and what the phone shows and has sent. Never loses either.
//!
//! Decrypts, drops duplicates by id, asks for retries, serves retry receipts, and may be reinstalled. Must not know
//! links, time and faults.

use crate::alice::{ALICE, alice};
use crate::directory::Directory;
use crate::seeded_rng::SeededRng;
use causeway_peer::content;
use causeway_peer::keyring::{Keyring, MAX_RETRIES, Renewal, envelope};
use causeway_peer::stanza::{client, forward};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::DecryptError;
use std::collections::VecDeque;

/// No faults for a peer that has asked this often for one message: each costs one of its five retries.
const OFTEN: u32 = 3;
/// One-time prekeys of one upload.
const ONE_TIME: usize = 8;

/// A message of Alice's as the phone shows it.
pub(crate) struct Shown {
    pub(crate) id: String,
    /// `None` while it could not be decrypted.
    pub(crate) text: Option<String>,
    asked: u32,
}

/// A message that the phone has sent.
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) text: String,
    resent: u32,
}

/// A user with a phone.
pub(crate) struct Phone {
    pub(crate) jid: Jid,
    pub(crate) away: bool,
    pub(crate) inbox: VecDeque<Node>,
    pub(crate) shown: Vec<Shown>,
    pub(crate) sent: Vec<Sent>,
    /// Number of reinstallations.
    pub(crate) installations: u32,
    /// Number of times that it lost its one-time prekeys.
    pub(crate) losses: u32,
    keys: Keyring,
    rng: SeededRng,
}

impl Phone {
    /// Whether one more fault might exhaust the retries of a message.
    pub(crate) fn has_asked_often(&self) -> bool {
        self.shown.iter().any(|shown| shown.text.is_none() && shown.asked >= OFTEN)
    }

    pub(crate) fn new(number: &str, mut rng: SeededRng) -> Self {
        Self {
            jid: Jid::user(number),
            away: false,
            inbox: VecDeque::new(),
            shown: Vec::new(),
            sent: Vec::new(),
            installations: 0,
            losses: 0,
            keys: Keyring::generate(0, &mut rng.0),
            rng,
        }
    }

    /// Publishes its keys.
    pub(crate) fn upload(&mut self, directory: &mut Directory) {
        let one_time = self.keys.more_prekeys(ONE_TIME, &mut self.rng.0);
        directory.keys.publish(&self.jid.user, self.keys.bundle(), one_time);
    }

    /// Reinstalls the app, with the history from its backup: new keys, no sessions.
    pub(crate) fn reinstall(&mut self, directory: &mut Directory) {
        self.keys = Keyring::generate(0, &mut self.rng.0);
        self.installations += 1;
        self.upload(directory);
    }

    /// Deletes the secret halves of its one-time prekeys; the server still hands out the public ones.
    pub(crate) fn lose_prekeys(&mut self) {
        self.losses += 1;
        self.keys.one_time.clear();
    }

    /// Writes a text. Returns the stanza.
    pub(crate) fn write(&mut self, text: String, directory: &mut Directory, t: u64) -> Option<Node> {
        let id = format!("{}.{}", self.jid.user, self.sent.len());
        self.sent.push(Sent { id, text, resent: 0 });
        self.seal(self.sent.len() - 1, directory, t)
    }

    fn seal(&mut self, at: usize, directory: &mut Directory, t: u64) -> Option<Node> {
        let alice = alice();
        if !self.keys.has_session(&alice) {
            let bundle = directory.keys.users.get_mut(ALICE)?.hand_out();
            self.keys.start_session(&alice, &bundle, &mut self.rng.0).expect("Alice's keys are good");
        }
        let Sent { id, text, resent } = &self.sent[at];
        let envelope = self.keys.encrypt(&alice, content::write(text), &mut self.rng.0).expect("there is a session");
        let message = client::message(&alice, id, &envelope, *resent);
        Some(forward::message(&message, &self.jid, t).with("notify", "Peer"))
    }

    /// Reads a stanza from the server. Returns the answers.
    pub(crate) fn read(&mut self, node: &Node, directory: &mut Directory, t: u64) -> Vec<Node> {
        match node.tag.as_ref() {
            "message" => self.message(node, t),
            "receipt" if node.text("type").as_deref() == Some("retry") => self.serve(node, directory, t),
            _ => Vec::new(),
        }
    }

    fn message(&mut self, node: &Node, t: u64) -> Vec<Node> {
        let id = node.text("id").unwrap_or_default().into_owned();
        let alice = alice();
        let receipt = |kind| forward::receipt(&client::receipt(&alice, &id, kind, t), &self.jid, t);
        let known = self.shown.iter().position(|shown| shown.id == id);
        if known.is_some_and(|at| self.shown[at].text.is_some()) {
            return vec![receipt(None)];
        }
        let (delivered, read) = (receipt(None), receipt(Some("read")));
        match self.open(node) {
            Ok(text) => {
                match known {
                    Some(at) => self.shown[at].text = Some(text),
                    None => self.shown.push(Shown { id: id.clone(), text: Some(text), asked: 0 }),
                }
                if self.rng.chance(2_000) { vec![delivered, read] } else { vec![delivered] }
            }
            Err(error) => {
                let at = known.unwrap_or_else(|| {
                    self.shown.push(Shown { id: id.clone(), text: None, asked: 0 });
                    self.shown.len() - 1
                });
                self.shown[at].asked += 1;
                let count = self.shown[at].asked;
                if count > MAX_RETRIES {
                    return Vec::new();
                }
                let retry = self.keys.retry_receipt(node, &alice, count, &error, &mut self.rng.0);
                vec![forward::receipt(&retry, &self.jid, t)]
            }
        }
    }

    fn open(&mut self, node: &Node) -> Result<String, DecryptError> {
        let envelope = envelope(node).ok_or(DecryptError::NoSession)??;
        let opened = self.keys.decrypt(&alice(), &envelope, &mut self.rng.0)?;
        content::read(&opened.plain).ok_or(DecryptError::BadCiphertext)
    }

    /// Serves a retry receipt: the message is sent again under its own id.
    fn serve(&mut self, node: &Node, directory: &mut Directory, t: u64) -> Vec<Node> {
        let id = node.text("id").unwrap_or_default().into_owned();
        let Some(at) = self.sent.iter().position(|sent| sent.id == id) else { return Vec::new() };
        let Some(resend) = self.keys.prepare_resend(&alice(), node, &mut self.rng.0) else { return Vec::new() };
        assert!(resend.session != Renewal::Refused, "Alice's keys are good");
        self.sent[at].resent = resend.count;
        self.seal(at, directory, t).into_iter().collect()
    }
}
