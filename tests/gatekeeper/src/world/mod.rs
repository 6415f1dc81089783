//! State of the sandbox: accounts, public keys, mailboxes, blocks. In memory, recorded before it is acted upon.
//!
//! Each change goes through [`World::commit`]: first into the journal, then into the maps. Must not know
//! connections, clocks (time is an argument), and the meaning of a stanza.

mod accounts;
mod encoding;
mod event;
mod journal;
mod keys;
mod mail;

pub(crate) use accounts::{Enlistment, LoginError};
pub use event::Class;
pub(crate) use event::{QueuedStanza, SignedKey};
pub use journal::JournalError;
pub(crate) use mail::{Posted, Stanza};

use crate::time::UnixSeconds;
use causeway_proto::jid::Jid;
use event::{Event, OneTimeKey};
use journal::Journal;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::path::Path;

/// Message keys remembered per sender, to know a repeated one.
const REMEMBERED: usize = 10_000;

/// Public Signal keys of one account.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) registration: u32,
    pub(crate) identity: [u8; 32],
    pub(crate) signed: SignedKey,
    pub(crate) one_time: BTreeMap<u32, [u8; 32]>,
}

/// One user: of a Partner, or of WhatsApp.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// User-visible identifier; only a Partner's users have one.
    pub(crate) identifier: Option<String>,
    /// Noise static key that a login must prove; `None` takes the first that comes.
    pub(crate) noise: Option<[u8; 32]>,
    pub(crate) name: Option<String>,
    pub(crate) keys: Option<Keys>,
    /// Time of the last sign of life; 1970 before the first.
    pub(crate) last_seen: UnixSeconds,
    pub(crate) blocked: BTreeSet<Jid>,
    contacts: BTreeSet<Jid>,
    mail: BTreeMap<u64, QueuedStanza>,
    /// Numbers of the queued stanzas by stanza id, the only thing that an acknowledgement names.
    mail_by_id: BTreeMap<String, BTreeSet<u64>>,
    mail_bytes: usize,
    accepted: HashSet<String>,
    accepted_order: VecDeque<(UnixSeconds, String)>,
}

/// The whole state.
pub(crate) struct World {
    accounts: BTreeMap<Jid, Account>,
    by_number: HashMap<u64, Jid>,
    by_identifier: HashMap<(u16, String), Jid>,
    next_seq: u64,
    journal: Journal,
}

impl World {
    /// Reads the journal and shortens it to what is still true.
    pub(crate) fn open(folder: &Path) -> Result<Self, JournalError> {
        let (journal, events) = Journal::open(folder)?;
        let mut world = Self {
            accounts: BTreeMap::new(),
            by_number: HashMap::new(),
            by_identifier: HashMap::new(),
            next_seq: 1,
            journal,
        };
        for event in events {
            world.apply(event);
        }
        let snapshot = world.snapshot();
        world.journal.rewrite(&snapshot)?;
        Ok(world)
    }

    /// Records the events, then makes them true.
    fn commit(&mut self, events: Vec<Event>) -> Result<(), JournalError> {
        self.journal.append(&events)?;
        events.into_iter().for_each(|event| self.apply(event));
        Ok(())
    }

    /// The account at exactly this address, device included.
    pub(crate) fn account(&self, who: &Jid) -> Option<&Account> {
        self.accounts.get(who)
    }

    /// All accounts, by address.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&Jid, &Account)> {
        self.accounts.iter()
    }

    /// The account that a person means: a JID, a phone number, or a Partner user's identifier.
    pub(crate) fn find(&self, text: &str) -> Option<Jid> {
        if let Ok(jid) = text.parse::<Jid>()
            && self.accounts.contains_key(&jid)
        {
            return Some(jid);
        }
        let named =
            self.by_identifier.iter().find(|((_, identifier), _)| identifier == text).map(|(_, jid)| jid.clone());
        named.or_else(|| Jid::from_phone(text).ok().filter(|jid| self.accounts.contains_key(jid)))
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Enlisted { who, identifier, noise, registration, identity, signed, at } => {
                self.by_identifier.insert((who.integrator, identifier.clone()), who.clone());
                if let Ok(number) = who.user.parse() {
                    self.by_number.insert(number, who.clone());
                }
                let account = self.accounts.entry(who).or_default();
                account.name = Some(identifier.clone());
                account.identifier = Some(identifier);
                account.noise = Some(noise);
                account.keys = Some(Keys { registration, identity, signed, one_time: BTreeMap::new() });
                account.last_seen = at;
            }
            Event::Registered { who, noise, at } => {
                let account = self.accounts.entry(who).or_default();
                account.noise = Some(noise);
                account.last_seen = at;
                // Prekeys of an earlier installation are of no use to anybody; its identity stays, to see it change.
                if let Some(keys) = &mut account.keys {
                    keys.one_time.clear();
                }
            }
            Event::Released { who } => self.accounts.entry(who).or_default().noise = None,
            Event::Named { who, name } => self.accounts.entry(who).or_default().name = Some(name),
            Event::Uploaded { who, registration, identity, signed, one_time } => {
                let account = self.accounts.entry(who).or_default();
                let kept = account.keys.take().filter(|keys| keys.identity == identity);
                let mut held = kept.map_or_else(BTreeMap::new, |keys| keys.one_time);
                held.extend(one_time.into_iter().map(|key| (key.id, key.value)));
                account.keys = Some(Keys { registration, identity, signed, one_time: held });
            }
            Event::Rotated { who, signed } => {
                if let Some(keys) = self.keys_mut(&who) {
                    keys.signed = signed;
                }
            }
            Event::HandedOut { who, id } => {
                if let Some(keys) = self.keys_mut(&who) {
                    keys.one_time.remove(&id);
                }
            }
            Event::Queued { to, queued } => {
                self.next_seq = self.next_seq.max(queued.seq + 1);
                let account = self.accounts.entry(to).or_default();
                account.mail_bytes += queued.stanza.len();
                account.mail_by_id.entry(queued.id.clone()).or_default().insert(queued.seq);
                account.mail.insert(queued.seq, queued);
            }
            Event::Cleared { who, seq } => {
                if let Some(account) = self.accounts.get_mut(&who)
                    && let Some(queued) = account.mail.remove(&seq)
                {
                    account.mail_bytes -= queued.stanza.len();
                    if let Some(seqs) = account.mail_by_id.get_mut(&queued.id) {
                        seqs.remove(&seq);
                        if seqs.is_empty() {
                            account.mail_by_id.remove(&queued.id);
                        }
                    }
                }
            }
            Event::Accepted { from, key, at } => {
                let account = self.accounts.entry(from).or_default();
                if account.accepted.insert(key.clone()) {
                    account.accepted_order.push_back((at, key));
                }
                if account.accepted_order.len() > REMEMBERED
                    && let Some((_, oldest)) = account.accepted_order.pop_front()
                {
                    account.accepted.remove(&oldest);
                }
            }
            Event::Met { a, b } => {
                self.accounts.entry(a.clone()).or_default().contacts.insert(b.clone());
                self.accounts.entry(b).or_default().contacts.insert(a);
            }
            Event::Blocked { who, target, blocked } => {
                let list = &mut self.accounts.entry(who).or_default().blocked;
                if blocked {
                    list.insert(target)
                } else {
                    list.remove(&target)
                };
            }
            Event::Seen { who, at } => {
                if let Some(account) = self.accounts.get_mut(&who) {
                    account.last_seen = at;
                }
            }
        }
    }

    fn keys_mut(&mut self, who: &Jid) -> Option<&mut Keys> {
        self.accounts.get_mut(who)?.keys.as_mut()
    }

    /// The shortest list of events that leads here.
    fn snapshot(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for (who, account) in &self.accounts {
            let (who, at) = (who.clone(), account.last_seen);
            match (&account.identifier, account.noise, &account.keys) {
                (Some(identifier), Some(noise), Some(keys)) => events.push(Event::Enlisted {
                    who: who.clone(),
                    identifier: identifier.clone(),
                    noise,
                    registration: keys.registration,
                    identity: keys.identity,
                    signed: keys.signed.clone(),
                    at,
                }),
                (_, Some(noise), _) => events.push(Event::Registered { who: who.clone(), noise, at }),
                (_, None, _) => events.push(Event::Released { who: who.clone() }),
            }
            if let Some(name) = &account.name {
                events.push(Event::Named { who: who.clone(), name: name.clone() });
            }
            if let Some(keys) = &account.keys {
                let one_time = keys.one_time.iter().map(|(id, value)| OneTimeKey { id: *id, value: *value }).collect();
                events.push(Event::Uploaded {
                    who: who.clone(),
                    registration: keys.registration,
                    identity: keys.identity,
                    signed: keys.signed.clone(),
                    one_time,
                });
            }
            for target in &account.blocked {
                events.push(Event::Blocked { who: who.clone(), target: target.clone(), blocked: true });
            }
            for other in account.contacts.iter().filter(|other| **other >= who) {
                events.push(Event::Met { a: who.clone(), b: other.clone() });
            }
            for (at, key) in &account.accepted_order {
                events.push(Event::Accepted { from: who.clone(), key: key.clone(), at: *at });
            }
            for queued in account.mail.values() {
                events.push(Event::Queued { to: who.clone(), queued: queued.clone() });
            }
            events.push(Event::Seen { who, at });
        }
        events
    }
}
