//! Actions of the users: Alice at her page, and peers with their phones.

use crate::alice::ALICE;
use crate::clock::Millis;
use crate::event_queue::Event;
use crate::faults::Fault;
use crate::world::World;
use causeway_proto::node::Node;

/// Interval of Alice's repairs, in milliseconds.
const CARE: Millis = 7_000;
/// Most reinstallations of one peer in one run.
const MOST_INSTALLATIONS: u32 = 10;
/// Most losses of all one-time prekeys of one peer in one run. Each costs a message in transit one of its five retries.
const MOST_LOSSES: u32 = 2;

impl World {
    /// Alice's next action.
    pub(crate) fn user_acts(&mut self) {
        let number = self.phones[self.rng.index(self.phones.len())].jid.user.clone();
        let commands = self.page.act(&number, self.seed);
        self.send_commands(commands);
        self.user_scheduled = self.page.texts_left > 0;
        if self.user_scheduled {
            let at = self.now + self.rng.between(1, self.pause);
            self.events.schedule(at, Event::UserActs);
        }
    }

    /// Alice's repairs.
    pub(crate) fn user_repairs(&mut self) {
        let commands = self.page.care(self.faults_ended);
        self.send_commands(commands);
        if self.page.texts_left > 0 && !self.user_scheduled {
            self.user_scheduled = true;
            self.events.schedule(self.now + 1, Event::UserActs);
        }
        self.events.schedule(self.now + CARE, Event::UserRepairs);
    }

    /// Injects the faults of a peer.
    pub(crate) fn inject_peer_faults(&mut self, peer: usize) {
        let (faults, rng) = (&mut self.faults, &mut self.rng);
        let phone = &mut self.phones[peer];
        let spared = phone.has_asked_often();
        if !spared && phone.installations < MOST_INSTALLATIONS && faults.inject(Fault::Reinstall, rng) {
            phone.reinstall(&mut self.directory);
            let (jid, said) = (phone.jid.clone(), rng.chance(5_000));
            self.note(format_args!("{jid} reinstalls"));
            if said {
                let notice = self.directory.notice(&jid, Node::new("identity"));
                self.mail(notice);
            }
        }
        if !spared && self.phones[peer].losses < MOST_LOSSES && self.faults.inject(Fault::LosePrekeys, &mut self.rng) {
            self.note(format_args!("peer {peer} loses its one-time prekeys"));
            self.phones[peer].lose_prekeys();
        }
        if !self.phones[peer].away && self.faults.inject(Fault::Away, &mut self.rng) {
            self.phones[peer].away = true;
            let back = self.now + self.rng.between(1_000, 120_000);
            self.events.schedule(back, Event::PeerReturns(peer));
        }
        if self.faults.inject(Fault::ForgetPrekeys, &mut self.rng) {
            self.note(format_args!("the server forgets prekeys"));
            self.drop_prekeys();
        }
    }

    pub(crate) fn peer_returns(&mut self, peer: usize) {
        if std::mem::take(&mut self.phones[peer].away) {
            for _ in 0..self.phones[peer].inbox.len() {
                let at = self.now + self.delay();
                self.events.schedule(at, Event::PeerReads(peer));
            }
        }
    }

    /// A peer writes a message.
    pub(crate) fn peer_writes(&mut self, peer: usize) {
        if self.peers_to_write == 0 {
            return;
        }
        let enlisted = self.directory.keys.users.contains_key(ALICE);
        if enlisted && !self.phones[peer].away {
            self.peers_to_write -= 1;
            let text = format!("peer {peer} {}/{}", self.seed, self.phones[peer].sent.len());
            let t = self.secs();
            if let Some(node) = self.phones[peer].write(text, &mut self.directory, t) {
                self.send_from_peer(peer, node);
            }
            self.notify_if_low();
        }
        let pause = if enlisted { self.pause } else { 5_000 };
        let at = self.now + self.rng.between(1, pause);
        self.events.schedule(at, Event::PeerWrites(peer));
    }

    /// Puts a stanza into a peer's mailbox.
    pub(crate) fn queue_for_peer(&mut self, peer: usize, node: Node) {
        if self.faults.inject(Fault::DuplicateStanza, &mut self.rng) {
            self.phones[peer].inbox.push_back(node.clone());
            let at = self.now + self.delay();
            self.events.schedule(at, Event::PeerReads(peer));
        }
        self.phones[peer].inbox.push_back(node);
        let at = self.now + self.delay();
        self.events.schedule(at, Event::PeerReads(peer));
    }

    /// A peer's phone reads a stanza and answers.
    pub(crate) fn peer_reads(&mut self, peer: usize) {
        if self.phones[peer].away {
            return;
        }
        let Some(node) = self.phones[peer].inbox.pop_front() else { return };
        let t = self.secs();
        self.note(format_args!("peer {peer} gets {node}"));
        for answer in self.phones[peer].read(&node, &mut self.directory, t) {
            self.send_from_peer(peer, answer);
        }
        self.notify_if_low();
    }

    fn send_from_peer(&mut self, peer: usize, node: Node) {
        let at = (self.now + self.delay()).max(self.phone_at[peer]);
        self.phone_at[peer] = at;
        self.events.schedule(at, Event::StanzaFromPeer(peer, node));
    }

    /// A peer's stanza reaches the server.
    pub(crate) fn stanza_from_peer(&mut self, peer: usize, node: &Node) {
        self.note(format_args!("peer {peer} says {node}"));
        self.mail(node.clone());
    }
}
