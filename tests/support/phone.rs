//! A WhatsApp user with a phone: Signal state of its own.

use super::Chatd;
use causeway_proto::content::{self, Content};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::{
    DecryptError, Envelope, EnvelopeKind, KeyPair, LocalIdentity, PreKeyBundle, PreKeyPair, PreKeys, SessionRecord,
    SignedPreKeyPair, padding,
};
use rand_core::CryptoRng;

pub(crate) struct Phone {
    pub(crate) jid: Jid,
    pub(crate) identity: KeyPair,
    pub(crate) signed: SignedPreKeyPair,
    pub(crate) prekeys: Vec<PreKeyPair>,
    pub(crate) session: SessionRecord,
    pub(crate) received: Vec<(String, String)>,
    pub(crate) sent: u32,
}

impl PreKeys for Phone {
    fn prekey(&self, id: u32) -> Option<&KeyPair> {
        self.prekeys.iter().find(|prekey| prekey.id == id).map(|prekey| &prekey.pair)
    }
    fn signed_prekey(&self, id: u32) -> Option<&KeyPair> {
        (self.signed.id == id).then_some(&self.signed.pair)
    }
}

impl Phone {
    pub(crate) fn new(number: &str, rng: &mut dyn CryptoRng) -> Self {
        let identity = KeyPair::generate(rng);
        Self {
            jid: Jid::user(number),
            signed: SignedPreKeyPair::generate(9, &identity, 0, rng),
            identity,
            prekeys: (1..=20).map(|id| PreKeyPair::generate(id, rng)).collect(),
            session: SessionRecord::default(),
            received: Vec::new(),
            sent: 0,
        }
    }

    /// The app is installed anew: every key is new, every session gone.
    pub(crate) fn reinstall(&mut self, rng: &mut dyn CryptoRng) {
        let (received, sent) = (std::mem::take(&mut self.received), self.sent);
        *self = Self { received, sent, ..Self::new(&self.jid.user.clone(), rng) };
    }

    /// What the server hands out; each one-time prekey once.
    pub(crate) fn bundle(&mut self, handed_out: usize) -> PreKeyBundle {
        let prekey = self.prekeys.get(handed_out).map(|prekey| (prekey.id, prekey.pair.public()));
        PreKeyBundle {
            registration_id: 77,
            identity: self.identity.public(),
            signed_prekey_id: self.signed.id,
            signed_prekey: self.signed.pair.public(),
            signed_prekey_signature: self.signed.signature,
            prekey,
        }
    }

    /// Encrypts a text and wraps it as the server delivers it.
    pub(crate) fn write(&mut self, text: &str, chatd: &mut Chatd, now: u64, rng: &mut dyn CryptoRng) -> (String, Node) {
        self.sent += 1;
        let id = format!("PHONE{:04}", self.sent);
        let local = LocalIdentity { pair: &self.identity, registration_id: 77 };
        if !self.session.has_session() {
            self.session.initiate(&local, &chatd.bundle_of_alice(), rng).expect("alice's keys are good");
        }
        let mut plain = content::text(text);
        padding::pad(&mut plain, rng);
        let envelope = self.session.encrypt(&local, &plain).expect("there is a session");
        let enc = Node::new("enc")
            .with("v", "2")
            .with("type", envelope.kind().as_str())
            .with_bytes(envelope.as_bytes().to_vec());
        let node = Node::new("message")
            .with("from", &self.jid)
            .with("id", id.clone())
            .with("t", now / 1000)
            .with("type", "text")
            .with("notify", "Bob")
            .with_node(enc);
        (id, node)
    }

    /// Opens a message from Alice.
    pub(crate) fn open(
        &mut self,
        id: &str,
        kind: &str,
        bytes: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<(), DecryptError> {
        let kind: EnvelopeKind = kind.parse().expect("a kind that the client writes");
        let envelope = Envelope::parse(kind, bytes).map_err(DecryptError::Malformed)?;
        let mut session = std::mem::take(&mut self.session);
        let local = LocalIdentity { pair: &self.identity, registration_id: 77 };
        let decrypted = session.decrypt(&local, &envelope, &*self, rng);
        self.session = session;
        let decrypted = decrypted?;
        if let Some(used) = decrypted.used_prekey {
            self.prekeys.retain(|prekey| prekey.id != used);
        }
        let mut plain = decrypted.plaintext.to_vec();
        padding::unpad(&mut plain).expect("padded");
        let Ok(Content::Text { body }) = content::parse(&plain) else { panic!("not a text") };
        self.received.push((id.to_owned(), body));
        Ok(())
    }
}
