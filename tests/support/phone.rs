//! A WhatsApp user with a phone: the Signal state of `causeway_peer` and a list of what was read.

use super::{Chatd, alice};
use causeway_peer::content;
use causeway_peer::keyring::{Keyring, envelope};
use causeway_peer::stanza::{client, forward};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;
use causeway_proto::signal::DecryptError;
use rand_core::CryptoRng;

/// One-time prekeys of an installation.
const PREKEYS: usize = 20;

pub(crate) struct Phone {
    pub(crate) jid: Jid,
    pub(crate) keys: Keyring,
    /// Id and text of each message from Alice that was decrypted.
    pub(crate) received: Vec<(String, String)>,
    /// Number of messages that were sent.
    pub(crate) sent: u32,
}

impl Phone {
    pub(crate) fn new(number: &str, rng: &mut dyn CryptoRng) -> Self {
        Self { jid: Jid::user(number), keys: installation(rng), received: Vec::new(), sent: 0 }
    }

    /// A new installation of the app: new keys, no sessions. What was received stays.
    pub(crate) fn reinstall(&mut self, rng: &mut dyn CryptoRng) {
        self.keys = installation(rng);
    }

    /// Encrypts a text. The id, and the stanza as the server delivers it.
    pub(crate) fn write(&mut self, text: &str, chatd: &mut Chatd, now: u64, rng: &mut dyn CryptoRng) -> (String, Node) {
        self.write_content(content::write(text), chatd, now, rng)
    }

    /// Encrypts any content. The id, and the stanza as the server delivers it.
    pub(crate) fn write_content(
        &mut self,
        content: Vec<u8>,
        chatd: &mut Chatd,
        now: u64,
        rng: &mut dyn CryptoRng,
    ) -> (String, Node) {
        self.sent += 1;
        let (id, alice) = (format!("PHONE{:04}", self.sent), alice());
        if !self.keys.has_session(&alice) {
            let bundle = chatd.bundle_of_alice();
            self.keys.start_session(&alice, &bundle, rng).expect("alice's keys are good");
        }
        let envelope = self.keys.encrypt(&alice, content, rng).expect("there is a session");
        let message = client::message(&alice, &id, &envelope, 0);
        (id, forward::message(&message, &self.jid, now / 1000).with("notify", "Bob"))
    }

    /// Decrypts a message from Alice.
    pub(crate) fn open(&mut self, id: &str, message: &Node, rng: &mut dyn CryptoRng) -> Result<(), DecryptError> {
        let envelope = envelope(message).expect("an envelope of a kind that the client writes")?;
        let opened = self.keys.decrypt(&alice(), &envelope, rng)?;
        let text = content::read(&opened.plain).expect("a padded text");
        self.received.push((id.to_owned(), text));
        Ok(())
    }
}

fn installation(rng: &mut dyn CryptoRng) -> Keyring {
    let mut keys = Keyring::generate(0, rng);
    keys.more_prekeys(PREKEYS, rng);
    keys
}
