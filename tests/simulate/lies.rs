//! A server that lies: it speaks as devices that nobody has, under keys of its own; asks for what was sent; swaps
//! bundles; invents receipts, acks and changes of identity; repeats old stanzas; sends stanzas that do not decode; ends
//! streams without end.
//!
//! Must not know what the engine should make of it: `invariants` and `oracle` do.

use crate::alice::{ALICE, alice};
use crate::faults::Fault;
use crate::garbage;
use crate::world::World;
use causeway_peer::content;
use causeway_peer::directory::PublishedKeys;
use causeway_peer::stanza::{client, forward, keys, session};
use causeway_proto::jid::Jid;
use causeway_proto::node::Node;

/// Lies about one message: each may cost one of its five resends.
const MOST_LIES: u32 = 1;
/// Stanzas that do not decode.
const MOST_GARBAGE: u32 = 12;
/// Lies that come by mail.
const MOST_MAILED: u32 = 200;
/// One-time prekeys that the liar publishes at once.
const ONE_TIME: usize = 4;

impl World {
    /// Tells the lies whose moment has come, about this peer.
    pub(crate) fn tell_lies(&mut self, peer: usize) {
        // Lies make events, and events are occasions for lies.
        if self.liar.mailed >= MOST_MAILED {
            return;
        }
        let jid = self.phones[peer].jid.clone();
        if self.faults.inject(Fault::LieDevice, &mut self.rng) {
            self.speak_as_a_device(&jid);
        }
        if self.faults.inject(Fault::LieRetry, &mut self.rng) {
            self.ask_for_what_was_sent(&jid);
        }
        if self.faults.inject(Fault::LieAck, &mut self.rng)
            && let (Some(id), Some(conn)) = (self.some_message(&jid), self.current)
        {
            let class = ["receipt", "notification", "call"][self.rng.index(3)];
            let ack = Node::new("ack").with("class", class).with("id", id).with("from", &jid);
            self.send_to_alice(conn, ack);
        }
        if self.faults.inject(Fault::LieReceipt, &mut self.rng)
            && let Some(id) = self.some_message(&jid)
        {
            self.note(format_args!("the server receipts {id} itself"));
            let receipt = forward::receipt(&client::receipt(&alice(), &id, None, 0), &jid, self.secs());
            self.liar.spoiled.insert(id);
            self.mail_lie(receipt);
        }
        if self.faults.inject(Fault::LieIdentity, &mut self.rng) {
            self.note(format_args!("the server announces a change of {jid} that there is not"));
            let notice = self.directory.notice(&jid, Node::new("identity"));
            self.mail_lie(notice);
        }
        if self.faults.inject(Fault::LieReplay, &mut self.rng)
            && let Some(conn) = self.current
            && !self.liar.history.is_empty()
        {
            let at = self.rng.index(self.liar.history.len());
            let again = self.liar.history[at].clone();
            self.note(format_args!("the server repeats {again}"));
            self.send_to_alice(conn, again);
        }
        if self.liar.garbage < MOST_GARBAGE && self.faults.inject(Fault::LieGarbage, &mut self.rng) {
            self.send_garbage(&jid);
        }
        if self.faults.inject(Fault::LieStream, &mut self.rng)
            && let Some(conn) = self.current
        {
            // Not counted as a connection that anybody asked for.
            let node = session::stream_error(515);
            self.send_stanza(conn, &node, None);
            self.cut(conn);
        }
    }

    /// A stanza that does not decode waits in the mailbox like any other.
    fn send_garbage(&mut self, jid: &Jid) {
        self.liar.garbage += 1;
        let id = format!("{}{}", garbage::PREFIX, self.liar.garbage);
        let tag = ["message", "message", "receipt", "notification"][self.rng.index(4)];
        if tag == "message" {
            self.liar.messages.push((jid.to_string(), id.clone()));
        }
        self.note(format_args!("the server sends {tag} {id}, which does not decode"));
        self.mail_lie(garbage::stanza(tag, id).with("from", jid).with("t", self.secs()));
    }

    fn mail_lie(&mut self, node: Node) {
        self.liar.mailed += 1;
        self.mail(node);
    }

    /// A message of a device that the peer does not have.
    fn speak_as_a_device(&mut self, jid: &Jid) {
        let Some(published) = self.directory.keys.users.get_mut(ALICE) else { return };
        let bundle = published.hand_out();
        let (liar, alice) = (&mut self.liar, alice());
        let id = format!("LIE{}", liar.messages.len());
        liar.keys.sessions.remove(&alice);
        if liar.keys.start_session(&alice, &bundle, &mut liar.rng.0).is_none() {
            return;
        }
        let sealed = liar.keys.encrypt(&alice, content::write("a lie"), &mut liar.rng.0);
        let message = client::message(&alice, &id, &sealed.expect("there is a session"), 0);
        let device = jid.on_device(u16::try_from(self.rng.between(1, 200)).expect("small"));
        let message = forward::message(&message, &device, self.now / 1000);
        self.note(format_args!("the server speaks as {device}"));
        self.liar.messages.push((jid.to_string(), id));
        self.mail_lie(message);
        self.notify_if_low();
    }

    /// A request for a message of Alice's, with the liar's keys.
    fn ask_for_what_was_sent(&mut self, jid: &Jid) {
        let Some(id) = self.some_message(jid) else { return };
        let lies = self.liar.asked.entry(id.clone()).or_default();
        if *lies >= MOST_LIES {
            return;
        }
        *lies += 1;
        let device = if self.rng.chance(5_000) { 0 } else { u16::try_from(self.rng.between(1, 9)).expect("small") };
        let message = Node::new("message").with("id", id).with("t", self.secs()).with("from", alice());
        let retry = client::retry_receipt(&message, 1, 1, &self.liar.keys.bundle(), true);
        let receipt = forward::receipt(&retry, &jid.on_device(device), self.secs());
        self.note(format_args!("the server asks: {receipt}"));
        self.mail_lie(receipt);
    }

    /// The answer to a key fetch with the liar's keys in place of everybody's.
    pub(crate) fn swapped_bundles(&mut self, request: &Node) -> Option<Node> {
        let wanted = keys::read_fetch(request)?;
        let mut honest = Vec::new();
        for jid in &wanted {
            let mut swapped = PublishedKeys::new(self.liar.keys.bundle());
            for (id, key) in self.liar.keys.more_prekeys(ONE_TIME, &mut self.liar.rng.0) {
                swapped.add(id, key);
            }
            honest.push((jid.user.clone(), self.directory.keys.users.insert(jid.user.clone(), swapped)));
        }
        self.note(format_args!("the server swaps the keys of {wanted:?}"));
        let answer = self.directory.keys.answer(ALICE, request).ok().flatten();
        for (user, keys) in honest {
            match keys {
                Some(keys) => drop(self.directory.keys.users.insert(user, keys)),
                None => drop(self.directory.keys.users.remove(&user)),
            }
        }
        answer
    }

    /// The id of some message of Alice's to this peer.
    fn some_message(&mut self, jid: &Jid) -> Option<String> {
        let chat = jid.to_string();
        let sent = self.disk.mirror.thread(&chat).filter(|message| message.outgoing);
        let ids: Vec<String> = sent.map(|message| message.id.clone()).collect();
        if ids.is_empty() { None } else { Some(ids[self.rng.index(ids.len())].clone()) }
    }
}
