//! A WhatsApp user: a real Signal client with a store of its own, which never loses what it has taken in.
//!
//! It decrypts, dedupes by id, asks again for what it cannot open (five times at most), serves who asks it, and now and
//! then installs itself anew. What this module does not know: links, time, faults.

use crate::ALICE;
use crate::dice::Dice;
use crate::directory::{Directory, Keys};
use crate::stanzas;
use causeway_proto::content::{self, Content};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::{
    DecryptError, Decrypted, Envelope, KeyPair, LocalIdentity, PreKeyBundle, PreKeyPair, PreKeys, SessionRecord,
    SignedPreKeyPair, padding,
};
use std::collections::VecDeque;

/// Nobody asks more often than this.
const MAX_TRIES: u32 = 5;
/// Whoever asks for one message so often is spared: each new installation costs what is on its way a try.
const OFTEN: u32 = 3;
/// One-time prekeys that a phone gives to the server at once.
const ONE_TIME: u32 = 8;

/// What a phone shows of one message of Alice's.
pub(crate) struct Shown {
    pub(crate) id: String,
    /// `None` while it could not be opened.
    pub(crate) text: Option<String>,
    asked: u32,
}

/// What a phone has sent.
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
    /// How often it was installed anew.
    pub(crate) installations: u32,
    /// How often it lost its one-time prekeys.
    pub(crate) losses: u32,
    keys: Own,
    session: SessionRecord,
    dice: Dice,
}

struct Own {
    identity: KeyPair,
    registration_id: u32,
    signed: SignedPreKeyPair,
    one_time: Vec<PreKeyPair>,
    next: u32,
}

impl PreKeys for Own {
    fn prekey(&self, id: u32) -> Option<&KeyPair> {
        self.one_time.iter().find(|prekey| prekey.id == id).map(|prekey| &prekey.pair)
    }
    fn signed_prekey(&self, id: u32) -> Option<&KeyPair> {
        (self.signed.id == id).then_some(&self.signed.pair)
    }
}

impl Own {
    fn new(dice: &mut Dice) -> Self {
        let identity = KeyPair::generate(&mut dice.0);
        Self {
            registration_id: u32::try_from(dice.between(1, 16_380)).expect("small"),
            signed: SignedPreKeyPair::generate(1, &identity, 0, &mut dice.0),
            identity,
            one_time: Vec::new(),
            next: 1,
        }
    }

    fn make(&mut self, dice: &mut Dice) -> &PreKeyPair {
        self.one_time.push(PreKeyPair::generate(self.next, &mut dice.0));
        self.next += 1;
        self.one_time.last().expect("just made")
    }

    fn bundle(&self) -> PreKeyBundle {
        PreKeyBundle {
            registration_id: self.registration_id,
            identity: self.identity.public(),
            signed_prekey_id: self.signed.id,
            signed_prekey: self.signed.pair.public(),
            signed_prekey_signature: self.signed.signature,
            prekey: None,
        }
    }

    fn local(&self) -> LocalIdentity<'_> {
        LocalIdentity { pair: &self.identity, registration_id: self.registration_id }
    }
}

impl Phone {
    /// One more misfortune, and a message might be asked for in vain.
    pub(crate) fn has_asked_often(&self) -> bool {
        self.shown.iter().any(|shown| shown.text.is_none() && shown.asked >= OFTEN)
    }

    pub(crate) fn new(number: &str, mut dice: Dice) -> Self {
        Self {
            jid: Jid::user(number),
            away: false,
            inbox: VecDeque::new(),
            shown: Vec::new(),
            sent: Vec::new(),
            installations: 0,
            losses: 0,
            keys: Own::new(&mut dice),
            session: SessionRecord::default(),
            dice,
        }
    }

    /// Gives its keys to the server.
    pub(crate) fn upload(&mut self, directory: &mut Directory) {
        let bundle = self.keys.bundle();
        let held = directory.keys.entry(self.jid.user.clone()).or_insert_with(|| Keys::new(bundle.clone()));
        if held.bundle != bundle {
            *held = Keys::new(bundle);
        }
        for _ in 0..ONE_TIME {
            let prekey = self.keys.make(&mut self.dice);
            held.take(prekey.id, prekey.pair.public());
        }
    }

    /// The app is installed anew, with the history from its backup: every key is new, every session gone.
    pub(crate) fn reinstall(&mut self, directory: &mut Directory) {
        self.keys = Own::new(&mut self.dice);
        self.session = SessionRecord::default();
        self.installations += 1;
        self.upload(directory);
    }

    /// The secret halves of its one-time prekeys are gone; the server still hands the public ones out.
    pub(crate) fn lose_prekeys(&mut self) {
        self.losses += 1;
        self.keys.one_time.clear();
    }

    /// Writes a text: the stanza.
    pub(crate) fn write(&mut self, text: String, directory: &mut Directory, t: u64) -> Option<Node> {
        let id = format!("{}.{}", self.jid.user, self.sent.len());
        self.sent.push(Sent { id, text, resent: 0 });
        self.seal(self.sent.len() - 1, directory, t)
    }

    fn seal(&mut self, at: usize, directory: &mut Directory, t: u64) -> Option<Node> {
        if !self.session.has_session() {
            let bundle = directory.keys.get_mut(ALICE)?.hand_out();
            self.session.initiate(&self.keys.local(), &bundle, &mut self.dice.0).expect("Alice's keys are good");
        }
        let Sent { id, text, resent } = &self.sent[at];
        let mut plain = content::text(text);
        padding::pad(&mut plain, &mut self.dice.0);
        let envelope = self.session.encrypt(&self.keys.local(), &plain).expect("there is a session");
        let mut enc = Node::new("enc").with("v", "2").with("type", envelope.kind().as_str());
        if *resent > 0 {
            enc = enc.with("count", *resent);
        }
        let node =
            Node::new("message").with("from", &self.jid).with("id", id.clone()).with("t", t).with("type", "text");
        Some(node.with("notify", "Peer").with_node(enc.with_bytes(envelope.as_bytes().to_vec())))
    }

    /// A stanza from the server: what it answers.
    pub(crate) fn read(&mut self, node: &Node, directory: &mut Directory, t: u64) -> Vec<Node> {
        match node.tag.as_ref() {
            "message" => self.message(node, t),
            "receipt" if node.text("type").as_deref() == Some("retry") => self.serve(node, directory, t),
            _ => Vec::new(),
        }
    }

    fn message(&mut self, node: &Node, t: u64) -> Vec<Node> {
        let id = node.text("id").unwrap_or_default().into_owned();
        let receipt = || Node::new("receipt").with("from", &self.jid).with("id", id.clone());
        let known = self.shown.iter().position(|shown| shown.id == id);
        if known.is_some_and(|at| self.shown[at].text.is_some()) {
            return vec![receipt().with("t", t)];
        }
        let delivered = receipt().with("t", t);
        let retry = receipt();
        match self.open(node) {
            Ok(text) => {
                match known {
                    Some(at) => self.shown[at].text = Some(text),
                    None => self.shown.push(Shown { id: id.clone(), text: Some(text), asked: 0 }),
                }
                let read = delivered.clone().with("type", "read");
                if self.dice.chance(2_000) { vec![delivered, read] } else { vec![delivered] }
            }
            Err(error) => {
                let at = known.unwrap_or_else(|| {
                    self.shown.push(Shown { id: id.clone(), text: None, asked: 0 });
                    self.shown.len() - 1
                });
                self.shown[at].asked += 1;
                let count = self.shown[at].asked;
                if count > MAX_TRIES {
                    return Vec::new();
                }
                let mut children = vec![
                    Node::new("retry")
                        .with("v", "1")
                        .with("count", count)
                        .with("id", id.clone())
                        .with("t", t)
                        .with("error", error.retry_code()),
                    stanzas::registration(self.keys.registration_id),
                ];
                if count >= 2 || matches!(error, DecryptError::NoSession) {
                    let prekey = self.keys.make(&mut self.dice);
                    let prekey = Some((prekey.id, prekey.pair.public()));
                    let bundle = PreKeyBundle { prekey, ..self.keys.bundle() };
                    children.push(Node::new("keys").with_nodes(stanzas::key_nodes(&bundle)));
                }
                vec![retry.with("type", "retry").with_nodes(children)]
            }
        }
    }

    fn open(&mut self, node: &Node) -> Result<String, DecryptError> {
        let enc = node.child("enc").ok_or(DecryptError::NoSession)?;
        let kind = enc.text("type").and_then(|kind| kind.parse().ok()).ok_or(DecryptError::NoSession)?;
        let envelope = Envelope::parse(kind, enc.bytes().unwrap_or_default()).map_err(DecryptError::Malformed)?;
        let Decrypted { plaintext, used_prekey, .. } =
            self.session.decrypt(&self.keys.local(), &envelope, &self.keys, &mut self.dice.0)?;
        if let Some(used) = used_prekey {
            self.keys.one_time.retain(|prekey| prekey.id != used);
        }
        let mut plain = plaintext.to_vec();
        padding::unpad(&mut plain).map_err(|_| DecryptError::BadCiphertext)?;
        match content::parse(&plain) {
            Ok(Content::Text { body }) => Ok(body),
            _ => Err(DecryptError::BadCiphertext),
        }
    }

    /// Alice could not open something: it goes out again under its own id.
    fn serve(&mut self, node: &Node, directory: &mut Directory, t: u64) -> Vec<Node> {
        let id = node.text("id").unwrap_or_default().into_owned();
        let Some(at) = self.sent.iter().position(|sent| sent.id == id) else { return Vec::new() };
        let count = node.child("retry").and_then(|retry| retry.text("count")?.parse::<u32>().ok()).unwrap_or(1);
        if count > MAX_TRIES {
            return Vec::new();
        }
        let bundle = node.child("registration").zip(node.child("keys"));
        match bundle.and_then(|(registration, keys)| stanzas::read_bundle(registration, keys)) {
            Some(bundle) => {
                self.session.initiate(&self.keys.local(), &bundle, &mut self.dice.0).expect("Alice's keys are good");
            }
            None if count >= 2 => self.session.archive_current(),
            None => {}
        }
        self.sent[at].resent = count;
        self.seal(at, directory, t).into_iter().collect()
    }
}
