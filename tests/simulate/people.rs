//! What people do: Alice before her page, and peers with their phones.

use crate::ALICE;
use crate::agenda::Event;
use crate::faults::Fault;
use crate::world::World;
use causeway::io::Millis;
use causeway_proto::node::Node;

/// How often Alice looks whether something needs her.
const CARE: Millis = 7_000;
/// Installations of one peer in one run.
const MOST_INSTALLATIONS: u32 = 10;
/// Losses of all one-time prekeys of one peer in one run. Each costs a message on its way one of its five tries.
const MOST_LOSSES: u32 = 2;

impl World {
    /// Alice does the next thing.
    pub(crate) fn person(&mut self) {
        let number = self.phones[self.dice.index(self.phones.len())].jid.user.clone();
        let commands = self.page.act(&number, self.seed);
        self.say(commands);
        self.has_plans = self.page.wishes > 0;
        if self.has_plans {
            let at = self.now + self.dice.between(1, self.pause);
            self.agenda.put(at, Event::Person);
        }
    }

    /// Alice looks whether something needs her.
    pub(crate) fn care(&mut self) {
        let commands = self.page.care(self.calm);
        self.say(commands);
        if self.page.wishes > 0 && !self.has_plans {
            self.has_plans = true;
            self.agenda.put(self.now + 1, Event::Person);
        }
        self.agenda.put(self.now + CARE, Event::Care);
    }

    /// What may happen to a peer at any moment.
    pub(crate) fn disturb_peer(&mut self, peer: usize) {
        let (weather, dice) = (&mut self.weather, &mut self.dice);
        let phone = &mut self.phones[peer];
        let spared = phone.has_asked_often();
        if !spared && phone.installations < MOST_INSTALLATIONS && weather.strikes(Fault::Reinstall, dice) {
            phone.reinstall(&mut self.directory);
            let (jid, said) = (phone.jid.clone(), dice.chance(5_000));
            self.note(format_args!("{jid} installs anew"));
            if said {
                let notice = self.directory.notice(&jid, Node::new("identity"));
                self.mail(notice);
            }
        }
        if !spared && self.phones[peer].losses < MOST_LOSSES && self.weather.strikes(Fault::LosePrekeys, &mut self.dice)
        {
            self.note(format_args!("peer {peer} loses its one-time prekeys"));
            self.phones[peer].lose_prekeys();
        }
        if !self.phones[peer].away && self.weather.strikes(Fault::Away, &mut self.dice) {
            self.phones[peer].away = true;
            let back = self.now + self.dice.between(1_000, 120_000);
            self.agenda.put(back, Event::Back(peer));
        }
        if self.weather.strikes(Fault::ForgetPrekeys, &mut self.dice) {
            self.note(format_args!("the server forgets prekeys"));
            self.forget_prekeys();
        }
    }

    pub(crate) fn peer_back(&mut self, peer: usize) {
        if std::mem::take(&mut self.phones[peer].away) {
            for _ in 0..self.phones[peer].inbox.len() {
                let at = self.now + self.delay();
                self.agenda.put(at, Event::Reads(peer));
            }
        }
    }

    /// A peer writes.
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
                self.say_phone(peer, node);
            }
            self.tell_if_low();
        }
        let pause = if enlisted { self.pause } else { 5_000 };
        let at = self.now + self.dice.between(1, pause);
        self.agenda.put(at, Event::Writes(peer));
    }

    /// A stanza waits for a peer's phone.
    pub(crate) fn tell_phone(&mut self, peer: usize, node: Node) {
        if self.weather.strikes(Fault::DuplicateStanza, &mut self.dice) {
            self.phones[peer].inbox.push_back(node.clone());
            let at = self.now + self.delay();
            self.agenda.put(at, Event::Reads(peer));
        }
        self.phones[peer].inbox.push_back(node);
        let at = self.now + self.delay();
        self.agenda.put(at, Event::Reads(peer));
    }

    /// A peer's phone takes a stanza, and answers.
    pub(crate) fn peer_reads(&mut self, peer: usize) {
        if self.phones[peer].away {
            return;
        }
        let Some(node) = self.phones[peer].inbox.pop_front() else { return };
        let t = self.secs();
        self.note(format_args!("peer {peer} gets {node}"));
        for answer in self.phones[peer].read(&node, &mut self.directory, t) {
            self.say_phone(peer, answer);
        }
        self.tell_if_low();
    }

    fn say_phone(&mut self, peer: usize, node: Node) {
        let at = (self.now + self.delay()).max(self.phone_at[peer]);
        self.phone_at[peer] = at;
        self.agenda.put(at, Event::FromPhone(peer, node));
    }

    /// A peer's stanza reaches the server.
    pub(crate) fn phone_says(&mut self, peer: usize, node: &Node) {
        self.note(format_args!("peer {peer} says {node}"));
        self.mail(node.clone());
    }
}
